import random

import pytest

from lorekeeper_api.pipeline import Fusion, FusionMethod, Weights
from lorekeeper_runtime.ports import Hit
from lorekeeper_runtime.query.fusion import fuse, rank_by_dense, rank_by_sparse


def dense(**scores: float) -> list[Hit]:
    return [Hit(id_, {}, dense=score) for id_, score in scores.items()]


def sparse(**scores: float) -> list[Hit]:
    return [Hit(id_, {}, sparse=score) for id_, score in scores.items()]


def scores_of(ranked: list[tuple[Hit, float]]) -> dict[str, float]:
    return {hit.id: pytest.approx(score) for hit, score in ranked}


WEIGHTED = Fusion(method=FusionMethod.WEIGHTED_SCORES, weights=Weights(dense=0.7, sparse=0.3))
RANKS = Fusion(method=FusionMethod.RECIPROCAL_RANKS, weights=Weights(dense=1, sparse=0.5))


def test_weighted_scores_scale_each_list_to_its_own_range():
    ranked = fuse(dense(a=0.9, b=0.5, c=0.1), sparse(b=12, d=2), WEIGHTED)
    assert [hit.id for hit, _ in ranked] == ["a", "b", "c", "d"]
    assert scores_of(ranked) == {"a": 0.7, "b": 0.35 + 0.3, "c": 0.0, "d": 0.0}


def test_reciprocal_ranks():
    ranked = fuse(dense(a=0.9, b=0.5), sparse(b=12, d=2), RANKS)
    assert scores_of(ranked) == {"a": 1 / 61, "b": 1 / 62 + 0.5 / 61, "d": 0.5 / 62}
    assert [hit.id for hit, _ in ranked] == ["b", "a", "d"]


def test_a_list_of_equal_scores_is_all_best():
    assert scores_of(fuse(dense(a=0.4, b=0.4), [], WEIGHTED)) == {"a": 0.7, "b": 0.7}
    assert scores_of(fuse([], sparse(a=3), WEIGHTED)) == {"a": 0.3}


def test_every_hit_keeps_both_scores_and_the_input_stays_as_it_was():
    first, second = dense(a=0.9, b=0.2), sparse(b=4, c=1)
    hits = {hit.id: (hit.dense, hit.sparse) for hit, _ in fuse(first, second, WEIGHTED)}
    assert hits == {"a": (0.9, None), "b": (0.2, 4), "c": (None, 1)}
    assert first[1].sparse is None
    assert second[0].dense is None


def test_nothing_found():
    assert fuse([], [], WEIGHTED) == []


@pytest.mark.parametrize("fusion", [WEIGHTED, RANKS, Fusion(weights=Weights(dense=0, sparse=0))])
def test_ties_are_ordered_the_same_way_whatever_the_order_of_the_lists(fusion):
    first = dense(a=0.5, b=0.5, c=0.5, d=0.7, e=0.1)
    second = sparse(c=3, a=3, f=3, g=3)
    expected = [(hit.id, score) for hit, score in fuse(first, second, fusion)]
    shuffle = random.Random(7)
    for _ in range(50):
        shuffle.shuffle(first)
        shuffle.shuffle(second)
        assert [(hit.id, score) for hit, score in fuse(first, second, fusion)] == expected


def test_single_lists_are_ranked_by_their_own_score():
    assert [(hit.id, score) for hit, score in rank_by_dense(dense(b=0.1, a=0.9))] == [("a", 0.9), ("b", 0.1)]
    assert [(hit.id, score) for hit, score in rank_by_sparse(sparse(b=2, a=2))] == [("a", 2), ("b", 2)]
