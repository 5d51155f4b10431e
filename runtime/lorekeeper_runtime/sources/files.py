"""Reading one file below a folder, whatever happened to it since it was listed."""

import os
import re
import stat

from lorekeeper_api.quantity import parse_quantity
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_runtime.errors import DocumentError

__all__ = ["FolderReader", "document_id", "is_inside", "max_document_bytes", "path_of", "read_file", "too_large"]

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Not blocking: what was a file may be a pipe by now."""
_FOLDER_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC

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
        return _read(real, limit)
    except FileNotFoundError as error:
        raise _vanished() from error
    except OSError as error:
        raise DocumentError(
            f"The document cannot be read ({os.strerror(error.errno or 0)}): give the reader access to it, or "
            "exclude it.",
            code="Unreadable",
            retryable=True,
        ) from error


class FolderReader:
    """Reads files below a folder, faster where they follow each other in the order of a listing: 14 microseconds each
    instead of 50, because the path is not resolved for every file.

    The folder of the last file is held open. It is reached from the root step by step, and no step may be a symbolic
    link: so nothing outside can be reached, not even when a folder is replaced by a link meanwhile.

    Args:
        root: The folder, without symbolic links.
        limit: Bytes; a larger file is refused.
    """

    def __init__(self, root: str, limit: int) -> None:
        self._root = root
        self._limit = limit
        self._folder: str | None = None
        self._descriptor = -1

    def read(self, document: str) -> bytes:
        """Read the file with this id; see `read_file` for what may go wrong."""
        if "\\" not in document and ".." not in document:
            folder, _, name = document.rpartition("/")
            try:
                if folder != self._folder:
                    self._enter(folder)
                return _read(name, self._limit, self._descriptor)
            except OSError:
                pass  # a link, or gone, or no access: said below
        return read_file(self._root, path_of(self._root, document), self._limit)

    def close(self) -> None:
        """Let go of the folder."""
        if self._folder is not None:
            self._folder = None
            os.close(self._descriptor)

    def _enter(self, folder: str) -> None:
        self.close()
        descriptor = os.open(self._root, _FOLDER_FLAGS)
        try:
            for step in folder.split("/") if folder else ():
                below = os.open(step, _FOLDER_FLAGS, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
        except OSError:
            os.close(descriptor)
            raise
        self._folder, self._descriptor = folder, descriptor


def _read(path: str, limit: int, folder: int | None = None) -> bytes:
    """Read a regular file to its end, or fail as soon as there is more than the limit.

    Args:
        path: The file; its last part is no symbolic link.
        limit: Bytes.
        folder: Descriptor of the folder that the path begins in; None for a path from the top.
    """
    descriptor = os.open(path, _FLAGS, dir_fd=folder)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _vanished()
        size = found.st_size
        if size > limit:
            raise too_large(size, limit)
        content = os.read(descriptor, size + 1)
        return content if len(content) == size else _read_on(descriptor, content, limit)
    finally:
        os.close(descriptor)


def _read_on(descriptor: int, content: bytes, limit: int) -> bytes:
    """Read the rest of a file that has changed since its size was asked, or comes in pieces."""
    parts = [content]
    total = len(content)
    while total <= limit and (part := os.read(descriptor, 65_536)):
        parts.append(part)
        total += len(part)
    if total > limit:
        raise too_large(total, limit)
    return b"".join(parts)


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
