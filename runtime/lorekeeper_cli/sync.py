"""Syncs the open pipelines, one sync at a time."""

import asyncio
from collections.abc import Sequence

from lorekeeper_api.contract.records import DocumentState
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.report import Report, describe_report
from lorekeeper_runtime.ingest.progress import Progress
from lorekeeper_runtime.wiring import OpenPipeline, ingest

__all__ = ["Syncer"]


class Syncer:
    """Holds the pipelines of a command and the turn to sync them: schedule, watch and requests wait for one another."""

    def __init__(self, pipelines: Sequence[OpenPipeline], progress: Progress) -> None:
        self.pipelines = pipelines
        self.progress = progress
        self._turn = asyncio.Lock()

    async def sync(
        self, *, sources: frozenset[str] | None = None, confirm_deletion: frozenset[str] = frozenset()
    ) -> list[Report]:
        """Sync sources of every pipeline and return a report for each pipeline that has one of them.

        Args:
            sources: Names of the sources; all, and those no longer named, when None.
            confirm_deletion: Sources whose held deletion was confirmed.

        Raises:
            CommandError: A deletion was confirmed of a source that nothing is known of.
            StoreError: The store failed.
        """
        reports = []
        async with self._turn:
            await self._check_names(confirm_deletion)
            for parts in self.pipelines:
                named = {source.name for source in parts.config.sources}
                if sources is not None and not sources & named:
                    continue
                report = await ingest(parts, progress=self.progress, confirm_deletion=confirm_deletion, sources=sources)
                skipped = [
                    record
                    for run in report.runs
                    if run.skipped
                    async for page in parts.store.read_documents(_documents(parts), run.source)
                    for record in page
                    if record.state is DocumentState.SKIPPED
                ]
                reports.append(describe_report(parts.config.pipeline, report, skipped))
        return reports

    async def _check_names(self, sources: frozenset[str]) -> None:
        """Refuse names that neither the pipelines name nor an earlier ingestion left documents of."""
        if not sources:
            return
        known = {source.name for parts in self.pipelines for source in parts.config.sources}
        for parts in self.pipelines:
            if _collection(parts) in await parts.store.list_collections():
                known |= (await parts.store.read_runs(_documents(parts))).keys()
        if unknown := ", ".join(sorted(sources - known)):
            raise CommandError(
                f"--confirm-deletion {unknown}: there is no such source; known are {', '.join(sorted(known))}."
            )


def _collection(parts: OpenPipeline) -> str:
    return parts.config.revisions[parts.config.target].collection


def _documents(parts: OpenPipeline) -> str:
    return parts.config.revisions[parts.config.target].documents
