from collections.abc import Iterable, Sequence

import orjson
import pytest

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ChunkPoint
from lorekeeper_runtime.stores.wire import bodies, encode_overwrites, encode_points, encode_records, encode_search

SCHEMA = CollectionSchema("c", "d", "0a1b2c3d", 2, sparse=True)
BM25 = {
    "model": "qdrant/bm25",
    "options": {"k": 1.2, "b": 0.75, "avg_len": 150.0, "language": "english"},
}
ID = "0b0c9a3e-0000-5000-8000-000000000000"


def make_point(vector: bytes | None = b"[1.50, -2e-3]", **payload: object) -> ChunkPoint:
    text = 'say "50 %b"\n'
    return ChunkPoint(ID, vector, {Payload.TEXT: text, **payload}, f"A > B\n{text}")


def joined(parts: Iterable[Sequence[bytes]]) -> list[bytes]:
    return [b"".join(pieces) for pieces in parts]


def test_a_vector_passes_byte_by_byte() -> None:
    (part,) = joined(encode_points(SCHEMA, [make_point()]))
    assert b'"dense-0a1b2c3d":[1.50, -2e-3],' in part


def test_a_point_has_both_vectors_and_its_payload() -> None:
    (part,) = joined(encode_points(SCHEMA, [make_point(title="T")]))
    assert orjson.loads(part) == {
        "id": ID,
        "vector": {
            "dense-0a1b2c3d": [1.5, -0.002],
            "bm25-0a1b2c3d": {"text": 'A > B\nsay "50 %b"\n', **BM25},
        },
        "payload": {"text": 'say "50 %b"\n', "title": "T"},
    }


def test_vectors_that_are_not_there_are_left_out() -> None:
    (part,) = joined(encode_points(SCHEMA, [make_point(None, title="T")]))
    assert orjson.loads(part)["vector"] == {"bm25-0a1b2c3d": {"text": 'A > B\nsay "50 %b"\n', **BM25}}
    dense_only = CollectionSchema("c", "d", "0a1b2c3d", 2, sparse=False)
    (part,) = joined(encode_points(dense_only, [make_point()]))
    assert orjson.loads(part)["vector"] == {"dense-0a1b2c3d": [1.5, -0.002]}


def test_records_have_no_vector() -> None:
    (part,) = joined(encode_records([(ID, {"kind": "run"})]))
    assert orjson.loads(part) == {"id": ID, "vector": {}, "payload": {"kind": "run"}}


def test_an_overwrite_names_its_point_by_a_filter() -> None:
    (part,) = joined(encode_overwrites([(ID, {"a": 1})]))
    assert orjson.loads(part) == {
        "overwrite_payload": {"payload": {"a": 1}, "filter": {"must": [{"has_id": [ID]}]}},
    }


def test_bodies_stay_under_the_limit_and_lose_nothing() -> None:
    parts = [orjson.dumps("x" * length) for length in (10, 10, 10, 100, 5, 5)]
    sent = joined(bodies(b'{"points":[', ([part] for part in parts), b"]}", limit=40))
    assert [len(orjson.loads(body)["points"]) for body in sent] == [3, 1, 2]
    assert [point for body in sent for point in orjson.loads(body)["points"]] == [orjson.loads(part) for part in parts]
    assert list(bodies(b"[", [], b"]", limit=40)) == []


def test_one_request_asks_both_ways() -> None:
    assert orjson.loads(encode_search("0a1b2c3d", b"[1,2]", 'the "word"', 7)) == {
        "searches": [
            {"query": [1, 2], "using": "dense-0a1b2c3d", "limit": 7, "with_payload": True},
            {"query": {"text": 'the "word"', **BM25}, "using": "bm25-0a1b2c3d", "limit": 7, "with_payload": True},
        ]
    }
    assert len(orjson.loads(encode_search("0a1b2c3d", None, "word", 7))["searches"]) == 1


def test_text_that_is_no_unicode_is_refused() -> None:
    for parts in (
        encode_points(SCHEMA, [make_point(title="\ud800")]),
        encode_records([(ID, {"a": "\ud800"})]),
        encode_overwrites([(ID, {"a": "\ud800"})]),
    ):
        with pytest.raises(StoreError) as raised:
            list(parts)
        assert raised.value.code == "InvalidText"
