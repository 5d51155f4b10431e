import fcntl
import os
import stat
import subprocess
from pathlib import Path

import pytest

from lorekeeper_api.pipeline import Credentials
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import parse_given
from lorekeeper_cli.manifests import Manifests, load_manifests
from lorekeeper_cli.places import LocalPlaces, private_folder, write_config_map

MANIFESTS = """\
apiVersion: v1
kind: Secret
metadata: {name: api}
data: {api-key: c2VjcmV0, user: bWU=}
stringData: {user: you}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: docs}
data: {a.md: "# A\\n", b.md: b}
binaryData: {c.pdf: AAE=}
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    path = tmp_path / "m.yaml"
    path.write_text(MANIFESTS)
    return load_manifests([str(path)])


def make(manifests: Manifests, tmp_path: Path, secrets: list[str] | None = None) -> LocalPlaces:
    return LocalPlaces(
        manifests=manifests,
        namespace="default",
        given=parse_given(secrets or [], []),
        home=tmp_path / ".lorekeeper",
        folder=tmp_path / "private",
        ollama="http://127.0.0.1:11434",
    )


def test_the_private_folder_is_for_its_owner_and_goes_away() -> None:
    with private_folder() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "key").write_text("x")
    assert not folder.exists()


def test_a_secret_of_the_manifests_becomes_private_files(manifests: Manifests, tmp_path: Path) -> None:
    path = Path(make(manifests, tmp_path).secret_file(Credentials(name="api")))

    assert path.read_text() == "secret"
    assert (path.parent / "user").read_text() == "you"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not (tmp_path / ".lorekeeper").exists()


def test_a_given_file_is_used_itself_so_that_it_may_change(manifests: Manifests, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("given")

    assert make(manifests, tmp_path, [f"api={key}"]).secret_file(Credentials(name="api")) == str(key)


def test_a_given_key_stands_above_the_manifest_in_a_folder(manifests: Manifests, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("given")

    folder = Path(make(manifests, tmp_path, [f"api/user={key}"]).secret_folder("api"))

    assert {path.name: path.read_text() for path in folder.iterdir()} == {"api-key": "secret", "user": "given"}


def test_one_file_for_a_git_secret_is_the_password(manifests: Manifests, tmp_path: Path) -> None:
    key = tmp_path / "token"
    key.write_text("t")

    folder = Path(make(manifests, tmp_path, [f"git={key}"]).secret_folder("git"))

    assert {path.name: path.read_text() for path in folder.iterdir()} == {"password": "t"}


def test_a_config_map_becomes_files(manifests: Manifests, tmp_path: Path) -> None:
    folder = Path(make(manifests, tmp_path).config_map_folder("docs"))

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.md": b"# A\n",
        "b.md": b"b",
        "c.pdf": b"\x00\x01",
    }


def test_a_config_map_is_brought_up_to_date(manifests: Manifests, tmp_path: Path) -> None:
    (manifest,) = manifests.of_kind("ConfigMap")
    folder = tmp_path / "docs"

    assert write_config_map(manifest, folder)
    assert not write_config_map(manifest, folder)
    manifest.body["data"] = {"a.md": "new"}
    assert write_config_map(manifest, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.md": b"new", "c.pdf": b"\x00\x01"}


def test_a_model_lies_beside_its_manifest(manifests: Manifests, tmp_path: Path) -> None:
    places = make(manifests, tmp_path)
    places.model_folder = tmp_path / "models"
    with pytest.raises(CommandError, match=r"the GGUF file m\.gguf is neither in"):
        places.model_file("m.gguf")
    places.model_folder.mkdir()
    (places.model_folder / "m.gguf").touch()

    assert places.model_file("m.gguf") == str(tmp_path / "models" / "m.gguf")


def test_what_is_missing_is_named(manifests: Manifests, tmp_path: Path) -> None:
    places = make(manifests, tmp_path)
    with pytest.raises(CommandError, match="--volume disk=FOLDER"):
        places.volume_folder("disk")
    with pytest.raises(CommandError, match="ConfigMap other"):
        places.config_map_folder("other")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def gone() -> int:
    """Number of a process that is over."""
    with subprocess.Popen(["true"]) as process:
        pass
    return process.pid


def test_what_a_killed_process_left_is_removed(temporary: Path) -> None:
    left = temporary / f"lorekeeper-{gone()}-x"
    (left / "secrets").mkdir(parents=True)
    (left / "secrets" / "key").write_text("x")

    with private_folder():
        assert not left.exists()


def test_what_may_be_in_use_stays(temporary: Path) -> None:
    running = temporary / f"lorekeeper-{os.getpid()}-x"
    locked = temporary / f"lorekeeper-{gone()}-y"
    other = temporary / "lorekeeper-notes-z"
    target = temporary / "elsewhere"
    for folder in (running, locked, other, target):
        folder.mkdir()
    link = temporary / f"lorekeeper-{gone()}-link"
    link.symlink_to(target)
    descriptor = os.open(locked, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with private_folder() as folder:
            assert folder.name.startswith(f"lorekeeper-{os.getpid()}-")
            assert all(path.exists() for path in (running, locked, other, target, link))
    finally:
        os.close(descriptor)
