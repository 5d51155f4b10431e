"""Two ranked lists become one. Pure functions: equal input gives equal output, ties included."""

from collections.abc import Sequence

from lorekeeper_api.pipeline import Fusion, FusionMethod
from lorekeeper_runtime.ports import Hit

__all__ = ["RANK_OFFSET", "fuse", "rank_by_dense", "rank_by_sparse"]

RANK_OFFSET = 60
"""The constant of reciprocal rank fusion: how little the very first ranks stand out."""

_ABSENT = float("-inf")


def rank_by_dense(hits: Sequence[Hit]) -> list[tuple[Hit, float]]:
    """Return the hits of a search by meaning, best first; the score is the cosine."""
    return _sorted([(hit, hit.dense if hit.dense is not None else _ABSENT) for hit in hits])


def rank_by_sparse(hits: Sequence[Hit]) -> list[tuple[Hit, float]]:
    """Return the hits of a search by words, best first; the score is BM25's."""
    return _sorted([(hit, hit.sparse if hit.sparse is not None else _ABSENT) for hit in hits])


def fuse(dense: Sequence[Hit], sparse: Sequence[Hit], fusion: Fusion) -> list[tuple[Hit, float]]:
    """Merge the lists of a hybrid search.

    A passage in both lists becomes one hit with both scores; a list that lacks it adds nothing to its fused score.
    Equal fused scores are ordered by cosine, then BM25, then id.

    Args:
        dense: Hits by meaning, in any order.
        sparse: Hits by words, in any order.
        fusion: Method and weights. WeightedScores scales each list to 0..1 (its worst hit is 0, its best 1; a list of
            equal scores is all 1) and adds weight * score. ReciprocalRanks adds weight / (60 + rank), ranks from 1.

    Returns:
        (hit, fused score), best first.
    """
    by_dense, by_sparse = rank_by_dense(dense), rank_by_sparse(sparse)
    contribute = _scaled if fusion.method is FusionMethod.WEIGHTED_SCORES else _ranks
    dense_parts, sparse_parts = contribute(by_dense), contribute(by_sparse)
    hits: dict[str, Hit] = {}
    for hit, _ in (*by_dense, *by_sparse):
        known = hits.get(hit.id)
        if known is None:
            hits[hit.id] = Hit(hit.id, hit.payload, hit.dense, hit.sparse)
            continue
        known.dense = hit.dense if known.dense is None else known.dense
        known.sparse = hit.sparse if known.sparse is None else known.sparse
    weights = fusion.weights
    return _sorted(
        [
            (hit, weights.dense * dense_parts.get(id_, 0.0) + weights.sparse * sparse_parts.get(id_, 0.0))
            for id_, hit in hits.items()
        ]
    )


def _scaled(ranked: Sequence[tuple[Hit, float]]) -> dict[str, float]:
    if not ranked:
        return {}
    best, worst = ranked[0][1], ranked[-1][1]
    if best == worst:
        return {hit.id: 1.0 for hit, _ in ranked}
    return {hit.id: (score - worst) / (best - worst) for hit, score in ranked}


def _ranks(ranked: Sequence[tuple[Hit, float]]) -> dict[str, float]:
    return {hit.id: 1.0 / (RANK_OFFSET + rank) for rank, (hit, _) in enumerate(ranked, start=1)}


def _sorted(scored: list[tuple[Hit, float]]) -> list[tuple[Hit, float]]:
    def key(entry: tuple[Hit, float]) -> tuple[float, float, float, str]:
        hit, score = entry
        dense = hit.dense if hit.dense is not None else _ABSENT
        sparse = hit.sparse if hit.sparse is not None else _ABSENT
        return (-score, -dense, -sparse, hit.id)

    return sorted(scored, key=key)
