"""Signals, tried on processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.interrupts import Interrupts, run_interruptible

PROGRAM = """
import asyncio, sys, threading, time
from pathlib import Path
from lorekeeper_cli import interrupts
interrupts.GRACE_SECONDS = 0.5

async def work(found):
    found.leftovers.append(Path(sys.argv[2]))
    print("ready", flush=True)
    try:
        match sys.argv[1]:
            case "waits":
                await asyncio.sleep(60)
            case "serves":
                found.serving = True
                await asyncio.sleep(60)
            case "thread":
                await asyncio.to_thread(time.sleep, 60)
            case "loop":
                time.sleep(60)
            case "done":
                return 7
    finally:
        print("closed", flush=True)

sys.exit(interrupts.run_interruptible(work))
"""


def start(kind: str, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    ("kind", "number", "expected", "closed"),
    [
        ("waits", signal.SIGINT, Exit.INTERRUPTED, True),
        ("waits", signal.SIGTERM, Exit.INTERRUPTED, True),
        ("serves", signal.SIGINT, Exit.INTERRUPTED, True),
        ("serves", signal.SIGTERM, Exit.OK, True),
        ("waits", signal.SIGHUP, Exit.INTERRUPTED, True),
        ("serves", signal.SIGHUP, Exit.OK, True),
        ("thread", signal.SIGINT, Exit.INTERRUPTED, True),
        ("loop", signal.SIGINT, Exit.INTERRUPTED, False),
    ],
)
def test_a_signal_ends_the_process_in_time(
    tmp_path: Path, kind: str, number: signal.Signals, expected: Exit, closed: bool
) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "key").write_text("x")
    process = start(kind, folder)

    os.kill(process.pid, number)
    out, _ = process.communicate(timeout=20)

    assert process.returncode == expected
    assert ("closed" in out) is closed
    if kind in {"thread", "loop"}:
        assert not folder.exists()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process = start("thread", tmp_path / "none")
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "closed\n"
    os.kill(process.pid, signal.SIGINT)

    assert process.wait(timeout=20) == Exit.INTERRUPTED
    process.communicate()


def test_a_result_is_handed_on(tmp_path: Path) -> None:
    process = start("done", tmp_path / "none")

    process.communicate(timeout=20)

    assert process.returncode == 7


def test_nohup_is_honoured(tmp_path: Path) -> None:
    program = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{PROGRAM}"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serves", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    os.kill(process.pid, signal.SIGHUP)
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == Exit.INTERRUPTED


def test_the_handlers_last_as_long_as_the_work() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    async def work(_interrupts: Interrupts) -> list[object]:
        return [signal.getsignal(number) for number in numbers]

    during = run_interruptible(work)

    assert isinstance(during, list)
    assert len(set(during)) == 1
    assert [signal.getsignal(number) for number in numbers[1:]] == before[1:]
    assert signal.getsignal(signal.SIGINT) not in during
    signal.signal(signal.SIGINT, before[0])
