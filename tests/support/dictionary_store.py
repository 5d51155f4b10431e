"""A Store in dictionaries: fast enough to sweep over every write of an ingestion. It passes the contract suite."""

import copy
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson
import qdrant_edge as edge

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_api.contract.points import document_point_id
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ActiveCollection, ChunkPoint, Hit, StoreCounts, Vector
from lorekeeper_runtime.stores.engine import make_bm25
from lorekeeper_runtime.stores.scores import merge_scores

PAGE = 100


class DictionaryStore:
    """Holds everything in dictionaries; vectors are kept as they came."""

    def __init__(self) -> None:
        self.schemas: dict[str, CollectionSchema] = {}
        self.points: dict[str, dict[str, ChunkPoint]] = {}
        self.documents: dict[str, dict[str, DocumentRecord]] = {}
        self.runs: dict[str, dict[str, RunRecord]] = {}
        self.aliases: dict[str, str] = {}

    async def ensure_collections(self, schema: CollectionSchema) -> None:
        known = self.schemas.get(schema.collection)
        if known is not None and known != schema:
            raise StoreError("The collection has another schema.", code="SchemaMismatch", retryable=False)
        if schema.collection not in self.points:  # a manifest without its chunks claims what nobody has
            self.documents.pop(schema.documents, None)
            self.runs.pop(schema.documents, None)
        self.schemas[schema.collection] = schema
        self.points.setdefault(schema.collection, {})
        self.documents.setdefault(schema.documents, {})
        self.runs.setdefault(schema.documents, {})

    async def drop_collections(self, collection: str, documents: str) -> None:
        if collection in self.aliases.values():
            raise StoreError("The collection is in use.", code="CollectionInUse", retryable=False)
        for mapping in (self.schemas, self.points):
            mapping.pop(collection, None)
        self.documents.pop(documents, None)
        self.runs.pop(documents, None)

    async def list_collections(self) -> list[str]:
        return sorted([*self.points, *self.documents])

    async def read_alias(self, alias: str) -> ActiveCollection | None:
        collection = self.aliases.get(alias)
        return None if collection is None else ActiveCollection(collection, self.schemas[collection].fingerprint)

    async def promote(self, alias: str, collection: str) -> None:
        self._points(collection)
        self.aliases[alias] = collection

    async def upsert_chunks(self, schema: CollectionSchema, points: Sequence[ChunkPoint]) -> None:
        stored = self._points(schema.collection)
        for point in points:
            _check_text(point.text, point.payload)
            vector = None if point.vector is None else _normalised(point.vector, schema.dimensions)
            stored[point.id] = replace(copy.deepcopy(point), vector=vector)

    async def set_payloads(self, collection: str, payloads: Sequence[tuple[str, dict[str, object]]]) -> None:
        points = self._points(collection)
        for point, payload in payloads:
            _check_text(payload)
            if point in points:
                points[point].payload = copy.deepcopy(payload)

    async def delete_chunks(self, collection: str, ids: Sequence[str]) -> None:
        points = self._points(collection)
        for point in ids:
            points.pop(point, None)

    async def find_vectors(self, schema: CollectionSchema, hashes: Sequence[str]) -> dict[str, Vector]:
        wanted = set(hashes)
        return {
            str(point.payload[Payload.HASH]): point.vector
            for point in self._points(schema.collection).values()
            if point.payload[Payload.HASH] in wanted and point.vector is not None
        }

    async def list_chunk_ids(self, collection: str, source: str) -> AsyncIterator[list[str]]:
        ids = [p.id for p in self._points(collection).values() if p.payload[Payload.SOURCE] == source]
        for start in range(0, len(ids), PAGE):
            yield ids[start : start + PAGE]

    async def search(
        self, collection: str, *, fingerprint: str, vector: Vector | None, text: str | None, limit: int
    ) -> tuple[list[Hit], list[Hit]]:
        name = self.aliases.get(collection, collection)
        points, schema = list(self._points(name).values()), self.schemas[name]
        if schema.fingerprint != fingerprint:
            raise StoreError("The collection is of another revision.", code="RevisionChanged")
        dense = [] if vector is None else _dense(points, vector, schema.dimensions)[:limit]
        sparse = [] if text is None else _sparse(points, text)[:limit]
        return merge_scores(
            [(hit.id, hit.dense or 0.0, hit.payload) for hit in dense],
            [(hit.id, hit.sparse or 0.0, hit.payload) for hit in sparse],
        )

    async def read_documents(self, documents: str, source: str) -> AsyncIterator[list[DocumentRecord]]:
        records = [copy.deepcopy(r) for r in _present(self.documents, documents).values() if r.source == source]
        for start in range(0, len(records), PAGE):
            yield records[start : start + PAGE]

    async def write_documents(self, documents: str, records: Iterable[DocumentRecord]) -> None:
        stored = _present(self.documents, documents)
        for record in records:
            _check_text(record)
            stored[document_point_id(record.source, record.document)] = copy.deepcopy(record)

    async def delete_documents(self, documents: str, keys: Sequence[tuple[str, str]]) -> None:
        stored = _present(self.documents, documents)
        for key in keys:
            _check_text(key)
            stored.pop(document_point_id(*key), None)

    async def read_runs(self, documents: str) -> dict[str, RunRecord]:
        return copy.deepcopy(_present(self.runs, documents))

    async def write_run(self, documents: str, record: RunRecord) -> None:
        _check_text(record)
        _present(self.runs, documents)[record.source] = copy.deepcopy(record)

    async def count(self, collection: str, documents: str) -> StoreCounts:
        states = Counter(record.state.value for record in _present(self.documents, documents).values())
        return StoreCounts(len(self._points(collection)), dict(states))

    async def close(self) -> None:
        pass

    def _points(self, collection: str) -> dict[str, ChunkPoint]:
        return _present(self.points, collection)


def _present(mapping: dict[str, Any], name: str) -> Any:
    if name not in mapping:
        raise StoreError("The collection does not exist.", code="CollectionMissing", retryable=False)
    return mapping[name]


def _check_text(*texts: object) -> None:
    try:
        orjson.dumps(texts)
    except orjson.JSONEncodeError as error:
        raise StoreError("A text is no Unicode.", code="InvalidText", retryable=False) from error


def _normalised(vector: Vector, dimensions: int | None) -> Vector:
    numbers = orjson.loads(vector)
    if len(numbers) != dimensions:
        raise StoreError("The vector has another length.", code="DimensionMismatch", retryable=False)
    length = math.hypot(*numbers) or 1.0
    return orjson.dumps([number / length for number in numbers])


def _dense(points: Sequence[ChunkPoint], vector: Vector, dimensions: int | None) -> list[Hit]:
    asked = orjson.loads(_normalised(vector, dimensions))
    hits = [
        Hit(
            point.id,
            copy.deepcopy(point.payload),
            dense=sum(a * b for a, b in zip(asked, orjson.loads(point.vector), strict=True)),
        )
        for point in points
        if point.vector is not None
    ]
    return sorted(hits, key=lambda hit: -(hit.dense or 0))


def _sparse(points: Sequence[ChunkPoint], text: str) -> list[Hit]:
    """BM25 with the engine's own words and frequencies, and Qdrant's IDF."""
    bm25 = make_bm25()
    frequencies = [_frequencies(bm25.embed_document(point.text)) for point in points]
    asked = set(bm25.embed_query(text).indices)
    found = Counter(word for each in frequencies for word in asked & each.keys())
    idf = {word: math.log(1 + (len(points) - n + 0.5) / (n + 0.5)) for word, n in found.items()}
    hits = []
    for point, each in zip(points, frequencies, strict=True):
        if common := asked & each.keys():
            score = sum(idf[word] * each[word] for word in common)
            hits.append(Hit(point.id, copy.deepcopy(point.payload), sparse=score))
    return sorted(hits, key=lambda hit: -(hit.sparse or 0))


def _frequencies(vector: edge.SparseVector) -> dict[int, float]:
    return dict(zip(vector.indices, vector.values, strict=True))
