from dataclasses import replace
from typing import Any

import pytest

from lorekeeper_api.contract.records import DocumentRecord, DocumentState, RunRecord
from lorekeeper_cli.exits import Exit
from lorekeeper_cli.report import choose_exit, describe_report, render_reports
from lorekeeper_runtime.ingest.pipeline import IngestReport
from lorekeeper_runtime.ingest.sync import SyncReport


def run(**fields: Any) -> RunRecord:
    defaults: dict[str, Any] = {
        "source": "docs",
        "run": "1",
        "outcome": "Succeeded",
        "started": "",
        "seconds": 1.25,
        "listed": 9,
    }
    return RunRecord(**(defaults | fields))


def failed(number: int, attempts: int = 1) -> DocumentRecord:
    return DocumentRecord(
        source="docs",
        document=f"{number}.pdf",
        version="",
        content="",
        state=DocumentState.FAILED,
        code="ParseFailed",
        message="is broken",
        attempts=attempts,
    )


def report(*failures: DocumentRecord, active: bool = True, **fields: Any) -> dict[str, Any]:
    return describe_report("p", IngestReport([SyncReport(run(**fields), list(failures))], active=active))


def test_a_line_a_source() -> None:
    lines = list(render_reports([report(added=3, updated=1, deleted=2, unchanged=9, failed=0, skipped=4)]))

    assert lines == ["docs: 3 added, 1 updated, 2 deleted, 9 unchanged, 0 failed, 4 skipped (1.2 s)"]


def test_several_pipelines_are_told_apart() -> None:
    lines = list(render_reports([report(), report()]))

    assert all(line.startswith("p/docs: ") for line in lines)


def test_failures_are_bounded_and_counted() -> None:
    lines = list(render_reports([report(*(failed(number) for number in range(25)), failed=25)]))

    assert lines[1] == "  failed: docs/0.pdf: is broken"
    assert len(lines) == 1 + 20 + 1
    assert lines[-1] == "  and 5 more documents failed; --json lists them all"


def test_a_source_that_failed_says_why() -> None:
    lines = list(render_reports([report(outcome="Failed", message="The folder is missing.", active=False)]))

    assert lines[0] == "docs: Failed: The folder is missing."
    assert lines[1] == "p: not served yet, because not every source has been taken in"


def test_quiet_leaves_out_what_did_not_happen() -> None:
    assert list(render_reports([report(failed(1, attempts=2), unchanged=5)], quiet=True)) == []
    assert list(render_reports([report(failed(1), unchanged=5)], quiet=True)) == ["  failed: docs/1.pdf: is broken"]
    assert len(list(render_reports([report(added=1)], quiet=True))) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (report(), Exit.OK),
        (report(failed(1)), Exit.FAILED_DOCUMENTS),
        (report(outcome="DeletionHeld"), Exit.FAILED_DOCUMENTS),
        (report(failed(1), outcome="Failed"), Exit.UNAVAILABLE),
    ],
)
def test_exit_codes(given: dict[str, Any], expected: Exit) -> None:
    assert choose_exit([report(), given]) is expected


def test_what_was_done_before_a_failure_is_told() -> None:
    (line,) = render_reports([report(outcome="Failed", message="Away.", added=2)])

    assert line.splitlines() == [
        "docs: 2 added, 0 updated, 0 deleted, 0 unchanged, 0 failed, 0 skipped (1.2 s)",
        "docs: Failed: Away.",
    ]


def skipped(number: int) -> DocumentRecord:
    return replace(failed(number), state=DocumentState.SKIPPED, code="Empty", message="is empty")


def test_what_was_skipped_is_named() -> None:
    done = describe_report(
        "p", IngestReport([SyncReport(run(skipped=22))], active=True), [skipped(n) for n in range(22)]
    )

    assert done["skipped"][21] == {"source": "docs", "document": "21.pdf", "code": "Empty", "message": "is empty"}
    lines = list(render_reports([done]))
    assert lines[1] == "  skipped: docs/0.pdf: is empty"
    assert lines[-1] == "  and 2 more documents skipped; --json lists them all"
    assert list(render_reports([done], quiet=True)) == []


def test_an_empty_source_says_what_would_be_taken() -> None:
    for quiet in (False, True):
        (line,) = render_reports([report(listed=0)], quiet=quiet)
        assert "docs: no file matched; without include, the endings read are" in line
        assert ".md" in line
    (swept,) = render_reports([report(listed=0, deleted=3)])
    assert "no file" not in swept


def test_a_name_stays_in_its_line() -> None:
    odd = replace(failed(1), document="a\nb\x1b.md", message="x\ny")

    assert list(render_reports([report(odd)]))[1] == "  failed: docs/a\\nb\\x1b.md: x\\ny"


def test_failures_can_be_counted_only() -> None:
    assert list(render_reports([report(failed(1), failed(2))], quiet=True, name_failures=False)) == [
        "2 documents failed; lorekeeper ingest names them"
    ]
