"""Two result lists of one question: a hit that both found carries both scores."""

from collections.abc import Iterable
from typing import Any

from lorekeeper_runtime.ports import Hit

__all__ = ["merge_scores"]

Scored = tuple[str, float, dict[str, Any]]
"""Id, score and payload."""


def merge_scores(dense: Iterable[Scored], sparse: Iterable[Scored]) -> tuple[list[Hit], list[Hit]]:
    """Return both lists in their own order, best first; a hit of both lists is one object in both."""
    hits: dict[str, Hit] = {}
    by_meaning = []
    for point, score, payload in dense:
        hits[point] = Hit(point, payload, dense=score)
        by_meaning.append(hits[point])
    by_words = []
    for point, score, payload in sparse:
        hit = hits.setdefault(point, Hit(point, payload))
        hit.sparse = score
        by_words.append(hit)
    return by_meaning, by_words
