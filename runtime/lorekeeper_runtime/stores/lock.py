"""The lock of a home folder: one process holds it, and everyone may read which one.

The engine has a lock of its own, but a process that it refuses has already touched the holder's files, and the holder's
next flush fails. So this lock is taken before the engine opens anything.
"""

import fcntl
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from lorekeeper_runtime.errors import StoreError

__all__ = ["HomeLock", "LockHolder", "StoreLockedError", "read_holder"]

_RECORD_BYTES = 2048
"""The record is padded to this length, so that one write replaces all of it and no reader sees a mixture."""
_COMMAND_LENGTH = 300
_PATIENCE_SECONDS = 0.25
"""A reader takes the lock for an instant to see whether it is free; a process that starts waits that long for it."""
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The process that holds a home, as far as it told."""

    pid: int | None
    """None while it has not written its record yet."""
    command: str = ""
    url: str | None = None
    """Where it answers; None while it does not serve."""


class StoreLockedError(StoreError):
    """Another process holds the home."""

    code = "StoreLocked"
    retryable = False

    def __init__(self, holder: LockHolder) -> None:
        who = "another lorekeeper" if holder.pid is None else f"another lorekeeper (process {holder.pid})"
        how = "stop it first" if holder.url is None else f"stop it first, or ask it at {holder.url}"
        super().__init__(f"The data folder is in use by {who}: {how}.")
        self.holder = holder


class HomeLock:
    """Holds the file `lock` in a folder. The kernel lets go of it when the process dies, however it dies."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock; the folder is made where it is missing.

        Raises:
            StoreLockedError: Another process holds it.
            OSError: The folder cannot be made or written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(file)
        except BlockingIOError as error:
            holder = _parse(os.pread(file, _RECORD_BYTES, 0))
            os.close(file)
            raise StoreLockedError(holder) from error
        self._file = file
        self._write(LockHolder(os.getpid(), _command()))

    def announce(self, url: str) -> None:
        """Let others know where this process answers."""
        self._write(LockHolder(os.getpid(), _command(), url))

    def release(self) -> None:
        """Let go of the lock; doing it twice is no error."""
        if self._file is not None:
            os.pwrite(self._file, b" " * _RECORD_BYTES, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        """Take the lock."""
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of the lock."""
        self.release()

    def _write(self, holder: LockHolder) -> None:
        if self._file is None:
            raise RuntimeError("the lock of the home is not held")
        os.pwrite(self._file, orjson.dumps(asdict(holder)).ljust(_RECORD_BYTES), 0)


def read_holder(folder: str | Path) -> LockHolder | None:
    """Return the process that holds a folder, or None when nobody does."""
    try:
        file = os.open(Path(folder) / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse(os.pread(file, _RECORD_BYTES, 0))
    else:
        return None
    finally:
        os.close(file)


def _lock(file: int) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _command() -> str:
    """The program and its command; what else stands in the line may be a question."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]).encode(errors="replace").decode()[:_COMMAND_LENGTH]


def _parse(record: bytes) -> LockHolder:
    try:
        return LockHolder(**orjson.loads(record))
    except (orjson.JSONDecodeError, TypeError):
        return LockHolder(pid=None)  # it holds the lock and is about to write its record
