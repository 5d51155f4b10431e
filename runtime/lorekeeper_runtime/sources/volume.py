"""A folder: the documents of a volume."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.ports import ListedDocument, RawDocument
from lorekeeper_runtime.sources.files import FolderReader, document_id, is_inside, max_document_bytes
from lorekeeper_runtime.sources.globs import PathFilter

__all__ = ["VolumeSource", "version_of"]


class VolumeSource:
    """Documents are the files below a folder.

    Links to files are followed inside the folder and ignored when they lead out of it; links to folders are ignored,
    since what they show is listed where it lies. Pipes, sockets and devices are ignored.

    Args:
        config: The source; its `mount` is the folder that the volume is at.

    Raises:
        SourceError: The configuration names no folder or an invalid glob (code InvalidSource).
    """

    def __init__(self, config: SourceConfig) -> None:
        spec = config.spec.volume
        if spec is None or config.mount is None:
            raise SourceError(
                f"No folder is given for the volume of source {config.name}: name one with --volume CLAIM=FOLDER.",
                code="InvalidSource",
            )
        self._name = config.name
        self._mount = config.mount
        self._path = spec.path or ""
        self._filter = PathFilter(spec.include, spec.exclude)
        self._limit = max_document_bytes(config.spec)
        self._root = ""
        """The folder without symbolic links; empty until it is needed."""
        self._reader: FolderReader | None = None

    @property
    def revision(self) -> str:
        """Empty: a folder has no revision."""
        return ""

    def list_documents(self) -> Iterator[ListedDocument]:
        """Yield the files of the folder, sorted within each folder.

        Raises:
            SourceError: The folder is missing (code SourceNotFound), or it or a folder below it cannot be read
                (SourceUnreadable): what is there is not known then.
        """
        root = self._find_root()
        if root != self._root:
            self.close()
            self._root = root
        try:
            yield from self._walk(root, "")
        except OSError as error:
            below = os.path.relpath(os.fsdecode(error.filename), root) if error.filename else "."
            raise SourceError(
                f"The folder {document_id(below)!r} of source {self._name} cannot be read "
                f"({os.strerror(error.errno or 0)}): give the reader access to it, or exclude it with "
                f"{document_id(below) + '/**'!r}.",
                code="SourceUnreadable",
            ) from error

    def fetch(self, document: ListedDocument) -> RawDocument:
        """Read one listed file.

        Raises:
            DocumentError: It is gone, too large or cannot be read; see `files.read_file`.
        """
        if self._reader is None:
            self._root = self._root or self._find_root()
            self._reader = FolderReader(self._root, self._limit)
        return RawDocument(document.id, self._reader.read(document.id))

    def close(self) -> None:
        """Let go of the folder of the last file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _find_root(self) -> str:
        mount = os.path.realpath(self._mount)
        root = os.path.realpath(f"{mount}/{self._path}")
        if not is_inside(root, mount):
            raise SourceError(
                f"The path {self._path!r} of source {self._name} leads out of its volume: name a folder inside it.",
                code="InvalidSource",
            )
        if not Path(root).is_dir():
            missing = f"{self._path!r} in {self._mount}" if self._path else f"{self._mount}"
            raise SourceError(
                f"The folder {missing} of source {self._name} does not exist: create it, or correct the source's path "
                "or the volume's folder.",
                code="SourceNotFound",
            )
        return root

    def _walk(self, root: str, top: str) -> Iterator[ListedDocument]:
        takes, enters = self._filter.takes, self._filter.enters
        folders = [top]
        while folders:
            folder = folders.pop()
            below: list[str] = []
            for entry in _entries(f"{root}/{folder}" if folder else root, is_root=not folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if enters(path):
                        below.append(path)
                elif takes(path) and (found := _stat(entry, root)) is not None:
                    yield ListedDocument(document_id(path), version_of(found), found.st_size)
            folders += reversed(below)


def version_of(found: os.stat_result) -> str:
    """Return the version of a file. The change time is part of it: a copy that keeps size and modification time of what
    it replaces changes that one. A version that changes without the content costs one look at the file.
    """
    return f"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ctime_ns:x}-{found.st_ino:x}"


def _entries(folder: str, *, is_root: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=_name)
    except FileNotFoundError:
        if is_root:
            raise
        return []  # it was removed since its parent was read: so are its files


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _stat(entry: os.DirEntry[str], root: str) -> os.stat_result | None:
    """What a file is; None when it is none, is gone, or is a link that leads out of the root."""
    try:
        if entry.is_symlink() and not is_inside(os.path.realpath(entry.path), root):
            return None
        found = entry.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        if entry.is_symlink():  # a link in a circle
            return None
        raise error from None
    return found if stat.S_ISREG(found.st_mode) else None
