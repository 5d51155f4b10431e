"""What every store promises, by whichever way it is reached.

A real Qdrant is tried too when QDRANT_URL names one (and QDRANT_API_KEY its key).
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import orjson
import pytest
from qdrant_client import QdrantClient, models

from lorekeeper_api.contract.collection import CollectionSchema, Payload, dense_vector, sparse_vector
from lorekeeper_api.contract.points import text_hash
from lorekeeper_api.contract.records import DocumentState
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ActiveCollection, Hit, Store, StoreCounts
from tests.contract.store_fixtures import (
    KEY,
    OPENERS,
    OpenStore,
    make_chunk,
    make_qdrant_store,
    make_record,
    make_run,
    make_schema,
    quick_folder,
)
from tests.support.qdrant_server.running import running_server

TOLERANCE = 1e-6
"""Stored vectors are 32-bit and of length 1: each number may differ by this much from the exact one."""


@pytest.fixture(params=OPENERS)
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return OPENERS[request.param]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
async def store(open_store: OpenStore, folder: Path) -> AsyncIterator[Store]:
    async with open_store(folder) as store:
        yield store


@pytest.fixture
async def schema(store: Store) -> CollectionSchema:
    schema = make_schema()
    await store.ensure_collections(schema)
    return schema


async def chunk_ids(store: Store, schema: CollectionSchema, source: str = "docs") -> set[str]:
    return {point async for page in store.list_chunk_ids(schema.collection, source) for point in page}


async def documents_of(store: Store, schema: CollectionSchema, source: str = "docs") -> dict[str, object]:
    return {record.document: record async for page in store.read_documents(schema.documents, source) for record in page}


async def find(store: Store, schema: CollectionSchema, text: str) -> list[Hit]:
    _, found = await store.search(schema.collection, fingerprint=schema.fingerprint, vector=None, text=text, limit=10)
    return found


def texts(hits: list[Hit]) -> list[object]:
    return [hit.payload[Payload.TEXT] for hit in hits]


class TestCollections:
    async def test_both_are_made_and_listed(self, store: Store, schema: CollectionSchema) -> None:
        assert {schema.collection, schema.documents} <= set(await store.list_collections())

    async def test_ensuring_again_keeps_what_is_there(self, store: Store, schema: CollectionSchema) -> None:
        await store.upsert_chunks(schema, [make_chunk("one")])
        await store.write_documents(schema.documents, [make_record("a.md")])
        await store.ensure_collections(schema)
        assert await store.count(schema.collection, schema.documents) == StoreCounts(1, {"Indexed": 1})

    @pytest.mark.parametrize(
        "change", [{"dimensions": 8}, {"sparse": False}, {"fingerprint": "ffffffff"}, {"dimensions": None}]
    )
    async def test_another_schema_is_refused(
        self, store: Store, schema: CollectionSchema, change: dict[str, object]
    ) -> None:
        other = dataclasses.replace(schema, **change)  # type: ignore[arg-type]
        with pytest.raises(StoreError) as raised:
            await store.ensure_collections(other)
        assert (raised.value.code, raised.value.retryable) == ("SchemaMismatch", False)

    async def test_a_manifest_without_its_chunks_is_emptied(self, store: Store, schema: CollectionSchema) -> None:
        await store.write_documents(schema.documents, [make_record("a.md")])
        await store.drop_collections(schema.collection, make_schema().documents)
        await store.ensure_collections(schema)
        assert await documents_of(store, schema) == {}

    async def test_dropped_collections_are_gone(self, store: Store, schema: CollectionSchema) -> None:
        await store.drop_collections(schema.collection, schema.documents)
        assert not {schema.collection, schema.documents} & set(await store.list_collections())

    async def test_dropping_what_is_missing_is_no_error(self, store: Store) -> None:
        missing = make_schema()
        await store.drop_collections(missing.collection, missing.documents)

    async def test_a_dropped_name_can_be_made_again_empty(self, store: Store, schema: CollectionSchema) -> None:
        await store.upsert_chunks(schema, [make_chunk("one")])
        await store.drop_collections(schema.collection, schema.documents)
        await store.ensure_collections(schema)
        assert await store.count(schema.collection, schema.documents) == StoreCounts(0, {})

    async def test_a_missing_collection_says_so(self, store: Store) -> None:
        missing = make_schema()
        attempts = [
            store.upsert_chunks(missing, [make_chunk("one")]),
            store.set_payloads(missing.collection, [(make_chunk("one").id, {})]),
            store.delete_chunks(missing.collection, [make_chunk("one").id]),
            store.find_vectors(missing, ["0" * 32]),
            store.search(missing.collection, fingerprint=missing.fingerprint, vector=None, text="x", limit=1),
            store.write_documents(missing.documents, [make_record("a.md")]),
            store.read_runs(missing.documents),
            store.count(missing.collection, missing.documents),
            store.promote("test.alias", missing.collection),
            anext(aiter(store.list_chunk_ids(missing.collection, "docs"))),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError) as raised:
                await attempt  # type: ignore[misc]
            assert (raised.value.code, raised.value.retryable) == ("CollectionMissing", False)

    async def test_what_was_written_is_there_after_opening_again(self, open_store: OpenStore, folder: Path) -> None:
        schema = make_schema()
        async with open_store(folder) as first:
            await first.ensure_collections(schema)
            await first.promote(f"{schema.collection}.alias", schema.collection)
            await first.upsert_chunks(schema, [make_chunk("one")])
            await first.write_documents(schema.documents, [make_record("a.md")])
        async with open_store(folder) as second:
            assert await second.count(schema.collection, schema.documents) == StoreCounts(1, {"Indexed": 1})
            active = await second.read_alias(f"{schema.collection}.alias")
            assert active == ActiveCollection(schema.collection, schema.fingerprint)


class TestAliases:
    async def test_an_unknown_alias_names_nothing(self, store: Store) -> None:
        assert await store.read_alias(make_schema().collection) is None

    async def test_a_collection_is_no_alias(self, store: Store, schema: CollectionSchema) -> None:
        assert await store.read_alias(schema.collection) is None

    async def test_promotion_switches_collection_and_fingerprint_together(self, store: Store) -> None:
        old, new = make_schema("p1", "00000001"), make_schema("p1", "00000002")
        alias = "test.p1"
        for schema in (old, new):
            await store.ensure_collections(schema)
            await store.promote(alias, schema.collection)
            assert await store.read_alias(alias) == ActiveCollection(schema.collection, schema.fingerprint)
        await store.promote(alias, new.collection)  # again
        assert await store.read_alias(alias) == ActiveCollection(new.collection, new.fingerprint)
        await store.promote(alias, old.collection)
        await store.drop_collections(new.collection, new.documents)

    async def test_a_reader_never_sees_a_state_between(self, store: Store) -> None:
        schemas = [make_schema("p2", "00000001"), make_schema("p2", "00000002")]
        for schema in schemas:
            await store.ensure_collections(schema)
        alias = "test.p2"
        await store.promote(alias, schemas[0].collection)
        done = asyncio.Event()
        seen = set()

        async def read() -> None:
            while not done.is_set():
                seen.add(await store.read_alias(alias))

        readers = [asyncio.create_task(read()) for _ in range(3)]
        for turn in range(1, 41):
            await store.promote(alias, schemas[turn % 2].collection)
        done.set()
        await asyncio.gather(*readers)
        assert seen <= {ActiveCollection(schema.collection, schema.fingerprint) for schema in schemas}

    async def test_promoting_a_missing_collection_leaves_the_alias(
        self, store: Store, schema: CollectionSchema
    ) -> None:
        alias = f"{schema.collection}.alias"
        await store.promote(alias, schema.collection)
        with pytest.raises(StoreError) as raised:
            await store.promote(alias, f"{schema.collection}.missing")
        assert raised.value.code == "CollectionMissing"
        assert await store.read_alias(alias) == ActiveCollection(schema.collection, schema.fingerprint)

    async def test_what_an_alias_names_is_not_dropped(self, store: Store, schema: CollectionSchema) -> None:
        await store.promote(f"{schema.collection}.alias", schema.collection)
        await store.write_documents(schema.documents, [make_record("a.md")])
        with pytest.raises(StoreError) as raised:
            await store.drop_collections(schema.collection, schema.documents)
        assert (raised.value.code, raised.value.retryable) == ("CollectionInUse", False)
        assert list(await documents_of(store, schema)) == ["a.md"]

    async def test_a_search_goes_through_an_alias(self, store: Store, schema: CollectionSchema) -> None:
        alias = f"{schema.collection}.alias"
        await store.promote(alias, schema.collection)
        await store.upsert_chunks(schema, [make_chunk("one")])
        dense, _ = await store.search(alias, fingerprint=schema.fingerprint, vector=b"[1,0,0,0]", text=None, limit=1)
        assert texts(dense) == ["one"]


class TestChunks:
    async def test_a_chunk_comes_back_as_it_was(self, store: Store, schema: CollectionSchema) -> None:
        chunk = make_chunk(
            'Füße, 日本語, 😀, \u0000, "quotes" \\ and %b',
            source="dö",
            document="ordner/日本.md",
            title="T",
            headings=["Eins", "Zwei"],
            position=0,
            page=3,
        )
        await store.upsert_chunks(schema, [chunk])
        (hit,), _ = await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=chunk.vector, text=None, limit=5
        )
        assert (hit.id, hit.payload) == (chunk.id, chunk.payload)
        assert await chunk_ids(store, schema, "dö") == {chunk.id}

    async def test_an_upsert_replaces(self, store: Store, schema: CollectionSchema) -> None:
        chunk = make_chunk("one", title="before", link="x")
        await store.upsert_chunks(schema, [chunk])
        del chunk.payload["link"]
        chunk.payload["title"] = "after"
        chunk.vector = b"[0,1,0,0]"
        await store.upsert_chunks(schema, [chunk])
        (hit,), _ = await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=b"[0,1,0,0]", text=None, limit=5
        )
        assert hit.payload == chunk.payload
        assert hit.dense == pytest.approx(1, abs=TOLERANCE)

    async def test_nothing_to_do_is_no_error(self, store: Store, schema: CollectionSchema) -> None:
        await store.upsert_chunks(schema, [])
        await store.set_payloads(schema.collection, [])
        await store.delete_chunks(schema.collection, [])
        await store.write_documents(schema.documents, [])
        await store.delete_documents(schema.documents, [])
        assert await store.find_vectors(schema, []) == {}
        assert await store.count(schema.collection, schema.documents) == StoreCounts(0, {})

    async def test_a_vector_of_another_length_is_refused(self, store: Store, schema: CollectionSchema) -> None:
        with pytest.raises(StoreError) as raised:
            await store.upsert_chunks(schema, [make_chunk("one", (1, 2))])
        assert (raised.value.code, raised.value.retryable) == ("DimensionMismatch", False)
        assert await chunk_ids(store, schema) == set()

    async def test_text_that_is_no_unicode_is_refused(self, store: Store, schema: CollectionSchema) -> None:
        chunk = make_chunk("one")
        chunk.payload[Payload.TEXT] = "half \ud800"
        with pytest.raises(StoreError) as raised:
            await store.upsert_chunks(schema, [chunk])
        assert (raised.value.code, raised.value.retryable) == ("InvalidText", False)
        with pytest.raises(StoreError) as raised:
            await store.write_documents(schema.documents, [make_record("a\ud800.md")])
        assert raised.value.code == "InvalidText"

    async def test_payloads_are_replaced_and_vectors_stay(self, store: Store, schema: CollectionSchema) -> None:
        one, two = make_chunk("apples", (0, 1, 0, 0), link="old"), make_chunk("pears", (0, 0, 1, 0))
        await store.upsert_chunks(schema, [one, two])
        before = await store.find_vectors(schema, [text_hash("apples")])
        new = {**one.payload, "title": "New"}
        del new["link"]
        unknown = make_chunk("never stored").id
        await store.set_payloads(schema.collection, [(unknown, new), (one.id, new)])
        dense, sparse = await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=b"[0,1,0,0]", text="apple", limit=1
        )
        assert dense[0].payload == new
        assert [hit.id for hit in sparse] == [one.id]
        assert await store.find_vectors(schema, [text_hash("apples")]) == before
        assert await chunk_ids(store, schema) == {one.id, two.id}
        (untouched,) = await find(store, schema, "pear")
        assert untouched.payload == two.payload

    async def test_deleting_is_idempotent(self, store: Store, schema: CollectionSchema) -> None:
        one, two = make_chunk("one"), make_chunk("two")
        await store.upsert_chunks(schema, [one, two])
        for _ in range(2):
            await store.delete_chunks(schema.collection, [one.id, make_chunk("never stored").id])
        assert await chunk_ids(store, schema) == {two.id}

    async def test_stored_vectors_are_found_by_hash(self, store: Store, schema: CollectionSchema) -> None:
        await store.upsert_chunks(schema, [make_chunk("one", (3, 0, 4, 0)), make_chunk("two", (0, -0.5, 0, 0))])
        wanted = [text_hash("one"), text_hash("two"), text_hash("three"), text_hash("one")]
        found = await store.find_vectors(schema, wanted)
        assert {key: orjson.loads(vector) for key, vector in found.items()} == {
            text_hash("one"): pytest.approx([0.6, 0, 0.8, 0], abs=TOLERANCE),
            text_hash("two"): pytest.approx([0, -1, 0, 0], abs=TOLERANCE),
        }
        copy = make_chunk("one", document="b.md")
        copy.vector = found[text_hash("one")]
        await store.upsert_chunks(schema, [copy])
        hits, _ = await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=b"[3,0,4,0]", text=None, limit=2
        )
        assert [hit.dense for hit in hits] == pytest.approx([1, 1], abs=TOLERANCE)

    async def test_a_text_repeated_thousandfold_hides_no_other(self, store: Store, schema: CollectionSchema) -> None:
        copies = [make_chunk("often", occurrence=number) for number in range(2100)]
        rare = [make_chunk(f"rare {number}", document="z.md") for number in range(30)]
        await store.upsert_chunks(schema, [*copies, *rare])
        wanted = [text_hash("often"), *(str(chunk.payload[Payload.HASH]) for chunk in rare), "0" * 32]
        assert set(await store.find_vectors(schema, wanted)) == set(wanted[:-1])

    async def test_ids_are_listed_page_by_page_and_by_source(self, store: Store, schema: CollectionSchema) -> None:
        mine = [make_chunk(f"text {number}") for number in range(2300)]
        other = make_chunk("text", source="other")
        await store.upsert_chunks(schema, [*mine, other])
        pages = [page async for page in store.list_chunk_ids(schema.collection, "docs")]
        assert len(pages) > 1
        listed = [point for page in pages for point in page]
        assert len(listed) == len(mine)
        assert set(listed) == {chunk.id for chunk in mine}
        assert await chunk_ids(store, schema, "nobody") == set()


class TestSearch:
    @pytest.fixture(autouse=True)
    async def fruit(self, store: Store, schema: CollectionSchema) -> None:
        await store.upsert_chunks(
            schema,
            [
                make_chunk("Apples grow on trees in an orchard.", (1, 0, 0, 0)),
                make_chunk("Pears are picked in autumn.", (0.6, 0.8, 0, 0)),
                make_chunk(
                    "The operator reconciles a pipeline.",
                    (0, 0, 1, 0),
                    searched="Controllers > Zygote\nThe operator reconciles a pipeline.",
                    headings=["Nowhere"],
                ),
            ],
        )

    async def test_both_searches_in_one_call_with_their_scores(self, store: Store, schema: CollectionSchema) -> None:
        dense, sparse = await store.search(
            schema.collection,
            fingerprint=schema.fingerprint,
            vector=b"[2,0,0,0]",
            text="where do apples and pipelines grow",
            limit=2,
        )
        assert [hit.dense for hit in dense] == pytest.approx([1, 0.6], abs=TOLERANCE)
        assert str(dense[0].payload[Payload.TEXT]).startswith("Apples")
        assert {str(hit.payload[Payload.TEXT])[:3] for hit in sparse} == {"App", "The"}
        scores = [hit.sparse or 0 for hit in sparse]
        assert scores == sorted(scores, reverse=True)
        assert scores[-1] > 0
        both, dense_only, sparse_only = dense[0], dense[1], sparse[1]
        assert both.sparse == sparse[0].sparse
        assert sparse[0].dense == both.dense
        assert dense_only.sparse is None
        assert sparse_only.dense is None

    async def test_a_query_left_out_gives_an_empty_list(self, store: Store, schema: CollectionSchema) -> None:
        async def search(vector: bytes | None, text: str | None) -> tuple[int, int]:
            dense, sparse = await store.search(
                schema.collection, fingerprint=schema.fingerprint, vector=vector, text=text, limit=10
            )
            return len(dense), len(sparse)

        assert await search(b"[1,0,0,0]", None) == (3, 0)
        assert await search(None, "pears") == (0, 1)
        assert await search(None, None) == (0, 0)
        assert await search(b"[1,0,0,0]", "") == (3, 0)
        assert await search(None, "the of and") == (0, 0)

    async def test_words_are_found_by_their_stem_and_rare_ones_weigh_more(
        self, store: Store, schema: CollectionSchema
    ) -> None:
        more = [make_chunk(f"Trees, number {number}.", document="c.md") for number in range(20)]
        await store.upsert_chunks(schema, more)
        assert texts(await find(store, schema, "tree orchards"))[0] == "Apples grow on trees in an orchard."

    async def test_words_are_looked_for_where_the_chunk_says(self, store: Store, schema: CollectionSchema) -> None:
        assert texts(await find(store, schema, "zygote")) == ["The operator reconciles a pipeline."]
        assert await find(store, schema, "nowhere") == []

    async def test_the_score_is_bm25_with_the_settings_of_the_contract(
        self, store: Store, schema: CollectionSchema
    ) -> None:
        # Three chunks; "pears" in one, once, in a chunk of three words ("are" and "in" are stop words) of 150 expected.
        (hit,) = await find(store, schema, "pears")
        idf = 0.9808292530117262  # ln(1 + (3 - 1 + 0.5) / (1 + 0.5))
        frequency = 2.2 / (1 + 1.2 * (1 - 0.75 + 0.75 * 3 / 150))
        assert hit.sparse == pytest.approx(idf * frequency, rel=1e-4)

    async def test_another_revision_is_refused(self, store: Store, schema: CollectionSchema) -> None:
        for vector, text in ((b"[1,0,0,0]", None), (None, "pears"), (b"[1,0,0,0]", "pears")):
            with pytest.raises(StoreError) as raised:
                await store.search(schema.collection, fingerprint="ffffffff", vector=vector, text=text, limit=1)
            assert raised.value.code == "RevisionChanged"

    async def test_a_promotion_between_shows(self, store: Store) -> None:
        old, new = make_schema("p3", "00000001"), make_schema("p3", "00000002")
        for schema in (old, new):
            await store.ensure_collections(schema)
            await store.upsert_chunks(schema, [make_chunk(schema.fingerprint)])
        await store.promote("test.p3", old.collection)
        active = await store.read_alias("test.p3")
        assert active is not None
        await store.promote("test.p3", new.collection)
        with pytest.raises(StoreError) as raised:
            await store.search("test.p3", fingerprint=active.fingerprint, vector=b"[1,0,0,0]", text=None, limit=1)
        assert raised.value.code == "RevisionChanged"
        dense, _ = await store.search("test.p3", fingerprint=new.fingerprint, vector=b"[1,0,0,0]", text=None, limit=1)
        assert texts(dense) == ["00000002"]

    async def test_a_question_of_another_length_is_refused(self, store: Store, schema: CollectionSchema) -> None:
        with pytest.raises(StoreError) as raised:
            await store.search(schema.collection, fingerprint=schema.fingerprint, vector=b"[1,0]", text=None, limit=1)
        assert raised.value.code == "DimensionMismatch"

    async def test_deleted_and_replaced_chunks_are_not_found(self, store: Store, schema: CollectionSchema) -> None:
        (pears,) = await find(store, schema, "pears")
        await store.delete_chunks(schema.collection, [pears.id])
        assert await find(store, schema, "pears") == []


class TestKindsOfCollection:
    async def test_without_sparse_vectors(self, store: Store) -> None:
        schema = make_schema(sparse=False)
        await store.ensure_collections(schema)
        await store.upsert_chunks(schema, [make_chunk("one")])
        dense, sparse = await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=b"[1,0,0,0]", text=None, limit=1
        )
        assert (texts(dense), sparse) == (["one"], [])

    async def test_without_dense_vectors(self, store: Store) -> None:
        schema = make_schema(dimensions=None)
        await store.ensure_collections(schema)
        await store.upsert_chunks(schema, [make_chunk("apples", None), make_chunk("pears", None)])
        assert texts(await find(store, schema, "apple")) == ["apples"]
        assert await store.find_vectors(schema, [text_hash("apples")]) == {}

    async def test_empty_collections_answer(self, store: Store, schema: CollectionSchema) -> None:
        assert await store.search(
            schema.collection, fingerprint=schema.fingerprint, vector=b"[1,0,0,0]", text="x", limit=3
        ) == ([], [])
        assert await chunk_ids(store, schema) == set()
        assert await documents_of(store, schema) == {}
        assert await store.read_runs(schema.documents) == {}


class TestManifest:
    async def test_records_come_back_as_they_were(self, store: Store, schema: CollectionSchema) -> None:
        failed = make_record("ö/日本.md", code="ParseFailed", message="Damaged.", attempts=2, size=12)
        failed.state = DocumentState.FAILED
        failed.chunks = []
        records = {record.document: record for record in (make_record("a.md"), failed)}
        await store.write_documents(schema.documents, iter(records.values()))
        await store.write_documents(schema.documents, [make_record("a.md", source="other")])
        assert await documents_of(store, schema) == records
        (other,) = (await documents_of(store, schema, "other")).values()
        assert other == make_record("a.md", source="other")

    async def test_a_record_replaces_the_earlier_one(self, store: Store, schema: CollectionSchema) -> None:
        await store.write_documents(schema.documents, [make_record("a.md", size=1)])
        await store.write_documents(schema.documents, [make_record("a.md", size=2)])
        assert await documents_of(store, schema) == {"a.md": make_record("a.md", size=2)}

    async def test_records_are_read_page_by_page(self, store: Store, schema: CollectionSchema) -> None:
        await store.write_documents(schema.documents, [make_record(f"{number}.md") for number in range(2200)])
        pages = [page async for page in store.read_documents(schema.documents, "docs")]
        assert len(pages) > 1
        assert {record.document for page in pages for record in page} == {f"{number}.md" for number in range(2200)}
        assert sum(map(len, pages)) == 2200

    async def test_deleting_is_idempotent(self, store: Store, schema: CollectionSchema) -> None:
        await store.write_documents(schema.documents, [make_record("a.md"), make_record("b.md")])
        for _ in range(2):
            await store.delete_documents(schema.documents, [("docs", "a.md"), ("docs", "never"), ("other", "b.md")])
        assert list(await documents_of(store, schema)) == ["b.md"]

    async def test_the_last_run_of_each_source_is_kept(self, store: Store, schema: CollectionSchema) -> None:
        for record in (make_run("docs"), make_run("other"), make_run("docs", "run-2")):
            await store.write_run(schema.documents, record)
        assert await store.read_runs(schema.documents) == {
            "docs": make_run("docs", "run-2"),
            "other": make_run("other"),
        }
        assert await documents_of(store, schema) == {}

    async def test_counts_tell_chunks_and_documents_by_state(self, store: Store, schema: CollectionSchema) -> None:
        failed, skipped = make_record("f.md"), make_record("s.md")
        failed.state, skipped.state = DocumentState.FAILED, DocumentState.SKIPPED
        records = [make_record("a.md"), make_record("b.md"), failed, skipped]
        await store.write_documents(schema.documents, records)
        await store.write_run(schema.documents, make_run("docs"))
        await store.upsert_chunks(schema, [make_chunk("one"), make_chunk("two"), make_chunk("three")])
        assert await store.count(schema.collection, schema.documents) == StoreCounts(
            3, {"Indexed": 2, "Failed": 1, "Skipped": 1}
        )


async def test_searches_and_writes_at_the_same_time(store: Store, schema: CollectionSchema) -> None:
    await store.upsert_chunks(schema, [make_chunk("first")])

    async def write(writer: int) -> None:
        for number in range(10):
            chunks = [make_chunk(f"{writer}-{number}-{each}", document=f"{writer}.md") for each in range(10)]
            await store.upsert_chunks(schema, chunks)

    async def ask() -> None:
        for _ in range(20):
            dense, _ = await store.search(
                schema.collection, fingerprint=schema.fingerprint, vector=b"[1,0,0,0]", text="first", limit=5
            )
            assert dense

    await asyncio.gather(*(write(writer) for writer in range(4)), *(ask() for _ in range(4)))
    assert (await store.count(schema.collection, schema.documents)).chunks == 401


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
async def test_the_official_client_reads_what_was_written(folder: Path) -> None:
    schema = make_schema()
    chunk = make_chunk("Pears are picked in autumn.", (3, 0, 4, 0), title="Fruit")
    with running_server(folder / "server", api_key=KEY) as url:
        store = make_qdrant_store(url, folder, KEY)
        await store.ensure_collections(schema)
        await store.upsert_chunks(schema, [chunk])
        await store.write_documents(schema.documents, [make_record("a.md")])
        await store.promote("test.alias", schema.collection)
        await store.close()
        await asyncio.to_thread(_check_with_official_client, url, schema, chunk.id, chunk.payload)


def _check_with_official_client(url: str, schema: CollectionSchema, point: str, payload: dict[str, object]) -> None:
    client = QdrantClient(url=url, api_key=KEY)
    dense, sparse = dense_vector(schema.fingerprint), sparse_vector(schema.fingerprint)
    info = client.get_collection("test.alias")
    assert info.config.metadata == {"lorekeeper": dataclasses.asdict(schema)}
    assert info.config.params.vectors == {dense: models.VectorParams(size=4, distance=models.Distance.COSINE)}
    assert info.config.params.sparse_vectors == {sparse: models.SparseVectorParams(modifier=models.Modifier.IDF)}
    assert {name: index.data_type for name, index in info.payload_schema.items()} == dict.fromkeys(
        Payload.INDEXED, models.PayloadSchemaType.KEYWORD
    )
    assert client.get_aliases().aliases == [
        models.AliasDescription(alias_name="test.alias", collection_name=schema.collection)
    ]
    (record,) = client.retrieve(schema.collection, [point], with_vectors=True)
    assert record.payload == payload
    assert isinstance(record.vector, dict)
    assert record.vector[dense] == pytest.approx([0.6, 0, 0.8, 0], abs=TOLERANCE)
    assert isinstance(record.vector[sparse], models.SparseVector)
    found = client.query_points("test.alias", query=[0.6, 0.0, 0.8, 0.0], using=dense, limit=1).points
    assert [(hit.id, hit.score) for hit in found] == [(point, pytest.approx(1, abs=TOLERANCE))]
    manifest = client.get_collection(schema.documents)
    assert manifest.config.params.vectors == {}
    assert manifest.points_count == 1
