"""The files of one commit of a Git repository, on this machine or elsewhere."""

import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dulwich.errors import FileFormatException, NotGitRepository, ObjectFormatException
from dulwich.objects import Commit, ObjectID, ShaFile, Tag, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument, RawDocument
from lorekeeper_runtime.sources.files import document_id, max_document_bytes, too_large
from lorekeeper_runtime.sources.git_objects import BlobSizes
from lorekeeper_runtime.sources.git_refs import ref_not_found, select_ref
from lorekeeper_runtime.sources.git_remote import RemoteRepository
from lorekeeper_runtime.sources.globs import PathFilter

__all__ = ["GitSource"]

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"

_DAMAGED = (KeyError, FileFormatException, ObjectFormatException, zlib.error)
"""What reading an object fails with when a repository is not whole."""


class GitSource:
    """Documents are the files of the commit that a ref names; a document's version is the id of its content.

    A repository on this machine is read where it lies. One elsewhere is fetched without its history into the source's
    cache, and later only what is new. Submodules and links are not followed.

    Args:
        config: The source.

    Raises:
        SourceError: Its address or a glob is not valid (code InvalidSource), or it has no usable credentials
            (SourceUnauthorized).
    """

    def __init__(self, config: SourceConfig) -> None:
        spec = config.spec.git
        if spec is None:
            raise SourceError(f"Source {config.name} is no Git source: set its git.url.", code="InvalidSource")
        self._name = config.name
        self._ref = spec.ref
        self._path = (spec.path or "").strip("/")
        self._filter = PathFilter(spec.include, spec.exclude)
        self._limit = max_document_bytes(config.spec)
        self._repository: Repo | None = None
        self._revision = ""
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._local: str | None = None
        self._remote: RemoteRepository | None = None
        address = urlsplit(spec.url)
        if address.scheme in {"http", "https"}:
            cache = config.cache
            if cache is None:
                self._scratch = tempfile.TemporaryDirectory(prefix="lorekeeper-git-")
                cache = self._scratch.name
            self._remote = RemoteRepository(
                config.name, spec.url, Path(cache, "repository.git"), credentials=config.credentials
            )
        else:
            self._local = unquote(address.path) if address.scheme == "file" else spec.url

    @property
    def revision(self) -> str:
        """Id of the commit that the last listing saw; empty before the first one."""
        return self._revision

    def list_documents(self) -> Iterator[ListedDocument]:
        """Yield the files of the commit that the ref names now, in the order of their paths.

        Raises:
            SourceError: The repository or its folder is missing (code SourceNotFound), the ref is (RefNotFound), access
                is denied (SourceUnauthorized), or nobody answers (SourceUnreachable).
        """
        try:
            repository, commit = self._open_commit()
            sizes = BlobSizes(repository.object_store)
            for path, blob in self._walk(repository, self._find_folder(repository, commit)):
                yield ListedDocument(document_id(path), blob.decode("ascii"), sizes.size_of(blob))
        except _DAMAGED as error:
            if self._remote is not None:
                self._remote.discard()
                message = (
                    f"The copy of the Git repository of source {self._name} was damaged and is deleted: sync again."
                )
            else:
                message = (
                    f"The Git repository of source {self._name} is damaged or not whole: check it with 'git fsck'."
                )
            raise SourceError(message, code="SourceFailed", retryable=self._remote is not None) from error

    def fetch(self, document: ListedDocument) -> RawDocument:
        """Read one listed file, as it was in the commit that was listed.

        Raises:
            DocumentError: It is gone (code Vanished), over the limit (TooLarge) or kept in Git LFS (LfsPointer).
        """
        repository = self._repository or self._open()
        try:
            blob = repository.object_store[ObjectID(document.version.encode("ascii"))]
            content = blob.as_raw_string()
        except _DAMAGED as error:
            raise DocumentError(
                "The document is not in the repository any more: the next sync reads it again.",
                code="Vanished",
                retryable=True,
            ) from error
        if len(content) > self._limit:
            raise too_large(len(content), self._limit)
        if len(content) < 1024 and content.startswith(_LFS_POINTER):
            raise DocumentError(
                "The document is kept in Git LFS, of which the repository holds a pointer only: commit the file itself "
                "or exclude it.",
                code="LfsPointer",
            )
        return RawDocument(document.id, content)

    def close(self) -> None:
        """Close the repository, and delete what was fetched when there is no cache."""
        if self._repository is not None:
            self._repository.close()
            self._repository = None
        if self._remote is not None:
            self._remote.close()
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _open(self) -> Repo:
        if self._remote is not None:
            self._repository = self._remote.open()
            return self._repository
        try:
            self._repository = Repo(self._local or "")
        except (NotGitRepository, OSError) as error:
            raise SourceError(
                f"The folder {self._local} of source {self._name} is no Git repository: correct git.url.",
                code="SourceNotFound",
            ) from error
        return self._repository

    def _open_commit(self) -> tuple[Repo, Commit]:
        if self._repository is not None and self._remote is None:
            self._repository.close()  # packs may have changed
            self._repository = None
        if self._remote is not None:
            self._repository, tip = self._remote.fetch(self._ref)
        else:
            tip = select_ref(_local_refs(self._open()), self._ref, source=self._name)
        repository = self._repository or self._open()
        commit = _peel(repository, tip)
        if commit is None:
            raise ref_not_found(self._ref, source=self._name)
        self._revision = commit.id.decode("ascii")
        return repository, commit

    def _find_folder(self, repository: Repo, commit: Commit) -> Tree:
        folder = repository.object_store[commit.tree]
        for part in self._path.split("/") if self._path else ():
            entry = _entry(folder, os.fsencode(part))
            folder = repository.object_store[entry] if entry else folder
            if entry is None or not isinstance(folder, Tree):
                raise SourceError(
                    f"The folder {self._path!r} of source {self._name} is not in its repository at {self._ref}: "
                    "correct git.path or git.ref.",
                    code="SourceNotFound",
                )
        if not isinstance(folder, Tree):
            raise KeyError(commit.tree)
        return folder

    def _walk(self, repository: Repo, top: Tree) -> Iterator[tuple[str, ObjectID]]:
        """Yield path and content id of every document."""
        takes, enters, store = self._filter.takes, self._filter.enters, repository.object_store
        waiting: list[tuple[str, Tree | None, ObjectID]] = [("", top, top.id)]
        while waiting:
            folder, tree, tree_id = waiting.pop()
            found = tree or store[tree_id]
            if not isinstance(found, Tree):
                raise KeyError(tree_id)
            below: list[tuple[str, Tree | None, ObjectID]] = []
            for name, mode, entry in found.iteritems():
                path = f"{folder}/{os.fsdecode(name)}" if folder else os.fsdecode(name)
                if stat.S_ISREG(mode):
                    if takes(path):
                        yield path, entry
                elif stat.S_ISDIR(mode) and enters(path):
                    below.append((path, None, entry))
            waiting += reversed(below)


def _local_refs(repository: Repo) -> dict[Ref, ObjectID]:
    refs: dict[Ref, ObjectID] = {}
    for name in repository.refs.allkeys():
        try:
            refs[name] = repository.refs[name]
        except KeyError:  # a branch without a commit, as in a new repository
            continue
    return refs


def _peel(repository: Repo, tip: ObjectID) -> Commit | None:
    """The commit that an id stands for, through annotated tags; None when it is none or is not there."""
    store = repository.object_store
    if tip not in store:
        return None
    found: ShaFile = store[tip]
    while isinstance(found, Tag):
        found = store[found.object[1]]
    return found if isinstance(found, Commit) else None


def _entry(folder: ShaFile, name: bytes) -> ObjectID | None:
    if not isinstance(folder, Tree) or name not in folder:
        return None
    mode, found = folder[name]
    return found if stat.S_ISDIR(mode) else None
