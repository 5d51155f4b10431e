"""One collection in the embedded engine: writes in turn, reads at any time, and replaced by its optimized copy."""

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.stores.folders import Folders, copy_sparsely
from lorekeeper_runtime.stores.refusals import (
    collection_missing,
    dimension_mismatch,
    invalid_text,
    revision_changed,
    store_full,
    store_read_only,
)

__all__ = ["Shard", "create_shard"]

T = TypeVar("T")

_FLUSH_POINTS = 5_000
"""Written points after which memory goes to disk: it bounds the log that a start after a kill has to read again."""
_JOURNAL_POINTS = 20_000
"""Points written during an optimization beyond which its copy is given up: to catch up would hold writers too long."""
_RESERVE_BYTES = 200 * 1024 * 1024
"""Free space that writes leave: the engine's files are mapped, and a full disk under a map kills the process."""


def create_shard(
    folders: Folders, name: str, config: edge.EdgeConfig, metadata: dict[str, Any], indexed: Sequence[str]
) -> None:
    """Make a collection with its indexes; it is there as a whole or not at all.

    Raises:
        StoreError: The disk is full or takes no writes.
    """
    draft = folders.draft(name)
    try:
        _check_room(draft)
        (draft / "shard-1").mkdir()
        shard = edge.EdgeShard.create(str(draft / "shard-1"), config)
        for field in indexed:
            shard.update(edge.UpdateOperation.create_field_index(field, edge.PayloadSchemaType.Keyword))
        shard.close()
        folders.publish(draft, name, "shard-1", metadata)
    except StoreError:
        raise
    except Exception as error:  # the engine raises nothing narrower
        raise _explain(error, name) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # not there any more when all went well


class Shard:
    """A collection held open. Safe to use from several threads."""

    def __init__(self, folders: Folders, name: str) -> None:
        declared = folders.read(name)
        self.name = name
        self.metadata = declared.metadata
        self.changed = 0
        """Points written since the shard was opened or optimized."""
        self._folders = folders
        self._current = declared.shard
        self._writing = threading.Lock()
        self._unflushed = 0
        self._journal: list[Any] | None = None
        """Writes since an optimization took its copy; None while none is on its way."""
        self._journal_points = 0
        self._edge: Any = _load(folders.of(name) / declared.shard, name)

    def write(self, operation: edge.UpdateOperation, points: int) -> None:
        """Do a write that changes a number of points; when this returns it survives the death of the process.

        Raises:
            StoreError: The engine refused it, or the disk is full.
        """
        with self._writing:
            _check_room(self._folders.path)
            try:
                self._edge.update(operation)
            except Exception as error:  # the engine raises nothing narrower
                raise _explain(error, self.name) from error
            self.changed += points
            self._unflushed += points
            if self._journal is not None:
                self._journal.append(operation)
                self._journal_points += points
            if self._unflushed >= _FLUSH_POINTS:
                self._flush()

    def read(self, question: Callable[[Any], T]) -> T:
        """Ask the engine something.

        Raises:
            StoreError: The engine refused it, or the collection was deleted.
        """
        while True:
            asked = self._edge
            try:
                return question(asked)
            except Exception as error:  # the engine raises nothing narrower
                if asked is self._edge:
                    raise _explain(error, self.name) from error
                # its optimized copy took its place in between: ask that one

    def flush(self) -> None:
        """Bring everything from memory to disk."""
        with self._writing:
            self._flush()

    def close(self) -> None:
        """Flush and let go; what asks afterwards is told that the collection is gone."""
        with self._writing:
            self._edge.close()

    def begin_copy(self) -> Path | None:
        """Copy the shard aside, to be worked on while this one serves and takes writes. `end_copy` must follow.

        Returns:
            The copy's folder, or None while another copy is out.
        """
        with self._writing:
            if self._journal is not None:
                return None
            number = int(self._current.removeprefix("shard-")) + 1
            copy = self._folders.of(self.name) / f"shard-{number}"
            self._flush()
            self._journal, self._journal_points = [], 0
            copy_sparsely(self._folders.of(self.name) / self._current, copy)
            return copy

    def adopt(self, copy: Path) -> bool:
        """Let a copy take this shard's place, after the writes that were done since it was taken.

        Returns:
            False when there were too many of them: the copy is out of date.
        """
        with self._writing:
            if self._journal is None or self._journal_points > _JOURNAL_POINTS:
                return False
            fresh = _load(copy, self.name)
            try:
                for operation in self._journal:
                    fresh.update(operation)
                fresh.flush()
                self._folders.point_to(self.name, copy.name)
            except Exception as error:  # the engine raises nothing narrower
                fresh.close()
                raise _explain(error, self.name) from error
            old, self._edge = self._edge, fresh
            self._current = copy.name
            self.changed = self._unflushed = 0
            old.close()
            return True

    def end_copy(self, copy: Path) -> None:
        """Stop keeping writes for a copy, and remove the folder that is not the current one."""
        with self._writing:
            self._journal = None
            for folder in list(copy.parent.glob("shard-*")):
                if folder.name != self._current:
                    shutil.rmtree(folder)

    def _flush(self) -> None:
        try:
            self._edge.flush()
        except Exception as error:  # the engine raises nothing narrower
            raise _explain(error, self.name) from error
        self._unflushed = 0


def _load(path: Path, name: str) -> Any:
    try:
        return edge.EdgeShard.load(str(path))
    except Exception as error:  # the engine raises nothing narrower
        raise StoreError(
            f"The collection {name} cannot be opened: delete its folder and run the ingestion again.",
            code="StoreDamaged",
            retryable=False,
        ) from error


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < _RESERVE_BYTES:
        raise store_full()


def _explain(error: Exception, name: str) -> StoreError:
    said = str(error)
    if "Not existing vector name" in said:
        return revision_changed()
    if "expected dim" in said:
        return dimension_mismatch()
    if "surrogates not allowed" in said:
        return invalid_text()
    if "Shard is not initialized" in said:
        return collection_missing(name)
    if "No space left" in said or "os error 28" in said:
        return store_full()
    if "Read-only file system" in said or "os error 30" in said or "ermission denied" in said:
        return store_read_only()
    return StoreError(f"The embedded vector store failed on the collection {name}.", retryable=False)
