"""Passages fall into units that can be quoted on their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorekeeper_runtime.models.sentences import UnitKind, split_sentences, split_units


@pytest.mark.parametrize(
    "text",
    [
        "Use a tool, e.g. Ollama, i.e. a server.",
        "Version 0.13.5 takes 3.5 GB.",
        "See https://example.com/a.B?c=d. for more",
        "Then run `lorekeeper run. Now` again.",
        "Dr. Smith and J. Doe wrote it.",
        "The file notes.md holds it.",
        "Look at [the page](https://example.com/x.Y) first.",
    ],
)
def test_one_sentence(text: str) -> None:
    assert split_sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3 ms. Then it ends.", ["It costs 3 ms.", "Then it ends."]),
        ("Start it. `run` does it.", ["Start it.", "`run` does it."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("See https://example.com. Then go.", ["See https://example.com.", "Then go."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("Erster Satz. Über alles.", ["Erster Satz.", "Über alles."]),
    ],
)
def test_several_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_kinds_of_units() -> None:
    units = split_units(
        "# Top\n\nOne line\nwraps. Two.\n\n- item a\n  goes on\n- item b\n1. first\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n## Below\n\n```py\nx = 1. Y\n```\n> Quoted. Text."
    )
    assert [(unit.kind, unit.text) for unit in units] == [
        (UnitKind.SENTENCE, "One line wraps."),
        (UnitKind.SENTENCE, "Two."),
        (UnitKind.ITEM, "- item a\n  goes on"),
        (UnitKind.ITEM, "- item b"),
        (UnitKind.ITEM, "1. first"),
        (UnitKind.ROW, "| 1 | 2 |"),
        (UnitKind.CODE, "```py\nx = 1. Y\n```"),
        (UnitKind.SENTENCE, "Quoted."),
        (UnitKind.SENTENCE, "Text."),
    ]
    assert units[0].headings == ("Top",)
    assert units[6].headings == ("Top", "Below")
    assert units[5].before == "| a | b |\n|---|---|"


def test_a_code_block_that_the_chunk_cuts_is_closed() -> None:
    assert [unit.text for unit in split_units("```sh\nrun this")] == ["```sh\nrun this\n```"]


def test_a_passage_that_begins_inside_a_code_block() -> None:
    units = split_units("x = 1\ny = 2\n```\n\nThen prose. More.")
    assert [unit.text for unit in units] == ["```\nx = 1\ny = 2\n```", "Then prose.", "More."]


@given(st.text(alphabet="aB .!?\n`|-#*>~1[](){}:\t。"))
def test_no_word_of_prose_is_lost(text: str) -> None:
    split_units(text)
    kept = "".join(split_sentences(" ".join(text.split())))
    assert kept.replace(" ", "") == "".join(text.split())
