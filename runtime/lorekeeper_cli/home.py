"""The folder `.lorekeeper`: who holds it, and how its running server is found."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.remote import RemoteServer
from lorekeeper_runtime.stores.lock import HomeLock, LockHolder, StoreLockedError, read_holder

__all__ = ["find_holder", "find_server", "hold_home", "write_token"]

_TOKEN = "server-token"  # noqa: S105 - the name of the file, not the token


@contextmanager
def hold_home(home: Path) -> Iterator[HomeLock]:
    """Hold the home for as long as the context lasts; it is made when it is missing.

    Raises:
        StoreLockedError: Another process holds it.
        OSError: The folder cannot be made or written.
    """
    _make_private(home)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    with HomeLock(home) as lock:
        yield lock


def find_holder(home: Path) -> LockHolder | None:
    """Return the process that holds a home; None when nobody does or there is no home.

    Raises:
        OSError: The home is a file, or may not be read.
    """
    if home.exists() and not home.is_dir():
        raise FileExistsError(errno.EEXIST, "File exists", str(home))
    return read_holder(home)


def _make_private(home: Path) -> None:
    """Make the home, or take from others the right to enter it: the text of the documents lies in it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.stat()
    # A folder of another user, or one that everybody shares like /tmp, is not ours to close.
    if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX and stat.S_IMODE(found.st_mode) & 0o077:
        home.chmod(stat.S_IMODE(found.st_mode) & ~0o077)


def find_server(error: StoreLockedError, home: Path) -> RemoteServer:
    """Return the server that holds a home.

    Raises:
        CommandError: The holder does not serve, or does not serve yet.
    """
    holder = error.holder
    if holder.url is None:
        raise CommandError(
            f"{_describe(holder)} holds {home} and does not serve yet: wait until it prints its address, or stop it.",
            exit_code=Exit.UNAVAILABLE,
        ) from error
    try:
        token = (home / _TOKEN).read_text(encoding="utf-8").strip()
    except OSError:
        token = None
    return RemoteServer(holder.url, token)


@contextmanager
def write_token(home: Path) -> Iterator[str]:
    """Make a new token and keep it in the home, readable by its owner alone, for as long as the context lasts."""
    token = secrets.token_urlsafe(32)
    path = home / _TOKEN
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(token, encoding="utf-8")
    try:
        yield token
    finally:
        path.unlink(missing_ok=True)


def _describe(holder: LockHolder) -> str:
    return f"Another lorekeeper (process {holder.pid})" if holder.pid else "Another lorekeeper"
