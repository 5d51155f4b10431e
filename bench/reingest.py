"""Ingestion again: what is asked of the embedder and the store when nothing changed, and when 1 % of the files did."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus import Corpus, copy_changed
from bench.figures import Goal
from bench.ingest import ours
from bench.paths import CACHE
from bench.processes import Stubs, run_program

__all__ = ["Pass", "measure_reingest", "reingest_goals"]

_WRITES = ("points chunks", "points deleted", "payloads set")


@dataclass(frozen=True, slots=True)
class Pass:
    """One run over the same source."""

    label: str
    changed_files: int
    documents: int
    texts: int
    """Texts that the embedder was asked for, without the one by which the model is described."""
    chunk_writes: int
    """Chunks written, deleted, or given another payload."""
    records: int
    """Records written: of documents, and of the run."""
    store_requests: int
    cpu: float
    wall: float


def measure_reingest(corpus: Corpus, stubs: Stubs) -> list[Pass]:
    """Ingest a copy of the corpus three times: new, unchanged, and with a line appended to 1 % of the files."""
    folder = CACHE / "changing"
    copy_changed(corpus, folder)
    stubs.clear()
    return [
        _pass("first run", 0, folder, stubs),
        _pass("nothing changed", 0, folder, stubs),
        _pass("1 % of the files changed", _change_files(folder, max(1, corpus.files // 100)), folder, stubs),
    ]


def reingest_goals(passes: list[Pass]) -> list[Goal]:
    """Nothing changed: no embedding, no write but the record of the run. Changed files: only their own records."""
    _, same, changed = passes
    return [
        Goal("nothing changed: texts embedded", same.texts, 0, at_least=False, unit=""),
        Goal("nothing changed: chunks written or deleted", same.chunk_writes, 0, at_least=False, unit=""),
        Goal("nothing changed: records written (the run's own)", same.records, 1, at_least=False, unit=""),
        # An appended line changes the last chunk, and may push it over the limit into two.
        Goal(
            "1 % changed: texts embedded for a changed file",
            changed.texts / changed.changed_files,
            2,
            at_least=False,
            unit="",
        ),
        Goal(
            "1 % changed: records written (documents, and the run twice)",
            changed.records,
            changed.changed_files + 2,
            at_least=False,
            unit="",
        ),
    ]


def _pass(label: str, changed: int, folder: Path, stubs: Stubs) -> Pass:
    stubs.reset()
    figures = run_program(ours("Dense"), {"folder": str(folder), "models": stubs.models, "qdrant": stubs.qdrant})
    counts: dict[str, dict[str, int]] = stubs.counts()
    store: dict[str, Any] = counts["qdrant"]
    return Pass(
        label=label,
        changed_files=changed,
        documents=figures["documents"],
        texts=counts["models"].get("texts", 0) - 1,
        chunk_writes=sum(store.get(name, 0) for name in _WRITES),
        records=store.get("points records", 0),
        store_requests=store["requests"],
        cpu=figures["cpu"],
        wall=figures["wall"],
    )


def _change_files(folder: Path, count: int) -> int:
    files = sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: hashlib.sha256(path.relative_to(folder).as_posix().encode()).digest(),
    )
    for path in files[:count]:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n\nThis line was appended by the benchmark.\n")
    return count
