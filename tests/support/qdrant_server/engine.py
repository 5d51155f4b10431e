"""Collections in a folder, each one a shard of the engine, and the aliases that name them."""

import json
import os
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from .translate import SCHEMAS, RefusedError, config

T = TypeVar("T")


class Collection:
    """One collection held open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.definition: dict[str, Any] = json.loads((folder / "definition.json").read_bytes())
        self._shard = edge.EdgeShard.load(str(folder / "shard"))
        self._writing = threading.Lock()
        self._operations = 0

    def update(self, operation: Any) -> dict[str, Any]:
        with self._writing:
            self._operations += 1
            self.ask(lambda shard: shard.update(operation))
            if self._operations % 500 == 0:
                self._shard.flush()
            return {"operation_id": self._operations, "status": "completed"}

    def ask(self, question: Callable[[Any], T]) -> T:
        """Ask the engine; its texts are those of the server, which puts a class of error in front."""
        try:
            return question(self._shard)
        except RefusedError:
            raise
        except Exception as error:
            said = str(error)
            if said.startswith("No point with id"):
                raise RefusedError(404, f"Not found: {said}") from error
            if said.startswith("Service runtime error"):
                raise RefusedError(500, f"Service internal error: {said}") from error
            raise RefusedError(400, f"Wrong input: {said}") from error

    def save(self) -> None:
        _write(self.folder / "definition.json", self.definition)

    def close(self) -> None:
        with self._writing:
            self._shard.close()


class Engine:
    """Everything a server keeps. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._root = path / "collections"
        self._alias_file = path / "aliases.json"
        self._root.mkdir(parents=True, exist_ok=True)
        self._changing = threading.RLock()
        for leftover in list(self._root.glob(".*")):
            shutil.rmtree(leftover)
        self.collections = {folder.name: Collection(folder) for folder in sorted(self._root.iterdir())}
        self.aliases: dict[str, str] = json.loads(self._alias_file.read_bytes()) if self._alias_file.exists() else {}

    def find(self, name: str) -> Collection:
        with self._changing:
            found = self.collections.get(self.aliases.get(name, name))
        if found is None:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def create(self, name: str, definition: dict[str, Any]) -> bool:
        with self._changing:
            if name in self.collections:
                raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
            if name in self.aliases:
                raise RefusedError(
                    400,
                    f"Wrong input: Can't create collection with name {name}. Alias with the same name already exists",
                )
            draft = self._root / f".{secrets.token_hex(4)}"
            (draft / "shard").mkdir(parents=True)
            edge.EdgeShard.create(str(draft / "shard"), config(definition)).close()
            _write(draft / "definition.json", {**definition, "indexes": {}})
            self.collections[name] = Collection(draft.rename(self._root / name))
            return True

    def delete(self, name: str) -> bool:
        with self._changing:
            found = self.collections.pop(self.aliases.get(name, name), None)
            if found is None:
                return False
            self.aliases = {alias: each for alias, each in self.aliases.items() if each != found.folder.name}
            _write(self._alias_file, self.aliases)
            found.close()
            shutil.rmtree(found.folder.rename(self._root / f".{secrets.token_hex(4)}"))
            return True

    def change_aliases(self, actions: list[dict[str, Any]]) -> bool:
        """Nobody sees a state in between; but like the server, an action that fails undoes none before it."""
        with self._changing:
            try:
                for action in actions:
                    self._change_alias(action)
            finally:
                _write(self._alias_file, self.aliases)
            return True

    def _change_alias(self, action: dict[str, Any]) -> None:
        if created := action.get("create_alias"):
            name, collection = created["alias_name"], created["collection_name"]
            if collection not in self.collections:
                raise RefusedError(404, f"Not found: Collection `{collection}` doesn't exist!")
            if name in self.collections:
                raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
            self.aliases = {**self.aliases, name: collection}
        elif deleted := action.get("delete_alias"):
            self.aliases = {name: each for name, each in self.aliases.items() if name != deleted["alias_name"]}
        elif renamed := action.get("rename_alias"):
            old, new = renamed["old_alias_name"], renamed["new_alias_name"]
            if old not in self.aliases:
                raise RefusedError(404, f"Not found: Alias {old} does not exists!")
            self.aliases = {(new if name == old else name): each for name, each in self.aliases.items()}

    def create_index(self, name: str, field: str, schema: Any) -> dict[str, Any]:
        collection = self.find(name)
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind not in SCHEMAS:
            raise RefusedError(400, f"Bad request: the stand-in has no index of type {kind}")
        done = collection.update(edge.UpdateOperation.create_field_index(field, SCHEMAS[kind]))
        with self._changing:
            collection.definition["indexes"][field] = kind
            collection.save()
        return done

    def delete_index(self, name: str, field: str) -> dict[str, Any]:
        collection = self.find(name)
        done = collection.update(edge.UpdateOperation.delete_field_index(field))
        with self._changing:
            collection.definition["indexes"].pop(field, None)
            collection.save()
        return done

    def close(self) -> None:
        with self._changing:
            for collection in self.collections.values():
                collection.close()
            self.collections = {}


def _write(path: Path, value: Any) -> None:
    draft = path.with_name(f".{path.name}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
