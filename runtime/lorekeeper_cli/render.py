"""Answers and passages for a person; for machines the reply of the HTTP API is shown as it came."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lorekeeper_cli.output import escape, plain, use_colour

__all__ = ["render_answer", "render_passages"]

SHOWN_CHARACTERS = 600
"""Of each found passage."""

_BELOW = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""Between a heading and the one below it."""
_BOLD, _DIM, _END = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render_answer(reply: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of an answer: its text, then what it cites, by the numbers in the text."""
    yield plain(reply["answer"])
    citations: Sequence[Mapping[str, Any]] = [citation for citation in reply["citations"] if citation["cited"]]
    if not reply["answered"]:
        yield _styled(_DIM, "Not in the sources: no passage supports an answer.")
        return
    if not citations:
        yield ""
        yield "No source was cited: check the answer against the passages found:"
        citations = reply["citations"]
    if citations:
        yield ""
    for citation in citations:
        yield f"[{citation['number']}] {_styled(_BOLD, _heading(citation))}"
        yield f"    {_styled(_DIM, _place(citation))}"


def render_passages(reply: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a search: each passage with where it stands and the scores that found it."""
    passages = reply["passages"]
    if not passages:
        yield "Not in the sources: no passage is about this."
        return
    for number, passage in enumerate(passages, start=1):
        if number > 1:
            yield ""
        yield f"{number}. {_styled(_BOLD, _heading(passage))}"
        yield f"   {_styled(_DIM, f'{_place(passage)} · {_scores(passage)}')}"
        text = " ".join(plain(passage["text"]).split())
        yield "   " + (text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")


def _heading(passage: Mapping[str, Any]) -> str:
    title = passage["title"] or passage["document"]
    headings = [heading for heading in passage["headings"] if heading != title]
    return escape(_BELOW.join([title, *headings]))


def _place(passage: Mapping[str, Any]) -> str:
    place = passage["link"] or f"{passage['source']}/{passage['document']}"
    page = f", page {passage['page']}" if passage["page"] else ""
    return escape(f"{place}{page}")


def _scores(passage: Mapping[str, Any]) -> str:
    scores = {"score": passage["score"], **passage["scores"]}
    return ", ".join(f"{name} {value:.3f}" for name, value in scores.items() if value is not None)


def _styled(style: str, text: str) -> str:
    return f"{style}{text}{_END}" if use_colour() else text
