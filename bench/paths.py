"""Where the benchmark keeps things. Everything below `.cache` and `results` can be deleted at any time."""

from pathlib import Path

__all__ = ["BENCH", "CACHE", "CORPUS", "PEERS", "PEERS_PYTHON", "PEERS_VENV", "REPOSITORY", "RESULTS"]

BENCH = Path(__file__).resolve().parent
REPOSITORY = BENCH.parent
RESULTS = BENCH / "results"
PEERS = BENCH / "peers"
CACHE = REPOSITORY / ".cache" / "bench"
CORPUS = CACHE / "corpus"
PEERS_VENV = CACHE / "peers-venv"
PEERS_PYTHON = PEERS_VENV / "bin" / "python"
