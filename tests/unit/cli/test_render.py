from typing import Any

import pytest

from lorekeeper_cli.output import note, plain, write_json
from lorekeeper_cli.render import render_answer, render_passages

BELOW = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
CITATION: dict[str, Any] = {
    "number": 1,
    "cited": True,
    "scores": {"dense": None, "sparse": None},
    "title": "Handbook",
    "headings": ["Handbook", "Sources", "Git"],
    "source": "docs",
    "document": "sources.md",
    "link": None,
    "page": None,
    "score": 0.5,
}
UNCITED = CITATION | {"number": 3, "cited": False}


def test_an_answer_has_numbered_citations() -> None:
    reply = {
        "answer": "It does [1].",
        "answered": True,
        "citations": [CITATION, CITATION | {"number": 2, "page": 3}, UNCITED],
    }

    assert list(render_answer(reply)) == [
        "It does [1].",
        "",
        f"[1] Handbook{BELOW}Sources{BELOW}Git",
        "    docs/sources.md",
        f"[2] Handbook{BELOW}Sources{BELOW}Git",
        "    docs/sources.md, page 3",
    ]


def test_a_link_goes_before_a_path() -> None:
    reply = {"answer": "x", "answered": True, "citations": [CITATION | {"link": "https://x.example/a"}]}

    assert list(render_answer(reply))[-1] == "    https://x.example/a"


def test_abstention_is_shown_plainly() -> None:
    lines = list(render_answer({"answer": "The sources do not say.", "answered": False, "citations": []}))

    assert lines[0] == "The sources do not say."
    assert "Not in the sources" in lines[1]


def test_passages_show_their_scores() -> None:
    passage = CITATION | {"text": "a\n" + "b" * 700, "score": 0.91234, "scores": {"dense": 0.5, "sparse": None}}

    lines = list(render_passages({"passages": [passage, passage]}))

    assert lines[0] == f"1. Handbook{BELOW}Sources{BELOW}Git"
    assert lines[1] == "   docs/sources.md · score 0.912, dense 0.500"
    assert lines[2].startswith("   a bbb")
    assert lines[2].endswith("…")
    assert lines[3] == ""


def test_no_passage_is_said() -> None:
    assert list(render_passages({"passages": []})) == ["Not in the sources: no passage is about this."]


def test_no_colour_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    reply = {"answer": "x", "answered": True, "citations": [CITATION]}

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in "".join(render_answer(reply))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in "".join(render_answer(reply))


def test_a_document_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert plain("a\x1b[2Jb\x07\nc\td") == "a\ufffd[2Jb\ufffd\nc\td"
    assert "\x1b" not in "".join(render_answer({"answer": "\x1b]0;x\x07", "answered": False, "citations": []}))
    note("a\x1b[2J")
    assert "\x1b" not in capsys.readouterr().err


def test_json_goes_to_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": "ü"})

    seen = capsys.readouterr()
    assert seen.out == '{\n  "a": "ü"\n}\n'
    assert not seen.err


def test_an_answer_that_cites_nothing_comes_with_what_was_found() -> None:
    lines = list(render_answer({"answer": "It does.", "answered": True, "citations": [UNCITED]}))

    assert lines[:4] == ["It does.", "", "No source was cited: check the answer against the passages found:", ""]
    assert lines[4].startswith("[3] Handbook")


def test_a_path_stays_in_its_line() -> None:
    reply = {"answer": "x", "answered": True, "citations": [CITATION | {"document": "a\nb.md"}]}

    assert list(render_answer(reply))[-1] == "    docs/a\\nb.md"
