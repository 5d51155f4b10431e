"""Errors of the command line: one sentence for a person, and the exit code that goes with it."""

import errno
from collections.abc import Sequence

from lorekeeper_cli.exits import Exit
from lorekeeper_runtime.errors import LorekeeperError

__all__ = ["CommandError", "choose_exit_of", "describe_os_error"]


class CommandError(LorekeeperError):
    """The command cannot go on."""

    code = "CommandFailed"
    status = 400

    def __init__(
        self, message: str, *, exit_code: Exit = Exit.MISTAKES, lines: Sequence[str] = (), code: str | None = None
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.exit_code = exit_code
        """What the command ends with."""
        self.lines = lines
        """What is shown before the message, a line each."""


_DISK = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
    errno.EROFS: "the file system is read-only; choose another folder with --home",
    errno.EACCES: "permission denied; change its permissions or choose another place",
    errno.EPERM: "the operation is not permitted; change its owner or choose another place",
    errno.EEXIST: "a file is where a folder is needed; choose another place",
    errno.ENOTDIR: "a part of the path is a file; choose another place",
    errno.EMFILE: "too many files are open; raise the limit with ulimit -n",
}


def describe_os_error(error: OSError) -> str:
    """Say in one sentence what the operating system refused and what to do."""
    said = _DISK.get(error.errno or 0) or (error.strerror or type(error).__name__).lower()
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{said}."


def choose_exit_of(error: LorekeeperError) -> Exit:
    """Return the exit code of an error: what answers 503 over HTTP is unavailable here."""
    if isinstance(error, CommandError):
        return error.exit_code
    return Exit.UNAVAILABLE if error.status == 503 or error.code.startswith("Source") else Exit.MISTAKES
