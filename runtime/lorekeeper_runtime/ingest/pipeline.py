"""All sources of a pipeline into its target revision, and the revision to the front when it is complete."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.config import RevisionConfig, RuntimeConfig, SourceConfig
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_api.pipeline import EmbeddingProvider
from lorekeeper_runtime.chunking import make_chunker
from lorekeeper_runtime.ingest.progress import Progress
from lorekeeper_runtime.ingest.promote import promote_target
from lorekeeper_runtime.ingest.sync import Limits, SyncReport, hold_run, sweep_source, sync_source
from lorekeeper_runtime.parsers import parse
from lorekeeper_runtime.ports import Embedder, Source, Store

__all__ = ["IngestReport", "choose_limits", "ingest_pipeline", "make_schema"]

_NEW_OBJECTS = 50_000
"""Objects made between two looks for cycles during an ingestion; Python's own number is 700."""


@dataclass(slots=True)
class IngestReport:
    """What one ingestion of a pipeline did."""

    syncs: list[SyncReport] = field(default_factory=list)
    promoted: bool = False
    """Whether the target revision became the active one."""
    active: bool = False
    """Whether the target revision is the active one now."""

    @property
    def runs(self) -> list[RunRecord]:
        """The run of each source, in the pipeline's order."""
        return [sync.run for sync in self.syncs]

    @property
    def failed(self) -> list[DocumentRecord]:
        """Documents that failed or still fail."""
        return [record for sync in self.syncs for record in sync.failures]


def make_schema(revision: RevisionConfig) -> CollectionSchema:
    """Schema of a revision's collections."""
    return CollectionSchema(
        collection=revision.collection,
        documents=revision.documents,
        fingerprint=revision.fingerprint,
        dimensions=revision.embedding.dimensions if revision.dense else None,
        sparse=revision.sparse,
    )


async def ingest_pipeline(
    config: RuntimeConfig,
    *,
    store: Store,
    embedder: Embedder | None,
    open_source: Callable[[SourceConfig], Source],
    progress: Progress,
    confirm_deletion: frozenset[str] = frozenset(),
    sources: frozenset[str] | None = None,
    limits: Limits | None = None,
) -> IngestReport:
    """Sync sources into the target revision, one after the other.

    Args:
        config: The pipeline.
        store: Where revisions are kept.
        embedder: Of the target revision; None when it has no dense vectors.
        open_source: Opens a source.
        progress: Told how far each sync has come.
        confirm_deletion: Names of sources whose next held deletion a person has confirmed.
        sources: Names of the sources to sync; all when None.
        limits: How much a sync does at once; chosen by the embedder when None.

    Raises:
        StoreError: The store failed.
    """
    with _patient_collector():
        return await _ingest(
            config,
            store=store,
            embedder=embedder,
            open_source=open_source,
            progress=progress,
            confirm_deletion=confirm_deletion,
            sources=sources,
            limits=limits or choose_limits(config),
        )


def choose_limits(config: RuntimeConfig) -> Limits:
    """How much a sync does at once, by what it waits for."""
    revision = config.revisions[config.target]
    if revision.dense:
        match revision.embedding.provider:
            case EmbeddingProvider.EMBEDDED:
                # A text takes 50 ms: progress must be seen to move, and a kill must lose little.
                return Limits(batch_chunks=32, texts_per_call=16, in_flight=2)
            case EmbeddingProvider.OLLAMA:
                # It embeds one call after the other, on the same machine as likely as not.
                return Limits(batch_chunks=64, texts_per_call=64, in_flight=2)
            case EmbeddingProvider.OPENAI:
                pass
    # A service that answers many at once, or no embedder at all: what counts is the cost of a request.
    return Limits(batch_chunks=240, texts_per_call=128, in_flight=4)


async def _ingest(
    config: RuntimeConfig,
    *,
    store: Store,
    embedder: Embedder | None,
    open_source: Callable[[SourceConfig], Source],
    progress: Progress,
    confirm_deletion: frozenset[str],
    sources: frozenset[str] | None,
    limits: Limits,
) -> IngestReport:
    revision = config.revisions[config.target]
    schema = make_schema(revision)
    await store.ensure_collections(schema)
    report = IngestReport()
    chunker = make_chunker(revision.chunking)
    for source_config in config.sources:
        if source_config.spec.suspend or (sources is not None and source_config.name not in sources):
            continue
        report.syncs.append(
            await sync_source(
                store=store,
                schema=schema,
                config=source_config,
                open_source=open_source,
                embedder=embedder,
                parse=parse,
                chunker=chunker,
                contextual_header=revision.chunking.contextual_header,
                progress=progress,
                limits=limits,
                confirm_deletion=source_config.name in confirm_deletion,
            )
        )
    if sources is None:
        named = {source.name for source in config.sources}
        report.syncs += await _sweep_removed(named, store, schema, progress, confirm_deletion)
    promotion = await promote_target(config, store, schema, confirm_deletion=confirm_deletion)
    report.active, report.promoted = promotion.active, promotion.promoted
    for name, reason in promotion.held:
        held = await hold_run(store, schema, name, reason)
        report.syncs = [sync for sync in report.syncs if sync.run.source != name] + [held]
    return report


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Let Python look for cycles less often: an ingestion makes many objects and hardly a cycle, and the looking
    shows in its profile.
    """
    before = gc.get_threshold()
    if before[0] >= _NEW_OBJECTS or not gc.isenabled():  # of another ingestion, which will restore what was before
        yield
        return
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _sweep_removed(
    named: set[str], store: Store, schema: CollectionSchema, progress: Progress, confirm_deletion: frozenset[str]
) -> list[SyncReport]:
    """Delete what came from sources that the pipeline no longer names."""
    removed = sorted((await store.read_runs(schema.documents)).keys() - named)
    if not removed:
        return []
    documents = sum((await store.count(schema.collection, schema.documents)).documents.values())
    syncs = [
        await sweep_source(
            store=store,
            schema=schema,
            source=name,
            progress=progress,
            documents_of_all_sources=documents,
            confirm_deletion=name in confirm_deletion,
        )
        for name in removed
    ]
    return [sync for sync in syncs if sync is not None]
