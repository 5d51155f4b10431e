"""Shows how far an ingestion has come: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lorekeeper_cli.output import is_terminal, note
from lorekeeper_runtime.ingest.progress import Progress, Snapshot, Stage

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

__all__ = ["QuietProgress", "show_progress"]

PLAIN_SECONDS = 5.0
"""Between two plain lines of one stage."""


class QuietProgress:
    """Shows nothing: for the syncs of a running server, which end with a line of their own."""

    def update(self, snapshot: Snapshot) -> None:
        """Forget it."""


class PlainProgress:
    """A line when a source's indexing begins, one every few seconds while it lasts, and one with the final count."""

    def __init__(self) -> None:
        self._source = ""
        self._next = 0.0
        self._written: tuple[int, int, int] | None = None

    def update(self, snapshot: Snapshot) -> None:
        """Write a line when it is time."""
        if snapshot.stage != Stage.INDEXING:
            if snapshot.source == self._source:
                self._source = ""
                self._write(snapshot)
            return
        now = time.monotonic()
        if snapshot.source == self._source:
            if now < self._next:
                return
        else:
            self._written = None
        self._source, self._next = snapshot.source, now + PLAIN_SECONDS
        self._write(snapshot)

    def _write(self, snapshot: Snapshot) -> None:
        counts = (snapshot.done, snapshot.total, snapshot.chunks)
        if counts != self._written:
            self._written = counts
            note(f"{snapshot.source}: {snapshot.done} of {snapshot.total} documents, {snapshot.chunks} chunks")


class BarProgress:
    """One bar a source."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def update(self, snapshot: Snapshot) -> None:
        """Move the source's bar; the terminal is drawn by rich at its own pace."""
        task = self._tasks.get(snapshot.source)
        if task is None:
            task = self._tasks[snapshot.source] = self._bars.add_task(snapshot.source, total=None, what="")
        if snapshot.stage == Stage.LISTING:
            what = f"listing, {snapshot.listed} documents"
            self._bars.update(task, what=what)
            return
        what = "sweeping" if snapshot.stage == Stage.SWEEPING else f"{snapshot.chunks} chunks"
        if snapshot.failed:
            what += f", {snapshot.failed} failed"
        total = max(snapshot.total, 1)
        done = total if snapshot.stage == Stage.DONE else snapshot.done
        self._bars.update(task, total=total, completed=done, what=what)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show progress on standard error for as long as the context lasts."""
    if not is_terminal():
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bars:
        yield BarProgress(bars)
