"""A sync makes the collection equal to its source, does no more than it must, and tells the truth about it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lorekeeper_api.contract.collection import Payload
from lorekeeper_api.source import DocumentLimits, Guard
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.ingest.diff import MAX_ATTEMPTS
from lorekeeper_runtime.ingest.sync import sweep_source, sync_source
from lorekeeper_runtime.ports import ListedDocument, ParsedDocument, RawDocument, Section
from tests.support.dictionary_store import DictionaryStore
from tests.unit.runtime.ingest.world import (
    SCHEMA,
    HashEmbedder,
    Paragraphs,
    Quiet,
    WatchedStore,
    World,
    fresh_state,
    parse,
    source_config,
    state,
    sync,
)


def many(count: int) -> dict[str, str]:
    return {f"d{n:03}.md": f"Title {n}\nfirst of {n}\n\nsecond of {n}" for n in range(count)}


def texts(store: DictionaryStore) -> list[str]:
    return sorted(str(p.payload[Payload.TEXT]) for p in store.points[SCHEMA.collection].values())


async def test_a_first_sync_indexes_every_document() -> None:
    store, embedder = DictionaryStore(), HashEmbedder()
    world = World({"a.md": "A\none\n\ntwo", "b/c.md": "C\nthree"})
    report = await sync(world, store, embedder)
    run = report.run
    assert (run.outcome, run.listed, run.added, run.chunks_embedded, run.chunks_written) == ("Succeeded", 2, 2, 3, 3)
    assert run.revision == "r1"
    assert texts(store) == ["one", "three", "two"]
    payload = next(p.payload for p in store.points[SCHEMA.collection].values() if p.payload[Payload.TEXT] == "two")
    assert payload[Payload.DOCUMENT] == "a.md"
    assert payload[Payload.TITLE] == "A"
    assert payload[Payload.POSITION] == 1
    assert world.closed == 1


async def test_a_second_sync_embeds_nothing_and_writes_its_run_alone() -> None:
    store, world = DictionaryStore(), World(many(30))
    await sync(world, store)
    before = state(store)
    world.fetched.clear()
    watched, embedder = WatchedStore(store), HashEmbedder()
    report = await sync(world, watched, embedder)
    assert report.run.unchanged == 30
    assert embedder.texts == []
    assert world.fetched == []
    assert [write for write in watched.writes if write != "ensure_collections"] == ["write_run"]
    assert state(store) == before


async def test_a_touched_document_is_read_and_nothing_more() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none"})
    await sync(world, store)
    world.versions["a.md"] = "touched"
    embedder = HashEmbedder()
    report = await sync(world, store, embedder)
    assert (report.run.unchanged, report.run.updated, embedder.texts) == (1, 0, [])
    world.fetched.clear()
    await sync(world, store, embedder)
    assert world.fetched == []


async def test_a_changed_line_embeds_its_chunk_alone() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none\n\ntwo\n\nthree"})
    await sync(world, store)
    world.documents["a.md"] = "A\none\n\n2\n\nthree"
    embedder = HashEmbedder()
    report = await sync(world, store, embedder)
    assert embedder.texts == ["A\n2"]
    assert (report.run.updated, report.run.chunks_written, report.run.chunks_deleted) == (1, 1, 1)
    assert state(store) == await fresh_state(world)


async def test_moved_chunks_keep_their_vector_and_get_their_place() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none\n\ntwo\n\none"})
    await sync(world, store)
    world.documents["a.md"] = "A\nzero\n\none\n\ntwo\n\none"
    embedder = HashEmbedder()
    await sync(world, store, embedder)
    assert embedder.texts == ["A\nzero"]
    assert state(store) == await fresh_state(world)


async def test_a_renamed_document_embeds_nothing_and_leaves_nothing() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none\n\ntwo", "z.md": "Z\nlast"})
    await sync(world, store)
    world.documents["b.md"] = world.documents.pop("a.md")
    embedder = HashEmbedder()
    report = await sync(world, store, embedder)
    assert (report.run.added, report.run.deleted, embedder.texts) == (1, 1, [])
    assert state(store) == await fresh_state(world)


async def test_equal_texts_of_several_documents_are_embedded_once_and_stored_each() -> None:
    store, embedder = DictionaryStore(), HashEmbedder()
    await sync(World({f"{n}.md": "Legal\nthe licence" for n in range(20)}), store, embedder)
    assert embedder.texts == ["Legal\nthe licence"]
    assert texts(store) == ["the licence"] * 20


async def test_a_link_prefix_reaches_every_payload_without_embedding() -> None:
    store, world = DictionaryStore(), World({"a b.md": "A\none"})
    await sync(world, store)
    embedder = HashEmbedder()
    await sync(world, store, embedder, config=source_config(link_prefix="https://docs.example.com/x/"))
    (point,) = store.points[SCHEMA.collection].values()
    assert point.payload[Payload.LINK] == "https://docs.example.com/x/a%20b.md"
    assert embedder.texts == []


async def test_an_incomplete_listing_deletes_nothing() -> None:
    store, world = DictionaryStore(), World(many(8))
    await sync(world, store)
    before = state(store)
    world.listing_fails_after = 3
    report = await sync(world, store)
    assert (report.run.outcome, report.run.code, report.run.deleted) == ("Failed", "SourceUnreachable", 0)
    assert state(store) == before


async def test_a_source_that_cannot_be_opened_is_a_failed_run() -> None:
    def refuse(_: object) -> World:
        raise SourceError("The folder is missing.", code="SourceNotFound")

    store = DictionaryStore()
    report = await sync(World(), store, open_source=refuse)
    assert (report.run.outcome, report.run.code, report.run.message) == (
        "Failed",
        "SourceNotFound",
        "The folder is missing.",
    )
    assert store.runs[SCHEMA.documents]["s"].outcome == "Failed"


@pytest.mark.parametrize(
    ("known", "left", "percent", "held"),
    [
        (40, 19, 50, True),
        (40, 20, 50, False),
        (20, 10, 0, False),  # ten documents may always go
        (20, 9, 0, True),
        (12, 1, 100, False),
        (3, 0, 100, True),  # an empty listing is always held
        (40, 40, 0, False),
    ],
)
async def test_the_guard_holds_a_sync_that_takes_away_too_much(known: int, left: int, percent: int, held: bool) -> None:
    store, world = DictionaryStore(), World(many(known))
    config = source_config(guard=Guard(max_deleted_percent=percent))
    await sync(world, store, config=config)
    before = state(store)
    world.documents = {**dict(list(world.documents.items())[:left]), **({"new.md": "N\nnew"} if left else {})}
    report = await sync(world, store, config=config)
    assert (report.run.outcome == "DeletionHeld") is held
    if held:
        assert "--confirm-deletion s" in report.run.message
        assert state(store) == before
        confirmed = await sync(world, store, config=config, confirm=True)
        assert confirmed.run.outcome == "Succeeded"
    assert state(store) == await fresh_state(world)


async def test_a_bad_document_is_recorded_and_the_others_are_indexed() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\nBROKEN", "b.md": "B\nBUG", "c.md": "C\nfine", "d.md": "D\n"})
    world.documents["e.md"] = "E\n" + "x" * 2000
    config = source_config(limits=DocumentLimits(document_size="1Ki"))
    report = await sync(world, store, config=config)
    codes = {record.document: record.code for record in report.failures}
    assert codes == {"a.md": "ParseFailed", "b.md": "ParseFailed", "e.md": "TooLarge"}
    assert (report.run.outcome, report.run.failed, report.run.skipped, report.run.added) == ("Succeeded", 3, 1, 1)
    assert all(record.message.endswith(".") for record in report.failures)
    world.fetched.clear()
    again = await sync(world, store, config=config)
    assert world.fetched == []
    assert (again.run.failed, again.run.skipped, again.run.unchanged) == (3, 1, 1)
    assert {record.document for record in again.failures} == set(codes)


async def test_a_document_that_breaks_takes_its_old_chunks_away() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none", "b.md": "B\ntwo"})
    await sync(world, store)
    world.documents["a.md"] = "A\nBROKEN"
    await sync(world, store)
    assert texts(store) == ["two"]
    world.documents["a.md"] = "A\none"
    embedder = HashEmbedder()
    await sync(world, store, embedder)
    assert state(store) == await fresh_state(world)


async def test_a_failure_that_may_pass_keeps_the_old_chunks_and_is_tried_again_a_few_times() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none"})
    await sync(world, store)
    world.documents["a.md"] = "A\nnew"
    world.vanished.add("a.md")
    for attempt in range(1, MAX_ATTEMPTS + 3):
        report = await sync(world, store)
        assert report.failures[0].attempts == min(attempt, MAX_ATTEMPTS)
        assert texts(store) == ["one"]
    world.vanished.clear()
    world.documents["a.md"] = "A\nnewer"
    await sync(world, store)
    assert state(store) == await fresh_state(world)


async def test_too_many_chunks_fail_the_document() -> None:
    store = DictionaryStore()
    config = source_config(limits=DocumentLimits(chunks=2))
    report = await sync(World({"a.md": "A\n1\n\n2\n\n3"}), store, config=config)
    assert [record.code for record in report.failures] == ["TooManyChunks"]


async def test_an_embedder_that_is_away_fails_the_run_and_the_next_one_ends_it() -> None:
    store, world, embedder = DictionaryStore(), World(many(20)), HashEmbedder()
    embedder.away = True
    report = await sync(world, store, embedder)
    assert (report.run.outcome, report.run.code) == ("Failed", "ProviderUnreachable")
    assert report.error is not None
    embedder.away = False
    assert (await sync(world, store, embedder)).run.outcome == "Succeeded"
    assert state(store) == await fresh_state(world)


async def test_a_text_that_the_embedder_refuses_fails_its_document_alone() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none", "b.md": "B\nPOISON", "c.md": "C\nthree"})
    report = await sync(world, store)
    assert {record.document: record.code for record in report.failures} == {"b.md": "ContextTooLong"}
    assert (report.run.outcome, report.run.added, report.run.failed) == ("Succeeded", 2, 1)
    assert texts(store) == ["one", "three"]


async def test_a_revision_without_dense_vectors_needs_no_embedder() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\none"})
    schema = replace(SCHEMA, dimensions=None)
    await store.ensure_collections(schema)
    report = await sync_source(
        store=store,
        schema=schema,
        config=source_config(),
        open_source=lambda _: world,
        embedder=None,
        parse=parse,
        chunker=Paragraphs(),
        progress=Quiet(),
    )
    assert report.run.outcome == "Succeeded"
    (point,) = store.points[SCHEMA.collection].values()
    assert point.vector is None


async def test_chunks_that_somebody_took_away_come_back_after_a_failed_run() -> None:
    store, world = DictionaryStore(), World(many(6))
    await sync(world, store)
    store.points[SCHEMA.collection].pop(next(iter(store.points[SCHEMA.collection])))
    world.listing_fails_after = 0
    await sync(world, store)
    world.listing_fails_after = None
    await sync(world, store)
    assert state(store) == await fresh_state(world)


async def test_a_source_that_is_no_longer_named_is_swept_under_the_guard() -> None:
    store, world = DictionaryStore(), World(many(30))
    await sync(world, store)
    await sync(World({"x.md": "X\nother"}), store, config=source_config("other"))
    arguments = {"store": store, "schema": SCHEMA, "source": "s", "progress": Quiet(), "documents_of_all_sources": 31}
    held = await sweep_source(**arguments)
    assert held is not None
    assert held.run.outcome == "DeletionHeld"
    assert len(texts(store)) == 61
    swept = await sweep_source(**arguments, confirm_deletion=True)
    assert swept is not None
    assert (swept.run.outcome, swept.run.deleted, swept.run.chunks_deleted) == ("Succeeded", 30, 60)
    assert texts(store) == ["other"]
    assert await sweep_source(**arguments) is None


async def test_raised_limits_take_in_what_was_too_large_and_lowered_ones_refuse_it() -> None:
    store, world = DictionaryStore(), World({"a.md": "A\n1\n\n2\n\n3", "b.md": "B\n" + "x" * 2000, "c.md": "C\nsmall"})
    tight = source_config(limits=DocumentLimits(chunks=2, document_size="1Ki"))
    report = await sync(world, store, config=tight)
    assert {record.document: record.code for record in report.failures} == {"a.md": "TooManyChunks", "b.md": "TooLarge"}
    assert "1.0 KiB" in report.failures[1].message
    assert (await sync(world, store)).failures == []
    assert len(texts(store)) == 5
    embedder = HashEmbedder()
    again = await sync(world, store, embedder, config=tight)
    assert {record.document for record in again.failures} == {"a.md", "b.md"}
    assert (texts(store), embedder.texts) == (["small"], [])


async def test_a_changed_title_reaches_the_payload_of_every_chunk() -> None:
    store, world = DictionaryStore(), World({"a.md": "Old\none\n\ntwo"})

    def untitled(document: RawDocument) -> ParsedDocument:
        parsed = parse(document)
        return ParsedDocument(parsed.title, [Section(parsed.sections[0].text, ("Same",))])

    for title in ("Old", "New"):
        world.documents["a.md"] = f"{title}\none\n\ntwo"
        await store.ensure_collections(SCHEMA)
        await sync_source(
            store=store,
            schema=SCHEMA,
            config=source_config(),
            open_source=lambda _: world,
            embedder=HashEmbedder(),
            parse=untitled,
            chunker=Paragraphs(),
            progress=Quiet(),
        )
        titles = {p.payload[Payload.TITLE] for p in store.points[SCHEMA.collection].values()}
        assert titles == {title}


async def test_an_id_that_is_listed_twice_is_one_document() -> None:
    class Stutter(World):
        def list_documents(self) -> Iterator[ListedDocument]:
            for document in super().list_documents():
                yield document
                yield document

    report = await sync(Stutter({"a.md": "A\none"}), DictionaryStore())
    assert (report.run.listed, report.run.added) == (1, 1)
