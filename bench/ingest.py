"""Ingestion beside the peers: the same files, the same stubs, one process after the other, round by round."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.corpus import Corpus
from bench.figures import Goal, Spread, compare, spread_of
from bench.processes import Program, Stubs, run_program

__all__ = ["IngestResult", "measure_html", "measure_ingest", "ours"]

GOALS = {"langchain": 8.0, "llamaindex-256": 50.0}
"""Ratio by CPU time that is promised to each peer, for dense vectors."""
_MB = 1_000_000


def ours(mode: str) -> Program:
    """Lorekeeper's ingestion with the chunking that LangChain gets."""
    return Program(
        f"ours-{mode.lower()}",
        f"Lorekeeper, {mode}, 1000/100 characters",
        peer=False,
        script="bench.ours_ingest",
        arguments={"mode": mode, "size": "1000", "overlap": "100"},
    )


PEERS = (
    Program(
        "langchain",
        "LangChain with an embedder of six lines",
        peer=True,
        script="langchain_ingest.py",
        arguments={"embedding": "lean", "size": "1000", "overlap": "100"},
    ),
    Program(
        "langchain-sdk",
        "LangChain with OpenAIEmbeddings, no token count",
        peer=True,
        script="langchain_ingest.py",
        arguments={"embedding": "sdk", "size": "1000", "overlap": "100"},
    ),
    Program(
        "langchain-default",
        "LangChain with OpenAIEmbeddings as it comes",
        peer=True,
        script="langchain_ingest.py",
        arguments={"embedding": "default", "size": "1000", "overlap": "100"},
    ),
    Program(
        "llamaindex-256",
        "LlamaIndex, 256/32 tokens",
        peer=True,
        script="llamaindex_ingest.py",
        arguments={"size": "256", "overlap": "32"},
    ),
    Program(
        "llamaindex-1024",
        "LlamaIndex, 1024/200 tokens (its default)",
        peer=True,
        script="llamaindex_ingest.py",
        arguments={"size": "1024", "overlap": "200"},
    ),
)


@dataclass(frozen=True, slots=True)
class IngestResult:
    """All rounds of all programs."""

    programs: tuple[Program, ...]
    rounds: dict[str, list[dict[str, Any]]]
    """Figures of each round, by the program's name."""

    def spread(self, name: str, figure: str) -> Spread:
        """A figure of one program over its rounds: `chunks`, `bytes`, `cpu`, or one of the rates."""
        return spread_of([_FIGURES[figure](r) for r in self.rounds[name]])

    def ratio(self, name: str, peer: str, figure: str) -> Spread:
        """A rate of one program over that of another."""
        return compare(self.rounds[name], self.rounds[peer], _FIGURES[figure])

    def goals(self) -> list[Goal]:
        """What is promised against each peer. The smaller of the two ratios counts: cutting the same text into more
        chunks, or reading more of it in fewer, is no speed.
        """
        return [
            Goal(
                f"dense ingest against {program.label}, per CPU second",
                min(self.ratio("ours-dense", program.name, figure).median for figure in ("chunks/s", "MB/s")),
                GOALS[program.name],
                at_least=True,
                unit="x",
            )
            for program in self.programs
            if program.name in GOALS
        ]


def measure_ingest(corpus: Corpus, stubs: Stubs, *, rounds: int, peers: bool) -> IngestResult:
    """Run every program once a round, in turn."""
    programs = (ours("Dense"), *(PEERS if peers else ()), ours("Hybrid"))
    result = IngestResult(programs, {program.name: [] for program in programs})
    for number in range(1, rounds + 1):
        for program in programs:
            figures = _run(program, corpus, stubs)
            result.rounds[program.name].append(figures)
            _note(number, rounds, program, figures)
    return result


def measure_html(corpus: Corpus, stubs: Stubs, *, rounds: int) -> IngestResult:
    """Lorekeeper over web pages: nothing to compare with, because each peer leaves that to another library."""
    program = ours("Dense")
    result = IngestResult((program,), {program.name: []})
    for number in range(1, rounds + 1):
        figures = _run(program, corpus, stubs)
        result.rounds[program.name].append(figures)
        _note(number, rounds, program, figures)
    return result


def _run(program: Program, corpus: Corpus, stubs: Stubs) -> dict[str, Any]:
    stubs.clear()
    figures = run_program(program, {"folder": corpus.folder, "models": stubs.models, "qdrant": stubs.qdrant})
    figures["requests"] = stubs.counts()
    written = figures["requests"]["qdrant"].get("points chunks", 0)
    if written != figures["chunks"] or figures["documents"] != corpus.files:
        raise RuntimeError(
            f"{program.label} reports {figures['documents']} documents and {figures['chunks']} chunks; the corpus has "
            f"{corpus.files} documents, and {written} chunks came to the store."
        )
    return figures


def _note(number: int, rounds: int, program: Program, figures: dict[str, Any]) -> None:
    print(
        f"round {number}/{rounds}  {program.label}: {figures['chunks']} chunks, {figures['cpu']:.2f} s CPU, "
        f"{figures['wall']:.2f} s",
        file=sys.stderr,
        flush=True,
    )


_FIGURES: dict[str, Callable[[dict[str, Any]], float]] = {
    "cpu": lambda r: float(r["cpu"]),
    "wall": lambda r: float(r["wall"]),
    "chunks": lambda r: float(r["chunks"]),
    "chunks/s": lambda r: float(r["chunks"] / r["cpu"]),
    "MB/s": lambda r: float(r["bytes"] / _MB / r["cpu"]),
    "import": lambda r: float(r["import_cpu"]),
    "rss": lambda r: float(r["peak_rss"] / 2**20),
}
