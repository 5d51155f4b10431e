from pathlib import Path

import pytest

from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.sources.configmap import ConfigMapSource


def _source(mount: Path | None) -> ConfigMapSource:
    spec = {"configMap": {"name": "texts"}}
    return ConfigMapSource(
        SourceConfig.model_validate({"name": "handbook", "spec": spec, "mount": str(mount) if mount else None})
    )


def test_every_entry_is_a_document_whatever_its_ending(tmp_path: Path) -> None:
    (tmp_path / "..data").mkdir()
    for name, content in (("a.md", b"a"), ("logo.png", b"\x89PNG\x00"), (".dotted", b"d"), ("no-ending", b"n")):
        (tmp_path / "..data" / name).write_bytes(content)
        (tmp_path / name).symlink_to(f"..data/{name}")
    source = _source(tmp_path)
    contents = {document.id: source.fetch(document).content for document in source.list_documents()}
    assert contents == {"a.md": b"a", "logo.png": b"\x89PNG\x00", ".dotted": b"d", "no-ending": b"n"}


def test_plain_files_work_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    assert [document.id for document in _source(tmp_path).list_documents()] == ["a.md"]


def test_versions_do_not_depend_on_when_it_was_mounted(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text("a")
    (first,), (second,) = (list(_source(tmp_path / name).list_documents()) for name in ("one", "two"))
    assert first == second


def test_an_entry_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "mount").mkdir()
    (tmp_path / "mount" / "a.md").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError) as caught:
        list(_source(tmp_path / "mount").list_documents())
    assert caught.value.code == "SourceUnreadable"


def test_no_folder_is_configured() -> None:
    with pytest.raises(SourceError) as caught:
        _source(None)
    assert caught.value.code == "InvalidSource"
