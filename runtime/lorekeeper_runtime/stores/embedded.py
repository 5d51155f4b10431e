"""The store without a server: Qdrant's own engine in this process.

The engine works under Python's global lock, so calls go to threads in small portions, and what would take seconds
(`optimize`) is done by a process of its own on a copy.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import qdrant_edge as edge

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_api.contract.points import document_point_id
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ActiveCollection, ChunkPoint, Hit, StoreCounts, Vector
from lorekeeper_runtime.stores.engine import (
    PAGE,
    equals,
    find_vectors,
    make_bm25,
    make_points,
    only_point,
    search,
    shard_configs,
    unicode_checked,
)
from lorekeeper_runtime.stores.folders import Folders
from lorekeeper_runtime.stores.lock import HomeLock
from lorekeeper_runtime.stores.optimize import NOTHING_TO_DO
from lorekeeper_runtime.stores.records import (
    DOCUMENT,
    KIND,
    MANIFEST_INDEXED,
    RUN,
    SOURCE,
    STATE,
    decode_document,
    decode_run,
    encode_document,
    encode_run,
    run_point_id,
)
from lorekeeper_runtime.stores.refusals import (
    collection_in_use,
    collection_missing,
    schema_mismatch,
    store_read_only,
)
from lorekeeper_runtime.stores.shards import Shard, create_shard

__all__ = ["EmbeddedStore"]

T = TypeVar("T")
P = ParamSpec("P")

_PORTION = 128
"""Points written at once: between two portions other threads get their turn."""
_THREADS = 4
_QUIET_SECONDS = 5.0
_WORTH_OPTIMIZING = 5_000
"""Changed points below which a search without an index is quick enough."""


class EmbeddedStore:
    """Collections in a folder. Made by `open`, which wants the folder's lock: two processes would break each other."""

    def __init__(self, folders: Folders, *, quiet_seconds: float, worth_optimizing: int) -> None:
        self._folders = folders
        self._aliases = folders.read_aliases()
        self._shards: dict[str, Shard] = {}
        self._changing = Lock()
        """Held while shards are opened, made or dropped, and aliases change."""
        self._bm25 = make_bm25()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")
        self._quiet_seconds = quiet_seconds
        self._worth_optimizing = worth_optimizing
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._optimizations: set[asyncio.Task[bool]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: str | Path,
        lock: HomeLock,
        *,
        quiet_seconds: float = _QUIET_SECONDS,
        worth_optimizing: int = _WORTH_OPTIMIZING,
    ) -> "EmbeddedStore":
        """Open a folder; it is made where it is missing.

        Args:
            path: The store's folder, inside the lock's.
            lock: The lock, held until the store is closed.
            quiet_seconds: Time without writes after which a collection is optimized.
            worth_optimizing: Changed points that make it worth the work.

        Raises:
            ValueError: The lock is not held, or is that of another folder.
            StoreError: The folder cannot be read or written, or is damaged.
        """

        def prepare() -> EmbeddedStore:
            folder = Path(path).absolute()
            if not lock.held or not folder.is_relative_to(lock.folder.absolute()):
                raise ValueError("an embedded store needs the held lock of the folder that it lies in")
            folders = Folders(folder)
            try:
                folders.prepare()
            except OSError as error:
                raise store_read_only() from error
            return cls(folders, quiet_seconds=quiet_seconds, worth_optimizing=worth_optimizing)

        return await asyncio.to_thread(prepare)

    async def ensure_collections(self, schema: CollectionSchema) -> None:
        """Create the collection and its manifest where they are missing; refuse those of another schema.

        A manifest whose collection is gone is emptied: its records speak of chunks that nobody has.
        """
        await self._run(self._ensure, schema)

    async def drop_collections(self, collection: str, documents: str) -> None:
        """Delete a revision. The manifest goes first: one without its chunks would claim what is not there."""
        for name in (collection, documents):
            if timer := self._timers.pop(name, None):
                timer.cancel()
        await self._run(self._drop, collection, documents)

    async def list_collections(self) -> list[str]:
        """Names of all collections."""
        return await self._run(self._folders.names)

    async def read_alias(self, alias: str) -> ActiveCollection | None:
        """What the alias names, or None."""

        def read() -> ActiveCollection | None:
            with self._changing:
                collection = self._aliases.get(alias)
                if collection is None or not self._folders.of(collection).is_dir():
                    return None  # one that names nothing is none: the next ingestion names something again
                return ActiveCollection(collection, self._folders.read(collection).metadata["fingerprint"])

        return await self._run(read)

    async def promote(self, alias: str, collection: str) -> None:
        """Let the alias name the collection from now on, in one step."""

        def promote() -> None:
            with self._changing:
                names = self._folders.names()
                if collection not in names:
                    raise collection_missing(collection)
                if alias in names:
                    raise schema_mismatch(alias)  # a collection has that name
                aliases = {**self._aliases, alias: collection}
                self._folders.write_aliases(aliases)
                self._aliases = aliases

        await self._run(promote)

    async def upsert_chunks(self, schema: CollectionSchema, points: Sequence[ChunkPoint]) -> None:
        """Write chunks, replacing those with the same ids."""
        for start in range(0, len(points), _PORTION):
            await self._run(self._upsert, schema, points[start : start + _PORTION])
        self._touch(schema.collection)

    async def set_payloads(self, collection: str, payloads: Sequence[tuple[str, dict[str, object]]]) -> None:
        """Replace the whole payload of points that stay as they are otherwise; unknown ids are ignored."""

        def overwrite(portion: Sequence[tuple[str, dict[str, object]]]) -> None:
            shard = self._shard(collection)
            for point, payload in portion:
                with unicode_checked():
                    operation = edge.UpdateOperation.overwrite_payload_by_filter(only_point(point), payload)
                shard.write(operation, 1)

        for start in range(0, len(payloads), _PORTION):
            await self._run(overwrite, payloads[start : start + _PORTION])
        self._touch(collection)

    async def delete_chunks(self, collection: str, ids: Sequence[str]) -> None:
        """Delete chunks; unknown ids are no error."""

        def delete() -> None:
            if ids:
                self._shard(collection).write(edge.UpdateOperation.delete_points(list(ids)), len(ids))

        await self._run(delete)
        self._touch(collection)

    async def find_vectors(self, schema: CollectionSchema, hashes: Sequence[str]) -> dict[str, Vector]:
        """Dense vectors of chunks already stored with these text hashes, by hash. They come normalised to length 1."""
        if schema.dimensions is None or not hashes:
            return {}
        return await self._run(lambda: find_vectors(self._shard(schema.collection), schema, hashes))

    async def list_chunk_ids(self, collection: str, source: str) -> AsyncIterator[list[str]]:
        """Yield the ids of all chunks of a source, page by page."""
        async for page in self._pages(collection, equals(Payload.SOURCE, source), with_payload=False):
            yield [point for point, _ in page]

    async def search(
        self, collection: str, *, fingerprint: str, vector: Vector | None, text: str | None, limit: int
    ) -> tuple[list[Hit], list[Hit]]:
        """Search by meaning and by words in one call; a list is empty when its query is None."""
        if vector is None and text is None:
            return [], []
        return await self._run(
            lambda: search(
                self._shard(collection), self._bm25, fingerprint=fingerprint, vector=vector, text=text, limit=limit
            )
        )

    async def read_documents(self, documents: str, source: str) -> AsyncIterator[list[DocumentRecord]]:
        """Yield the records of a source, page by page."""
        where = equals(KIND, DOCUMENT, SOURCE, source)
        async for page in self._pages(documents, where, with_payload=True):
            yield [decode_document(payload) for _, payload in page]

    async def write_documents(self, documents: str, records: Iterable[DocumentRecord]) -> None:
        """Write records, replacing earlier ones of the same documents."""
        waiting = iter(records)
        while portion := list(islice(waiting, _PORTION)):
            with unicode_checked():
                points = [(document_point_id(each.source, each.document), encode_document(each)) for each in portion]
            await self._run(self._write_records, documents, points)

    async def delete_documents(self, documents: str, keys: Sequence[tuple[str, str]]) -> None:
        """Delete records by (source, document)."""
        with unicode_checked():
            ids = [document_point_id(*key) for key in keys]
        await self.delete_chunks(documents, ids)

    async def read_runs(self, documents: str) -> dict[str, RunRecord]:
        """The last run of each source."""
        runs: dict[str, RunRecord] = {}
        async for page in self._pages(documents, equals(KIND, RUN), with_payload=True):
            runs.update((payload[SOURCE], decode_run(payload)) for _, payload in page)
        return runs

    async def write_run(self, documents: str, record: RunRecord) -> None:
        """Write the run of a source in place of its last one."""
        await self._run(self._write_records, documents, [(run_point_id(record.source), encode_run(record))])

    async def count(self, collection: str, documents: str) -> StoreCounts:
        """Sizes of a revision."""

        def count() -> StoreCounts:
            chunks = self._shard(collection).read(lambda shard: shard.count(edge.CountRequest(exact=True)))
            states = edge.FacetRequest(STATE, exact=True, filter=equals(KIND, DOCUMENT))
            hits = self._shard(documents).read(lambda shard: shard.facet(states)).hits
            return StoreCounts(chunks, {hit.value: hit.count for hit in hits})

        return await self._run(count)

    async def optimize(self, collection: str) -> bool:
        """Build the search index for what was written, aside: searches and writes go on meanwhile.

        It happens by itself when a collection with many changes has been quiet for a while.

        Returns:
            Whether there was something to do, and it was done.
        """
        task = self._start_optimization(collection)
        try:
            return await task
        except asyncio.CancelledError:
            if self._closed and task.cancelled():
                return False
            raise

    async def close(self) -> None:
        """Stop what runs in the background, flush and let go of all collections."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        for task in self._optimizations:
            task.cancel()
        await asyncio.gather(*self._optimizations, return_exceptions=True)
        await asyncio.to_thread(self._close)

    # --- in a thread ---

    def _close(self) -> None:
        self._executor.shutdown(wait=True)
        with self._changing:
            for shard in self._shards.values():
                shard.close()
            self._shards.clear()

    def _shard(self, name: str) -> Shard:
        """Return a collection by its name or an alias; it is opened when it was not yet."""
        with self._changing:
            name = self._aliases.get(name, name)
            shard = self._shards.get(name)
            if shard is None:
                if not self._folders.of(name).is_dir():
                    raise collection_missing(name)
                shard = self._shards[name] = Shard(self._folders, name)
            return shard

    def _ensure(self, schema: CollectionSchema) -> None:
        chunks_config, manifest_config = shard_configs(schema)
        manifest = {"manifest_of": schema.collection, "fingerprint": schema.fingerprint}
        with self._changing:
            if schema.collection not in self._folders.names():
                self._remove(schema.documents)
            names = self._folders.names()
            for name, config, metadata, indexed in (
                (schema.collection, chunks_config, asdict(schema), Payload.INDEXED),
                (schema.documents, manifest_config, manifest, MANIFEST_INDEXED),
            ):
                if name not in names:
                    create_shard(self._folders, name, config, metadata, indexed)
                elif self._folders.read(name).metadata != metadata:
                    raise schema_mismatch(name)

    def _drop(self, collection: str, documents: str) -> None:
        with self._changing:
            if collection in self._aliases.values():
                raise collection_in_use(collection)
            self._remove(documents)
            self._remove(collection)

    def _remove(self, name: str) -> None:
        shard = self._shards.pop(name, None)
        if shard is not None:
            shard.close()
        self._folders.remove(name)

    def _upsert(self, schema: CollectionSchema, points: Sequence[ChunkPoint]) -> None:
        made = make_points(schema, points, self._bm25)
        self._shard(schema.collection).write(edge.UpdateOperation.upsert_points(made), len(made))

    def _write_records(self, documents: str, records: Sequence[tuple[str, dict[str, Any]]]) -> None:
        with unicode_checked():
            points = [edge.Point(point, {}, payload) for point, payload in records]
        self._shard(documents).write(edge.UpdateOperation.upsert_points(points), len(points))

    # --- in the event loop ---

    async def _run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: function(*args, **kwargs))

    async def _pages(
        self, collection: str, where: edge.Filter, *, with_payload: bool
    ) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
        offset = None

        def scroll(request: edge.ScrollRequest) -> tuple[list[tuple[str, dict[str, Any]]], Any]:
            points, following = self._shard(collection).read(lambda shard: shard.scroll(request))
            return [(str(point.id), point.payload) for point in points], following

        while True:
            request = edge.ScrollRequest(offset=offset, limit=PAGE, filter=where, with_payload=with_payload)
            page, offset = await self._run(scroll, request)
            if page:
                yield page
            if offset is None:
                return

    def _touch(self, collection: str) -> None:
        """Put the optimization of a collection off until it has been quiet for a while."""
        if timer := self._timers.pop(collection, None):
            timer.cancel()
        shard = self._shards.get(collection)
        if shard is not None and shard.changed >= self._worth_optimizing and not self._closed:
            loop = asyncio.get_running_loop()
            self._timers[collection] = loop.call_later(self._quiet_seconds, self._optimize_soon, collection)

    def _optimize_soon(self, collection: str) -> None:
        del self._timers[collection]
        self._start_optimization(collection).add_done_callback(_forgive)

    def _start_optimization(self, collection: str) -> "asyncio.Task[bool]":
        task = asyncio.create_task(self._optimize(collection))
        self._optimizations.add(task)
        task.add_done_callback(self._optimizations.discard)
        return task

    async def _optimize(self, collection: str) -> bool:
        shard = await self._run(self._shard, collection)
        beginning = asyncio.ensure_future(self._run(shard.begin_copy))
        try:
            copy = await asyncio.shield(beginning)
        except asyncio.CancelledError:
            if (begun := await beginning) is not None:
                await self._run(shard.end_copy, begun)
            raise
        if copy is None:
            return False
        try:
            code, said = await _optimize_aside(copy)
            if code == NOTHING_TO_DO:
                return False
            if code != 0:
                raise StoreError(f"The search index of {collection} was not built.") from RuntimeError(said)
            return await self._run(shard.adopt, copy)
        finally:
            await self._run(shard.end_copy, copy)


def _forgive(task: "asyncio.Task[bool]") -> None:
    """Look at how an optimization ended: the index makes searches faster, not right, and the next write tries again."""
    if not task.cancelled():
        task.exception()


async def _optimize_aside(folder: Path) -> tuple[int, str]:
    """Optimize a shard in a process of its own; it is killed when the caller is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "lorekeeper_runtime.stores.optimize", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, said.decode(errors="replace")
