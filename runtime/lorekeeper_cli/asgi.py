"""Asks an application in this process the way HTTP would, so that an answer has one form wherever it comes from."""

import asyncio
from typing import Any

import orjson

__all__ = ["post_json"]


async def post_json(app: Any, path: str, body: object) -> tuple[int, Any]:
    """POST an object to an ASGI application and return the status and the decoded reply."""
    content = orjson.dumps(body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }
    sent = False
    status = 500
    reply = bytearray()

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # who asks stays until the answer is there
        sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            reply.extend(message.get("body", b""))

    await app(scope, receive, send)
    return status, orjson.loads(bytes(reply))
