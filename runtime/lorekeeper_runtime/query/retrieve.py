"""A question becomes passages: embed, search by meaning and by words, fuse, and keep what is about the question."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from lorekeeper_api.contract.collection import Payload
from lorekeeper_api.pipeline import RetrievalMode
from lorekeeper_runtime.errors import ProviderError, StoreError
from lorekeeper_runtime.models.words import content_words
from lorekeeper_runtime.ports import Hit
from lorekeeper_runtime.query.errors import embedding_failed, search_failed
from lorekeeper_runtime.query.fusion import fuse, rank_by_dense, rank_by_sparse
from lorekeeper_runtime.query.pipeline import ActiveRevision, Pipeline
from lorekeeper_runtime.query.unicode import check_text
from lorekeeper_runtime.query.wording import holds_all, put_leads_first

__all__ = ["Found", "Retrieval", "retrieve"]

ATTEMPTS = 3
"""Searches of one question, when a promotion comes in between."""

_STALE = frozenset({"RevisionChanged", "CollectionMissing"})


@dataclass(slots=True)
class Found:
    """A retrieved passage with the scores that found it."""

    id: str
    source: str
    document: str
    text: str
    title: str
    headings: tuple[str, ...]
    position: int
    page: int | None
    link: str | None
    score: float
    """What it is ranked by: the fused score in Hybrid mode, the cosine in Dense, BM25's score in Sparse."""
    dense: float | None
    """Cosine similarity; None when only the words found it."""
    sparse: float | None
    """BM25 score; None when only the meaning found it."""
    also_in: list[tuple[str, str]] = field(default_factory=list)
    """Other places of the same passage, as (source, document)."""


@dataclass(slots=True)
class Retrieval:
    """What was found for one question, all of it in one revision."""

    passages: list[Found]
    """Best first; empty when nothing is about the question."""
    revision: str
    """Fingerprint."""
    mode: RetrievalMode
    minimum_score: float | None
    """Cosine that was required; None in Sparse mode."""
    best_cosine: float | None
    """Of all that was found, also of what was not good enough."""
    seconds: dict[str, float]
    """How long each stage took: embed, search."""


async def retrieve(
    pipeline: Pipeline, question: str, *, top_k: int | None = None, minimum_score: float | None = None
) -> Retrieval:
    """Find the passages that are about a question.

    A passage needs the minimum score as its raw cosine. One that only the words found has no cosine of its own; it is
    at most the lowest of the search by meaning, which would have returned the passage otherwise. So it passes when that
    lowest cosine does. Where nobody chose a minimum, one that holds every word of the question passes as well. In
    Sparse mode there is no minimum: what shares a word with the question is found.

    The beginning of a document whose title is the question's whole subject comes first, where it was found at all.

    Args:
        pipeline: Where to look.
        question: The bare text.
        top_k: Most passages; the pipeline's own setting when None.
        minimum_score: Lowest cosine; when None the pipeline's setting, else what was measured for the revision.

    Raises:
        QueryError: InvalidRequest for a question that is no Unicode, NotReady, EmbeddingFailed or VectorSearchFailed.
    """
    check_text(question, param="question")
    settings = pipeline.config.retrieval
    top_k = settings.top_k if top_k is None else top_k
    limit = max(settings.candidates, top_k)
    seconds = {"embed": 0.0, "search": 0.0}
    active, dense, sparse = await _search(pipeline, question, limit, seconds)
    best = max((hit.dense for hit in dense if hit.dense is not None), default=None)
    required: float | None = None
    by_words = False
    if active.mode is not RetrievalMode.SPARSE:
        required = settings.minimum_score if minimum_score is None else minimum_score
        if required is None:
            required = await pipeline.read_floor(active)
            by_words = True
    words = content_words(question)
    if active.mode is RetrievalMode.HYBRID:
        ranked = fuse(dense, sparse, settings.fusion)
    else:
        ranked = rank_by_dense(dense) if active.mode is RetrievalMode.DENSE else rank_by_sparse(sparse)
    if required is not None:
        bound = min((hit.dense for hit in dense if hit.dense is not None), default=float("-inf"))
        ranked = [
            entry
            for entry in ranked
            if (bound if entry[0].dense is None else entry[0].dense) >= required
            or (by_words and holds_all(entry[0], words))
        ]
    ranked = put_leads_first(ranked, words)
    return Retrieval(_collapse(ranked, top_k), active.fingerprint, active.mode, required, best, seconds)


async def _search(
    pipeline: Pipeline, question: str, limit: int, seconds: dict[str, float]
) -> tuple[ActiveRevision, list[Hit], list[Hit]]:
    """Ask the active revision; when it is replaced in between, embed anew by the next one's model and ask that."""
    for attempt in range(1, ATTEMPTS + 1):
        active = await pipeline.read_active()
        started = time.perf_counter()
        vector = None
        if active.embedder is not None:
            try:
                vector = await active.embedder.embed_query(question)
            except ProviderError as error:
                raise embedding_failed(error) from error
        embedded = time.perf_counter()
        seconds["embed"] += embedded - started
        try:
            dense, sparse = await pipeline.store.search(
                active.alias,
                fingerprint=active.fingerprint,
                vector=vector,
                text=question if active.words else None,
                limit=limit,
            )
        except StoreError as error:
            if error.code in _STALE:
                pipeline.forget_active()
                if attempt < ATTEMPTS:
                    continue
            raise search_failed(error) from error
        seconds["search"] += time.perf_counter() - embedded
        return active, dense, sparse
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _collapse(ranked: Sequence[tuple[Hit, float]], top_k: int) -> list[Found]:
    """Return the best passages, each once: equal text under equal headings is one passage in several places."""
    found: dict[tuple[str, tuple[str, ...]], Found] = {}
    for hit, score in ranked:
        passage = _read(hit, score)
        key = (passage.text.strip(), passage.headings)
        known = found.get(key)
        if known is None:
            if len(found) < top_k:
                found[key] = passage
            continue
        place = (passage.source, passage.document)
        if place not in known.also_in and place != (known.source, known.document):
            known.also_in.append(place)
    return list(found.values())


def _read(hit: Hit, score: float) -> Found:
    payload = hit.payload
    page, position = payload.get(Payload.PAGE), payload.get(Payload.POSITION)
    return Found(
        id=hit.id,
        source=str(payload.get(Payload.SOURCE, "")),
        document=str(payload.get(Payload.DOCUMENT, "")),
        text=str(payload.get(Payload.TEXT, "")),
        title=str(payload.get(Payload.TITLE) or ""),
        headings=tuple(str(heading) for heading in cast("Sequence[object]", payload.get(Payload.HEADINGS) or ())),
        position=position if isinstance(position, int) else 0,
        page=page if isinstance(page, int) else None,
        link=str(payload.get(Payload.LINK) or "") or None,
        score=score,
        dense=hit.dense,
        sparse=hit.sparse,
    )
