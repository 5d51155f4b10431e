"""One sync: makes the part of a collection that comes from one source equal to that source."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.contract.records import DocumentRecord, RunOutcome, RunRecord
from lorekeeper_api.quantity import parse_quantity
from lorekeeper_api.source import Guard, KnowledgeSourceSpec
from lorekeeper_runtime.errors import LorekeeperError, ProviderError, SourceError
from lorekeeper_runtime.ingest.commit import point_ids
from lorekeeper_runtime.ingest.diff import Difference, compute_difference
from lorekeeper_runtime.ingest.embed import VectorSupply
from lorekeeper_runtime.ingest.flow import Flow
from lorekeeper_runtime.ingest.guard import held_reason
from lorekeeper_runtime.ingest.prepare import Preparer
from lorekeeper_runtime.ingest.progress import Progress, Snapshot, Stage
from lorekeeper_runtime.ingest.recover import recover
from lorekeeper_runtime.ports import Chunker, Embedder, ListedDocument, ParsedDocument, RawDocument, Source, Store

__all__ = ["Limits", "SyncReport", "hold_run", "sweep_source", "sync_source"]

PAGE = 512
"""Points in one request that deletes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a sync does at once."""

    batch_chunks: int = 64
    """Chunks that are prepared and written together."""
    texts_per_call: int = 64
    """Texts in one call of the embedder."""
    in_flight: int = 4
    """Batches that are embedded and written at the same time."""


@dataclass(slots=True)
class SyncReport:
    """What a sync did."""

    run: RunRecord
    failures: list[DocumentRecord] = field(default_factory=list)
    """Documents that failed or still fail, without an end: the caller shows as many as it likes."""
    error: LorekeeperError | None = None
    """Why the sync did not succeed."""


async def sync_source(
    *,
    store: Store,
    schema: CollectionSchema,
    config: SourceConfig,
    open_source: Callable[[SourceConfig], Source],
    embedder: Embedder | None,
    parse: Callable[[RawDocument], ParsedDocument],
    chunker: Chunker,
    contextual_header: bool = True,
    progress: Progress,
    limits: Limits | None = None,
    confirm_deletion: bool = False,
) -> SyncReport:
    """Bring a collection in step with a source.

    The listing is complete before anything is changed; a document is committed by its record, written after its chunks;
    what is gone from the source is swept last. Nothing to do means one write: the run's record.

    Args:
        store: Where the revision is kept; its collections exist.
        schema: The revision.
        config: What the source declares.
        open_source: Opens the source; it is closed at the end.
        embedder: None for a revision without dense vectors.
        parse: Turns bytes into text.
        chunker: Cuts text.
        contextual_header: Whether chunks are embedded and searched together with their headings.
        progress: Told how far the sync has come.
        limits: How much is done at once.
        confirm_deletion: Whether a person has confirmed that this sync may delete more than the guard allows.

    Returns:
        The report. A source that cannot be listed, a held deletion and a provider that is away are outcomes of the run,
        not exceptions.

    Raises:
        StoreError: The store failed; the run's record could not be written either.
    """
    sync = _Sync(store, schema, config.name, progress)
    source: Source | None = None
    try:
        source = await asyncio.to_thread(open_source, config)
        records, difference = await sync.compare(source, config.spec)
        reason = held_reason(
            config.spec.guard,
            source=config.name,
            known=sum(1 for record in records.values() if record.chunks),
            listed=difference.listed,
            gone=sum(1 for record in difference.gone if record.chunks),
        )
        if reason is not None and not confirm_deletion:
            return await sync.finish("DeletionHeld", code="DeletionHeld", message=reason)
        if difference.todo or difference.gone:
            await sync.begin()
        if difference.todo:
            chosen = limits or Limits()
            supply = VectorSupply(embedder, store, schema, stored=bool(sync.runs), texts_per_call=chosen.texts_per_call)
            preparer = Preparer(
                difference.todo,
                source=source,
                parse=parse,
                chunker=chunker,
                max_bytes=parse_quantity(config.spec.limits.document_size),
                max_chunks=config.spec.limits.chunks,
                batch_chunks=chosen.batch_chunks,
            )
            await sync.index(preparer, supply, len(difference.todo), chosen.in_flight, contextual_header)
        await sync.sweep(difference.gone)
    except (SourceError, ProviderError) as error:
        _log.debug("source %s failed", config.name, exc_info=error)  # the run's record says it to people
        return await sync.finish("Failed", code=error.code, message=error.message, error=error)
    finally:
        if source is not None:
            source.close()
    return await sync.finish("Succeeded")


async def sweep_source(
    *,
    store: Store,
    schema: CollectionSchema,
    source: str,
    progress: Progress,
    documents_of_all_sources: int,
    confirm_deletion: bool = False,
) -> SyncReport | None:
    """Delete what came from a source that the pipeline no longer names, under the default guard.

    Args:
        store: Where the revision is kept.
        schema: The revision.
        source: Name of the source.
        progress: Told how far the sweep has come.
        documents_of_all_sources: Documents of the whole pipeline: the share is one of these.
        confirm_deletion: Whether a person has confirmed the deletion.

    Returns:
        The report, or None when nothing was left of the source.

    Raises:
        StoreError: The store failed.
    """
    sync = _Sync(store, schema, source, progress)
    await sync.load()
    records, _ = await recover(store, schema, source, sync.records)
    if not records:
        return None
    reason = held_reason(Guard(), source=source, known=documents_of_all_sources, listed=1, gone=len(records))
    if reason is not None and not confirm_deletion:
        return await sync.finish("DeletionHeld", code="DeletionHeld", message=reason)
    await sync.begin()
    await sync.sweep(list(records.values()))
    return await sync.finish("Succeeded")


async def hold_run(store: Store, schema: CollectionSchema, source: str, reason: str) -> SyncReport:
    """Leave word that what a source's last run made is held; everything it indexed stays where it is.

    Raises:
        StoreError: The store failed.
    """
    last = (await store.read_runs(schema.documents)).get(source)
    run = last or RunRecord(source=source, run=secrets.token_hex(6), outcome="Running", started=_now(), finished=_now())
    # A held run is no complete one: the next ingestion looks at the source again before it promotes.
    run.outcome, run.code, run.message = "DeletionHeld", "DeletionHeld", reason
    await store.write_run(schema.documents, run)
    return SyncReport(run)


class _Sync:
    """The state of one sync."""

    def __init__(self, store: Store, schema: CollectionSchema, source: str, progress: Progress) -> None:
        self.store = store
        self.schema = schema
        self.source = source
        self.progress = progress
        self.snapshot = Snapshot(source)
        self.run = RunRecord(source=source, run=secrets.token_hex(6), outcome="Running", started=_now())
        self.runs: dict[str, RunRecord] = {}
        self.records: dict[str, DocumentRecord] = {}
        self.failures: list[DocumentRecord] = []
        self.supply: VectorSupply | None = None
        self._clock = time.monotonic()

    async def load(self) -> None:
        """Read what is known of the source."""
        self.runs = await self.store.read_runs(self.schema.documents)
        async for page in self.store.read_documents(self.schema.documents, self.source):
            for record in page:
                self.records[record.document] = record

    async def compare(self, source: Source, spec: KnowledgeSourceSpec) -> tuple[dict[str, DocumentRecord], Difference]:
        """List the source and compare it with the manifest; both are complete before anything is changed."""
        await self.load()
        listing = await asyncio.to_thread(self._list, source)
        self.run.revision = source.revision
        records = self.records
        last = self.runs.get(self.source)
        if last is not None and last.outcome in {"Running", "Failed", "Interrupted"}:
            records, orphans = await recover(self.store, self.schema, self.source, records)
            self.run.chunks_deleted += orphans
        difference = compute_difference(listing, records, spec)
        run = self.run
        run.listed = difference.listed
        run.unchanged = difference.unchanged
        run.failed = len(difference.still_failed)
        self.failures.extend(difference.still_failed)
        run.skipped = difference.still_skipped
        return records, difference

    def _list(self, source: Source) -> list[ListedDocument]:
        snapshot = self.snapshot
        listing: list[ListedDocument] = []
        for document in source.list_documents():
            listing.append(document)
            snapshot.listed += 1
            if snapshot.listed % 256 == 0:
                self.progress.update(snapshot)
        self.progress.update(snapshot)
        return listing

    async def begin(self) -> None:
        """Leave word that a run is under way, before its first change."""
        await self.store.write_run(self.schema.documents, self.run)

    async def index(
        self, preparer: Preparer, supply: VectorSupply, total: int, in_flight: int, contextual_header: bool
    ) -> None:
        """Index what is new or changed."""
        snapshot = self.snapshot
        snapshot.stage, snapshot.total = Stage.INDEXING, total
        self.progress.update(snapshot)
        self.supply = supply

        def report(documents: int, size: int) -> None:
            snapshot.done += documents
            snapshot.bytes += size
            snapshot.chunks = self.run.chunks_written
            snapshot.failed = len(self.failures)
            self.progress.update(snapshot)

        flow = Flow(
            store=self.store,
            schema=self.schema,
            source=self.source,
            supply=supply,
            run=self.run,
            contextual_header=contextual_header,
            in_flight=in_flight,
            report=report,
            failures=self.failures,
        )
        await flow.drain(preparer)

    async def sweep(self, gone: list[DocumentRecord]) -> None:
        """Delete documents that the source no longer has: chunks first, so that a record that is left names them."""
        self.snapshot.stage = Stage.SWEEPING
        self.progress.update(self.snapshot)
        for start in range(0, len(gone), PAGE):
            part = gone[start : start + PAGE]
            ids = [point for record in part for point in point_ids(record.source, record.document, record.chunks)]
            for first in range(0, len(ids), PAGE):
                await self.store.delete_chunks(self.schema.collection, ids[first : first + PAGE])
            await self.store.delete_documents(self.schema.documents, [(r.source, r.document) for r in part])
            self.run.deleted += len(part)
            self.run.chunks_deleted += len(ids)

    async def finish(
        self, outcome: RunOutcome, *, code: str = "", message: str = "", error: LorekeeperError | None = None
    ) -> SyncReport:
        """Write the run's record and give the report."""
        run = self.run
        run.outcome = outcome
        run.code, run.message = code, message
        run.finished = _now()
        run.seconds = round(time.monotonic() - self._clock, 3)
        run.chunks_embedded = self.supply.embedded if self.supply is not None else 0
        await self.store.write_run(self.schema.documents, run)
        self.snapshot.stage = Stage.DONE
        self.progress.update(self.snapshot)
        return SyncReport(run, self.failures, error)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
