import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lorekeeper_runtime.query.citations import CODE_BOUND, CitationFilter, filter_marks

TABLE = [
    ("Port 8080 [1].", "Port 8080 [1].", [1]),
    ("Both [1, 2] and [2][3].", "Both [1][2] and [2][3].", [1, 2, 3]),
    ("Lists [1;2], [ 3 ], [1 2].", "Lists [1][2], [3], [1][2].", [1, 2, 3]),
    ("A range [1-3] or [1\N{EN DASH}2].", "A range [1][2][3] or [1][2].", [1, 2, 3]),
    ("Invented [9].", "Invented.", []),
    ("Half of it [1, 9].", "Half of it [1].", [1]),
    ("Nought [0], huge [99999999999].", "Nought, huge.", []),
    ("No space[9] before.", "No space before.", []),
    ("[9] at the beginning", " at the beginning", []),
    ("A range beyond [2-90].", "A range beyond [2].", [2]),
    ("Twice [2] and [2].", "Twice [2] and [2].", [2]),
    ("A link [1](https://docs.example.com).", "A link [1](https://docs.example.com).", [1]),
    ("No marks: [x] [ ] [a1] [^1] [2024-01-31] [1,] [] [", "No marks: [x] [ ] [a1] [^1] [2024-01-31] [1,] [] [", []),
    ("Unclosed [1", "Unclosed [1", []),
    ("Inline `a[9]` code [1].", "Inline `a[9]` code [1].", [1]),
    ("Inline ``a`[9]`` code [9].", "Inline ``a`[9]`` code.", []),
    ("A stray ` tick [9]\nand [1] so on`", "A stray ` tick\nand [1] so on`", [1]),
    ("```python\na[9] = b[1]\n```\nSo [9] it is [2].", "```python\na[9] = b[1]\n```\nSo it is [2].", [2]),
    ("~~~\na[9]\n~~~\n[9]x", "~~~\na[9]\n~~~\nx", []),
    ("1. Run\n   ```\n   a[9]\n   ```\n   done [1]", "1. Run\n   ```\n   a[9]\n   ```\n   done [1]", [1]),
    ("````\n```\na[9]\n````\n[9]", "````\n```\na[9]\n````\n", []),
    ("```a[9]``` and [9]", "```a[9]``` and", []),
    ("Nested [[1]] and [[9]] and [1[9]2]", "Nested [[1]] and [?] and [1?2]", [1]),
    ("Full width [\N{FULLWIDTH DIGIT NINE}].", "Full width.", []),
]


@pytest.mark.parametrize(("text", "expected", "cited"), TABLE)
def test_table(text, expected, cited):
    filtered, marks = filter_marks(text, 3)
    assert filtered == expected
    assert sorted({mark.number for mark in marks}) == cited
    assert [filtered[mark.start : mark.end] for mark in marks] == [f"[{mark.number}]" for mark in marks]


def test_endless_digits_lose_their_bracket_and_the_memory_stays_bounded():
    marks = CitationFilter(3)
    out = marks.feed("[" + "1" * 10)
    assert out == ""
    for _ in range(1000):
        out += marks.feed("1" * 10)
    out += marks.feed("]") + marks.finish()
    assert "[" not in out


def test_plain_text_is_not_held_back():
    marks = CitationFilter(3)
    assert marks.feed("Hello") == "Hello"
    assert marks.feed(", world ") == ", world"
    assert marks.feed("and `cod") == " and "
    assert marks.feed("e` more") == "`code` more"


def test_an_open_backtick_holds_back_no_more_than_its_bound():
    marks = CitationFilter(3)
    out = "".join(marks.feed("x" if index else "`") for index in range(CODE_BOUND + 10))
    assert len(out) > CODE_BOUND


PIECES = [
    *["[", "]", "1", "2", "9", "0", ", ", "-", "`", "``", "```", "\n", "~~~", " ", "a", "words ", ">", "* "],
    *["[1]", "[9]", "[1, 9]", "[[9]1]", "\n```\n", "`x[9]`", "0" * 70, "`" * 300, "x" * 300, "\N{EN DASH}"],
    *["\n```" + " " * 70 + "\n", "\n" + "`" * 80 + "\n"],
]


def feed_in_pieces(text: str, seed: int) -> tuple[str, list]:
    marks, cuts, out, at = CitationFilter(3), random.Random(seed), "", 0
    while at < len(text):
        end = at + cuts.choice([1, 1, 2, 3, 7, 60, 400])
        out += marks.feed(text[at:end])
        at = end
    return out + marks.finish(), marks.marks


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.integers())
def test_however_a_text_is_cut_the_result_is_that_of_the_whole(text, seed):
    whole = filter_marks(text, 3)
    assert feed_in_pieces(text, seed) == whole
    filtered, marks = whole
    assert [filtered[mark.start : mark.end] for mark in marks] == [f"[{mark.number}]" for mark in marks]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([piece for piece in PIECES if "`" not in piece and "~" not in piece])).map("".join))
def test_outside_code_no_mark_that_names_nothing_ever_leaves(text):
    filtered, _ = filter_marks(text, 3)
    for mark in re.finditer(r"\[\s*\d+(?:[\s,;]+\d+)*\s*\]", filtered):
        assert all(1 <= int(number) <= 3 for number in re.findall(r"\d+", mark[0]))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.integers())
def test_any_text_survives_in_any_pieces(text, seed):
    assert feed_in_pieces(text, seed) == filter_marks(text, 3)


def test_a_line_in_a_fence_that_may_close_it_is_not_held_back_for_ever():
    marks = CitationFilter(3)
    marks.feed("```\n")
    assert "".join(marks.feed(" ") for _ in range(1000))
