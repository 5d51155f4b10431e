"""The extractive answer on small passages: what is quoted, how it is marked, and when nothing is said."""

import pytest

from lorekeeper_api.contract.config import GenerationConfig
from lorekeeper_api.pipeline import GenerationProvider
from lorekeeper_runtime.models.evidence import collect_candidates
from lorekeeper_runtime.models.extractive import ExtractiveGenerator
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, Passage

INSTALL = """To install the command line, run this command:

```sh
pip install 'lorekeeper[all]'
```

It needs Python 3.11 or newer."""

SETTINGS = """The settings are:

- `retries`: how often a failed request is sent again. The default is 3.
- `timeout`: seconds that a request may take.

| Limit | Default |
| --- | --- |
| Upload size | 50 MiB |
| Sessions | 12 |"""


async def generate(
    question: str, *texts: str, title: str = "Guide", max_tokens: int | None = None
) -> tuple[str, GeneratedPiece]:
    """The text, and the last piece."""
    generator = ExtractiveGenerator(GenerationConfig(provider=GenerationProvider.EXTRACTIVE), None)
    passages = [Passage(number, text, title) for number, text in enumerate(texts, start=1)]
    pieces = [piece async for piece in generator.generate(GenerationRequest(question, passages, max_tokens=max_tokens))]
    return "".join(piece.text for piece in pieces), pieces[-1]


async def answer(question: str, *texts: str, title: str = "Guide") -> str:
    return (await generate(question, *texts, title=title))[0]


async def test_code_follows_the_sentence_that_introduces_it() -> None:
    text = await answer("How do I install the command line?", INSTALL)
    assert text.startswith(
        "To install the command line, run this command: [1]\n\n```sh\npip install 'lorekeeper[all]'\n```"
    )


async def test_a_list_item_is_quoted_whole() -> None:
    text = await answer("What is the default of retries?", SETTINGS)
    assert text == "- `retries`: how often a failed request is sent again. The default is 3. [1]"


async def test_a_table_row_is_quoted_with_its_head() -> None:
    text = await answer("What is the default upload size limit?", SETTINGS)
    assert text == "| Limit | Default |\n| --- | --- |\n| Upload size | 50 MiB [1] |"


async def test_other_rows_of_a_table_come_only_when_they_hold_what_was_asked() -> None:
    table = "| Route | Status code |\n| --- | --- |\n| `/readyz` | 503 when not ready |\n| `/healthz` | always 200 |"
    text = await answer("Which status code does readyz have?", table, title="Status codes")
    assert text == "| Route | Status code |\n| --- | --- |\n| `/readyz` | 503 when not ready [1] |"
    text = await answer("Which status codes are there?", table, title="Status codes")
    assert text == (
        "| Route | Status code |\n| --- | --- |\n"
        "| `/readyz` | 503 when not ready [1] |\n| `/healthz` | always 200 [1] |"
    )


async def test_the_list_of_a_question_for_all() -> None:
    text = await answer("What are the settings?", SETTINGS)
    assert "`retries`" in text
    assert "`timeout`" in text


async def test_every_line_stands_in_a_passage() -> None:
    text = await answer("How long is the timeout of a request?", SETTINGS, INSTALL)
    whole = " ".join((SETTINGS + INSTALL).split())
    for quote in text.replace("[2]", "[1]").split("[1]"):
        assert " ".join(quote.split()) in whole


async def test_marks_name_the_passage() -> None:
    text = await answer("Which colour does the sky have?", "Grass is green.", "The colour of the sky is blue.")
    assert text == "The colour of the sky is blue. [2]"


async def test_overlapping_passages_are_quoted_once() -> None:
    sentence = "The colour of the sky is blue."
    assert (
        await answer("Which colour has the sky?", f"Before it. {sentence}", f"{sentence} After it.")
        == f"{sentence} [1]"
    )


async def test_headings_are_context_and_are_not_quoted() -> None:
    text = await answer(
        "How do I clean the coffee machine?", "## Cleaning the coffee machine\n\nPress the button with the drop."
    )
    assert text == "Press the button with the drop. [1]"


async def test_marks_of_the_document_are_no_citations() -> None:
    text = await answer("Which colour has the sky?", "The colour of the sky is blue [2], see `sky[2]`.")
    assert text == "The colour of the sky is blue (2), see `sky[2]`. [1]"


@pytest.mark.parametrize(
    "question", ["Who was the first president?", "How do I bake bread?", "What is the price of the upload?", "???", ""]
)
async def test_nothing_is_said_without_support(question: str) -> None:
    assert await answer(question, SETTINGS, INSTALL) == ""


async def test_no_passages() -> None:
    assert await answer("What is it?") == ""


async def test_a_question_of_the_document_answers_nothing() -> None:
    text = await answer("Do I need a GPU?", "Do I need a GPU? No GPU is needed.")
    assert text == "No GPU is needed. [1]"


def test_what_overlapping_passages_repeat_is_collected_once() -> None:
    passages = [Passage(1, "One. Two.", "A"), Passage(2, "Two. Three.", "A")]
    assert [candidate.unit.text for candidate in collect_candidates(passages)] == ["One.", "Two.", "Three."]


SKY = "The colour of the sky is blue."


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [(1, "The [1]"), (3, "The [1]"), (5, "The colour of [1]"), (8, "The colour of the sky is [1]")],
)
async def test_a_cut_quote_keeps_its_first_word_and_its_mark(max_tokens: int, expected: str) -> None:
    text, last = await generate("Which colour has the sky?", SKY, max_tokens=max_tokens)
    assert (text, last.finish_reason) == (expected, "length")


@pytest.mark.parametrize(
    ("max_tokens", "expected"),
    [(1, "```sh\npip\n```\n\n[1]"), (9, "```sh\npip install\n```\n\n[1]")],
)
async def test_cut_code_is_closed_before_its_mark(max_tokens: int, expected: str) -> None:
    code = "```sh\npip install lorekeeper client now\n```"
    text, last = await generate("pip install lorekeeper client", code, max_tokens=max_tokens)
    assert (text, last.finish_reason) == (expected, "length")


async def test_a_quote_that_fits_is_whole() -> None:
    text, last = await generate("Which colour has the sky?", SKY, max_tokens=10)
    assert (text, last.finish_reason) == (f"{SKY} [1]", "stop")


async def test_a_placeholder_of_a_command_is_no_word() -> None:
    text = await answer("What happens to a file?", "Run `tool -f FILE` every day.", "A file is read once.")
    assert text == "A file is read once. [2]"


async def test_another_word_of_the_same_meaning_counts() -> None:
    text = await answer(
        "What happens when I delete a file?", "A document is removed from the index.", "The index is fast."
    )
    assert text == "A document is removed from the index. [1]"


async def test_what_happens_is_not_answered_by_how_to_bring_it_about() -> None:
    text = await answer(
        "What happens when I delete a backup?", "To delete a backup, run `tool delete`.", "To delete a backup is final."
    )
    assert text.startswith("To delete a backup is final. [2]")
