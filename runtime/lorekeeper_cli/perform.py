"""Runs a command and turns whatever ends it into one clear line and an exit code."""

import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from typing_extensions import override

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError, choose_exit_of, describe_os_error
from lorekeeper_cli.output import note, write_json
from lorekeeper_runtime.errors import LorekeeperError

__all__ = ["perform"]


def perform(work: Callable[[], Exit], *, verbose: bool, as_json: bool = False) -> Exit:
    """Run a command.

    Args:
        work: The command.
        verbose: Whether logs and tracebacks are shown.
        as_json: Whether an error is also written to standard output as `{"error": {"code", "message"}}`.

    Returns:
        The exit code. The reason of every code but 0 was written to standard error.
    """
    _configure_logging(verbose=verbose)
    fail = _Failure(verbose=verbose, as_json=as_json)
    try:
        with _raising_interrupts():
            return work()
    except KeyboardInterrupt:
        note("Interrupted.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the result has read enough, for example `head`; there is nobody to tell anything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except LorekeeperError as error:
        fail.show(error.code, error.message, error.lines if isinstance(error, CommandError) else ())
        return choose_exit_of(error)
    except OSError as error:
        fail.show(CommandError.code, describe_os_error(error))
        return Exit.MISTAKES
    except ModuleNotFoundError as error:
        fail.show(CommandError.code, f"{error.name} is not installed: pip install 'lorekeeper[runtime,embedded,cli]'.")
        return Exit.MISTAKES
    except Exception as error:  # noqa: BLE001 - the last handler: a person gets a line, and with --verbose everything
        hint = "" if verbose else "; run again with --verbose and report what it shows"
        fail.show("InternalError", f"lorekeeper met a fault of its own ({type(error).__name__}){hint}.")
        return Exit.INTERNAL


@dataclass(frozen=True, slots=True)
class _Failure:
    """How an error is shown."""

    verbose: bool
    as_json: bool

    def show(self, code: str, message: str, lines: Sequence[str] = ()) -> None:
        """Show the error that is being handled."""
        if self.verbose:
            traceback.print_exc()
        for line in lines:
            note(line)
        note(f"Error: {message}")
        if self.as_json:
            # A reader that is gone is no second error: what ended the command was said above.
            with suppress(BrokenPipeError):
                details = {"details": list(lines)} if lines else {}
                write_json({"error": {"code": code, "message": message} | details})


@contextmanager
def _raising_interrupts() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, so that what is open is closed; before and after it ends the process."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _OneLine(logging.Formatter):
    """A log record without its traceback."""

    @override
    def formatException(self, ei: object) -> str:
        return ""


def _configure_logging(*, verbose: bool) -> None:
    """Send logs to standard error: all of ours with --verbose, otherwise only faults, a line each."""
    handler = logging.StreamHandler(sys.stderr)
    if verbose:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    else:
        handler.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if verbose else logging.ERROR)
