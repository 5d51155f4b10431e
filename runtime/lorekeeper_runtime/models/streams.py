"""Lines of a streamed reply."""

from collections.abc import AsyncIterator
from typing import Protocol

__all__ = ["LineTooLongError", "read_lines"]

MAX_LINE_BYTES = 4 * 1024 * 1024


class ByteReader(Protocol):
    """A body that is read as it comes; `aiohttp.StreamReader` is one."""

    async def readany(self) -> bytes:
        """Return what has come, waiting for at least one byte; nothing at the end."""
        ...


class LineTooLongError(Exception):
    """A line without an end in sight."""


async def read_lines(reader: ByteReader) -> AsyncIterator[bytes]:
    """Yield the lines of a body without their ends, leaving out empty ones.

    Every piece that arrives is passed on at once; a piece with many lines costs one wake-up.

    Raises:
        LineTooLongError: A line is longer than 4 MiB.
    """
    rest = b""
    while piece := await reader.readany():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if stripped := line.strip():
                yield stripped
        if len(rest) > MAX_LINE_BYTES:
            raise LineTooLongError(f"a line of more than {MAX_LINE_BYTES} bytes")
    if stripped := rest.strip():
        yield stripped
