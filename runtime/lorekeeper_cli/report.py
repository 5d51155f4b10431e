"""What an ingestion did, for people and for machines. The JSON form is also what a running server answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lorekeeper_cli.exits import Exit

if TYPE_CHECKING:
    from lorekeeper_runtime.ingest.pipeline import IngestReport

__all__ = ["SHOWN_FAILURES", "Report", "choose_exit", "describe_report", "render_reports"]

Report = dict[str, Any]
"""One pipeline: `pipeline`, `promoted`, `active`, `sources` (run records) and `failed` (documents)."""

SHOWN_FAILURES = 20
_COUNTS = ("added", "updated", "deleted", "unchanged", "failed", "skipped")
_UNAVAILABLE_OUTCOMES = frozenset({"Failed", "Interrupted"})


def describe_report(pipeline: str, report: "IngestReport") -> Report:
    """Return a report as plain values, without limits."""
    return {
        "pipeline": pipeline,
        "promoted": report.promoted,
        "active": report.active,
        "sources": [asdict(run) for run in report.runs],
        "failed": [
            {
                "source": record.source,
                "document": record.document,
                "code": record.code,
                "message": record.message,
                "attempts": record.attempts,
            }
            for record in report.failed
        ],
    }


def render_reports(reports: Sequence[Report], *, quiet: bool = False) -> Iterator[str]:
    """Yield the lines for a person.

    Args:
        reports: One a pipeline.
        quiet: Whether sources in which nothing happened are left out.
    """
    for report in reports:
        before = f"{report['pipeline']}/" if len(reports) > 1 else ""
        for run in report["sources"]:
            if not (quiet and _is_uneventful(run)):
                yield before + _render_run(run)
        yield from _render_failures(report["failed"], quiet=quiet)
        if not report["active"] and not quiet:
            yield f"{report['pipeline']}: not served yet, because not every source has been taken in"


def choose_exit(reports: Sequence[Report]) -> Exit:
    """Return the exit code that goes with reports."""
    runs = [run for report in reports for run in report["sources"]]
    if any(run["outcome"] in _UNAVAILABLE_OUTCOMES for run in runs):
        return Exit.UNAVAILABLE
    if any(report["failed"] for report in reports) or any(run["outcome"] == "DeletionHeld" for run in runs):
        return Exit.FAILED_DOCUMENTS
    return Exit.OK


def _render_run(run: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{run[name]} {name}" for name in _COUNTS)
    line = f"{run['source']}: {counts} ({run['seconds']:.1f} s)"
    if run["outcome"] != "Succeeded":
        line += f"\n{run['source']}: {run['outcome']}: {run['message']}"
    return line


def _render_failures(failed: Sequence[Mapping[str, Any]], *, quiet: bool) -> Iterator[str]:
    # A document that failed before was shown before.
    shown = [record for record in failed if not (quiet and record["attempts"] > 1)]
    for record in shown[:SHOWN_FAILURES]:
        yield f"  failed: {record['source']}/{record['document']}: {record['message']}"
    if len(shown) > SHOWN_FAILURES:
        yield f"  and {len(shown) - SHOWN_FAILURES} more documents failed; --json lists them all"


def _is_uneventful(run: Mapping[str, Any]) -> bool:
    return run["outcome"] == "Succeeded" and not any(run[name] for name in ("added", "updated", "deleted"))
