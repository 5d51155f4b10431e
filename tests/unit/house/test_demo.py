"""The demo shows what it promises, and fails when it does not."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts import demo
from scripts.demo import QUESTIONS, DemoError, DemoQuestion, check_reply

ROOT = Path(__file__).resolve().parents[3]
KNOWN = DemoQuestion("What is the default chunk size?", "1000 characters")
UNKNOWN = DemoQuestion("Who won?", None)


def make_reply(
    answer: str = "It is 1000 characters. [1]", quote: str = "It is 1000\ncharacters.", **changes: Any
) -> Any:
    citation = {"number": 1, "cited": True, "quote": quote} | changes.pop("citation", {})
    return {"answered": True, "answer": answer, "citations": [citation]} | changes


def test_a_right_answer_with_a_citation_that_holds_it_passes() -> None:
    check_reply(KNOWN, make_reply())
    check_reply(KNOWN, make_reply(answer="It is 1000 [1] characters."))


@pytest.mark.parametrize(
    ("question", "reply", "says"),
    [
        (KNOWN, make_reply(answered=False), "no answer"),
        (KNOWN, make_reply(answer="It is 900 characters. [1]"), "does not say"),
        (KNOWN, make_reply(quote="Something else."), "No passage"),
        (KNOWN, make_reply(citation={"cited": False}), "No passage"),
        (KNOWN, make_reply(citations=[]), "No passage"),
        (UNKNOWN, make_reply(), "does not answer"),
    ],
)
def test_anything_else_fails(question: DemoQuestion, reply: Any, says: str) -> None:
    with pytest.raises(DemoError, match=says):
        check_reply(question, reply)


def test_an_honest_no_passes() -> None:
    check_reply(UNKNOWN, make_reply(answer="The sources do not say.", answered=False, citations=[]))


def test_the_handbook_holds_what_two_questions_expect_and_nothing_of_the_third() -> None:
    manifest = yaml.safe_load((ROOT / "examples" / "quickstart" / "handbook.yaml").read_text(encoding="utf-8"))
    handbook = " ".join(" ".join(manifest["data"].values()).split())
    expected = [question.expected for question in QUESTIONS if question.expected is not None]
    assert len(expected) == 2
    assert all(words in handbook for words in expected)
    assert [question for question in QUESTIONS if question.expected is None]
    assert "World Cup" not in handbook


def test_the_demo_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASK", raising=False)
    assert demo.main(home=str(tmp_path / "home")) == 0
    shown = capfd.readouterr().out
    for question in QUESTIONS:
        assert f"Q: {question.text}" in shown
    assert shown.count("Not in the sources") == 1
    assert "handbook/ingestion.md" in shown


def test_a_question_of_ones_own_is_asked_instead(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASK", 'Is there a Helm chart? And what is "next"?')
    assert demo.main(home=str(tmp_path / "home")) == 0
    shown = capfd.readouterr().out
    assert shown.count("Q: ") == 1
    assert "no Helm chart" in shown


def test_a_command_that_fails_fails_the_demo(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "MANIFESTS", str(tmp_path / "missing"))
    assert demo.main(home=str(tmp_path / "home")) == 1
    assert "The demo failed: lorekeeper ask ended with exit code 1" in capfd.readouterr().err


@pytest.mark.parametrize("asked", ["  ", "\udcf6"])
def test_a_question_that_is_none_is_wrong_usage(
    asked: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASK", asked)
    assert demo.main(home=str(tmp_path / "home")) == 2
    seen = capfd.readouterr()
    assert not seen.out
    assert seen.err.startswith("ASK ")
    assert seen.err.count("\n") == 1
