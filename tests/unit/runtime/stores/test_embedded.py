import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import orjson
import pytest

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ChunkPoint
from lorekeeper_runtime.stores import shards
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock
from tests.contract.store_fixtures import make_chunk, make_record, make_schema, quick_folder

WIDE = 1024
"""Dimensions that make the engine find few points worth an index: it counts kilobytes."""
ENOUGH = 6000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


@contextlib.asynccontextmanager
async def opened(folder: Path, **settings: float) -> AsyncIterator[EmbeddedStore]:
    with HomeLock(folder) as lock:
        store = await EmbeddedStore.open(folder, lock, **settings)  # type: ignore[arg-type]
        try:
            yield store
        finally:
            await store.close()


def make_wide_chunks(count: int, document: str = "a.md") -> list[ChunkPoint]:
    numbers = random.Random(document)
    directions = [[round(numbers.gauss(0, 1), 3) for _ in range(WIDE - 1)] for _ in range(20)]
    chunks = [make_chunk(f"text {number}", None, document=document) for number in range(count)]
    for number, chunk in enumerate(chunks):
        chunk.vector = orjson.dumps([number / 100, *directions[number % 20]])
    return chunks


async def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)


async def test_it_is_not_opened_without_the_lock_of_its_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="held lock"):
        await EmbeddedStore.open(folder, HomeLock(folder))
    with HomeLock(folder / "elsewhere") as lock, pytest.raises(ValueError, match="held lock"):
        await EmbeddedStore.open(folder / "home", lock)


async def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    with HomeLock(folder) as lock:
        (folder / "store").write_text("a file")
        with pytest.raises(StoreError) as raised:
            await EmbeddedStore.open(folder / "store", lock)
    assert raised.value.code == "StoreReadOnly"


async def test_a_damaged_collection_is_named(folder: Path) -> None:
    schema = make_schema()
    async with opened(folder) as store:
        await store.ensure_collections(schema)
    shard = folder / "collections" / schema.collection / "shard-1"
    (shard / "edge_config.json").write_text("{")
    async with opened(folder) as store:
        with pytest.raises(StoreError) as raised:
            await store.count(schema.collection, schema.documents)
        assert raised.value.code == "StoreDamaged"
        assert schema.collection in raised.value.message
        await store.drop_collections(schema.collection, schema.documents)
        await store.ensure_collections(schema)


async def test_a_full_disk_is_refused_before_the_engine_meets_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = make_schema()
    async with opened(folder) as store:
        await store.ensure_collections(schema)
        monkeypatch.setattr(shards, "_RESERVE_BYTES", 2**60)
        for attempt in (
            store.upsert_chunks(schema, [make_chunk("one")]),
            store.write_documents(schema.documents, [make_record("a.md")]),
            store.ensure_collections(make_schema()),
        ):
            with pytest.raises(StoreError) as raised:
                await attempt
            assert raised.value.code == "StoreFull"
        assert (await store.count(schema.collection, schema.documents)).chunks == 0
        assert not list((folder / "collections").glob(".*"))


@pytest.fixture(scope="module")
def wide_chunks() -> list[ChunkPoint]:
    return make_wide_chunks(ENOUGH)


class TestOptimize:
    async def test_searches_and_writes_go_on_and_nothing_is_lost(
        self, folder: Path, wide_chunks: list[ChunkPoint]
    ) -> None:
        schema = make_schema(dimensions=WIDE)
        async with opened(folder) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            optimizing = asyncio.create_task(store.optimize(schema.collection))
            late = make_wide_chunks(3, "late.md")
            changed = wide_chunks[10]
            gone = wide_chunks[20]
            slowest = 0.0
            turns = 0
            copy = folder / "collections" / schema.collection / "shard-2"
            await wait_until(copy.exists)
            await store.upsert_chunks(schema, late)
            await store.set_payloads(schema.collection, [(changed.id, {**changed.payload, "title": "New"})])
            await store.delete_chunks(schema.collection, [gone.id])
            assert await store.optimize(schema.collection) is False  # one is on its way
            while not optimizing.done():
                started = time.perf_counter()
                hits, _ = await store.search(
                    schema.collection, fingerprint=schema.fingerprint, vector=late[0].vector, text=None, limit=1
                )
                slowest = max(slowest, time.perf_counter() - started)
                turns += 1
                assert hits[0].dense == pytest.approx(1, abs=1e-5)
            assert await optimizing is True
            assert turns > 3
            assert slowest < 2  # the engine's own call would have held everything for longer
            assert await self._state(store, schema) == (ENOUGH + 2, "New")
            assert not (folder / "collections" / schema.collection / "shard-1").exists()
            assert await store.optimize(schema.collection) is False
        async with opened(folder) as store:
            assert await self._state(store, schema) == (ENOUGH + 2, "New")
            assert [each.name for each in copy.parent.glob("shard-*")] == ["shard-2"]

    async def _state(self, store: EmbeddedStore, schema: CollectionSchema) -> tuple[int, object]:
        ids = {point async for page in store.list_chunk_ids(schema.collection, "docs") for point in page}
        _, hits = await store.search(
            schema.collection,
            fingerprint=schema.fingerprint,
            vector=None,
            text="new",
            limit=1,
        )
        assert hits == []  # the words are those of the text that was written with the vectors
        _, hits = await store.search(
            schema.collection,
            fingerprint=schema.fingerprint,
            vector=None,
            text="10",
            limit=1,
        )
        return len(ids), hits[0].payload.get("title")

    async def test_it_happens_by_itself_when_writes_have_stopped(
        self, folder: Path, wide_chunks: list[ChunkPoint]
    ) -> None:
        schema = make_schema(dimensions=WIDE)
        async with opened(folder, quiet_seconds=0.01, worth_optimizing=1000) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            optimized = folder / "collections" / schema.collection / "collection.json"
            await wait_until(lambda: orjson.loads(optimized.read_bytes())["shard"] == "shard-2")

    async def test_closing_stops_it_at_once(self, folder: Path, wide_chunks: list[ChunkPoint]) -> None:
        schema = make_schema(dimensions=WIDE)
        async with opened(folder, quiet_seconds=0, worth_optimizing=1000) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            copy = folder / "collections" / schema.collection / "shard-2"
            await wait_until(copy.exists)
        assert not copy.exists()
        async with opened(folder) as store:
            assert (await store.count(schema.collection, schema.documents)).chunks == ENOUGH

    async def test_closing_ends_one_that_was_asked_for(self, folder: Path, wide_chunks: list[ChunkPoint]) -> None:
        schema = make_schema(dimensions=WIDE)
        async with opened(folder) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            optimizing = asyncio.create_task(store.optimize(schema.collection))
            await wait_until((folder / "collections" / schema.collection / "shard-2").exists)
        assert await optimizing is False

    async def test_too_many_writes_meanwhile_keep_the_old_one(
        self, folder: Path, wide_chunks: list[ChunkPoint], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shards, "_JOURNAL_POINTS", 2)
        schema = make_schema(dimensions=WIDE)
        async with opened(folder) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            optimizing = asyncio.create_task(store.optimize(schema.collection))
            await wait_until((folder / "collections" / schema.collection / "shard-2").exists)
            await store.upsert_chunks(schema, make_wide_chunks(3, "late.md"))
            assert await optimizing is False
            assert (await store.count(schema.collection, schema.documents)).chunks == ENOUGH + 3
            assert not (folder / "collections" / schema.collection / "shard-2").exists()

    async def test_a_collection_dropped_meanwhile_stays_dropped(
        self, folder: Path, wide_chunks: list[ChunkPoint]
    ) -> None:
        schema = make_schema(dimensions=WIDE)
        async with opened(folder) as store:
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, wide_chunks)
            optimizing = asyncio.create_task(store.optimize(schema.collection))
            await wait_until((folder / "collections" / schema.collection / "shard-2").exists)
            await store.drop_collections(schema.collection, schema.documents)
            with pytest.raises(StoreError):
                await optimizing
            assert await store.list_collections() == []
        async with opened(folder) as store:
            assert await store.list_collections() == []


@pytest.mark.parametrize("content", [b"[]", b'{"a": 1}', b"{", b"null"])
async def test_a_damaged_table_of_aliases_names_itself(tmp_path: Path, content: bytes) -> None:
    with HomeLock(tmp_path) as lock:
        (tmp_path / "store").mkdir()
        (tmp_path / "store" / "aliases.json").write_bytes(content)
        with pytest.raises(StoreError, match=r"aliases\.json is damaged: delete it") as raised:
            await EmbeddedStore.open(tmp_path / "store", lock)
        assert raised.value.code == "StoreDamaged"


async def test_an_alias_that_names_nothing_is_none(tmp_path: Path) -> None:
    with HomeLock(tmp_path) as lock:
        (tmp_path / "store").mkdir()
        (tmp_path / "store" / "aliases.json").write_bytes(b'{"ns.p": "ns.p.00000001"}')
        store = await EmbeddedStore.open(tmp_path / "store", lock)
        assert await store.read_alias("ns.p") is None
        await store.close()
