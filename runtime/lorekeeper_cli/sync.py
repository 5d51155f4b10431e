"""Syncs the open pipelines, one sync at a time."""

import asyncio
from collections.abc import Sequence

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
            StoreError: The store failed.
        """
        reports = []
        async with self._turn:
            for parts in self.pipelines:
                named = {source.name for source in parts.config.sources}
                if sources is not None and not sources & named:
                    continue
                report = await ingest(parts, progress=self.progress, confirm_deletion=confirm_deletion, sources=sources)
                reports.append(describe_report(parts.config.pipeline, report))
        return reports
