"""Runs a command and turns whatever ends it into one clear line and an exit code."""

import logging
import os
import sys
import traceback
from collections.abc import Callable

from typing_extensions import override

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError, choose_exit_of, describe_os_error
from lorekeeper_cli.output import note
from lorekeeper_runtime.errors import LorekeeperError

__all__ = ["perform"]


def perform(work: Callable[[], Exit], *, verbose: bool) -> Exit:
    """Run a command.

    Args:
        work: The command.
        verbose: Whether logs and tracebacks are shown.

    Returns:
        The exit code. The reason of every code but 0 was written to standard error.
    """
    _configure_logging(verbose=verbose)
    try:
        return work()
    except KeyboardInterrupt:
        note("Interrupted.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the result has read enough, for example `head`; there is nobody to tell anything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except LorekeeperError as error:
        _show(error, verbose=verbose)
        return choose_exit_of(error)
    except OSError as error:
        _trace(verbose=verbose)
        note(f"Error: {describe_os_error(error)}")
        return Exit.MISTAKES
    except ModuleNotFoundError as error:
        _trace(verbose=verbose)
        note(f"Error: {error.name} is not installed: pip install 'lorekeeper[runtime,embedded,cli]'.")
        return Exit.MISTAKES
    except Exception as error:  # noqa: BLE001 - the last handler: a person gets a line, and with --verbose everything
        _trace(verbose=verbose)
        hint = "" if verbose else "; run again with --verbose and report what it shows"
        note(f"Error: lorekeeper met a fault of its own ({type(error).__name__}){hint}.")
        return Exit.INTERNAL


def _show(error: LorekeeperError, *, verbose: bool) -> None:
    _trace(verbose=verbose)
    if isinstance(error, CommandError):
        for line in error.lines:
            note(line)
    note(f"Error: {error.message}")


def _trace(*, verbose: bool) -> None:
    if verbose:
        traceback.print_exc()


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
