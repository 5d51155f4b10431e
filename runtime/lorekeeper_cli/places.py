"""Where a laptop keeps what a cluster would mount: Secrets and ConfigMaps as files of a private folder."""

import base64
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lorekeeper_api.contract.config import StoreConfig
from lorekeeper_api.pipeline import Credentials
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import Given
from lorekeeper_cli.manifests import Manifest, Manifests

__all__ = ["LocalPlaces", "private_folder", "write_config_map"]

_PREFIX = "lorekeeper-"


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder that only this user can enter, and remove it at the end.

    It is never inside the home: what lies there outlives the command and is copied and backed up. A process that was
    killed leaves its folder; the next one removes it.
    """
    _remove_left_over(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(folder)
        finally:
            os.close(descriptor)


def _remove_left_over(place: Path) -> None:
    """Remove this user's private folders whose processes are gone."""
    for folder in place.glob(f"{_PREFIX}*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isascii() and pid.isdecimal() and not _is_running(int(pid)):
            with suppress(OSError):  # somebody else's, or removed by another command in this moment
                _remove_unlocked(folder)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove_unlocked(folder: Path) -> None:
    """Remove a folder of this user unless it is locked: another container may share the place, and not the numbers of
    processes.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)


class LocalPlaces:
    """Resolves the references of one namespace to files; see `contract.build.Places`."""

    def __init__(
        self, *, manifests: Manifests, namespace: str, given: Given, home: Path, folder: Path, ollama: str
    ) -> None:
        self._manifests = manifests
        self._namespace = namespace
        self._given = given
        self._home = home
        self._folder = folder / namespace
        self._ollama = ollama
        self.model_folder = Path.cwd()
        """Folder that relative names of GGUF files start at."""

    @property
    def ollama(self) -> str:
        """Address that OLLAMA_HOST names, or Ollama's usual one."""
        return self._ollama

    def managed_store(self) -> StoreConfig:
        """The embedded engine, in the home."""
        return StoreConfig(kind="Embedded", path=str(self._home))

    def secret_file(self, credentials: Credentials) -> str:
        """File of one key: the given one itself, so that it may be changed while the server runs, or a private copy."""
        given = self._given.find_secret_file(credentials.name, credentials.key)
        if given is not None:
            return str(given)
        return str(Path(self.secret_folder(credentials.name)) / credentials.key)

    def secret_folder(self, name: str) -> str:
        """Folder with every key of a Secret: those of its manifest, and those given on the command line above them."""
        folder = self._folder / "secrets" / name
        _make_private(folder)
        manifest = self._manifests.find("Secret", self._namespace, name)
        entries = _secret_entries(manifest.body) if manifest is not None else {}
        for key, content in entries.items():
            _write(folder / key, content)
        for secret in self._given.secrets:
            if secret.name != name:
                continue
            if secret.path.is_dir():
                files = {path.name: path for path in secret.path.iterdir() if path.is_file()}
            else:
                # A single file for a whole Secret is a token: Git servers take it as the password.
                files = {secret.key or "password": secret.path}
            for key, path in files.items():
                (folder / key).unlink(missing_ok=True)
                (folder / key).symlink_to(path)
        return str(folder)

    def config_map_folder(self, name: str) -> str:
        """Folder with the entries of a ConfigMap."""
        folder = self._folder / "configmaps" / name
        manifest = self._manifests.find("ConfigMap", self._namespace, name)
        if manifest is None:
            raise CommandError(f"The ConfigMap {name} of namespace {self._namespace} is not in the files.")
        write_config_map(manifest, folder)
        return str(folder)

    def volume_folder(self, claim: str) -> str:
        """Folder that `--volume` names."""
        folder = self._given.find_volume(claim)
        if folder is None:
            raise CommandError(f"No folder stands for the claim {claim}: give it with --volume {claim}=FOLDER.")
        return str(folder)

    def model_file(self, name: str) -> str:
        """Path of a GGUF file: beside the manifest, or below the current folder."""
        for folder in (self.model_folder, Path.cwd()):
            if (folder / name).is_file():
                return str((folder / name).absolute())
        raise CommandError(
            f"generation.model: the GGUF file {name} is neither in {self.model_folder.absolute()} nor in the current "
            "folder; put it there or correct the name."
        )

    def source_cache(self, source: str) -> str | None:
        """Folder inside the home that a source may keep."""
        return str(self._home / "cache" / f"{self._namespace}.{source}")


def write_config_map(manifest: Manifest, folder: Path) -> bool:
    """Write the entries of a ConfigMap as files, and remove those it no longer has.

    Returns:
        Whether anything changed.
    """
    _make_private(folder)
    entries = _decode(manifest.body.get("binaryData")) | _encode(manifest.body.get("data"))
    changed = False
    for path in folder.iterdir():
        if path.name not in entries:
            path.unlink()
            changed = True
    for key, content in entries.items():
        path = folder / key
        if not path.exists() or path.read_bytes() != content:
            _write(path, content)
            changed = True
    return changed


def _secret_entries(body: dict[str, Any]) -> dict[str, bytes]:
    return _decode(body.get("data")) | _encode(body.get("stringData"))


def _encode(entries: dict[str, str] | None) -> dict[str, bytes]:
    return {key: value.encode() for key, value in (entries or {}).items()}


def _decode(entries: dict[str, str] | None) -> dict[str, bytes]:
    return {key: base64.b64decode("".join(value.split())) for key, value in (entries or {}).items()}


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, in one step: a reader sees the old content or the new one."""
    new = path.with_name(f"..{path.name}.new")  # two dots: no listing of entries shows it
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    new.replace(path)
