"""Runs the server: in a thread for tests, or for good."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from .app import BODY_LIMIT, make_app
from .engine import Engine

START_SECONDS = 30


def serve(path: Path, *, host: str, port: int, api_key: str | None, ready: Callable[[str], None]) -> None:
    """Serve until a signal comes; `ready` is called with the address once connections are taken."""
    engine = Engine(path)
    listener = _listen(host, port)
    server = uvicorn.Server(_config(make_app(engine, api_key=api_key)))
    ready(_address(listener))
    try:
        server.run(sockets=[listener])
    finally:
        engine.close()


@contextmanager
def running_server(path: Path, *, api_key: str | None = None, body_limit: int = BODY_LIMIT) -> Iterator[str]:
    """Serve from a thread for as long as the context lasts, and give the address."""
    engine = Engine(path)
    listener = _listen("127.0.0.1", 0)
    server = uvicorn.Server(_config(make_app(engine, api_key=api_key, body_limit=body_limit)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the stand-in for Qdrant did not start")
        time.sleep(0.005)
    try:
        yield _address(listener)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        engine.close()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)  # type: ignore[arg-type]
