"""Runs the command `lorekeeper` in processes of its own, the way a person does."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["RunningServer", "lorekeeper", "run_server", "start"]

TIMEOUT_SECONDS = 90.0
_COMMAND = [sys.executable, "-m", "lorekeeper_cli"]


def _environment(changes: Mapping[str, str] | None) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "OLLAMA_HOST"}}
    # No test may find a provider that happens to run on the machine: nothing listens on port 1.
    return kept | {"OLLAMA_HOST": "127.0.0.1:1"} | dict(changes or {})


def lorekeeper(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a traceback is never shown without --verbose."""
    done = subprocess.run(
        [*_COMMAND, *map(str, arguments)],
        check=False,
        cwd=cwd,
        env=_environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


class RunningServer:
    """A `lorekeeper run` with everything that it has said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = ""
        self._news: queue.Queue[str | None] = queue.Queue()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    @property
    def said(self) -> str:
        """Everything so far."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until a line matches, and return the match.

        Raises:
            AssertionError: The process ended or the time is over.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        for line in list(self.lines):
            if found := re.search(pattern, line):
                return found
        while time.monotonic() < deadline:
            try:
                line = self._news.get(timeout=0.1)
            except queue.Empty:
                if self.process.poll() is not None and self._news.empty():
                    break
                continue
            self.lines.append(line or "")
            if found := re.search(pattern, line or ""):
                return found
        raise AssertionError(f"no line matches {pattern!r}; code {self.process.poll()}; said:\n{self.said}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        while not self._news.empty():
            self.lines.append(self._news.get() or "")
        assert "Traceback" not in self.said, self.said
        return code

    def get(self, path: str) -> tuple[int, Any]:
        """GET a route of the server."""
        return self._send(urllib.request.Request(self.url + path))

    def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        """POST an object to a route of the server."""
        return self._send(
            urllib.request.Request(
                self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
            )
        )

    def _send(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._news.put(line.rstrip("\n"))


@contextmanager
def start(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Start a command; it is killed at the end if it still runs."""
    with subprocess.Popen(
        [*_COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield RunningServer(process)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def run_server(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[RunningServer]:
    """Run `lorekeeper run` on a free port until it serves."""
    with start("run", "--port", "0", *arguments, cwd=cwd, env=env) as server:
        server.url = server.wait_for(r"is served at (http://\S+)")[1]
        yield server
