"""A HTTP/1.1 server with nothing but what the stubs need: it answers at once, in one write."""

import asyncio
from collections.abc import Callable
from typing import cast

from typing_extensions import override

__all__ = ["Answer", "Handler", "StubProtocol"]

Answer = tuple[int, bytes, bytes]
"""Status, content type, body."""
Handler = Callable[[str, str, bytes], Answer]
"""Takes method, path with query, body."""

_END = b"\r\n\r\n"


class StubProtocol(asyncio.Protocol):
    """One connection. Requests carry Content-Length or are chunked; anything else closes the connection."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is no subclass

    @override
    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        while buffer:
            end = buffer.find(_END)
            if end < 0:
                return
            head = bytes(buffer[:end])
            length = _content_length(head)
            start = end + len(_END)
            if length is None:
                chunked = _read_chunked(buffer, start)
                if chunked is None:
                    return
                body, stop = chunked
            else:
                stop = start + length
                if len(buffer) < stop:
                    return
                body = bytes(buffer[start:stop])
            del buffer[:stop]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        status, content_type, content = self._handler(method, path, body)
        self._transport.write(
            b"HTTP/1.1 %d OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, content_type, len(content))
            + content
        )


def _content_length(head: bytes) -> int | None:
    """Return the length of the body, or None when it is chunked."""
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        return int(lower[at + 17 :].split(b"\r\n", 1)[0])
    return None if b"\r\ntransfer-encoding: chunked" in lower else 0


def _read_chunked(buffer: bytearray, position: int) -> tuple[bytes, int] | None:
    """Return a chunked body and where it ends, or None while it is incomplete."""
    parts = []
    while True:
        line = buffer.find(b"\r\n", position)
        if line < 0:
            return None
        size = int(bytes(buffer[position:line]).split(b";")[0], 16)
        start = line + 2
        if len(buffer) < start + size + 2:
            return None
        parts.append(bytes(buffer[start : start + size]))
        position = start + size + 2
        if size == 0:
            return b"".join(parts), position
