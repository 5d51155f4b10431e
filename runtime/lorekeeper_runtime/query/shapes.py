"""What bodies look like on the wire: snake_case as in the OpenAI API, which stands beside them.

Requests are validated by their models. Answers are built as dicts, for speed; their models are the documentation, and
a test holds the two together.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lorekeeper_runtime.query.answer import AnswerFinished, AnswerStarted
from lorekeeper_runtime.query.retrieve import Found, Retrieval

__all__ = [
    "QUESTION_CHARACTERS",
    "Citation",
    "Context",
    "QueryAnswer",
    "QueryRequest",
    "RetrieveAnswer",
    "RetrieveRequest",
    "RetrievedPassage",
    "Shape",
    "Usage",
    "build_citations",
    "build_context",
    "build_outcome",
    "build_passages",
    "build_usage",
]

QUESTION_CHARACTERS = 4000
"""Longest question, in characters."""

QuestionText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUESTION_CHARACTERS)]


class Shape(BaseModel):
    """A body or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class RetrieveRequest(Shape):
    """A question to find passages for."""

    question: QuestionText
    """The question, 1 to 4,000 characters."""
    pipeline: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name of the pipeline; may be left out where there is only one."""
    top_k: Annotated[int, Field(ge=1, le=50)] | None = None
    """Most passages; the pipeline's own setting when absent."""
    minimum_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Lowest cosine similarity of a passage; the pipeline's own setting when absent. Not used in Sparse mode."""


class QueryRequest(RetrieveRequest):
    """A question to answer."""


class Scores(Shape):
    """The scores that found a passage."""

    dense: float | None
    """Cosine similarity; null when only the words found it."""
    sparse: float | None
    """BM25 score; null when only the meaning found it."""


class Place(Shape):
    """Where a passage stands."""

    source: str
    """Name of the KnowledgeSource."""
    document: str
    """Id of the document within its source, for most sources its path."""


class RetrievedPassage(Place):
    """A passage that is about the question."""

    id: str
    """Id of the passage within its revision."""
    title: str
    """Title of the document."""
    headings: list[str]
    """Headings that the passage stands under, outermost first."""
    position: int
    """Number of the passage in its document, from 0."""
    page: int | None
    """Page, from 1; null where the format has no pages."""
    link: str | None
    """Address of the document; null when it has none."""
    score: float
    """What passages are ranked by: the fused score in Hybrid mode, the cosine in Dense, BM25's score in Sparse."""
    scores: Scores
    """The scores that found it."""
    also_in: list[Place]
    """Other documents that hold the same passage."""
    text: str
    """The passage."""


class RetrieveAnswer(Shape):
    """What was found."""

    pipeline: str
    """Name of the pipeline."""
    revision: str
    """Fingerprint of the revision that all passages come from."""
    mode: str
    """How it was searched: Dense, Sparse or Hybrid."""
    minimum_score: float | None
    """Cosine similarity that was required; null in Sparse mode."""
    best_score: float | None
    """Highest cosine similarity found, also when it was not enough."""
    passages: list[RetrievedPassage]
    """Best first, after the beginning of a document whose title is the question's whole subject; empty when nothing is
    about the question."""
    seconds: dict[str, float]
    """How long each stage took."""


class Citation(Place):
    """A passage that the answer was written from."""

    number: int
    """What the marks [n] in the text mean."""
    cited: bool | None = None
    """Whether the text in fact has its mark; absent in the first event of a stream, which comes before the text."""
    id: str
    """Id of the passage within its revision."""
    title: str
    """Title of the document."""
    headings: list[str]
    """Headings that the passage stands under, outermost first."""
    position: int
    """Number of the passage in its document, from 0."""
    page: int | None
    """Page, from 1; null where the format has no pages."""
    link: str | None
    """Address of the document; null when it has none."""
    score: float
    """What passages are ranked by, see POST /v1/retrieve."""
    scores: Scores
    """The scores that found it."""
    also_in: list[Place]
    """Other documents that hold the same passage."""
    quote: str
    """The passage, word for word."""


class LeftOut(Place):
    """A passage that did not fit into the model's context window."""

    position: int
    """Number of the passage in its document, from 0."""


class Context(Shape):
    """What an answer was written from.

    In a stream `answered`, `grounded` and `cited` come in the last event, the rest in the first.
    """

    pipeline: str
    """Name of the pipeline."""
    revision: str
    """Fingerprint of the revision that all passages come from."""
    minimum_score: float | None
    """Cosine similarity that was required; null in Sparse mode."""
    best_score: float | None
    """Highest cosine similarity found, also when it was not enough."""
    citations: list[Citation]
    """The passages that the model was given, by number; empty when none is about the question: then the model was not
    asked."""
    left_out: list[LeftOut]
    """Passages that were found and did not fit into the model's context window."""
    turns_left_out: int
    """Earlier turns of the conversation that did not fit."""
    answered: bool
    """False when the answer is that the sources do not say; true also for one that was cut off at its token limit."""
    grounded: bool
    """Whether the text names at least one of the citations; when not, nothing shows that it comes from the sources."""
    cited: list[int]
    """Numbers of the passages that the text names, in order of their first mark."""


class Usage(Shape):
    """Tokens as the model's provider counts them; 0 when it does not, or was not asked."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class QueryAnswer(Context):
    """An answer with what it was written from."""

    id: str
    """Id of the request, as in the header X-Request-Id."""
    answer: str
    """The answer; marks [n] name the citations."""
    finish_reason: str
    """`stop`, or `length` when the answer was cut off at its token limit."""
    usage: Usage
    """Tokens."""
    seconds: dict[str, float]
    """How long each stage took."""


def build_passages(retrieval: Retrieval) -> list[dict[str, Any]]:
    """Return passages as RetrievedPassage."""
    return [{**_where(found), "text": found.text} for found in retrieval.passages]


def build_citations(started: AnswerStarted, finished: AnswerFinished | None = None) -> list[dict[str, Any]]:
    """Return the passages of an answer as Citation; without `finished` nobody knows yet which are cited."""
    citations = []
    for number, found in enumerate(started.packed.passages, start=1):
        citation = {"number": number, **_where(found), "quote": found.text}
        if finished is not None:
            citation["cited"] = number in finished.cited
        citations.append(citation)
    return citations


def build_context(pipeline: str, started: AnswerStarted, finished: AnswerFinished | None = None) -> dict[str, Any]:
    """Return the context of an answer; without `finished` the part that is known before the text."""
    packed = started.packed
    context: dict[str, Any] = {
        "pipeline": pipeline,
        "revision": started.retrieval.revision,
        "minimum_score": started.retrieval.minimum_score,
        "best_score": started.retrieval.best_cosine,
        "citations": build_citations(started, finished),
        "left_out": [
            {"source": found.source, "document": found.document, "position": found.position}
            for found in packed.left_out
        ],
        "turns_left_out": packed.turns_left_out,
    }
    if finished is not None:
        context |= build_outcome(finished)
    return context


def build_outcome(finished: AnswerFinished) -> dict[str, Any]:
    """Return the part of an answer's context that is known only after the text."""
    return {"answered": finished.answered, "grounded": finished.grounded, "cited": finished.cited}


def build_usage(finished: AnswerFinished) -> dict[str, int]:
    """Return the tokens of an answer as Usage."""
    return {
        "prompt_tokens": finished.prompt_tokens,
        "completion_tokens": finished.completion_tokens,
        "total_tokens": finished.prompt_tokens + finished.completion_tokens,
    }


def _where(found: Found) -> dict[str, Any]:
    return {
        "id": found.id,
        "source": found.source,
        "document": found.document,
        "title": found.title,
        "headings": list(found.headings),
        "position": found.position,
        "page": found.page,
        "link": found.link,
        "score": found.score,
        "scores": {"dense": found.dense, "sparse": found.sparse},
        "also_in": [{"source": source, "document": document} for source, document in found.also_in],
    }
