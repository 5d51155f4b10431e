"""Answers without a language model: the sentences of the passages that support an answer best, quoted and cited."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import orjson

from lorekeeper_api.contract.config import GenerationConfig
from lorekeeper_api.contract.known_models import find_profile
from lorekeeper_runtime.models.evidence import Candidate, choose, collect_candidates, score_words
from lorekeeper_runtime.models.prompt import estimate_tokens
from lorekeeper_runtime.models.sentences import FENCE, UnitKind
from lorekeeper_runtime.ports import Embedder, GeneratedPiece, GenerationRequest, ModelDescription, Vector

__all__ = ["ExtractiveGenerator"]

EMBEDDED_CANDIDATES = 60
"""Sentences of a question that are embedded, in one call."""


class ExtractiveGenerator:
    """Quotes the one to three sentences that support an answer best; says nothing when none does.

    Each candidate is weighed by its meaning (cosine similarity to the question) and by its words (those of the question
    that it holds, rare ones counting more). Nothing is invented: every line stands in a passage.

    Args:
        config: The resolved settings; only `max_tokens` is used.
        embedder: Weighs by meaning; by words alone when None. It belongs to the caller and is not closed here.
    """

    def __init__(self, config: GenerationConfig, embedder: Embedder | None) -> None:
        self._config = config
        self._embedder = embedder
        self._floor: float | None = None

    async def describe(self) -> ModelDescription:
        """There is no model; see `ports.Generator`."""
        return ModelDescription(name="extractive", digest="")

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GeneratedPiece, None]:
        """Yield the quotes one by one; see `ports.Generator`."""
        candidates = score_words(request.question, collect_candidates(request.passages))
        floor = await self._add_meaning(request.question, candidates)
        chosen = choose(request.question, candidates, floor)
        limit = min(self._config.max_tokens, request.max_tokens or self._config.max_tokens)
        used, reason, text = 0, "stop", ""
        for number, candidate in enumerate(chosen):
            quote = candidate.follow(chosen[number - 1]) if number else candidate.quote()
            quote, stopped = _cut_at_stop(text, quote, request.stop)
            tokens = estimate_tokens(quote)
            if used + tokens > limit:
                reason = "length"
                quote = "" if number else _cut_words(candidate, limit).quote()
                quote, _ = _cut_at_stop(text, quote, request.stop)
                tokens = estimate_tokens(quote)
            if quote:
                yield GeneratedPiece(quote)
            used += tokens
            text += quote
            if stopped or reason == "length":
                break
        yield GeneratedPiece("", finish_reason=reason, prompt_tokens=0, completion_tokens=used)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _add_meaning(self, question: str, candidates: Sequence[Candidate]) -> float | None:
        """Give the best candidates their similarity to the question.

        Returns:
            The similarity from which a passage is about the question; 0 where nobody measured it for the model, None
            without an embedder.
        """
        if self._embedder is None or not candidates:
            return None
        if self._floor is None:
            self._floor = find_profile((await self._embedder.describe()).name).minimum_score
        best = sorted(candidates, key=lambda candidate: -candidate.words)[:EMBEDDED_CANDIDATES]
        wanted, vectors = await asyncio.gather(
            self._embedder.embed_query(question), self._embedder.embed_documents([one.meaning_text() for one in best])
        )
        query = _decode(wanted)
        for candidate, vector in zip(best, vectors, strict=True):
            candidate.meaning = _cosine(query, _decode(vector))
        return self._floor


def _decode(vector: Vector) -> list[float]:
    numbers: list[float] = orjson.loads(vector)
    return numbers


def _cosine(left: list[float], right: list[float]) -> float:
    length = (sum(x * x for x in left) * sum(y * y for y in right)) ** 0.5
    return sum(x * y for x, y in zip(left, right, strict=True)) / length if length else 0.0


def _cut_at_stop(before: str, quote: str, stops: Sequence[str]) -> tuple[str, bool]:
    """Cut a quote where a stop text begins; one that begins in what has been sent already ends the answer here."""
    whole = before + quote
    places = [place for stop in stops if stop and (place := whole.find(stop)) >= 0]
    if not places:
        return quote, False
    return whole[len(before) : max(min(places), len(before))], True


def _cut_words(candidate: Candidate, limit: int) -> Candidate:
    """Leave out words at the end until a quote with its mark has no more tokens than the limit, but not the first word.

    An answer of one word beats none at all, which would mean that the sources do not say.
    """
    shorter = replace(candidate, following="")
    fence = FENCE.match(candidate.unit.text) if candidate.unit.kind is UnitKind.CODE else None
    # The first line of fenced code is no word of the answer, and its last one must stay.
    least, closing = (2, f"\n{fence[1]}") if fence else (1, "")
    words = re.findall(r"\s*\S+", candidate.unit.text)
    while len(words) > least and estimate_tokens(shorter.quote()) > limit:
        words.pop()
        shorter = replace(shorter, unit=replace(candidate.unit, text="".join(words) + closing, before=""))
    return shorter
