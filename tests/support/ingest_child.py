"""Ingests a folder into an embedded store and prints a line at each step: a process for others to kill.

python -m tests.support.ingest_child HOME FOLDER
"""

import asyncio
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.pipeline import Chunking
from lorekeeper_api.source import KnowledgeSourceSpec, VolumeSource
from lorekeeper_runtime.chunking import make_chunker
from lorekeeper_runtime.ingest.progress import Snapshot
from lorekeeper_runtime.ingest.sync import Limits, SyncReport, sync_source
from lorekeeper_runtime.parsers import parse
from lorekeeper_runtime.ports import ModelDescription, Store, Vector
from lorekeeper_runtime.sources import open_source
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock

SCHEMA = CollectionSchema("ns.p.0000000c", "ns.p.0000000c.documents", "0000000c", 8, sparse=True)


class HashEmbedder:
    """Vectors from a hash: equal texts have equal vectors."""

    def __init__(self) -> None:
        self.embedded = 0

    async def describe(self) -> ModelDescription:
        return ModelDescription("hash", "1", 8)

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        self.embedded += len(texts)
        return [orjson.dumps([b / 255 - 0.5 for b in hashlib.sha256(t.encode()).digest()[:8]]) for t in texts]

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_documents([text]))[0]

    async def close(self) -> None:
        pass


class Lines:
    """Prints a line at each step."""

    def update(self, snapshot: Snapshot) -> None:
        print(snapshot.stage, snapshot.done, snapshot.total, flush=True)


async def ingest_folder(store: Store, folder: Path, embedder: HashEmbedder) -> SyncReport:
    """Sync a folder of Markdown files as the source `docs`."""
    await store.ensure_collections(SCHEMA)
    return await sync_source(
        store=store,
        schema=SCHEMA,
        config=SourceConfig(
            name="docs", spec=KnowledgeSourceSpec(volume=VolumeSource(claim_name="docs")), mount=str(folder)
        ),
        open_source=open_source,
        embedder=embedder,
        parse=parse,
        chunker=make_chunker(Chunking(size=200, overlap=0)),
        progress=Lines(),
        limits=Limits(batch_chunks=8, texts_per_call=8, in_flight=2),
        confirm_deletion=True,
    )


async def main(home: Path, folder: Path) -> None:
    with HomeLock(home) as lock:
        store = await EmbeddedStore.open(home, lock)
        report = await ingest_folder(store, folder, HashEmbedder())
        await store.close()
    print("finished", report.run.outcome, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
