"""All sources of a pipeline into one revision: promotion, new revisions, sources that come and go."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from typing_extensions import override

from lorekeeper_api.contract.collection import Payload, alias_name, collection_name, documents_name
from lorekeeper_api.contract.config import EmbeddingConfig, RevisionConfig, RuntimeConfig, SourceConfig, StoreConfig
from lorekeeper_api.contract.records import DocumentState
from lorekeeper_api.pipeline import Chunking, EmbeddingProvider
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.ingest.pipeline import IngestReport, choose_limits, ingest_pipeline
from lorekeeper_runtime.ports import ListedDocument, Source
from tests.support.dictionary_store import DictionaryStore
from tests.unit.runtime.ingest.world import Crash, HashEmbedder, Quiet, WatchedStore, World, source_config

ALIAS = alias_name("ns", "p")


def config(fingerprint: str = "0000000a", sources: tuple[str, ...] = ("a", "b"), **spec: Any) -> RuntimeConfig:
    revision = RevisionConfig(
        fingerprint=fingerprint,
        collection=collection_name("ns", "p", fingerprint),
        documents=documents_name("ns", "p", fingerprint),
        embedding=EmbeddingConfig(provider=EmbeddingProvider.EMBEDDED, model="hash", dimensions=4),
        chunking=Chunking(),
    )
    return RuntimeConfig(
        pipeline="p",
        namespace="ns",
        store=StoreConfig(kind="Embedded", path="unused"),
        alias=ALIAS,
        target=fingerprint,
        revisions={fingerprint: revision},
        sources=[source_config(name, **spec) for name in sources],
    )


class Worlds(dict[str, World]):
    """Sources by name; one that is missing cannot be opened."""

    def open_source(self, source: SourceConfig) -> Source:
        if source.name not in self:
            raise SourceError("It is missing.", code="SourceNotFound")
        return self[source.name]


async def run(store: Any, worlds: Worlds, runtime: RuntimeConfig, **options: Any) -> IngestReport:
    return await ingest_pipeline(
        runtime,
        store=store,
        embedder=options.pop("embedder", HashEmbedder()),
        open_source=worlds.open_source,
        progress=Quiet(),
        **options,
    )


@pytest.fixture
def worlds() -> Worlds:
    return Worlds(a=World({"a.md": "# A\n\nalpha"}), b=World({"b.md": "# B\n\nbeta"}))


async def test_the_revision_is_promoted_when_every_source_has_completed_a_sync(worlds: Worlds) -> None:
    store = DictionaryStore()
    report = await run(store, worlds, config())
    assert (report.promoted, report.active) == (True, True)
    assert [r.outcome for r in report.runs] == ["Succeeded", "Succeeded"]
    assert store.aliases == {ALIAS: "ns.p.0000000a"}
    again = await run(store, worlds, config())
    assert (again.promoted, again.active) == (False, True)


async def test_a_new_revision_serves_only_when_it_is_complete_and_the_old_one_goes(worlds: Worlds) -> None:
    store = DictionaryStore()
    await run(store, worlds, config())
    missing = Worlds(a=worlds["a"])
    report = await run(store, missing, config("0000000b"))
    assert (report.promoted, report.active) == (False, False)
    assert store.aliases == {ALIAS: "ns.p.0000000a"}
    report = await run(store, worlds, config("0000000b"))
    assert report.promoted
    assert await store.list_collections() == ["ns.p.0000000b", "ns.p.0000000b.documents"]


async def test_other_pipelines_keep_their_revisions(worlds: Worlds) -> None:
    store = DictionaryStore()
    await run(store, worlds, config())
    for name in ("ns.p2.0000000a", "ns.p.x.0000000a"):
        store.points[name] = {}
    await run(store, worlds, config("0000000b"))
    assert {"ns.p2.0000000a", "ns.p.x.0000000a"} <= set(await store.list_collections())


async def test_where_nothing_serves_yet_one_complete_source_is_enough(worlds: Worlds) -> None:
    store = DictionaryStore()
    del worlds["b"]
    report = await run(store, worlds, config())
    assert report.promoted
    assert [r.outcome for r in report.runs] == ["Succeeded", "Failed"]


async def test_nothing_is_promoted_when_no_source_completed() -> None:
    store = DictionaryStore()
    report = await run(store, Worlds(), config())
    assert (report.promoted, store.aliases) == (False, {})


async def test_a_source_that_is_no_longer_named_is_swept_and_one_that_vanished_is_not(worlds: Worlds) -> None:
    store = DictionaryStore()
    await run(store, worlds, config())
    vanished = Worlds(a=worlds["a"])
    await run(store, vanished, config())
    assert len(store.points["ns.p.0000000a"]) == 2
    report = await run(store, vanished, config(sources=("a",)))
    assert [(r.source, r.deleted) for r in report.runs] == [("a", 0), ("b", 1)]
    assert [p.payload[Payload.SOURCE] for p in store.points["ns.p.0000000a"].values()] == ["a"]
    assert [r.source for r in (await run(store, vanished, config(sources=("a",)))).runs] == ["a"]


async def test_suspended_and_unasked_sources_are_left_alone(worlds: Worlds) -> None:
    store = DictionaryStore()
    report = await run(store, worlds, config(suspend=True))
    assert report.runs == []
    report = await run(store, worlds, config(), sources=frozenset({"b"}))
    assert [r.source for r in report.runs] == ["b"]


async def test_failed_documents_are_reported_with_their_source(worlds: Worlds) -> None:
    store = DictionaryStore()
    worlds["a"].documents["bad.md"] = "\0binary"
    report = await run(store, worlds, config())
    assert [(r.source, r.document, r.state) for r in report.failed] == [("a", "bad.md", DocumentState.FAILED)]


@pytest.mark.parametrize(
    ("provider", "texts"),
    [(EmbeddingProvider.EMBEDDED, 16), (EmbeddingProvider.OLLAMA, 64), (EmbeddingProvider.OPENAI, 128)],
)
def test_the_slower_the_embedder_the_smaller_the_calls(provider: EmbeddingProvider, texts: int) -> None:
    for dense, expected in ((True, texts), (False, 128)):
        runtime = config()
        revision = runtime.revisions[runtime.target]
        embedding = revision.embedding.model_copy(update={"provider": provider})
        runtime.revisions[runtime.target] = revision.model_copy(update={"embedding": embedding, "dense": dense})
        assert choose_limits(runtime).texts_per_call == expected


@pytest.mark.parametrize("code", ["", "SourceNotFound"])
async def test_the_collector_is_patient_during_an_ingestion_only(worlds: Worlds, code: str) -> None:
    seen: list[int] = []

    class Watching(World):
        @override
        def list_documents(self) -> Iterator[ListedDocument]:
            seen.append(gc.get_threshold()[0])
            if code:
                raise SourceError("It is missing.", code=code)
            return super().list_documents()

    before = gc.get_threshold()
    worlds["a"] = Watching(worlds["a"].documents)
    await run(DictionaryStore(), worlds, config())
    assert seen == [50_000]
    assert gc.get_threshold() == before


def forty() -> dict[str, str]:
    return {f"{n:02}.md": f"# {n}\n\ntext {n}" for n in range(40)}


async def test_an_empty_listing_never_replaces_what_serves() -> None:
    store = DictionaryStore()
    worlds = Worlds(a=World(forty()))
    await run(store, worlds, config(sources=("a",)))
    worlds["a"].documents.clear()
    report = await run(store, worlds, config("0000000b", sources=("a",)))
    assert (report.promoted, report.active) == (False, False)
    assert store.aliases == {ALIAS: "ns.p.0000000a"}
    assert len(store.points["ns.p.0000000a"]) == 40
    (held,) = report.runs
    assert held.outcome == "DeletionHeld"
    assert "has 0 of the 40 documents" in held.message
    again = await run(store, worlds, config("0000000b", sources=("a",)))
    assert not again.active
    confirmed = await run(store, worlds, config("0000000b", sources=("a",)), confirm_deletion=frozenset({"a"}))
    assert confirmed.promoted


async def test_a_revision_in_which_every_document_failed_never_replaces_what_serves() -> None:
    store = DictionaryStore()
    worlds = Worlds(a=World(forty()))
    await run(store, worlds, config(sources=("a",)))
    worlds["a"].vanished.update(worlds["a"].documents)
    report = await run(store, worlds, config("0000000b", sources=("a",)))
    assert not report.active
    worlds["a"].vanished.clear()
    assert (await run(store, worlds, config("0000000b", sources=("a",)))).promoted


async def test_a_held_sync_of_a_half_built_revision_is_not_complete() -> None:
    store = DictionaryStore()
    worlds = Worlds(a=World(forty()))
    await run(store, worlds, config(sources=("a",)))
    half = Worlds(a=World(dict(list(forty().items())[:12])))
    assert not (await run(store, half, config("0000000b", sources=("a",)))).active
    half["a"].documents.clear()
    report = await run(store, half, config("0000000b", sources=("a",)))
    assert [r.outcome for r in report.runs] == ["DeletionHeld"]
    assert store.aliases == {ALIAS: "ns.p.0000000a"}


async def test_a_revision_that_was_left_behind_goes_with_the_next_run(worlds: Worlds) -> None:
    store = DictionaryStore()
    await run(store, worlds, config())
    await run(store, Worlds(a=worlds["a"]), config("0000000b"))
    assert "ns.p.0000000b" in store.points
    await run(store, worlds, config())
    assert await store.list_collections() == ["ns.p.0000000a", "ns.p.0000000a.documents"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_at_every_write_of_a_change_of_revision_is_finished_by_the_next_run(
    worlds: Worlds, after: bool
) -> None:
    at = 0
    while True:
        store = DictionaryStore()
        await run(store, worlds, config())
        try:
            await run(WatchedStore(store, crash_at=at, after=after), worlds, config("0000000b"))
        except Crash:
            pass
        else:
            break
        report = await run(store, worlds, config("0000000b"))
        assert report.active
        assert store.aliases == {ALIAS: "ns.p.0000000b"}
        assert await store.list_collections() == ["ns.p.0000000b", "ns.p.0000000b.documents"]
        assert len(store.points["ns.p.0000000b"]) == 2
        at += 1
    assert at >= 9


async def test_a_suspended_source_does_not_keep_a_revision_aside_when_nothing_is_lost(worlds: Worlds) -> None:
    store = DictionaryStore()
    await run(store, worlds, config(sources=("a",)))
    runtime = config("0000000b")
    suspended = runtime.sources[1].model_copy(
        update={"spec": runtime.sources[1].spec.model_copy(update={"suspend": True})}
    )
    report = await run(store, worlds, runtime.model_copy(update={"sources": [runtime.sources[0], suspended]}))
    assert report.promoted
