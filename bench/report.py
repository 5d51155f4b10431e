"""The results as a JSON file, and as Markdown for a person and for docs/benchmarks.md."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.corpus import Corpus
from bench.figures import Goal
from bench.ingest import IngestResult
from bench.reingest import Pass
from bench.startup import REQUESTS, Startup

__all__ = ["make_header", "render_goals", "render_header", "render_ingest", "render_reingest", "render_startup", "save"]

_OURS = ("lorekeeper", "aiohttp", "orjson", "pydantic", "fastapi", "uvicorn", "uvloop")


def make_header(corpus: Corpus, *, rounds: int, quick: bool) -> dict[str, Any]:
    """What one needs to know to read the figures."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpu": _first_line("/proc/cpuinfo", "model name") or platform.machine(),
            "cores": os.cpu_count(),
            "memory": _first_line("/proc/meminfo", "MemTotal"),
            "system": f"{platform.system()} {platform.release()}",
            "load": [round(load, 2) for load in os.getloadavg()],
        },
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _OURS},
        "corpus": {key: value for key, value in asdict(corpus).items() if key != "folder"},
        "rounds": rounds,
        "quick": quick,
    }


def render_header(header: dict[str, Any]) -> str:
    """The circumstances in a few lines."""
    machine, corpus = header["machine"], header["corpus"]
    versions = ", ".join(f"{name} {number}" for name, number in header["versions"].items())
    kind = "quick run: an impression, no result" if header["quick"] else f"{header['rounds']} rounds"
    load = " ".join(str(value) for value in machine["load"])
    hardware = f"{machine['cores']} cores of {machine['cpu']}, {machine['memory']}, {machine['system']}"
    size = f"{corpus['files']} files, {corpus['bytes'] / 1e6:.1f} MB (sha256 {corpus['digest']})"
    return "\n".join(
        [
            f"- {header['when']}, {kind}",
            f"- machine: {hardware}, load {load} at the start",
            f"- Python {header['python']}, {versions}",
            f"- corpus: {size}, {corpus['origin']}",
        ]
    )


def render_ingest(result: IngestResult, title: str) -> str:
    """One row a program; ratios of ours to each peer."""
    lines = [
        f"## {title}",
        "",
        "Median (lowest to highest). CPU is user and system time of all threads, imports excluded.",
        "",
        "| program | chunks | CPU s | wall s | chunks / CPU s | MB / CPU s | import CPU s | peak MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    forms = {
        "chunks": ",.0f",
        "cpu": ".2f",
        "wall": ".2f",
        "chunks/s": ",.0f",
        "MB/s": ".2f",
        "import": ".1f",
        "rss": ".0f",
    }
    for program in result.programs:
        cells = [result.spread(program.name, figure).shown(form) for figure, form in forms.items()]
        lines.append(f"| {program.label} | " + " | ".join(cells) + " |")
    peers = [program for program in result.programs if program.peer]
    if peers:
        lines += ["", "| ratio per CPU second | chunks | MB |", "| --- | ---: | ---: |"]
        for mine in (program for program in result.programs if not program.peer):
            for peer in peers:
                cells = [result.ratio(mine.name, peer.name, figure).shown(".1f") for figure in ("chunks/s", "MB/s")]
                lines.append(f"| {mine.label} : {peer.label} | " + " | ".join(cells) + " |")
        numbers: dict[str, str] = {}
        for peer in peers:
            numbers |= result.rounds[peer.name][0]["versions"]
        lines += ["", "Peers: " + ", ".join(f"{name} {number}" for name, number in sorted(numbers.items())) + "."]
    return "\n".join(lines)


def render_reingest(passes: Sequence[Pass]) -> str:
    """One row a run."""
    lines = [
        "## Ingestion again",
        "",
        "| run | files changed | texts embedded | chunks written or deleted | records | store requests | CPU s |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {p.label} | {p.changed_files} | {p.texts:,} | {p.chunk_writes:,} | {p.records:,} | {p.store_requests:,} | "
        f"{p.cpu:.2f} |"
        for p in passes
    ]
    return "\n".join(lines)


def render_startup(startup: Startup) -> str:
    """Start and memory."""
    return "\n".join(
        [
            "## Start and memory",
            "",
            "| what | figure |",
            "| --- | ---: |",
            f"| `lorekeeper --help`, wall s | {startup.help_wall.shown('.3f')} |",
            f"| `lorekeeper --help`, CPU s | {startup.help_cpu.shown('.3f')} |",
            f"| import of the query service, wall s | {startup.import_wall.shown('.3f')} |",
            f"| import of the query service, CPU s | {startup.import_cpu.shown('.3f')} |",
            f"| start of the service to ready, wall s | {startup.ready_wall:.2f} |",
            f"| PSS of the idle service, MiB | {startup.idle_pss:.1f} |",
            f"| PSS after {REQUESTS} questions, MiB | {startup.pss:.1f} |",
            f"| CPU of the service a question (64 tokens from the stub), ms | {startup.request_cpu_ms:.2f} |",
        ]
    )


def render_goals(goals: Sequence[Goal]) -> str:
    """One row a promise."""
    lines = ["## Goals", "", "| goal | wanted | measured | |", "| --- | ---: | ---: | --- |"]
    for goal in goals:
        sign = "at least" if goal.at_least else "at most"
        verdict = "met" if goal.met else "**missed**"
        lines.append(f"| {goal.name} | {sign} {goal.goal:g}{goal.unit} | {goal.measured:.3g}{goal.unit} | {verdict} |")
    return "\n".join(lines)


def save(folder: Path, results: dict[str, Any], text: str) -> Path:
    """Write both forms under the moment's name, and as `latest`."""
    folder.mkdir(parents=True, exist_ok=True)
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    encoded = json.dumps(results, indent=1)
    for stem in (name, "latest"):
        (folder / f"{stem}.json").write_text(encoded + "\n")
        (folder / f"{stem}.md").write_text(text + "\n")
    return folder / f"{name}.json"


def _first_line(path: str, key: str) -> str:
    """Value of a key in a file of `key : value` lines; empty where there is no such file."""
    try:
        content = Path(path).read_text()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in content.splitlines() if line.startswith(key)), "")
