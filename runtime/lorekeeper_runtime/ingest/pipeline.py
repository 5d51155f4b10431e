"""All sources of a pipeline into its target revision, and the revision to the front when it is complete."""

from collections.abc import Callable
from dataclasses import dataclass, field

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.config import RevisionConfig, RuntimeConfig, SourceConfig
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_runtime.chunking import make_chunker
from lorekeeper_runtime.ingest.progress import Progress
from lorekeeper_runtime.ingest.sync import Limits, SyncReport, sweep_source, sync_source
from lorekeeper_runtime.parsers import parse
from lorekeeper_runtime.ports import Embedder, Source, Store

__all__ = ["IngestReport", "ingest_pipeline", "make_schema"]


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
        limits: How much a sync does at once.

    Raises:
        StoreError: The store failed.
    """
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
    await _promote(config, store, schema, report)
    return report


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


async def _promote(config: RuntimeConfig, store: Store, schema: CollectionSchema, report: IngestReport) -> None:
    """Let the alias name the target revision once every source has completed a sync into it, and drop older revisions.

    Where nothing is active yet, one source is enough: there is nothing better to serve, and what is missing is told.
    """
    active = await store.read_alias(config.alias)
    if active is not None and active.collection == schema.collection:
        report.active = True
        return
    runs = await store.read_runs(schema.documents)
    complete = [source.name for source in config.sources if _has_completed(runs.get(source.name))]
    if len(complete) < len(config.sources) and (active is not None or not complete):
        return
    await store.promote(config.alias, schema.collection)
    report.promoted = report.active = True
    beginning = schema.collection.removesuffix(schema.fingerprint)
    for collection in await store.list_collections():
        if collection.startswith(beginning) and _is_other_revision(collection.removeprefix(beginning), schema):
            await store.drop_collections(collection, f"{collection}.documents")


def _has_completed(run: RunRecord | None) -> bool:
    return run is not None and run.outcome in {"Succeeded", "DeletionHeld"}


def _is_other_revision(rest: str, schema: CollectionSchema) -> bool:
    return len(rest) == len(schema.fingerprint) and rest != schema.fingerprint
