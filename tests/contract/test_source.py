"""The contract of `ports.Source`: every source passes it against the real thing that it reads."""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument, Source
from lorekeeper_runtime.sources import open_source
from tests.support.git_server import Backend, GitRepository, serve_repositories


class Peer(ABC):
    """Something that holds documents, and the configuration of a source that reads it."""

    flat = False
    """Whether ids have no folders."""

    @abstractmethod
    def put(self, files: dict[str, str]) -> None:
        """Make the documents exactly these."""

    @abstractmethod
    def config(self, *, limit: str = "50Mi") -> SourceConfig: ...

    def close(self) -> None:  # noqa: B027 - most peers hold nothing open
        pass


def _spec(kind: str, body: dict[str, object], limit: str) -> dict[str, object]:
    return {kind: body, "limits": {"documentSize": limit}}


class Folder(Peer):
    def __init__(self, path: Path) -> None:
        self.path = path / "volume"
        self.path.mkdir()

    def put(self, files: dict[str, str]) -> None:
        for old in [path for path in self.path.rglob("*") if path.is_file()]:
            if old.relative_to(self.path).as_posix() not in files:
                old.unlink()
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text() != text:
                path.write_text(text)

    def config(self, *, limit: str = "50Mi") -> SourceConfig:
        spec = _spec("volume", {"claimName": "docs"}, limit)
        return SourceConfig.model_validate({"name": "s", "spec": spec, "mount": str(self.path)})


class MountedConfigMap(Peer):
    """Laid out as the kubelet does it: a new folder each time, and one link that is replaced."""

    flat = True

    def __init__(self, path: Path) -> None:
        self.path = path / "configmap"
        self.path.mkdir()
        self._count = 0

    def put(self, files: dict[str, str]) -> None:
        self._count += 1
        data = self.path / f"..2026_01_01_{self._count}"
        data.mkdir()
        for name, text in files.items():
            (data / name).write_text(text)
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        new = self.path / "..data_tmp"
        new.symlink_to(data.name)
        old = os.path.realpath(self.path / "..data")
        new.replace(self.path / "..data")
        for link in self.path.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        if old != str(self.path / "..data"):
            shutil.rmtree(old)

    def config(self, *, limit: str = "50Mi") -> SourceConfig:
        spec = _spec("configMap", {"name": "texts"}, limit)
        return SourceConfig.model_validate({"name": "s", "spec": spec, "mount": str(self.path)})


class Inline(Peer):
    def __init__(self, path: Path) -> None:
        self._files: dict[str, str] = {}

    def put(self, files: dict[str, str]) -> None:
        self._files = files

    def config(self, *, limit: str = "50Mi") -> SourceConfig:
        documents = [{"path": path, "text": text} for path, text in self._files.items()]
        return SourceConfig.model_validate({"name": "s", "spec": _spec("inline", {"documents": documents}, limit)})


class LocalGit(Peer):
    def __init__(self, path: Path) -> None:
        self.repository = GitRepository(path / "served" / "docs")
        self._path = path

    def put(self, files: dict[str, str]) -> None:
        for old in [path for path in self.repository.path.rglob("*") if path.is_file() and ".git" not in path.parts]:
            old.unlink()
        self.repository.commit(dict(files))

    def config(self, *, limit: str = "50Mi") -> SourceConfig:
        spec = _spec("git", {"url": self.repository.url}, limit)
        return SourceConfig.model_validate({"name": "s", "spec": spec})


class RemoteGit(LocalGit):
    backend: Backend = "git"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._serving = serve_repositories(path / "served", backend=self.backend)
        self.server = self._serving.__enter__()

    def config(self, *, limit: str = "50Mi") -> SourceConfig:
        spec = _spec("git", {"url": self.server.url("docs")}, limit)
        return SourceConfig.model_validate({"name": "s", "spec": spec, "cache": str(self._path / "cache")})

    def close(self) -> None:
        self._serving.__exit__(None, None, None)


class RemoteGitByDulwich(RemoteGit):
    backend: Backend = "dulwich"


PEERS: list[type[Peer]] = [Folder, MountedConfigMap, Inline, LocalGit, RemoteGit, RemoteGitByDulwich]


@pytest.fixture(params=PEERS, ids=lambda peer: peer.__name__)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    made: Peer = request.param(tmp_path)
    yield made
    made.close()


def _list(source: Source) -> dict[str, ListedDocument]:
    listed = list(source.list_documents())
    assert len({document.id for document in listed}) == len(listed)
    return {document.id: document for document in listed}


def _names(peer: Peer) -> tuple[str, str, str]:
    return ("a.md", "b.txt", "c.md") if peer.flat else ("a.md", "deep/er/b.txt", "deep/c.md")


def test_lists_every_document_with_its_size_and_fetches_its_bytes(peer: Peer) -> None:
    a, b, c = _names(peer)
    texts = {a: "# A\n", b: "blue, ünïcode\n", c: "c" * 5000}
    peer.put(texts)
    source = open_source(peer.config())
    listed = _list(source)
    assert list(listed) == sorted(texts)
    for name, text in texts.items():
        assert listed[name].size == len(text.encode())
        raw = source.fetch(listed[name])
        assert (raw.id, raw.content) == (name, text.encode())
    source.close()


def test_a_version_changes_with_the_content_and_only_then(peer: Peer) -> None:
    a, b, c = _names(peer)
    peer.put({a: "one", b: "two", c: "three"})
    source = open_source(peer.config())
    before = _list(source)
    assert _list(source) == before
    source.close()
    peer.put({a: "one", b: "owt", c: "three"})
    source = open_source(peer.config())
    after = _list(source)
    source.close()
    assert {name for name in before if before[name].version != after[name].version} == {b}


def test_added_deleted_and_renamed_documents(peer: Peer) -> None:
    a, b, c = _names(peer)
    peer.put({a: "one", b: "two"})
    source = open_source(peer.config())
    assert list(_list(source)) == sorted([a, b])
    source.close()
    peer.put({a: "one", c: "two"})
    source = open_source(peer.config())
    listed = _list(source)
    assert list(listed) == sorted([a, c])
    assert source.fetch(listed[c]).content == b"two"
    source.close()


def test_a_document_over_the_limit_is_listed_but_not_read(peer: Peer) -> None:
    a, b, _ = _names(peer)
    peer.put({a: "x" * 2049, b: "fits"})
    source = open_source(peer.config(limit="2Ki"))
    listed = _list(source)
    assert listed[a].size == 2049
    with pytest.raises(DocumentError) as caught:
        source.fetch(listed[a])
    assert caught.value.code == "TooLarge"
    assert "limits.documentSize" in caught.value.message
    assert source.fetch(listed[b]).content == b"fits"
    source.close()


def test_a_listing_from_an_earlier_process_can_be_fetched(peer: Peer) -> None:
    a, b, _ = _names(peer)
    peer.put({a: "one", b: "two"})
    source = open_source(peer.config())
    listed = _list(source)
    source.close()
    other = open_source(peer.config())
    assert other.fetch(listed[b]).content == b"two"
    other.close()


def test_closing_twice_does_no_harm(peer: Peer) -> None:
    peer.put({"a.md": "one"})
    source = open_source(peer.config())
    source.close()
    source.close()


@pytest.mark.parametrize("kind", ["volume", "configMap", "git"])
def test_what_is_missing_is_named_and_so_is_the_way_out(kind: str, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    body: dict[str, object] = {
        "volume": {"claimName": "docs"},
        "configMap": {"name": "texts"},
        "git": {"url": missing.as_uri()},
    }[kind]
    config = SourceConfig.model_validate({"name": "handbook", "spec": {kind: body}, "mount": str(missing)})
    with pytest.raises(SourceError) as caught:
        list(open_source(config).list_documents())
    assert caught.value.code == "SourceNotFound"
    assert "handbook" in caught.value.message
    assert "correct" in caught.value.message or "create" in caught.value.message
