"""A Store in memory: fast enough to sweep over every write of an ingestion. It passes the store contract suite."""

import copy
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence

import orjson

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_api.contract.points import document_point_id
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ActiveCollection, ChunkPoint, Hit, StoreCounts, Vector

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
        self._points(schema.collection).update({point.id: copy.deepcopy(point) for point in points})

    async def set_payloads(self, collection: str, payloads: Sequence[tuple[str, dict[str, object]]]) -> None:
        points = self._points(collection)
        for point, payload in payloads:
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
        points = list(self._points(name).values())
        if self.schemas[name].fingerprint != fingerprint:
            raise StoreError("The collection is of another revision.", code="RevisionChanged")
        dense = [] if vector is None else _dense(points, vector)
        sparse = [] if text is None else _sparse(points, text)
        return dense[:limit], sparse[:limit]

    async def read_documents(self, documents: str, source: str) -> AsyncIterator[list[DocumentRecord]]:
        records = [copy.deepcopy(r) for r in self.documents[documents].values() if r.source == source]
        for start in range(0, len(records), PAGE):
            yield records[start : start + PAGE]

    async def write_documents(self, documents: str, records: Iterable[DocumentRecord]) -> None:
        for record in records:
            self.documents[documents][document_point_id(record.source, record.document)] = copy.deepcopy(record)

    async def delete_documents(self, documents: str, keys: Sequence[tuple[str, str]]) -> None:
        for key in keys:
            self.documents[documents].pop(document_point_id(*key), None)

    async def read_runs(self, documents: str) -> dict[str, RunRecord]:
        return copy.deepcopy(self.runs[documents])

    async def write_run(self, documents: str, record: RunRecord) -> None:
        self.runs[documents][record.source] = copy.deepcopy(record)

    async def count(self, collection: str, documents: str) -> StoreCounts:
        states = Counter(record.state.value for record in self.documents[documents].values())
        return StoreCounts(len(self._points(collection)), dict(states))

    async def close(self) -> None:
        pass

    def _points(self, collection: str) -> dict[str, ChunkPoint]:
        if collection not in self.points:
            raise StoreError("The collection does not exist.", code="CollectionMissing", retryable=False)
        return self.points[collection]


def _dense(points: Sequence[ChunkPoint], vector: Vector) -> list[Hit]:
    asked = orjson.loads(vector)
    hits = []
    for point in points:
        if point.vector is None:
            continue
        stored = orjson.loads(point.vector)
        length = math.hypot(*asked) * math.hypot(*stored)
        score = sum(a * b for a, b in zip(asked, stored, strict=True)) / length if length else 0.0
        hits.append(Hit(point.id, copy.deepcopy(point.payload), dense=score))
    return sorted(hits, key=lambda hit: -(hit.dense or 0))


def _sparse(points: Sequence[ChunkPoint], text: str) -> list[Hit]:
    words = [set(re.findall(r"\w+", str(point.payload[Payload.TEXT]).lower())) for point in points]
    asked = set(re.findall(r"\w+", text.lower()))
    found = Counter(word for present in words for word in asked & present)
    hits = []
    for point, present in zip(points, words, strict=True):
        score = sum(math.log(1 + (len(points) - found[w] + 0.5) / (found[w] + 0.5)) for w in asked & present)
        if score > 0:
            hits.append(Hit(point.id, copy.deepcopy(point.payload), sparse=score))
    return sorted(hits, key=lambda hit: -(hit.sparse or 0))
