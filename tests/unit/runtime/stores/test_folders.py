from pathlib import Path

import pytest

from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.stores.folders import Declared, Folders, copy_sparsely


def make_folders(path: Path) -> Folders:
    folders = Folders(path)
    folders.prepare()
    return folders


def publish(folders: Folders, name: str) -> None:
    draft = folders.draft(name)
    (draft / "shard-1").mkdir()
    folders.publish(draft, name, "shard-1", {"fingerprint": "f"})


def test_a_draft_is_no_collection_until_it_is_published(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    folders.draft("ns.p.f")
    assert folders.names() == []
    publish(folders, "ns.p.f")
    assert folders.names() == ["ns.p.f"]
    assert folders.read("ns.p.f") == Declared("shard-1", {"fingerprint": "f"})


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    publish(folders, "ns.p.f")
    draft = folders.draft("ns.q.f")
    (draft / "shard-1").mkdir()
    (folders.of("ns.p.f") / "shard-2").mkdir()
    make_folders(tmp_path)
    assert folders.names() == ["ns.p.f"]
    assert not draft.exists()
    assert [each.name for each in folders.of("ns.p.f").glob("shard-*")] == ["shard-1"]


def test_another_shard_becomes_the_current_one(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    publish(folders, "ns.p.f")
    folders.point_to("ns.p.f", "shard-2")
    assert folders.read("ns.p.f") == Declared("shard-2", {"fingerprint": "f"})


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    publish(folders, "ns.p.f")
    folders.remove("ns.p.f")
    folders.remove("ns.p.f")
    assert list((tmp_path / "collections").iterdir()) == []


def test_damage_is_named(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    publish(folders, "ns.p.f")
    (folders.of("ns.p.f") / "collection.json").write_text("{")
    with pytest.raises(StoreError, match=r"ns\.p\.f is damaged") as raised:
        make_folders(tmp_path)
    assert raised.value.code == "StoreDamaged"
    (tmp_path / "aliases.json").write_text("[")
    with pytest.raises(StoreError, match=r"aliases\.json"):
        folders.read_aliases()


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\0b"])
def test_a_name_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a collection"):
        Folders(tmp_path).of(name)


def test_aliases_come_back(tmp_path: Path) -> None:
    folders = make_folders(tmp_path)
    assert folders.read_aliases() == {}
    folders.write_aliases({"ns.p": "ns.p.f"})
    assert folders.read_aliases() == {"ns.p": "ns.p.f"}
    assert {each.name for each in tmp_path.iterdir()} == {"aliases.json", "collections"}


def test_a_copy_is_equal_and_keeps_holes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "small").write_bytes(b"x" * 10)
    (source / "empty").touch()
    with (source / "deep" / "reserved").open("wb") as file:
        file.write(b"begin")
        file.seek(7 * 1024 * 1024 + 3)
        file.write(b"end")
        file.truncate(32 * 1024 * 1024)
    copy_sparsely(source, tmp_path / "target")
    for name in ("small", "empty", "deep/reserved"):
        assert (tmp_path / "target" / name).read_bytes() == (source / name).read_bytes()
    assert (tmp_path / "target" / "deep" / "reserved").stat().st_blocks * 512 < 4 * 1024 * 1024
