"""Vectors for new chunks: from the same text in this run or in the store where possible, else from the embedder."""

from collections import OrderedDict
from collections.abc import Sequence

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_runtime.ingest.commit import NewChunk
from lorekeeper_runtime.ports import Embedder, Store, Vector

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

    async def vectors_for(self, chunks: Sequence[NewChunk]) -> dict[str, Vector]:
        """Return the vectors of all chunks by text hash; empty for a revision without dense vectors.

        Raises:
            ProviderError: The embedder failed.
            StoreError: The store failed.
        """
        if self._embedder is None:
            return {}
        vectors: dict[str, Vector] = {}
        missing: dict[str, str] = {}
        for chunk in chunks:
            vector = self._recent.get(chunk.hash)
            if vector is None:
                missing[chunk.hash] = chunk.text
            else:
                vectors[chunk.hash] = vector
        if missing:
            asked = list(missing) if self._stored else [h for h in missing if h in self._written]
            if asked:
                vectors |= await self._find(asked, missing)
            hashes = list(missing)
            for start in range(0, len(hashes), self._texts_per_call):
                part = hashes[start : start + self._texts_per_call]
                made = await self._embedder.embed_documents([missing[h] for h in part])
                self.embedded += len(part)
                vectors.update(zip(part, made, strict=True))
            self._remember(vectors)
        return vectors

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
