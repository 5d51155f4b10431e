"""The pipelined half of ingestion: batches are prepared in a thread while earlier ones are embedded and written."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.records import DocumentRecord, DocumentState, RunRecord
from lorekeeper_runtime.errors import DocumentError, ProviderError
from lorekeeper_runtime.ingest.commit import DocumentCommit, compute_commit, compute_failure
from lorekeeper_runtime.ingest.embed import VectorSupply
from lorekeeper_runtime.ingest.prepare import PreparedDocument, Preparer
from lorekeeper_runtime.ports import Store

__all__ = ["DOCUMENT_FAULTS", "Flow"]

DOCUMENT_FAULTS = frozenset({"ContextTooLong", "InvalidInput"})
"""Codes by which an embedder refuses a text, not the service: the document is at fault and the run goes on."""

_Pending = tuple[PreparedDocument, DocumentCommit]


@dataclass(slots=True)
class Flow:
    """Brings prepared documents into a collection.

    Each document is written in the order that `DocumentCommit` describes, so that a killed run can be finished.
    """

    store: Store
    schema: CollectionSchema
    source: str
    supply: VectorSupply
    run: RunRecord
    """Counts are kept here."""
    contextual_header: bool
    """Whether chunks are embedded and searched together with their headings."""
    in_flight: int
    """Batches that are embedded and written at the same time."""
    report: Callable[[int, int], None]
    """Told the documents and bytes of each finished batch."""
    failures: list[DocumentRecord]
    """Documents that failed in this run are put here."""

    async def drain(self, preparer: Preparer) -> None:
        """Index everything that the preparer gives.

        Raises:
            ProviderError: The embedder is away or refuses its service.
            StoreError: The store failed.
        """
        slots = asyncio.Semaphore(self.in_flight)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await slots.acquire()  # before the next batch is read: memory stays bounded
                    batch = await asyncio.to_thread(preparer.next_batch)
                    if not batch:
                        break
                    group.create_task(self._finish(batch, slots))
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors

    async def _finish(self, batch: list[PreparedDocument], slots: asyncio.Semaphore) -> None:
        try:
            await self.index(batch)
        finally:
            slots.release()
        self.report(len(batch), sum(prepared.size for prepared in batch))

    async def index(self, batch: Sequence[PreparedDocument]) -> None:
        """Write a batch of documents, and count what was written."""
        pending: list[_Pending] = []
        touched: list[DocumentRecord] = []
        for prepared in batch:
            previous = prepared.todo.previous
            if prepared.error is not None:
                pending.append((prepared, compute_failure(self.source, prepared, prepared.error)))
            elif prepared.same and previous is not None:
                touched.append(replace(previous, version=prepared.todo.version, size=prepared.size))
            else:
                commit = compute_commit(self.source, prepared, contextual_header=self.contextual_header)
                pending.append((prepared, commit))
        try:
            await self.supply.add_vectors([point for _, commit in pending for point in commit.new])
        except ProviderError as error:
            if error.code not in DOCUMENT_FAULTS:
                raise
            pending = [await self._embed_alone(*each) for each in pending]
        await self._write([commit for _, commit in pending], touched)
        for prepared, commit in pending:
            self._count(prepared.todo.previous, commit.record)
        self.run.unchanged += len(touched)

    async def _embed_alone(self, prepared: PreparedDocument, commit: DocumentCommit) -> _Pending:
        """Embed one document, and let it fail when it is the one that the embedder refuses."""
        try:
            await self.supply.add_vectors(commit.new)
        except ProviderError as error:
            if error.code not in DOCUMENT_FAULTS:
                raise
            commit = compute_failure(self.source, prepared, DocumentError(error.message, code=error.code))
        return prepared, commit

    async def _write(self, commits: Sequence[DocumentCommit], touched: list[DocumentRecord]) -> None:
        store, schema = self.store, self.schema
        points = [point for commit in commits for point in commit.new]
        if points:
            await store.upsert_chunks(schema, points)
        moving = [commit for commit in commits if commit.moved]
        if moving:
            await store.write_documents(schema.documents, [_in_the_making(commit) for commit in moving])
            await store.set_payloads(schema.collection, [move for commit in moving for move in commit.moved])
        records = [commit.record for commit in commits] + touched
        if records:
            await store.write_documents(schema.documents, records)
        gone = [point for commit in commits for point in commit.gone]
        if gone:
            await store.delete_chunks(schema.collection, gone)
        self.run.chunks_written += len(points) + sum(len(commit.moved) for commit in moving)
        self.run.chunks_deleted += len(gone)

    def _count(self, previous: DocumentRecord | None, record: DocumentRecord) -> None:
        match record.state:
            case DocumentState.SKIPPED:
                self.run.skipped += 1
            case DocumentState.FAILED:
                self.run.failed += 1
                self.failures.append(record)
            case DocumentState.INDEXED if previous is not None and previous.chunks:
                self.run.updated += 1
            case DocumentState.INDEXED:
                self.run.added += 1


def _in_the_making(commit: DocumentCommit) -> DocumentRecord:
    """The record while payloads change: no version and no content, so that the next run looks again, and no trace of
    places, so that it sets every payload anew.
    """
    return replace(
        commit.record, version="", content="", chunks=[(chunk_hash, "") for chunk_hash, _ in commit.record.chunks]
    )


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
