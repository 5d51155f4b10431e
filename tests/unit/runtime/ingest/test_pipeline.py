"""All sources of a pipeline into one revision: promotion, new revisions, sources that come and go."""

from typing import Any

import pytest

from lorekeeper_api.contract.collection import Payload, alias_name, collection_name, documents_name
from lorekeeper_api.contract.config import EmbeddingConfig, RevisionConfig, RuntimeConfig, SourceConfig, StoreConfig
from lorekeeper_api.contract.records import DocumentState
from lorekeeper_api.pipeline import Chunking, EmbeddingProvider
from lorekeeper_runtime.errors import SourceError
from lorekeeper_runtime.ingest.pipeline import IngestReport, ingest_pipeline
from lorekeeper_runtime.ports import Source
from tests.support.dictionary_store import DictionaryStore
from tests.unit.runtime.ingest.world import HashEmbedder, Quiet, World, source_config

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


async def run(store: DictionaryStore, worlds: Worlds, runtime: RuntimeConfig, **options: Any) -> IngestReport:
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
