"""The stores that the contract suite runs against, and what it stores in them."""

import os
import pickle
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import orjson

from lorekeeper_api.contract.collection import CollectionSchema, Payload
from lorekeeper_api.contract.points import text_hash
from lorekeeper_api.contract.records import DocumentRecord, DocumentState, RunRecord
from lorekeeper_runtime.http import HttpClient, SecretFile
from lorekeeper_runtime.ports import ChunkPoint, Store
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock
from lorekeeper_runtime.stores.qdrant import QdrantStore
from tests.support.dictionary_store import DictionaryStore
from tests.support.qdrant_server.running import running_server

KEY = "k-7f3a"
DIMENSIONS = 4


@contextmanager
def quick_folder(otherwise: Path) -> Iterator[Path]:
    """A folder in memory where there is room: the engine waits for the disk a hundred times when it makes a shard."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < 2**30:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="store-") as folder:
        yield Path(folder)


class OpenStore(Protocol):
    """Opens a store in a folder; the same folder gives the same contents."""

    def __call__(self, folder: Path) -> AbstractAsyncContextManager[Store]: ...


@asynccontextmanager
async def open_embedded(folder: Path) -> AsyncIterator[Store]:
    with HomeLock(folder) as lock:
        store = await EmbeddedStore.open(folder / "store", lock)
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def open_dictionary(folder: Path) -> AsyncIterator[Store]:
    file = folder / "store.pickle"
    store = pickle.loads(file.read_bytes()) if file.exists() else DictionaryStore()
    yield store
    file.write_bytes(pickle.dumps(store))


@asynccontextmanager
async def open_stand_in(folder: Path) -> AsyncIterator[Store]:
    with running_server(folder / "server", api_key=KEY) as url:
        store = make_qdrant_store(url, folder, KEY)
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def open_real(folder: Path) -> AsyncIterator[Store]:
    store = make_qdrant_store(os.environ["QDRANT_URL"], folder, os.environ.get("QDRANT_API_KEY"))
    try:
        yield store
    finally:
        await store.close()


def make_qdrant_store(url: str, folder: Path, key: str | None, **settings: int) -> QdrantStore:
    secret = None
    if key is not None:
        file = folder / "api-key"
        file.write_text(f"{key}\n")
        secret = SecretFile(file)
    return QdrantStore(HttpClient(url, secret=secret, auth_header="api-key", auth_prefix="", attempts=1), **settings)


OPENERS: dict[str, OpenStore] = {
    "dictionary": open_dictionary,
    "embedded": open_embedded,
    "stand-in": open_stand_in,
}
if "QDRANT_URL" in os.environ:
    OPENERS["real"] = open_real


def make_schema(
    pipeline: str | None = None,
    fingerprint: str = "0a1b2c3d",
    *,
    dimensions: int | None = DIMENSIONS,
    sparse: bool = True,
) -> CollectionSchema:
    """A schema with names that no other test has: a real server is shared."""
    name = f"test.{pipeline or uuid.uuid4().hex}.{fingerprint}"
    return CollectionSchema(name, f"{name}.documents", fingerprint, dimensions, sparse)


def make_chunk(
    text: str,
    vector: Sequence[float] | None = (1.0, 0.0, 0.0, 0.0),
    *,
    source: str = "docs",
    document: str = "a.md",
    occurrence: int = 0,
    searched: str | None = None,
    **payload: object,
) -> ChunkPoint:
    """A chunk; `searched` is what a search by words looks at where that is not the text alone."""
    hashed = text_hash(text)
    return ChunkPoint(
        str(uuid.uuid5(uuid.NAMESPACE_OID, f"{source} {document} {hashed} {occurrence}")),
        None if vector is None else orjson.dumps(list(vector)),
        {Payload.SOURCE: source, Payload.DOCUMENT: document, Payload.HASH: hashed, Payload.TEXT: text, **payload},
        text if searched is None else searched,
    )


def make_record(document: str, source: str = "docs", **fields: object) -> DocumentRecord:
    return DocumentRecord(
        source,
        document,
        version=f"v-{document}",
        content="c" * 32,
        state=DocumentState.INDEXED,
        chunks=[("1" * 32, "2" * 32), ("3" * 32, "4" * 32)],
        **fields,  # type: ignore[arg-type]
    )


def make_run(source: str, run: str = "run-1") -> RunRecord:
    return RunRecord(source, run, "Succeeded", "2026-01-02T03:04:05Z", finished="2026-01-02T03:05:05Z", listed=7)
