"""Reading one file below a folder, whatever happened to it since it was listed."""

import os
import re
import stat
from collections.abc import Callable

from lorekeeper_api.quantity import parse_quantity
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_runtime.errors import DocumentError

__all__ = ["document_id", "is_inside", "max_document_bytes", "path_of", "read_file", "too_large"]

_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


def max_document_bytes(spec: KnowledgeSourceSpec) -> int:
    """Return the size in bytes of the largest document that is read."""
    return parse_quantity(spec.limits.document_size)


def document_id(path: str) -> str:
    r"""Return the id of a file: its path, where bytes that are not UTF-8 are written as `\xe9`."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def path_of(root: str, document: str) -> str:
    """Return the path of the file with this id."""
    path = f"{root}/{document}"
    if "\\x" not in document or os.path.lexists(path):
        return path
    raw = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), document.encode("utf-8"))
    return f"{root}/{os.fsdecode(raw)}"


def is_inside(path: str, folder: str) -> bool:
    """Say whether a path without symbolic links is a folder or lies below it."""
    return path == folder or path.startswith(folder if folder.endswith("/") else f"{folder}/")


def read_file(root: str, path: str, limit: int) -> bytes:
    """Read a regular file that lies below a folder.

    Args:
        root: The folder, without symbolic links.
        path: The file.
        limit: Bytes; a larger file is refused.

    Raises:
        DocumentError: It is gone or no file any more (code Vanished), leads out of the folder (OutsideSource), has
            grown over the limit (TooLarge) or cannot be read (Unreadable).
    """
    real = os.path.realpath(path)
    if not is_inside(real, root):
        raise DocumentError(
            "The document is a link that leads out of the source's folder: put the file itself there.",
            code="OutsideSource",
        )
    try:
        # Not blocking: what was a file may be a pipe by now.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor has no path
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _vanished()
            content = _read_at_most(file.read, os.fstat(descriptor).st_size, limit)
    except FileNotFoundError as error:
        raise _vanished() from error
    except OSError as error:
        raise DocumentError(
            f"The document cannot be read ({os.strerror(error.errno or 0)}): give the reader access to it, or "
            "exclude it.",
            code="Unreadable",
            retryable=True,
        ) from error
    return content


def _read_at_most(read: Callable[[int], bytes | None], size: int, limit: int) -> bytes:
    """Read to the end, or fail as soon as there is more than the limit."""
    if size > limit:
        raise too_large(size, limit)
    parts: list[bytes] = []
    total = 0
    while part := read(max(size - total, 0) + 1):
        parts.append(part)
        total += len(part)
        if total > limit:
            raise too_large(total, limit)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_large(size: int, limit: int) -> DocumentError:
    """Return the error of a document over the limit; sizes in bytes."""
    return DocumentError(
        f"The document has {size / 2**20:.1f} MiB, more than the limit of {limit / 2**20:.1f} MiB: split it, "
        "exclude it, or raise limits.documentSize of its source.",
        code="TooLarge",
    )


def _vanished() -> DocumentError:
    return DocumentError(
        "The document was gone when it was about to be read: the next sync takes it out or reads it again.",
        code="Vanished",
        retryable=True,
    )
