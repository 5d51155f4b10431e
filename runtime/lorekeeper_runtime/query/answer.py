"""A question becomes an answer: retrieve, abstain or generate, cite. One stream of events serves every route."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest
from lorekeeper_runtime.query.citations import CitationFilter, Mark
from lorekeeper_runtime.query.errors import generation_failed, generation_not_configured
from lorekeeper_runtime.query.pack import Packed, number_passages, pack
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.retrieve import Retrieval, retrieve

__all__ = [
    "NOT_IN_SOURCES",
    "Answer",
    "AnswerEvent",
    "AnswerFinished",
    "AnswerPiece",
    "AnswerStarted",
    "Question",
    "answer",
    "collect",
]

NOT_IN_SOURCES = "The sources do not say."
"""The whole answer when no passage is about the question, or the model found no support in them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with what its asker wants to be different from the pipeline's settings."""

    text: str
    top_k: int | None = None
    minimum_score: float | None = None
    history: Sequence[tuple[str, str]] = ()
    """Earlier turns as (role, text), roles user and assistant, oldest first. They are not searched for."""
    temperature: float | None = None
    max_tokens: int | None = None
    """Of the answer; lowers the pipeline's setting and never raises it."""
    stop: Sequence[str] = ()
    seed: int | None = None


@dataclass(slots=True)
class AnswerStarted:
    """The first event: what the answer is written from."""

    retrieval: Retrieval
    packed: Packed


@dataclass(slots=True)
class AnswerPiece:
    """More of the answer's text; never empty, every mark in it names a passage."""

    text: str


@dataclass(slots=True)
class AnswerFinished:
    """The last event."""

    answered: bool
    """False when the answer is that the sources do not say."""
    asked_model: bool
    """False when no passage was good enough to ask the model with."""
    finish_reason: str
    """`stop`, or `length` when the answer was cut at its token limit."""
    marks: list[Mark]
    cited: list[int]
    """Numbers of the passages that the text names, in order of their first mark."""
    removed_marks: int
    """Marks of the model's that named no passage."""
    prompt_tokens: int
    """0 when the provider does not count, or was not asked."""
    completion_tokens: int
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage took: generate, and first_token as a part of it."""

    @property
    def grounded(self) -> bool:
        """Whether the text has a mark that names a passage. A model may answer without one: then nothing shows that
        the text comes from the sources.
        """
        return bool(self.cited)


AnswerEvent = AnswerStarted | AnswerPiece | AnswerFinished


@dataclass(slots=True)
class Answer:
    """A whole answer."""

    text: str
    started: AnswerStarted
    finished: AnswerFinished


async def answer(pipeline: Pipeline, question: Question) -> AsyncGenerator[AnswerEvent]:
    """Answer a question, event by event: one AnswerStarted, AnswerPiece as the text grows, one AnswerFinished.

    There is a piece at least, unless the answer was cut at its token limit before its first word: nobody knows then
    what the model would have said, so that this is an answer without text and never that the sources do not say.

    Close it (`contextlib.aclosing`) when nobody listens any more: that stops the work at the model.

    Raises:
        QueryError: GenerationNotConfigured, NotReady, EmbeddingFailed, VectorSearchFailed or ContextTooLong before the
            first event; GenerationFailed after it.
    """
    generator, config = pipeline.generator, pipeline.config.generation
    if generator is None or config is None:
        raise generation_not_configured(pipeline.name)
    retrieval = await retrieve(pipeline, question.text, top_k=question.top_k, minimum_score=question.minimum_score)
    max_tokens = min(question.max_tokens or config.max_tokens, config.max_tokens)
    packed = pack(retrieval.passages, question.text, question.history, config, max_tokens)
    yield AnswerStarted(retrieval, packed)
    if not packed.passages:
        yield AnswerPiece(NOT_IN_SOURCES)
        yield AnswerFinished(
            answered=False,
            asked_model=False,
            finish_reason="stop",
            marks=[],
            cited=[],
            removed_marks=0,
            prompt_tokens=0,
            completion_tokens=0,
        )
        return
    request = GenerationRequest(
        question.text,
        number_passages(packed.passages),
        history=packed.history,
        temperature=question.temperature,
        max_tokens=None if question.max_tokens is None else max_tokens,
        stop=question.stop,
        seed=question.seed,
    )
    started = time.perf_counter()
    filtered = CitationFilter(len(packed.passages))
    written = _Written()
    finish_reason, prompt_tokens, completion_tokens = "stop", 0, 0
    try:
        async with aclosing(cast("AsyncGenerator[GeneratedPiece]", generator.generate(request))) as pieces:
            async for piece in pieces:
                finish_reason = piece.finish_reason or finish_reason
                prompt_tokens = piece.prompt_tokens or prompt_tokens
                completion_tokens = piece.completion_tokens or completion_tokens
                if text := written.take(filtered.feed(piece.text)):
                    yield AnswerPiece(text)
    except ProviderError as error:
        raise generation_failed(error) from error
    if text := written.take(filtered.finish()):
        yield AnswerPiece(text)
    seconds = {"generate": time.perf_counter() - started}
    if written.first_at is not None:
        seconds["first_token"] = written.first_at - started
        answered = bool(filtered.marks or not written.abstains())
    else:
        answered = finish_reason == "length"
        if not answered:
            yield AnswerPiece(NOT_IN_SOURCES)
    yield AnswerFinished(
        answered=answered,
        asked_model=True,
        finish_reason=finish_reason,
        marks=[Mark(mark.number, mark.start - written.skipped, mark.end - written.skipped) for mark in filtered.marks],
        cited=filtered.cited,
        removed_marks=filtered.removed,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        seconds=seconds,
    )


class _Written:
    """The text so far: white space before its first word does not leave."""

    def __init__(self) -> None:
        self.first_at: float | None = None
        self.skipped = 0
        """Characters before the first word; marks are counted without them."""
        self._beginning = ""

    def take(self, text: str) -> str:
        """Return what leaves of the next filtered text."""
        if self.first_at is None:
            stripped = text.lstrip()
            self.skipped += len(text) - len(stripped)
            if not stripped:
                return ""
            self.first_at = time.perf_counter()
            text = stripped
        if len(self._beginning) < 2 * len(NOT_IN_SOURCES):
            self._beginning += text[: 2 * len(NOT_IN_SOURCES)]
        return text

    def abstains(self) -> bool:
        """Whether the text begins the way the default prompt tells models to say that they do not know."""
        return self._beginning.lstrip("\"'* ").lower().startswith(NOT_IN_SOURCES.rstrip(".").lower())


async def collect(events: AsyncGenerator[AnswerEvent]) -> Answer:
    """Wait for the whole answer.

    Raises:
        QueryError: As `answer` does.
    """
    started: AnswerStarted | None = None
    finished: AnswerFinished | None = None
    pieces: list[str] = []
    async with aclosing(events):
        async for event in events:
            match event:
                case AnswerStarted():
                    started = event
                case AnswerPiece():
                    pieces.append(event.text)
                case AnswerFinished():
                    finished = event
    if started is None or finished is None:
        raise AssertionError("an answer has a first and a last event")
    return Answer("".join(pieces), started, finished)
