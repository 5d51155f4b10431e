"""The part of a store that questions need, in memory, with faults on request.

It stands in where a test must say when a search fails or hangs; what a store does in truth is said by the contract
suite of the real ones.
"""

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.ports import ActiveCollection, ChunkPoint, Hit

__all__ = ["MemoryStore", "words_of"]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@dataclass
class MemoryCollection:
    fingerprint: str
    points: dict[str, ChunkPoint] = field(default_factory=dict)


class MemoryStore:
    """Collections by name, aliases, and search by cosine and by a plain IDF."""

    def __init__(self) -> None:
        self.collections: dict[str, MemoryCollection] = {}
        self.aliases: dict[str, str] = {}
        self.alias_reads = 0
        self.searches = 0
        self.down = False
        self.before_search: Callable[[], None] | None = None
        self.hang = False
        self.searching = asyncio.Event()
        self.search_cancelled = asyncio.Event()

    def add(self, collection: str, fingerprint: str, points: list[ChunkPoint]) -> None:
        stored = self.collections.setdefault(collection, MemoryCollection(fingerprint))
        stored.points.update((point.id, point) for point in points)

    async def promote(self, alias: str, collection: str) -> None:
        self.aliases[alias] = collection

    async def read_alias(self, alias: str) -> ActiveCollection | None:
        self.alias_reads += 1
        self._check()
        name = self.aliases.get(alias)
        return None if name is None else ActiveCollection(name, self.collections[name].fingerprint)

    async def search(
        self, collection: str, *, fingerprint: str, vector: bytes | None, text: str | None, limit: int
    ) -> tuple[list[Hit], list[Hit]]:
        self.searches += 1
        if self.before_search is not None:
            self.before_search()
        self._check()
        if self.hang:
            self.searching.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.search_cancelled.set()
        stored = self.collections.get(self.aliases.get(collection, collection))
        if stored is None:
            raise StoreError("The collection does not exist; ingest first.", code="CollectionMissing")
        if stored.fingerprint != fingerprint:
            raise StoreError("The revision is another one; ask again.", code="RevisionChanged")
        dense = [] if vector is None else self._by_meaning(stored, orjson.loads(vector))
        sparse = [] if text is None else self._by_words(stored, set(words_of(text)))
        return dense[:limit], sparse[:limit]

    def _check(self) -> None:
        if self.down:
            raise StoreError("The store does not answer; start it.", code="StoreUnreachable")

    @staticmethod
    def _by_meaning(stored: MemoryCollection, query: list[float]) -> list[Hit]:
        hits = []
        for point in stored.points.values():
            assert point.vector is not None
            cosine = math.fsum(a * b for a, b in zip(query, orjson.loads(point.vector), strict=True))
            hits.append(Hit(point.id, dict(point.payload), dense=cosine))
        return sorted(hits, key=lambda hit: (-(hit.dense or 0), hit.id))

    @staticmethod
    def _by_words(stored: MemoryCollection, query: set[str]) -> list[Hit]:
        texts = {id_: set(words_of(point.text)) for id_, point in stored.points.items()}
        hits = []
        for id_, words in texts.items():
            score = sum(
                math.log(1 + len(texts) / sum(word in other for other in texts.values())) for word in query & words
            )
            if score:
                hits.append(Hit(id_, dict(stored.points[id_].payload), sparse=score))
        return sorted(hits, key=lambda hit: (-(hit.sparse or 0), hit.id))
