"""Writes documents to an embedded store and says which are safe: a process for others to kill.

python -m tests.support.store_child HOME SEED
"""

import asyncio
import random
import sys
import uuid
from pathlib import Path

import orjson

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_api.contract.points import text_hash
from lorekeeper_api.contract.records import DocumentRecord, DocumentState
from lorekeeper_runtime.ports import ChunkPoint
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock

SCHEMA = CollectionSchema("ns.p.0a1b2c3d", "ns.p.0a1b2c3d.documents", "0a1b2c3d", 8, sparse=True)
ALIAS = "ns.p"


def make_document(name: str, seed: int) -> tuple[DocumentRecord, list[ChunkPoint]]:
    """A document whose chunks anybody can work out again from its name and its version."""
    numbers = random.Random(f"{name} {seed}")
    chunks = []
    for number in range(1 + numbers.randrange(8)):
        text = f"{name} version {seed} part {number}"
        hashed = text_hash(text)
        payload: dict[str, object] = {
            Payload.SOURCE: "docs",
            Payload.DOCUMENT: name,
            Payload.HASH: hashed,
            Payload.TEXT: text,
        }
        vector = orjson.dumps([numbers.gauss(0, 1) for _ in range(8)])
        chunks.append(ChunkPoint(str(uuid.uuid5(uuid.NAMESPACE_OID, text)), vector, payload, text))
    stored = [(str(chunk.payload[Payload.HASH]), "") for chunk in chunks]
    return DocumentRecord("docs", name, str(seed), "", DocumentState.INDEXED, stored), chunks


async def write_forever(home: Path, seed: int) -> None:
    """Write and rewrite documents, the chunks first and then the record, and print each one that is acknowledged."""
    with HomeLock(home) as lock:
        store = await EmbeddedStore.open(home, lock)
        await store.ensure_collections(SCHEMA)
        await store.promote(ALIAS, SCHEMA.collection)
        print("open", flush=True)
        numbers = random.Random(seed)
        while True:
            name = f"{numbers.randrange(40)}.md"
            record, chunks = make_document(name, seed)
            await store.upsert_chunks(SCHEMA, chunks)
            await store.write_documents(SCHEMA.documents, [record])
            print(f"{name} {seed}", flush=True)


if __name__ == "__main__":
    asyncio.run(write_forever(Path(sys.argv[1]), int(sys.argv[2])))
