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
        """Write a batch of documents."""
        commits: list[DocumentCommit] = []
        touched: list[DocumentRecord] = []
        for prepared in batch:
            todo = prepared.todo
            if prepared.error is not None:
                commit = compute_failure(
                    self.source, todo, prepared.error, content=prepared.content, size=prepared.size
                )
                commits.append(commit)
                self._count_failure(commit.record)
            elif prepared.same and todo.previous is not None:
                touched.append(replace(todo.previous, version=todo.version, size=prepared.size))
                self.run.unchanged += 1
            else:
                commits.append(compute_commit(self.source, prepared, contextual_header=self.contextual_header))
                if todo.previous is None or not todo.previous.chunks:
                    self.run.added += 1
                else:
                    self.run.updated += 1
        try:
            await self.supply.add_vectors([point for commit in commits for point in commit.new])
        except ProviderError as error:
            if error.code not in DOCUMENT_FAULTS:
                raise
            await self._isolate(batch, commits)
        await self._write(commits, touched)

    async def _isolate(self, batch: Sequence[PreparedDocument], commits: list[DocumentCommit]) -> None:
        """Embed document by document and let those fail that the embedder refuses."""
        todos = {prepared.todo.listed.id: prepared for prepared in batch}
        for place, commit in enumerate(commits):
            try:
                await self.supply.add_vectors(commit.new)
            except ProviderError as error:
                if error.code not in DOCUMENT_FAULTS:
                    raise
                prepared = todos[commit.record.document]
                fault = DocumentError(error.message, code=error.code)
                previous = prepared.todo.previous
                if previous is None or not previous.chunks:
                    self.run.added -= 1
                else:
                    self.run.updated -= 1
                commits[place] = compute_failure(
                    self.source, prepared.todo, fault, content=prepared.content, size=prepared.size
                )
                self._count_failure(commits[place].record)

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

    def _count_failure(self, record: DocumentRecord) -> None:
        if record.state is DocumentState.SKIPPED:
            self.run.skipped += 1
        else:
            self.run.failed += 1
            self.failures.append(record)


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
