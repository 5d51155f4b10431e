import os
import subprocess
import sys
from pathlib import Path

import pytest

from lorekeeper_runtime.stores.lock import HomeLock, LockHolder, StoreLockedError, read_holder

HOLD = """
import sys
from lorekeeper_runtime.stores.lock import HomeLock
with HomeLock(sys.argv[1]) as lock:
    lock.announce("http://127.0.0.1:8080")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nobody_holds_a_folder_that_is_missing_or_new(tmp_path: Path) -> None:
    assert read_holder(tmp_path / "missing") is None
    with HomeLock(tmp_path):
        pass
    assert read_holder(tmp_path) is None


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with HomeLock(tmp_path / "home") as lock:
        assert lock.held
        with pytest.raises(StoreLockedError) as raised:
            HomeLock(tmp_path / "home").acquire()
        assert raised.value.holder.pid == os.getpid()
        assert raised.value.holder.command
        assert raised.value.holder.url is None
        assert (raised.value.code, raised.value.retryable) == ("StoreLocked", False)
        assert raised.value.message.endswith(f"(process {os.getpid()}): stop it first.")
        lock.announce("http://127.0.0.1:8080")
        holder = read_holder(tmp_path / "home")
        assert holder is not None
        assert holder.url == "http://127.0.0.1:8080"
        assert StoreLockedError(holder).message.endswith("stop it first, or ask it at http://127.0.0.1:8080.")
    assert not lock.held
    with HomeLock(tmp_path / "home"):
        pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    holder = read_holder(tmp_path)
    assert holder is not None
    assert (holder.pid, holder.url) == (child.pid, "http://127.0.0.1:8080")
    with pytest.raises(StoreLockedError):
        HomeLock(tmp_path).acquire()
    child.kill()
    child.communicate()
    assert read_holder(tmp_path) is None
    with HomeLock(tmp_path):
        pass


def test_a_reader_does_not_stop_one_that_starts(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    for _ in range(200):
        assert read_holder(tmp_path) is None
        with HomeLock(tmp_path):
            pass


def test_a_holder_that_has_not_written_yet_is_someone(tmp_path: Path) -> None:
    with HomeLock(tmp_path):
        (tmp_path / "lock").write_bytes(b"")
        assert read_holder(tmp_path) == LockHolder(pid=None)
        with pytest.raises(StoreLockedError, match="another lorekeeper: stop it first"):
            HomeLock(tmp_path).acquire()


def test_announcing_without_the_lock_is_a_mistake(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    with pytest.raises(RuntimeError):
        lock.announce("http://127.0.0.1:8080")
    lock.release()


def test_a_very_long_command_still_fits_and_a_question_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["lorekeeper", "\udcff" + "日本" * 5000, "what is secret?"])
    with HomeLock(tmp_path):
        holder = read_holder(tmp_path)
    assert holder is not None
    assert holder.command.startswith("lorekeeper ?日本")
    assert "secret" not in holder.command
