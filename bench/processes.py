"""Starts what is measured and what it talks to, each in a process of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.paths import CACHE, PEERS, PEERS_PYTHON, PEERS_VENV, REPOSITORY

__all__ = ["Program", "Stubs", "install_peers", "open_stubs", "run_program"]

TIMEOUT_SECONDS = 900
PEER_ENVIRONMENT = {
    # Nothing of a peer may reach for the network or for a tracing service in the middle of a measurement.
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "ANONYMIZED_TELEMETRY": "false",
    "NO_PROXY": "127.0.0.1",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A measured program: its last line of output is a JSON object of figures."""

    name: str
    label: str
    peer: bool
    script: str
    """A file in peers/ for a peer, a module for ours."""
    arguments: Mapping[str, str]

    def command(self, more: Mapping[str, str]) -> list[str]:
        """The command line, with more arguments."""
        given = [f"{key}={value}" for key, value in {**self.arguments, **more}.items()]
        if self.peer:
            return [str(PEERS_PYTHON), str(PEERS / self.script), *given]
        return [sys.executable, "-m", self.script, *given]


@dataclass(frozen=True, slots=True)
class Stubs:
    """Addresses of the stubs."""

    models: str
    qdrant: str

    def counts(self) -> dict[str, dict[str, int]]:
        """What each stub was asked since the last reset."""
        return {name: _get(f"{url}/bench/counts") for name, url in (("models", self.models), ("qdrant", self.qdrant))}

    def reset(self) -> None:
        """Start counting anew; what the store holds stays."""
        _get(f"{self.models}/bench/reset")
        _get(f"{self.qdrant}/bench/reset")

    def clear(self) -> None:
        """Start counting anew with an empty store."""
        self.reset()
        _get(f"{self.qdrant}/bench/clear")


@contextmanager
def open_stubs() -> Iterator[Stubs]:
    """Start both stubs and stop them at the end."""
    with ExitStack() as stack:
        yield Stubs(*(stack.enter_context(_open_stub(kind)) for kind in ("models", "qdrant")))


@contextmanager
def _open_stub(kind: str) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stubs", kind], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        if not url:
            raise RuntimeError(f"The stub {kind} did not start; its message stands above.")
        try:
            yield url
        finally:
            process.stdin.close()


def run_program(program: Program, more: Mapping[str, str]) -> dict[str, Any]:
    """Run a program once and return its figures.

    Raises:
        RuntimeError: It failed; its last lines are in the message.
    """
    environment = {**os.environ, **(_peer_environment() if program.peer else {})}
    result = subprocess.run(
        program.command(more),
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{program.label} failed:\n" + "\n".join(result.stderr.splitlines()[-15:]))
    figures: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return figures


def _peer_environment() -> dict[str, str]:
    """OpenAIEmbeddings counts tokens with a vocabulary that it would download; LlamaIndex brings it along."""
    vocabulary = next(PEERS_VENV.glob("lib/python*/site-packages/llama_index/core/_static/tiktoken_cache"), None)
    return PEER_ENVIRONMENT | ({"TIKTOKEN_CACHE_DIR": str(vocabulary)} if vocabulary else {})


def install_peers() -> None:
    """Install the pinned peers into their own environment; done once, and again when the pins change."""
    requirements = PEERS / "requirements.txt"
    stamp = PEERS_VENV / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return
    print("installing the peers (once, about a minute) ...", file=sys.stderr, flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    uv = [sys.executable, "-m", "uv"]
    _run([*uv, "venv", "-q", "--clear", "--python", sys.executable, str(PEERS_VENV)])
    # Copies, because NLTK (a part of LlamaIndex) refuses to read hard links.
    install = [*uv, "pip", "install", "-q", "--link-mode", "copy", "--python", str(PEERS_PYTHON)]
    _run([*install, "--require-hashes", "-r", str(requirements)])
    stamp.write_bytes(requirements.read_bytes())


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(
            "The peers could not be installed; run with --no-peers to measure Lorekeeper alone:\n"
            + result.stderr[-2000:]
        )


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as reply:
        return json.load(reply)
