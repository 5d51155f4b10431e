"""What the embedded engine is told, and what its answers mean, in the terms of the ports."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import qdrant_edge as edge

from lorekeeper_api.contract.collection import BM25, CollectionSchema, Payload, dense_vector, sparse_vector
from lorekeeper_runtime.ports import ChunkPoint, Hit, Vector
from lorekeeper_runtime.stores.refusals import dimension_mismatch, invalid_text
from lorekeeper_runtime.stores.scores import merge_scores
from lorekeeper_runtime.stores.shards import Shard

__all__ = [
    "PAGE",
    "equals",
    "find_vectors",
    "make_bm25",
    "make_points",
    "only_point",
    "search",
    "shard_configs",
    "unicode_checked",
]

PAGE = 1000
"""Points read at once."""


def make_bm25() -> edge.Bm25:
    """Return the engine's BM25 with the settings of the contract."""
    return edge.Bm25(edge.Bm25Config(k=BM25.K, b=BM25.B, avg_len=BM25.AVERAGE_LENGTH, language=BM25.LANGUAGE))


def shard_configs(schema: CollectionSchema) -> tuple[edge.EdgeConfig, edge.EdgeConfig]:
    """Return the configurations of a collection and of its manifest."""
    vectors: dict[str, edge.EdgeVectorParams] = {}
    sparse: dict[str, edge.EdgeSparseVectorParams] = {}
    if schema.dimensions is not None:
        vectors[dense_vector(schema.fingerprint)] = edge.EdgeVectorParams(schema.dimensions, edge.Distance.Cosine)
    if schema.sparse:
        sparse[sparse_vector(schema.fingerprint)] = edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)
    # The engine refuses a collection without any vector, so a manifest declares one that it never uses.
    unused = {"unused": edge.EdgeSparseVectorParams()}
    return edge.EdgeConfig(vectors, sparse or unused), edge.EdgeConfig({}, unused)


def make_points(schema: CollectionSchema, points: Sequence[ChunkPoint], bm25: edge.Bm25) -> list[edge.Point]:
    """Return chunks as the engine's points.

    Raises:
        StoreError: A text is no Unicode, or a vector has another length than the collection's.
    """
    dense, sparse = dense_vector(schema.fingerprint), sparse_vector(schema.fingerprint)
    made = []
    with unicode_checked():
        for point in points:
            vectors: dict[str, Any] = {}
            if point.vector is not None:
                vectors[dense] = orjson.loads(point.vector)
                # The engine writes its log before it looks: what it refuses would be in there for good.
                if schema.dimensions is not None and len(vectors[dense]) != schema.dimensions:
                    raise dimension_mismatch()
            if schema.sparse:
                vectors[sparse] = bm25.embed_document(point.text)
            made.append(edge.Point(point.id, vectors, point.payload))
    return made


def find_vectors(shard: Shard, schema: CollectionSchema, hashes: Sequence[str]) -> dict[str, Vector]:
    """Return stored vectors by the hashes of their texts."""
    name = dense_vector(schema.fingerprint)
    found: dict[str, Vector] = {}
    missing = list(dict.fromkeys(hashes))
    # Thousands of chunks may share one text: each further page leaves out the hashes that were found.
    while missing:
        request = edge.ScrollRequest(
            limit=PAGE,
            filter=edge.Filter(must=[edge.FieldCondition(Payload.HASH, match=edge.MatchAny(missing))]),
            with_payload=[Payload.HASH],
            with_vector=[name],
        )
        points, _ = shard.read(_scroll(request))
        for point in points:
            vector = (point.vector or {}).get(name)
            if vector is not None:
                found.setdefault(point.payload[Payload.HASH], orjson.dumps(vector))
        left = [each for each in missing if each not in found]
        missing = left if len(points) == PAGE and len(left) < len(missing) else []
    return found


def search(
    shard: Shard, bm25: edge.Bm25, *, fingerprint: str, vector: Vector | None, text: str | None, limit: int
) -> tuple[list[Hit], list[Hit]]:
    """Search by meaning and by words in one pass."""

    def ask(query: Any, name: str) -> edge.QueryRequest:
        return edge.QueryRequest(limit=limit, query=edge.Query.Nearest(query, using=name), with_payload=True)

    requests = []
    if vector is not None:
        requests.append(ask(orjson.loads(vector), dense_vector(fingerprint)))
    if text is not None:
        with unicode_checked():
            requests.append(ask(bm25.embed_query(text), sparse_vector(fingerprint)))
    batch = edge.QueryBatchRequest(requests)
    lists = iter(shard.read(lambda engine: engine.query_batch(batch)))
    dense, sparse = (
        [(str(point.id), point.score, point.payload) for point in next(lists)] if query is not None else []
        for query in (vector, text)
    )
    return merge_scores(dense, sparse)


def equals(*pairs: str) -> edge.Filter:
    """Return the filter for points whose fields equal values, given as field, value, field, value."""
    return edge.Filter(
        must=[
            edge.FieldCondition(field, match=edge.MatchValue(value))
            for field, value in zip(pairs[::2], pairs[1::2], strict=True)
        ]
    )


def only_point(point: str) -> edge.Filter:
    """Return the filter for one point: naming an unknown id is an error, a filter that finds nothing is none."""
    return edge.Filter(must=[edge.HasIdCondition({point})])


@contextlib.contextmanager
def unicode_checked() -> Iterator[None]:
    """Turn the engine's complaint about text that is no Unicode into ours."""
    try:
        yield
    except (TypeError, UnicodeError) as error:
        raise invalid_text() from error


def _scroll(request: edge.ScrollRequest) -> Callable[[Any], Any]:
    return lambda engine: engine.scroll(request)
