"""What runs the checks: a failure is seen, and does not hide the others."""

from pathlib import Path

import pytest
from scripts import check
from scripts.check import LANES, Step, run_lanes

ROOT = Path(__file__).resolve().parents[3]
GOOD = Step("good", ("-c", "print('first'); print('=== all well ===')"))
BAD = Step("bad", ("-c", "import sys; print('what is wrong'); sys.exit(3)"))


def test_every_step_runs_and_each_outcome_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_lanes([[BAD, GOOD], [GOOD]])
    assert [(outcome.step.name, outcome.code) for outcome in outcomes] == [("bad", 3), ("good", 0), ("good", 0)]
    shown = capsys.readouterr().out
    assert shown.count("ok     good") == 2
    assert "all well\n" in shown
    assert "first" not in shown
    assert "FAILED bad" in shown
    assert "what is wrong\n" in shown


def test_the_exit_code_and_the_last_line_tell_the_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "LANES", ((GOOD, BAD),))
    assert check.main(["good"]) == 0
    assert "everything passed" in capsys.readouterr().out.splitlines()[-1]
    assert check.main(["good", "bad"]) == 1
    assert "failed: bad" in capsys.readouterr().out.splitlines()[-1]


def test_all_checks_fetch_first_and_report_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stale = tmp_path / "data.of.an.earlier.run"
    stale.write_text("", encoding="utf-8")
    monkeypatch.setattr(check, "COVERAGE", tmp_path)
    monkeypatch.setattr(check, "FETCH", Step("fetch", ("-c", "")))
    monkeypatch.setattr(check, "LANES", ((GOOD,), (BAD,)))
    monkeypatch.setattr(check, "REPORT", (Step("report", ("-c", "")),))
    assert check.main([]) == 1
    names = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line.startswith(("ok", "FAILED"))]
    assert names[0] == "fetch"
    assert set(names[1:3]) == {"good", "bad"}
    assert names[3] == "report"
    assert not stale.exists()


def test_an_unknown_step_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        check.main(["nothing"])
    assert ended.value.code == 2
    assert "the steps are" in capsys.readouterr().err


def test_every_folder_of_tests_is_run() -> None:
    arguments = [argument for lane in LANES for step in lane for argument in step.command]
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert {f"tests/{folder}" for folder in folders - {"e2e"}} <= set(arguments)  # `make e2e` runs those
