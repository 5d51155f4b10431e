"""The REST client: retries before the first byte, streams that end with their reader, credentials from files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from tenacity import AsyncRetrying, RetryCallState

from lorekeeper_runtime.http import HttpClient, HttpError, SecretFile, UnreachableError, wait_for
from tests.support.fake_ollama import serve

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", handler)
    async with serve(app) as url:
        yield url


@pytest.fixture
def seen() -> list[web.Request]:
    return []


@pytest.fixture
async def busy(seen: list[web.Request]) -> AsyncIterator[str]:
    """A server that is busy twice and then answers."""

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        if len(seen) < 3:
            return web.Response(status=503, text="busy", headers={"Retry-After": "1"})
        return web.Response(text='{"ok":true}')

    async for url in serving(handle):
        yield url


async def test_a_busy_server_is_asked_again(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    assert await http.get_json("/x") == {"ok": True}
    await http.close()
    assert len(seen) == 3


async def test_a_body_in_pieces_arrives_whole_and_again() -> None:
    bodies: list[bytes] = []
    lengths: list[str | None] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.read())
        lengths.append(request.headers.get("Content-Length"))
        return web.Response(status=503 if len(bodies) == 1 else 200, text="{}")

    pieces = [b"%d," % number * 1000 for number in range(3000)]  # more than the system takes in one call
    async for url in serving(handle):
        http = HttpClient(url)
        await http.request("PUT", "/x", pieces)
        await http.request("PUT", "/x", b"after")
        await http.close()
    whole = b"".join(pieces)
    assert bodies == [whole, whole, b"after"]
    assert lengths == [str(len(whole)), str(len(whole)), "5"]


async def test_a_request_that_must_not_be_sent_twice_is_not(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    with pytest.raises(HttpError) as caught:
        await http.request("POST", "/x", b"{}", retry=False)
    await http.close()
    assert (caught.value.status, caught.value.retry_after, len(seen)) == (503, 1.0, 1)


async def test_a_stream_is_asked_for_again_before_it_begins(busy: str, seen: list[web.Request]) -> None:
    http = HttpClient(busy)
    async with http.stream("/x", b"{}") as reader:
        assert await reader.read() == b'{"ok":true}'
    await http.close()
    assert len(seen) == 3


async def test_a_stream_whose_last_line_was_read_keeps_the_connection() -> None:
    ports = []
    read = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"line\n")
        await read.wait()  # the end of the body comes on its own, after the last line
        read.clear()
        return reply

    async for url in serving(handle):
        http = HttpClient(url)
        for _ in range(3):
            async with http.stream("/x", b"{}") as reader:
                assert await reader.readline() == b"line\n"
                read.set()
        await http.close()
    assert len(set(ports)) == 1


async def test_a_stream_that_breaks_is_unreachable() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        await reply.write(b"line\n")
        assert request.transport is not None
        request.transport.abort()
        return reply

    async for url in serving(handle):
        http = HttpClient(url)

        async def read(http: HttpClient) -> None:
            async with http.stream("/x", b"{}") as reader:
                while await reader.readany():
                    pass

        with pytest.raises(UnreachableError):
            await read(http)
        await http.close()


async def test_nobody_there(unused_tcp_port: int) -> None:
    http = HttpClient(f"http://127.0.0.1:{unused_tcp_port}", attempts=2)
    with pytest.raises(UnreachableError):
        await http.get_json("/x")
    await http.close()


async def test_credentials_are_read_again_when_they_change(tmp_path: Path, seen: list[web.Request]) -> None:
    file = tmp_path / "key"
    file.write_text("first\n")

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(text="{}")

    async for url in serving(handle):
        http = HttpClient(url, secret=SecretFile(file), headers={"X-More": "1"})
        await http.get_json("/x")
        new = tmp_path / "new"
        new.write_text("second")
        new.replace(file)
        await http.get_json("/x")
        await http.close()
    assert [request.headers["Authorization"] for request in seen] == ["Bearer first", "Bearer second"]
    assert seen[0].headers["X-More"] == "1"


async def test_a_missing_credentials_file_is_like_a_refused_one(tmp_path: Path) -> None:
    http = HttpClient("http://127.0.0.1:1", secret=SecretFile(tmp_path / "missing"))
    with pytest.raises(HttpError) as caught:
        await http.get_json("/x")
    await http.close()
    assert caught.value.status == 401


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_redirect_is_refused_and_nothing_goes_to_the_other_host(streamed: bool, tmp_path: Path) -> None:
    strangers: list[web.Request] = []

    async def take(request: web.Request) -> web.StreamResponse:
        strangers.append(request)
        return web.Response(text="{}")

    (tmp_path / "key").write_text("canary")
    async for stranger in serving(take):

        async def send_on(request: web.Request, to: str = stranger) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(f"{to}/elsewhere")

        async for url in serving(send_on):
            http = HttpClient(url, secret=SecretFile(tmp_path / "key"), auth_header="api-key", auth_prefix="")
            asked = _read_stream(http) if streamed else http.request("POST", "/x", b"{}")
            with pytest.raises(HttpError) as raised:
                await asked
            assert raised.value.status == 307
            await http.close()
    assert strangers == []


@pytest.mark.parametrize(("asked", "least", "most"), [(None, 0, 0.2), (1.0, 1, 1), (600.0, 5, 5)])
def test_the_wait_before_the_next_attempt_is_what_the_server_asks_for_within_reason(
    asked: float | None, least: float, most: float
) -> None:
    error = HttpError(503, b"", retry_after=asked)
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.set_exception((HttpError, error, None))
    assert least <= wait_for(state) <= most


async def _read_stream(http: HttpClient) -> bytes:
    async with http.stream("/x", b"{}") as content:
        return await content.read()
