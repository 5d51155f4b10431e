"""Vectors are cut out of replies as they stand."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.models.vectors import check_vectors, cut_vectors, vector_length


def test_vectors_keep_their_bytes() -> None:
    rest, vectors = cut_vectors(b'{"model":"a [1] b","embeddings":[[0.10, -2e-5],\n[1,2]],"n":3}')
    assert rest == {"model": "a 0 b", "embeddings": [1, 2], "n": 3}
    assert vectors == [b"[1]", b"[0.10, -2e-5]", b"[1,2]"]
    assert vector_length(vectors[1]) == 2


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5), max_size=5))
def test_any_reply(numbers: list[list[float]]) -> None:
    rest, vectors = cut_vectors(orjson.dumps({"embeddings": numbers}))
    assert isinstance(rest, dict)
    assert [orjson.loads(vectors[position]) for position in rest["embeddings"]] == numbers


@pytest.mark.parametrize("reply", [b'{"e":[[NaN,1]]}', b'{"e":[[Infinity]]}', b"<html>", b'{"e":[[1,2}'])
def test_what_is_no_json_is_refused(reply: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        cut_vectors(reply)


@pytest.mark.parametrize(
    ("reply", "count", "dimensions", "code"),
    [
        (b"[[1,2],[3,4]]", 3, 0, "TooFewVectors"),
        (b"[[1,2],[3,4]]", 1, 0, "TooFewVectors"),
        (b"[[1,2],[3,4,5]]", 2, 0, "DimensionMismatch"),
        (b"[[1,2],[3,4]]", 2, 3, "DimensionMismatch"),
        (b"[[1,2],[3,4,5],[6,7]]", 3, 0, "DimensionMismatch"),
        (b"[[11,12,13],[3,4],[5,6,7]]", 3, 3, "DimensionMismatch"),
        (b"[[1,2],[null,4]]", 2, 2, "EmbeddingFailed"),
        (b"[[1,2],[]]", 2, 2, "EmbeddingFailed"),
        (b'[[1,2],"x"]', 2, 2, "EmbeddingFailed"),
        (b"[[1,2],7]", 2, 2, "EmbeddingFailed"),
    ],
)
def test_wrong_vectors(reply: bytes, count: int, dimensions: int, code: str) -> None:
    positions, vectors = cut_vectors(reply)
    assert isinstance(positions, list)
    with pytest.raises(ProviderError) as caught:
        check_vectors(positions, vectors, count=count, dimensions=dimensions, model="m")
    assert caught.value.code == code


def test_right_vectors() -> None:
    assert check_vectors([1, 0], [b"[1,2]", b"[3,4]"], count=2, dimensions=2, model="m") == [b"[3,4]", b"[1,2]"]
