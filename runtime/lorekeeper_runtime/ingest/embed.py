"""Vectors for new chunks: from the same text in this run or in the store where possible, else from the embedder."""

import math
from collections import OrderedDict
from collections.abc import Sequence

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_runtime.ports import ChunkPoint, Embedder, Store, Vector

__all__ = ["VectorSupply"]

REMEMBERED = 2048
"""Vectors kept at hand; 384 numbers are about 4 KiB of JSON, so this is some 8 MiB."""


class VectorSupply:
    """Gives each distinct text its vector once.

    Args:
        embedder: None for a revision without dense vectors.
        store: Asked for the vectors of texts that it holds already.
        schema: The revision.
        stored: Whether the collection held anything when the run began; an empty one is asked only for texts of this
            run that are no longer at hand.
        texts_per_call: Texts in one call of the embedder.
    """

    def __init__(
        self, embedder: Embedder | None, store: Store, schema: CollectionSchema, *, stored: bool, texts_per_call: int
    ) -> None:
        self._embedder = embedder
        self._store = store
        self._schema = schema
        self._stored = stored
        self._texts_per_call = texts_per_call
        self._recent: OrderedDict[str, Vector] = OrderedDict()
        self._written: set[str] = set()
        self.embedded = 0
        """Texts that the embedder was asked for."""

    async def add_vectors(self, points: Sequence[ChunkPoint]) -> None:
        """Give all points their vectors; none in a revision without dense vectors.

        Raises:
            ProviderError: The embedder failed.
            StoreError: The store failed.
        """
        if self._embedder is None:
            return
        vectors: dict[str, Vector] = {}
        missing: dict[str, str] = {}
        hashes = [str(point.payload[Payload.HASH]) for point in points]
        for chunk_hash, point in zip(hashes, points, strict=True):
            vector = self._recent.get(chunk_hash)
            if vector is None:
                missing[chunk_hash] = point.text
            else:
                vectors[chunk_hash] = vector
        if missing:
            asked = list(missing) if self._stored else [h for h in missing if h in self._written]
            if asked:
                vectors |= await self._find(asked, missing)
            vectors |= await self._embed(self._embedder, missing)
            self._remember(vectors)
        for chunk_hash, point in zip(hashes, points, strict=True):
            point.vector = vectors[chunk_hash]

    async def _embed(self, embedder: Embedder, missing: dict[str, str]) -> dict[str, Vector]:
        """Ask the embedder, in calls of about equal size: a full one and a small rest cost more than two halves."""
        texts = list(missing.values())
        made: list[Vector] = []
        calls = math.ceil(len(texts) / self._texts_per_call)
        for call in range(calls):
            part = texts[len(texts) * call // calls : len(texts) * (call + 1) // calls]
            made += await embedder.embed_documents(part)
            self.embedded += len(part)
        return dict(zip(missing, made, strict=True))

    async def _find(self, asked: list[str], missing: dict[str, str]) -> dict[str, Vector]:
        found = await self._store.find_vectors(self._schema, asked)
        for chunk_hash in found:
            del missing[chunk_hash]
        return found

    def _remember(self, vectors: dict[str, Vector]) -> None:
        recent = self._recent
        recent.update(vectors)
        self._written.update(vectors)
        while len(recent) > REMEMBERED:
            recent.popitem(last=False)
