"""What an ingestion did, for people and for machines. The JSON form is also what a running server answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lorekeeper_cli.exits import Exit
from lorekeeper_cli.output import escape

if TYPE_CHECKING:
    from lorekeeper_api.contract.records import DocumentRecord
    from lorekeeper_runtime.ingest.pipeline import IngestReport

__all__ = ["SHOWN_FAILURES", "Report", "choose_exit", "describe_report", "render_reports"]

Report = dict[str, Any]
"""One pipeline: `pipeline`, `promoted`, `active`, `sources` (run records), `failed` and `skipped` (documents)."""

SHOWN_FAILURES = 20
"""Of each kind: documents that failed, and that were skipped."""
_COUNTS = ("added", "updated", "deleted", "unchanged", "failed", "skipped")
_UNAVAILABLE_OUTCOMES = frozenset({"Failed", "Interrupted"})


def describe_report(pipeline: str, report: "IngestReport", skipped: "Sequence[DocumentRecord]" = ()) -> Report:
    """Return a report as plain values, without limits.

    Args:
        pipeline: Name of the pipeline.
        report: What the ingestion did.
        skipped: Documents of its sources that hold nothing to index.
    """
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
        "skipped": [
            {"source": record.source, "document": record.document, "code": record.code, "message": record.message}
            for record in skipped
        ],
    }


def render_reports(reports: Sequence[Report], *, quiet: bool = False, name_failures: bool = True) -> Iterator[str]:
    """Yield the lines for a person.

    Args:
        reports: One a pipeline.
        quiet: Whether sources in which nothing happened, and documents that were skipped, are left out.
        name_failures: Whether each document that failed is named; otherwise they are counted.
    """
    for report in reports:
        before = f"{report['pipeline']}/" if len(reports) > 1 else ""
        for run in report["sources"]:
            if not (quiet and _is_uneventful(run)):
                yield before + _render_run(run)
        if name_failures:
            yield from _render_failures(report["failed"], quiet=quiet)
        elif report["failed"]:
            yield f"{_count(len(report['failed']), 'document')} failed; lorekeeper ingest names them"
        if not quiet:
            yield from _render_documents("skipped", report["skipped"])
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
    lines = []
    succeeded = run["outcome"] == "Succeeded"
    if succeeded or any(run[name] for name in _COUNTS):
        counts = ", ".join(f"{run[name]} {name}" for name in _COUNTS)
        lines.append(f"{run['source']}: {counts} ({run['seconds']:.1f} s)")
    if not succeeded:
        lines.append(f"{run['source']}: {run['outcome']}: {escape(run['message'])}")
    elif _found_nothing(run):
        lines.append(f"{run['source']}: no file matched; without include, the endings read are {_endings()}")
    return "\n".join(lines)


def _render_failures(failed: Sequence[Mapping[str, Any]], *, quiet: bool) -> Iterator[str]:
    # A document that failed before was shown before.
    shown = [record for record in failed if not (quiet and record["attempts"] > 1)]
    return _render_documents("failed", shown)


def _render_documents(what: str, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for record in records[:SHOWN_FAILURES]:
        yield f"  {what}: {escape(record['source'])}/{escape(record['document'])}: {escape(record['message'])}"
    if len(records) > SHOWN_FAILURES:
        more = _count(len(records) - SHOWN_FAILURES, "more document")
        yield f"  and {more} {what}; --json lists them all"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _found_nothing(run: Mapping[str, Any]) -> bool:
    """Whether the source was there and held no document; one that the pipeline no longer names is swept instead."""
    return not run["listed"] and not run["deleted"]


def _endings() -> str:
    from lorekeeper_runtime.sources.globs import SUPPORTED_ENDINGS

    return ", ".join(f".{ending}" for ending in sorted(SUPPORTED_ENDINGS))


def _is_uneventful(run: Mapping[str, Any]) -> bool:
    happened = any(run[name] for name in ("added", "updated", "deleted"))
    return run["outcome"] == "Succeeded" and not happened and not _found_nothing(run)
