"""How a second command finds and asks the server that holds the home."""

import asyncio
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from lorekeeper_cli.asgi import post_json
from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.home import find_holder, find_server, hold_home, write_token
from lorekeeper_cli.local_routes import SERVED_PATH, SYNC_PATH, add_local_routes
from lorekeeper_cli.remote import RemoteServer
from lorekeeper_runtime.stores.lock import StoreLockedError, read_holder


class FakeSyncer:
    def __init__(self) -> None:
        self.confirmed: list[frozenset[str]] = []

    async def sync(
        self, *, sources: frozenset[str] | None = None, confirm_deletion: frozenset[str] = frozenset()
    ) -> list[dict[str, Any]]:
        self.confirmed.append(confirm_deletion)
        return [{"pipeline": "p"}]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.headers.get("Authorization") == "Bearer t" else 403)
        self.end_headers()
        self.wfile.write(b"not json" if self.path == "/odd" else body)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def http_server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def call(app: Any, path: str, content: bytes, token: str | None, method: str = "POST") -> int:
    """Send any bytes, which `post_json` does not."""
    status = 0
    messages = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    return status


@pytest.mark.parametrize(
    ("content", "token", "status"),
    [
        (b'{"confirm_deletion": ["docs"]}', "good", 200),
        (b"", "good", 200),
        (b"{}", "bad", 403),
        (b"{}", None, 403),
        (b"[]", "good", 400),
        (b"{", "good", 400),
        (b'{"confirm_deletion": 1}', "good", 400),
        (b" " * 70_000, "good", 413),
    ],
)
async def test_only_the_owner_may_ask_for_a_sync(content: bytes, token: str | None, status: int) -> None:
    app, syncer = FastAPI(), FakeSyncer()
    add_local_routes(app, syncer, "good", {"p": {"docs": "hash"}})  # type: ignore[arg-type] # the route needs nothing else of a Syncer

    assert await call(app, SYNC_PATH, content, token) == status

    assert len(syncer.confirmed) == (1 if status == 200 else 0)
    if b"docs" in content:
        assert syncer.confirmed == [frozenset({"docs"})]


class RefusingSyncer:
    async def sync(self, *, confirm_deletion: frozenset[str]) -> list[dict[str, Any]]:
        raise CommandError("No such source.")


async def test_a_sync_that_is_refused_says_why() -> None:
    app = FastAPI()
    add_local_routes(app, RefusingSyncer(), "good", {})  # type: ignore[arg-type] # the route needs nothing else

    assert await call(app, SYNC_PATH, b"{}", "good") == 400


@pytest.mark.parametrize(("token", "status"), [("good", 200), ("bad", 403), (None, 403)])
async def test_only_the_owner_may_ask_what_is_served(token: str | None, status: int) -> None:
    app = FastAPI()
    add_local_routes(app, FakeSyncer(), "good", {"p": {"docs": "hash"}})  # type: ignore[arg-type] # as above

    assert await call(app, SERVED_PATH, b"", token, method="GET") == status


async def test_an_application_is_asked_in_process() -> None:
    app = FastAPI()

    @app.post("/echo")
    async def echo(request: Request) -> JSONResponse:
        body = await request.json()
        # Whoever asks in this process does not go away, so a watch for that never ends.
        watch = asyncio.ensure_future(request.receive())
        done, _ = await asyncio.wait({watch}, timeout=0.05)
        watch.cancel()
        return JSONResponse({"body": body, "gone": bool(done)}, status_code=418)

    assert await post_json(app, "/echo", {"a": "ü"}) == (418, {"body": {"a": "ü"}, "gone": False})


def test_a_server_is_asked_with_the_token() -> None:
    with http_server() as url:
        assert RemoteServer(url, "t").post("/x", {"a": 1}) == (200, {"a": 1})
        assert RemoteServer(url).post("/x", {"a": 1})[0] == 403
        with pytest.raises(CommandError, match="does not answer"):
            RemoteServer(url, "t").post("/odd", {})
    with pytest.raises(CommandError, match="does not answer") as caught:
        RemoteServer(url, "t").post("/x", {})
    assert caught.value.exit_code is Exit.UNAVAILABLE


def test_a_held_home_leads_to_its_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with hold_home(home) as lock, write_token(home) as token:
        assert (home / ".gitignore").read_text() == "*\n"
        with pytest.raises(StoreLockedError) as caught, hold_home(home):
            pass
        with pytest.raises(CommandError, match="does not serve yet") as early:
            find_server(caught.value, home)
        assert early.value.exit_code is Exit.UNAVAILABLE

        lock.announce("http://127.0.0.1:1")
        holder = read_holder(home)
        assert holder is not None
        assert find_server(StoreLockedError(holder), home).url == "http://127.0.0.1:1"
        assert stat.S_IMODE((home / "server-token").stat().st_mode) == 0o600
        assert (home / "server-token").read_text() == token
    assert not (home / "server-token").exists()
    assert read_holder(home) is None


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with hold_home(home):
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
    home.chmod(0o755)
    with hold_home(home):
        assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_shared_folder_stays_shared(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    with hold_home(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FileExistsError):
        find_holder(tmp_path / "file")
    with pytest.raises(FileExistsError), hold_home(tmp_path / "file"):
        pass
    assert find_holder(tmp_path / "none") is None
