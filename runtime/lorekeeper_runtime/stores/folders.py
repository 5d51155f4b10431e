"""How collections lie on disk: each step leaves a folder that opens, wherever the process is killed.

    aliases.json
    collections/NAME/collection.json   which shard is the current one, and what was declared
    collections/NAME/shard-N/          the engine's files

A collection is made under a name with a dot in front and then renamed; what begins with a dot is a leftover.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from lorekeeper_runtime.errors import StoreError

__all__ = ["Declared", "Folders", "copy_sparsely", "write_json"]

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Declared:
    """What `collection.json` holds."""

    shard: str
    """Name of the current shard's folder."""
    metadata: dict[str, Any]
    """The schema, or for a manifest the collection that it belongs to."""


class Folders:
    """The folder of a store: finds, publishes and removes collections, and keeps the aliases."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._collections = path / "collections"
        self._aliases = path / "aliases.json"

    def prepare(self) -> None:
        """Make the folder and remove what a killed process left half-done.

        Raises:
            OSError: It cannot be made or read.
        """
        self._collections.mkdir(parents=True, exist_ok=True)
        for folder in list(self._collections.iterdir()):
            if folder.name.startswith(".") and folder.is_dir():
                shutil.rmtree(folder)
        for name in self.names():
            current = self.read(name).shard
            for folder in list((self._collections / name).glob("shard-*")):
                if folder.name != current:
                    shutil.rmtree(folder)

    def names(self) -> list[str]:
        """Names of all collections."""
        return sorted(folder.name for folder in self._collections.iterdir() if not folder.name.startswith("."))

    def of(self, name: str) -> Path:
        """Return the folder of a collection, whether it is there or not.

        Raises:
            ValueError: The name cannot be that of a folder.
        """
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} cannot name a collection")
        return self._collections / name

    def read(self, name: str) -> Declared:
        """Return what was declared of a collection.

        Raises:
            StoreError: The file is missing or damaged.
        """
        path = self.of(name) / "collection.json"
        try:
            return Declared(**orjson.loads(path.read_bytes()))
        except (OSError, orjson.JSONDecodeError, TypeError) as error:
            raise StoreError(
                f"The folder of the collection {name} is damaged: delete it and run the ingestion again.",
                code="StoreDamaged",
                retryable=False,
            ) from error

    def point_to(self, name: str, shard: str) -> None:
        """Make another shard of a collection the current one, in one step."""
        write_json(self.of(name) / "collection.json", {"shard": shard, "metadata": self.read(name).metadata})

    def draft(self, name: str) -> Path:
        """Make a folder to build a collection in."""
        draft = self._collections / f".{secrets.token_hex(4)}.{self.of(name).name}"
        draft.mkdir()
        return draft

    def publish(self, draft: Path, name: str, shard: str, metadata: dict[str, Any]) -> None:
        """Let a finished draft be the collection from now on, in one step."""
        write_json(draft / "collection.json", {"shard": shard, "metadata": metadata})
        draft.rename(self.of(name))
        _sync_folder(self._collections)

    def remove(self, name: str) -> None:
        """Delete a collection: gone in one step, and then from the disk."""
        doomed = self._collections / f".{secrets.token_hex(4)}.{name}"
        try:
            self.of(name).rename(doomed)
        except FileNotFoundError:
            return
        _sync_folder(self._collections)
        shutil.rmtree(doomed)

    def read_aliases(self) -> dict[str, str]:
        """Return the collection that each alias names."""
        try:
            aliases = orjson.loads(self._aliases.read_bytes())
            if not isinstance(aliases, dict) or not all(isinstance(name, str) for name in aliases.values()):
                raise ValueError("not a table of names")
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise StoreError(
                f"The file {self._aliases} is damaged: delete it and run the ingestion again.",
                code="StoreDamaged",
                retryable=False,
            ) from error
        return aliases

    def write_aliases(self, aliases: dict[str, str]) -> None:
        """Replace all aliases in one step."""
        write_json(self._aliases, aliases)


def write_json(path: Path, value: object) -> None:
    """Replace a file so that it holds the old value or the new one, whenever the machine stops."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with draft.open("wb") as file:
        file.write(orjson.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def copy_sparsely(source: Path, target: Path) -> None:
    """Copy a folder and leave holes where files hold only zeros: the engine reserves far more than it uses."""
    target.mkdir()
    for folder, names, files in os.walk(source):
        here = target / Path(folder).relative_to(source)
        for name in names:
            (here / name).mkdir()
        for name in files:
            with (Path(folder) / name).open("rb") as read, (here / name).open("wb") as write:
                for offset, block in _blocks(read.fileno()):
                    os.pwrite(write.fileno(), block, offset)
                write.truncate(os.fstat(read.fileno()).st_size)


def _blocks(file: int) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while block := os.pread(file, _BLOCK, offset):
        if block.count(0) != len(block):
            yield offset, block
        offset += len(block)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
