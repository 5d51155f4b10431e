import os
import socket
from pathlib import Path

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import DocumentError, SourceError
from lorekeeper_runtime.ports import ListedDocument
from lorekeeper_runtime.sources.volume import VolumeSource


def _source(mount: Path | None, **volume: object) -> VolumeSource:
    spec = {"volume": {"claimName": "docs", **volume}, "limits": {"documentSize": "1Ki"}}
    return VolumeSource(
        SourceConfig.model_validate({"name": "handbook", "spec": spec, "mount": str(mount) if mount else None})
    )


def _ids(source: VolumeSource) -> list[str]:
    return [document.id for document in source.list_documents()]


def _one(source: VolumeSource) -> ListedDocument:
    (document,) = source.list_documents()
    return document


def test_a_copy_with_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    times = (1_700_000_000_000_000_000, 1_700_000_000_000_000_000)
    os.utime(file, ns=times)
    before = _one(_source(tmp_path))
    with file.open("r+") as same_file:
        same_file.write("two")
    os.utime(file, ns=times)
    assert _one(_source(tmp_path)).version != before.version


def test_links_stay_inside_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    (inside / "deep" / "a.md").write_text("a")
    (inside / "good.md").symlink_to("deep/a.md")
    (inside / "bad.md").symlink_to(outside / "secret.md")
    (inside / "up.md").symlink_to("../outside/secret.md")
    (inside / "broken.md").symlink_to("nowhere.md")
    (inside / "circle.md").symlink_to("circle.md")
    (inside / "folder.md").symlink_to("deep")
    (inside / "linked").symlink_to(outside)
    source = _source(inside)
    assert _ids(source) == ["good.md", "deep/a.md"]
    assert source.fetch(ListedDocument("good.md", "", 1)).content == b"a"
    for name in ("bad.md", "up.md", "linked/secret.md", "../outside/secret.md"):
        with pytest.raises(DocumentError) as caught:
            source.fetch(ListedDocument(name, "", 1))
        assert caught.value.code == "OutsideSource"


def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside / "deep", inside / "sub" / "deep"):
        folder.mkdir(parents=True)
        (folder / "a.md").write_text(folder.parent.name)
    source = _source(inside)
    listed = _one(source)
    (inside / "sub").rename(inside / "old")
    (inside / "sub").symlink_to(outside)
    with pytest.raises(DocumentError) as caught:
        source.fetch(listed)
    assert caught.value.code == "OutsideSource"
    (inside / "sub").unlink()
    (inside / "old").rename(inside / "sub")
    assert source.fetch(listed).content == b"sub"
    # The folder that was read last is held open: what takes its place is not looked at.
    (inside / "sub").rename(inside / "old")
    (inside / "sub").symlink_to(outside)
    assert source.fetch(listed).content == b"sub"


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_nothing_is_held_open_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/b/c.md", "a/d.md", "e.md"):
        (tmp_path / name).write_text(name)
    before = _open_files()
    source = _source(tmp_path)
    for document in list(source.list_documents()):
        assert source.fetch(document).content == document.id.encode()
    with pytest.raises(DocumentError):
        source.fetch(ListedDocument("a/nowhere/x.md", "", 1))
    source.close()
    assert _open_files() == before


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "a.md").write_text("a")
    (tmp_path / "current").symlink_to("2026")
    source = _source(tmp_path, path="current")
    assert source.fetch(_one(source)).content == b"a"
    source = _source(tmp_path / "current")
    assert source.fetch(_one(source)).content == b"a"


@pytest.mark.parametrize("path", ["..", "../other", "a/../../other", "/etc"])
def test_the_path_stays_on_the_volume(tmp_path: Path, path: str) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "other").mkdir()
    source = _source(tmp_path / "volume", path=path)
    with pytest.raises(SourceError) as caught:
        _ids(source)
    assert caught.value.code in {"InvalidSource", "SourceNotFound"}


def test_pipes_sockets_and_hidden_files_are_no_documents(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.md"))
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git" / "a.md").write_text("a")
        (tmp_path / ".b.md").write_text("b")
        (tmp_path / "c.md").write_text("c")
        assert _ids(_source(tmp_path)) == ["c.md"]
        assert _ids(_source(tmp_path, include=[".git/**", "*"])) == ["c.md", ".git/a.md"]
    with pytest.raises(DocumentError) as caught:
        _source(tmp_path).fetch(ListedDocument("pipe.md", "", 1))
    assert caught.value.code == "Vanished"


def test_the_order_is_that_of_the_names(tmp_path: Path) -> None:
    for name in ("b/z.md", "b/a.md", "a.md", "c.md", "a/x/y.md", "ü.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert _ids(_source(tmp_path)) == ["a.md", "c.md", "ü.md", "a/x/y.md", "b/a.md", "b/z.md"]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path)
    for name, text in ((b"caf\xe9.md", b"coffee"), (b"plain\\xe9.md", b"plain"), ("ü.md".encode(), b"umlaut")):
        Path(os.fsdecode(raw + b"/" + name)).write_bytes(text)
    source = _source(tmp_path)
    texts = {document.id: source.fetch(document).content for document in source.list_documents()}
    assert texts == {"caf\\xe9.md": b"coffee", "plain\\xe9.md": b"plain", "ü.md": b"umlaut"}


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    for source in (_source(tmp_path / "gone"), _source(tmp_path, path="gone")):
        with pytest.raises(SourceError) as caught:
            _ids(source)
        assert caught.value.code == "SourceNotFound"
        assert "gone" in caught.value.message
        assert "create it" in caught.value.message


def test_no_folder_is_configured() -> None:
    with pytest.raises(SourceError) as caught:
        _source(None)
    assert "--volume CLAIM=FOLDER" in caught.value.message


def test_a_folder_that_cannot_be_read_is_no_complete_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.md").write_text("a")
    real = os.scandir

    def scandir(path: str) -> "os._ScandirIterator[str]":
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    # A test that runs as root can read everything.
    monkeypatch.setattr("os.scandir", scandir)
    with pytest.raises(SourceError) as caught:
        _ids(_source(tmp_path))
    assert caught.value.code == "SourceUnreadable"
    assert "'closed'" in caught.value.message
    assert _ids(_source(tmp_path, exclude=["closed/**"])) == ["a.md"]


def test_a_folder_that_goes_away_while_it_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.md").write_text("c")
    listing = _source(tmp_path).list_documents()
    assert next(listing).id == "a.md"
    (tmp_path / "b" / "c.md").unlink()
    (tmp_path / "b").rmdir()
    assert list(listing) == []


def test_a_file_that_goes_away_or_grows_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("small")
    source = _source(tmp_path)
    listed = _one(source)
    file.write_text("x" * 1025)
    with pytest.raises(DocumentError) as grown:
        source.fetch(listed)
    assert grown.value.code == "TooLarge"
    file.write_text("x" * 1024)
    assert len(source.fetch(listed).content) == 1024
    file.unlink()
    with pytest.raises(DocumentError) as gone:
        source.fetch(listed)
    assert gone.value.code == "Vanished"
    assert gone.value.retryable
    file.mkdir()
    with pytest.raises(DocumentError):
        source.fetch(listed)


def test_an_empty_file_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    source = _source(tmp_path)
    assert source.fetch(_one(source)).content == b""
