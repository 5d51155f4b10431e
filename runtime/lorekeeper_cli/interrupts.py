"""Ctrl-C, SIGTERM and the end of the terminal (SIGHUP): the work is cancelled, and the process ends within seconds.

Stopping hard is safe: every acknowledged write is durable against the death of the process. So a thread that is deep in
a large document is waited for only briefly.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.output import note

__all__ = ["GRACE_SECONDS", "Interrupts", "run_interruptible"]

GRACE_SECONDS = 6.0
T = TypeVar("T")


class Interrupts:
    """What the running command does when a signal asks it to stop."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        """The first signal, or None."""
        self.serving = False
        """Whether nothing is left undone by stopping: SIGTERM and SIGHUP then are the normal end."""
        self.leftovers: list[Path] = []
        """Private folders that are removed even when the process ends the hard way."""

    @property
    def exit_code(self) -> Exit:
        """What the command ends with after a signal."""
        return Exit.OK if self.serving and self.received is not signal.SIGINT else Exit.INTERRUPTED

    def on_signal(self, number: signal.Signals, stop: Callable[[], object]) -> None:
        """Stop the work; at the second signal, or when it does not stop, end the process."""
        if self.received is not None:
            self._end()
        self.received = number
        timer = threading.Timer(GRACE_SECONDS, self._end)
        timer.daemon = True
        timer.start()
        stop()

    def _end(self) -> None:
        from shutil import rmtree

        for folder in self.leftovers:
            rmtree(folder, ignore_errors=True)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # the terminal may be gone, and this is the way out
                stream.flush()
        os._exit(self.exit_code)


def run_interruptible(work: Callable[[Interrupts], Coroutine[Any, Any, T]]) -> T | Exit:
    """Run a coroutine on uvloop until it is done or a signal stops it.

    Returns:
        Its result, or the exit code after a signal.
    """
    import uvloop

    interrupts = Interrupts()

    def cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    async def guarded() -> T | Exit:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a coroutine runs in a task")
        loop = asyncio.get_running_loop()

        def on_signal(number: int, _frame: FrameType | None) -> None:
            interrupts.on_signal(signal.Signals(number), lambda: cancel(loop, task))

        handlers.enter_context(_handling(on_signal))
        try:
            return await work(interrupts)
        except asyncio.CancelledError:
            if interrupts.received is None:
                raise
            if not interrupts.serving:
                note("Interrupted. What was done is kept; the next run goes on from there.")
            return interrupts.exit_code

    with ExitStack() as handlers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(guarded())


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals for as long as the context lasts.

    Not by the loop's own handlers: these also start the clock while the loop is held up.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] is signal.SIG_IGN:  # nohup: the command is to outlive its terminal
        del before[signal.SIGHUP]
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
