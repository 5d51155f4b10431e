"""A small world for ingestion: a source in memory that can fail, an embedder that counts, a store that can crash."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.config import SourceConfig
from lorekeeper_api.source import InlineDocument, InlineSource, KnowledgeSourceSpec
from lorekeeper_runtime.errors import DocumentError, ProviderError, SourceError
from lorekeeper_runtime.ingest.progress import Snapshot
from lorekeeper_runtime.ingest.sync import Limits, SyncReport, sync_source
from lorekeeper_runtime.ports import (
    Chunk,
    ListedDocument,
    ModelDescription,
    ParsedDocument,
    RawDocument,
    Section,
    Source,
    Store,
    Vector,
)
from tests.support.dictionary_store import DictionaryStore

SCHEMA = CollectionSchema("ns.p.00000001", "ns.p.00000001.documents", "00000001", 4, sparse=True)
LIMITS = Limits(batch_chunks=4, texts_per_call=3, in_flight=2)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class World:
    """Documents by id, and what is wrong with them."""

    documents: dict[str, str] = field(default_factory=dict)
    listing_fails_after: int | None = None
    vanished: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    """Overrides the version that is derived from the text, for example to touch a document."""
    fetched: list[str] = field(default_factory=list)
    closed: int = 0
    revision: str = "r1"

    def list_documents(self) -> Iterator[ListedDocument]:
        for count, (name, text) in enumerate(sorted(self.documents.items())):
            if count == self.listing_fails_after:
                raise SourceError("The source broke off.", code="SourceUnreachable")
            version = self.versions.get(name, hashlib.sha256(text.encode()).hexdigest()[:8])
            yield ListedDocument(name, version, len(text))

    def fetch(self, document: ListedDocument) -> RawDocument:
        self.fetched.append(document.id)
        if document.id in self.vanished:
            raise DocumentError("It vanished.", code="Vanished", retryable=True)
        return RawDocument(document.id, self.documents[document.id].encode())

    def close(self) -> None:
        self.closed += 1


def parse(document: RawDocument) -> ParsedDocument:
    """The first line is the title; `BROKEN` cannot be parsed; `BUG` makes the parser fail in an unforeseen way."""
    text = document.content.decode()
    if "BROKEN" in text:
        raise DocumentError("It is broken.", code="ParseFailed")
    if "BUG" in text:
        raise ZeroDivisionError(text)
    title, _, rest = text.partition("\n")
    return ParsedDocument(title, [Section(rest, (title,))])


class Paragraphs:
    """One chunk a paragraph."""

    def chunk(self, document: ParsedDocument) -> list[Chunk]:
        return [
            Chunk(paragraph, section.headings)
            for section in document.sections
            for paragraph in section.text.split("\n\n")
            if paragraph.strip()
        ]


class HashEmbedder:
    """Vectors from a hash: equal texts have equal vectors. `POISON` is refused as too long."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.away = False

    async def describe(self) -> ModelDescription:
        return ModelDescription("hash", "1", 4)

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        await asyncio.sleep(0)
        if self.away:
            raise ProviderError("The embedder is away.", code="ProviderUnreachable")
        if any("POISON" in text for text in texts):
            raise ProviderError("A text is too long.", code="ContextTooLong", retryable=False)
        self.texts += texts
        return [orjson.dumps([byte / 255 for byte in hashlib.sha256(t.encode()).digest()[:4]]) for t in texts]

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_documents([text]))[0]

    async def close(self) -> None:
        pass


WRITES = {
    "upsert_chunks",
    "set_payloads",
    "delete_chunks",
    "write_documents",
    "delete_documents",
    "write_run",
    "ensure_collections",
    "drop_collections",
    "promote",
}


class WatchedStore:
    """Passes calls on, counts those that write, and crashes at one of them: before it takes effect or after."""

    def __init__(self, store: Store, *, crash_at: int | None = None, after: bool = False) -> None:
        self._store = store
        self._crash_at = crash_at
        self._after = after
        self._dead = False
        self.writes: list[str] = []

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._store, name)
        if name not in WRITES:
            return attribute

        async def write(*arguments: Any, **keywords: Any) -> Any:
            if self._dead:
                raise Crash
            self.writes.append(name)
            if len(self.writes) - 1 == self._crash_at:
                self._dead = True
                if self._after:
                    await attribute(*arguments, **keywords)
                raise Crash
            return await attribute(*arguments, **keywords)

        return write


class Quiet:
    """Keeps the last snapshot."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def update(self, snapshot: Snapshot) -> None:
        if not self.stages or self.stages[-1] != snapshot.stage:
            self.stages.append(snapshot.stage)


def source_config(name: str = "s", **spec: Any) -> SourceConfig:
    inline = InlineSource(documents=[InlineDocument(path="unused.md", text="unused")])
    return SourceConfig(name=name, spec=KnowledgeSourceSpec(inline=inline, **spec))


async def sync(
    world: World,
    store: Any,
    embedder: HashEmbedder | None = None,
    *,
    config: SourceConfig | None = None,
    confirm: bool = False,
    open_source: Callable[[SourceConfig], Source] | None = None,
) -> SyncReport:
    """Sync the world into the store."""
    await store.ensure_collections(SCHEMA)
    return await sync_source(
        store=store,
        schema=SCHEMA,
        config=config or source_config(),
        open_source=open_source or (lambda _: world),
        embedder=embedder or HashEmbedder(),
        parse=parse,
        chunker=Paragraphs(),
        progress=Quiet(),
        limits=LIMITS,
        confirm_deletion=confirm,
    )


def state(store: DictionaryStore) -> dict[str, Any]:
    """Everything that decides what is found and said: points with vectors and payloads, and records of documents."""
    # A vector that is taken from the store and written again is normalised twice.
    points = {
        p.id: ([round(number, 6) for number in orjson.loads(p.vector or b"[]")], p.payload, p.text)
        for p in store.points[SCHEMA.collection].values()
    }
    records = {
        (r.source, r.document): {k: v for k, v in asdict(r).items() if k != "attempts"}
        for r in store.documents[SCHEMA.documents].values()
    }
    return {"points": points, "records": records}


async def fresh_state(world: World) -> dict[str, Any]:
    """State of a store that saw nothing but this world."""
    store = DictionaryStore()
    await sync(World(dict(world.documents), versions=dict(world.versions)), store)
    return state(store)
