"""Real Git repositories and real smart HTTP servers for tests: git's http-backend, and dulwich's WSGI application."""

import base64
import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Literal
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

__all__ = ["Backend", "GitRepository", "GitServer", "serve_repositories"]

Backend = Literal["git", "dulwich"]

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A. Writer",
    "GIT_AUTHOR_EMAIL": "writer@example.com",
    "GIT_COMMITTER_NAME": "A. Writer",
    "GIT_COMMITTER_EMAIL": "writer@example.com",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitRepository:
    """A repository with a work tree, made by the real git."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=os.environ | _ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: dict[str, str | bytes] | None = None, message: str = "change") -> str:
        """Commit everything in the work tree; return the commit's id."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@dataclass
class GitServer:
    """A running server."""

    address: str
    requests: list[str] = field(default_factory=list)
    """Method and path of each request."""
    bytes_sent: int = 0
    failing: int = 0
    """When not 0: the status that everything is answered with."""

    def url(self, repository: str) -> str:
        return f"{self.address}/{repository}/.git"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve_repositories(
    folder: Path, *, backend: Backend = "git", credentials: tuple[str, str] | None = None
) -> Iterator[GitServer]:
    """Serve the repositories in a folder over HTTP on a free port of the loopback address."""
    application = _git_backend(folder) if backend == "git" else _dulwich_backend(folder)
    server = GitServer("")
    http = make_server("127.0.0.1", 0, _watched(application, server, credentials), _Server, _Handler)
    server.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def _watched(
    application: Callable[..., Any], server: GitServer, credentials: tuple[str, str] | None
) -> Callable[..., Any]:
    expected = "Basic " + base64.b64encode(":".join(credentials).encode()).decode() if credentials else None

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        server.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if server.failing:
            start_response(f"{server.failing} Failing", [])
            return
        if expected and environ.get("HTTP_AUTHORIZATION") != expected:
            start_response("401 Unauthorized", [("WWW-Authenticate", 'Basic realm="git"')])
            return
        for part in application(environ, start_response):
            server.bytes_sent += len(part)
            yield part

    return answer


def _git_backend(folder: Path) -> Callable[..., Iterable[bytes]]:
    """git-http-backend behind WSGI: it speaks CGI."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = _body(environ)
        cgi = {
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": environ["PATH_INFO"],
            "QUERY_STRING": environ.get("QUERY_STRING", ""),
            "REQUEST_METHOD": environ["REQUEST_METHOD"],
            "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=os.environ | _ENVIRONMENT | cgi, input=body, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(":") for line in head.decode().split("\r\n"))
        ]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start_response(status, [(name, value) for name, value in headers if name and name != "Status"])
        return [content]

    return answer


def _body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING") != "chunked":
        return bytes(stream.read(int(environ.get("CONTENT_LENGTH") or 0)))
    parts: list[bytes] = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    return b"".join(parts)


def _dulwich_backend(folder: Path) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        repositories = {f"/{path.name}/.git": Repo(str(path)) for path in folder.iterdir() if (path / ".git").is_dir()}
        backend = DictBackend({**repositories, **{name.encode(): repo for name, repo in repositories.items()}})
        try:
            return list(make_wsgi_chain(backend)(environ, start_response))
        finally:
            for repository in repositories.values():
                repository.close()

    return answer
