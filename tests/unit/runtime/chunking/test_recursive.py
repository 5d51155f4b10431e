import re
import string
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lorekeeper_api.pipeline import Chunking
from lorekeeper_runtime.chunking import make_chunker
from lorekeeper_runtime.ports import Chunk, ParsedDocument, Section


def _chunk(*sections: Section | str, size: int = 100, overlap: int = 0) -> list[Chunk]:
    document = ParsedDocument("", [Section(section) if isinstance(section, str) else section for section in sections])
    return make_chunker(Chunking(size=size, overlap=overlap)).chunk(document)


def _texts(*sections: Section | str, size: int = 100, overlap: int = 0) -> list[str]:
    return [chunk.text for chunk in _chunk(*sections, size=size, overlap=overlap)]


def _letters(text: str) -> str:
    return "".join(text.split())


def _sentence(number: int, length: int) -> str:
    return (f"Sentence {number} " + "word " * length)[: length - 1].rstrip() + "."


# --- where it cuts


def test_a_short_text_is_one_chunk_as_it_is() -> None:
    assert _texts("  indented\n\nand more  \n") == ["  indented\n\nand more"]
    assert _texts("x" * 100) == ["x" * 100]


@pytest.mark.parametrize("text", ["", "   ", "\n\n \t\n"])
def test_no_text_is_no_chunk(text: str) -> None:
    assert _texts(text, "real", text) == ["real"]


def test_paragraphs_come_first() -> None:
    one, two, three = "First. " * 8 + "x", "Second. " * 7 + "y", "Third. " * 9 + "z"
    assert _texts(f"{one}\n\n{two}\n\n{three}") == [one, two, three]


def test_a_paragraph_may_end_exactly_at_the_limit() -> None:
    one = "a" * 100
    assert _texts(f"{one}\n\n{'b' * 90}\n\n{'c' * 90}") == [one, "b" * 90, "c" * 90]


def test_then_lines_of_their_own() -> None:
    lines = [f"- item {number} of the list" for number in range(12)]
    for text in _texts("\n".join(lines)):
        assert set(text.split("\n")) <= set(lines)


def test_then_sentences_even_in_wrapped_lines() -> None:
    text = "One two three four five\nsix seven eight nine ten eleven\ntwelve. Thirteen fourteen fifteen\nsixteen. "
    text = (text * 3).strip()
    for piece in _texts(text)[:-1]:
        assert piece.endswith(".")


def test_versions_and_hosts_do_not_end_a_sentence() -> None:
    text = (
        "word " * 12 + "ends. Then python3.11.2 and docs.example.org follow, and much more is said without a stop " * 3
    )
    assert _texts(text)[0].endswith("ends.")


def test_sentences_of_scripts_without_spaces() -> None:
    text = "これは文です。" * 40
    pieces = _texts(text)
    assert all(piece.endswith("。") for piece in pieces)
    assert "".join(pieces) == text


def test_then_words() -> None:
    text = "lorem ipsum dolor sit amet " * 20
    for piece in _texts(text):
        assert set(piece.split()) <= {"lorem", "ipsum", "dolor", "sit", "amet"}


def test_then_characters_but_whole_ones() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    pieces = _texts(family * 60)
    assert "".join(pieces) == family * 60
    assert all(piece == family * (len(piece) // len(family)) for piece in pieces)


def test_no_short_end_is_left_over() -> None:
    pieces = _texts("word " * 205, size=1000)
    assert len(pieces) == 2
    assert min(map(len, pieces)) > 300


def test_indentation_survives_a_cut() -> None:
    text = "\n".join(f"    line {number}" for number in range(30))
    for piece in _texts(text):
        assert piece.startswith("    line")


# --- code


def test_code_that_fits_is_kept_whole() -> None:
    code = "```python\n" + "\n\n".join(f"x{number} = {number}" for number in range(6)) + "\n```"
    before = "Before. " * 9
    after = "After. " * 12
    pieces = _texts(f"{before}\n\n{code}\n\n{after}", overlap=40)
    assert any(code in piece for piece in pieces)
    assert sum("x0 = 0" in piece for piece in pieces) == 1


def test_code_that_does_not_fit_is_cut_between_lines() -> None:
    lines = [f"value_{number} = compute(a. b, {number})" for number in range(30)]
    pieces = _texts("Intro.\n\n```\n" + "\n".join(lines) + "\n```\n\nEnd.", overlap=50)
    found = [line for piece in pieces for line in piece.split("\n") if line.startswith("value")]
    assert found == lines


def test_many_code_blocks_are_not_slow() -> None:
    text = "Some words here.\n\n```\ncode\n```\n\n" * 40_000
    pieces = _texts(text, size=1000, overlap=100)
    assert all(piece.count("```") % 2 == 0 for piece in pieces)


# --- sections


def test_a_chunk_knows_its_headings_and_page() -> None:
    chunks = _chunk(Section("text " * 50, ("A", "B"), page=3))
    assert {(chunk.headings, chunk.page) for chunk in chunks} == {(("A", "B"), 3)}


def test_large_sections_are_not_mixed() -> None:
    chunks = _chunk(Section("a" * 60, ("A",)), Section("b" * 60, ("B",)))
    assert [(chunk.text[0], chunk.headings) for chunk in chunks] == [("a", ("A",)), ("b", ("B",))]


def test_small_neighbours_share_a_chunk_under_what_they_have_in_common() -> None:
    (chunk,) = _chunk(
        Section("intro", ("Guide",)), Section("one", ("Guide", "First")), Section("two", ("Guide", "Second"))
    )
    assert chunk.headings == ("Guide",)
    assert chunk.text == "intro\n\n## First\n\none\n\n## Second\n\ntwo"


def test_siblings_keep_both_headings() -> None:
    (chunk,) = _chunk(Section("one", ("Guide", "First")), Section("two", ("Guide", "Second", "Deep")))
    assert chunk.headings == ("Guide",)
    assert chunk.text == "## First\n\none\n\n## Second\n\n### Deep\n\ntwo"


def test_sections_of_other_parents_do_not_share() -> None:
    chunks = _chunk(Section("one", ("A", "x", "y")), Section("two", ("B", "z")))
    assert [chunk.headings for chunk in chunks] == [("A", "x", "y"), ("B", "z")]


def test_a_group_stays_below_the_limit() -> None:
    sections = [Section("w" * 20, ("Guide", f"Heading {number}")) for number in range(50)]
    chunks = _chunk(*sections)
    assert max(len(chunk.text) for chunk in chunks) <= 100
    assert sum(chunk.text.count("w") for chunk in chunks) == 1000


def test_pages_with_little_on_them_share() -> None:
    chunks = _chunk(Section("one", page=1), Section("two", page=2), Section("x" * 99, page=3))
    assert [(chunk.text, chunk.page) for chunk in chunks] == [("one\n\ntwo", 1), ("x" * 99, 3)]


# --- overlap


def test_an_overlap_is_a_whole_sentence() -> None:
    text = " ".join(_sentence(number, 30) for number in range(20))
    pieces = _texts(text, overlap=40)
    for piece, following in pairwise(pieces):
        repeated = following[: following.index(".") + 1]
        assert piece.endswith(repeated)
        assert len(repeated) <= 40


def test_an_overlap_inside_a_sentence_is_whole_words() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    pieces = _texts(text, overlap=30)
    assert len(pieces) > 5
    for piece, following in pairwise(pieces):
        shared = [word for word in following.split() if word in piece.split()]
        assert shared
        assert piece.endswith(" ".join(shared))
        assert following.startswith(" ".join(shared))


def test_no_overlap_means_none() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    assert " ".join(_texts(text, overlap=0)) == text


def test_an_overlap_never_crosses_a_section() -> None:
    chunks = _chunk(Section("first. " * 12, ("A",)), Section("second. " * 12, ("B",)), overlap=50)
    for chunk in chunks:
        assert ("first" in chunk.text) != ("second" in chunk.text)


# --- whatever the text

_PIECES = st.sampled_from(
    [
        *("word", "Sentence one.", "a.b", "\n", "\n\n", " ", "\t", "    ", "\r", "\u00a0", "\u2028", "\x1c"),
        *("```\n", "~~~\n", "```py\ncode\n\nmore\n```\n", "- item\n", "1. one\n", "| a | b |\n", "# h\n"),
        *("。", "中文字符", "e\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u0301"),
        *("x" * 150, "Ends here! Really? Yes. ", "0123456789 " * 12),
    ]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(string.printable, max_size=30), st.text(max_size=10)), max_size=60).map(
    "".join
)


@settings(max_examples=400, deadline=None)
@given(text=_TEXTS, overlap=st.integers(0, 120))
@example(text="a" + "\u0301" * 500, overlap=0)
@example(text="```\n" * 100, overlap=20)
@example(text=" " * 300 + "x" + " " * 300 + "y" * 300, overlap=99)
def test_no_text_is_lost_and_the_limit_holds(text: str, overlap: int) -> None:
    plain = _chunk(text, overlap=0)
    assert _letters("".join(chunk.text for chunk in plain)) == _letters(text)
    chunks = _chunk(text, overlap=overlap)
    assert chunks == _chunk(text, overlap=overlap)
    letters = _letters(text)
    reached = {0}  # how much of the text may be written; repeated text can be read in several ways
    for chunk in chunks:
        assert 0 < len(chunk.text) <= 100
        piece = _letters(chunk.text)
        assert piece
        reached = {
            begin + len(piece)
            for done in reached
            for begin in range(max(done - min(overlap, 50), 0), done + 1)
            if begin + len(piece) > done and letters.startswith(piece, begin)
        }
        assert reached, "a chunk goes on where the one before it ended, or repeats its end and brings something new"
    assert len(letters) in reached


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.lists(st.sampled_from("ABC"), max_size=3), st.text("xyz \n.", max_size=250)), max_size=12
    ),
    overlap=st.integers(0, 50),
)
def test_no_section_is_lost(parts: list[tuple[list[str], str]], overlap: int) -> None:
    sections = [Section(text, tuple(path)) for path, text in parts]
    chunks = _chunk(*sections, overlap=0)
    text = _letters("".join(re.sub(r"(?m)^#+ [ABC]$", "", chunk.text) for chunk in chunks))
    assert text == _letters("".join(text for _, text in parts))
    assert all(0 < len(chunk.text) <= 100 for chunk in _chunk(*sections, overlap=overlap))
