"""A pipeline made of parts that a test can predict: hashed words as vectors, a generator that says what it is told."""

import asyncio
import math
import zlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import orjson

from lorekeeper_api.contract.collection import Payload
from lorekeeper_api.contract.config import (
    EmbeddingConfig,
    GenerationConfig,
    RevisionConfig,
    RuntimeConfig,
    StoreConfig,
)
from lorekeeper_api.pipeline import Chunking, EmbeddingProvider, GenerationProvider, Retrieval
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.ports import ChunkPoint, GeneratedPiece, GenerationRequest, ModelDescription
from lorekeeper_runtime.query.pipeline import Pipeline
from tests.support.memory_store import MemoryStore, words_of

__all__ = ["FINGERPRINT", "EchoGenerator", "HashEmbedder", "make_config", "make_pipeline", "make_points"]

FINGERPRINT = "0a1b2c3d"
OTHER = "ffffffff"
DIMENSIONS = 256

DOCUMENTS: list[dict[str, Any]] = [
    {
        "document": "ports.md",
        "title": "Ports",
        "headings": ["Network", "Defaults"],
        "text": "The service listens on port 8080 by default.",
        "link": "https://docs.example.com/ports.md",
        "page": 3,
    },
    {"document": "backup.md", "title": "Backup", "headings": [], "text": "A backup runs every night at two."},
    {
        "document": "colour.md",
        "title": "Colour",
        "headings": [],
        "text": "The logo of the service is green.",
        "link": "https://docs.example.com/colour.md",
    },
]


class HashEmbedder:
    """Each word is one direction: texts that share words are alike."""

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.error: ProviderError | None = None
        self.describes = 0
        self.hang = False
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    def vector(self, text: str) -> bytes:
        numbers = [0.0] * DIMENSIONS
        for word in words_of(text):
            numbers[zlib.crc32(word.encode()) % DIMENSIONS] += 1.0
        length = math.sqrt(sum(number * number for number in numbers)) or 1.0
        return orjson.dumps([number / length for number in numbers])

    async def describe(self) -> ModelDescription:
        self.describes += 1
        if self.error:
            raise self.error
        return ModelDescription("hash", "", DIMENSIONS)

    async def embed_documents(self, texts: Sequence[str]) -> list[bytes]:
        return [self.vector(text) for text in texts]

    async def embed_query(self, text: str) -> bytes:
        self.embedded.append(text)
        if self.error:
            raise self.error
        if self.hang:
            self.started.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
        return self.vector(text)

    async def close(self) -> None:
        pass


class EchoGenerator:
    """Writes what `write` says, piece by piece; by default the first passage with its mark."""

    def __init__(self, write: Callable[[GenerationRequest], list[str]] | None = None) -> None:
        self.write = write or (lambda request: ["It says: ", request.passages[0].text, " [", "1]."])
        self.requests: list[GenerationRequest] = []
        self.error: Exception | None = None
        self.describe_error: ProviderError | None = None
        self.error_after: Exception | None = None
        self.hang_before = False
        self.hang_after = False
        self.finish_reason = "stop"
        self.started = asyncio.Event()
        self.closed = asyncio.Event()

    async def describe(self) -> ModelDescription:
        if self.describe_error:
            raise self.describe_error
        return ModelDescription("echo", "")

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GeneratedPiece]:
        self.requests.append(request)
        self.started.set()
        try:
            if self.error:
                raise self.error
            if self.hang_before:
                await asyncio.Event().wait()
            for text in self.write(request):
                yield GeneratedPiece(text)
            if self.hang_after:
                await asyncio.Event().wait()
            if self.error_after:
                raise self.error_after
            yield GeneratedPiece("", self.finish_reason, 100, 20)
        finally:
            self.closed.set()

    async def close(self) -> None:
        pass


def make_points(documents: Sequence[dict[str, Any]], embedder: HashEmbedder) -> list[ChunkPoint]:
    return [
        ChunkPoint(
            f"point-{number:03}",
            embedder.vector(document["text"]),
            {Payload.SOURCE: "handbook", Payload.POSITION: number, Payload.HEADINGS: [], Payload.TITLE: "", **document},
            document["text"],
        )
        for number, document in enumerate(documents)
    ]


def make_config(
    *,
    retrieval: dict[str, Any] | None = None,
    generation: dict[str, Any] | None = None,
    retrieve_only: bool = False,
    name: str = "support",
) -> RuntimeConfig:
    embedding = EmbeddingConfig(provider=EmbeddingProvider.EMBEDDED, model="hash", dimensions=DIMENSIONS)

    def revision(fingerprint: str) -> RevisionConfig:
        return RevisionConfig(
            fingerprint=fingerprint,
            collection=f"default.{name}.{fingerprint}",
            documents=f"default.{name}.{fingerprint}.documents",
            embedding=embedding,
            chunking=Chunking(),
        )

    return RuntimeConfig(
        pipeline=name,
        store=StoreConfig(kind="Embedded", path="unused"),
        alias=f"default.{name}",
        target=FINGERPRINT,
        revisions={FINGERPRINT: revision(FINGERPRINT), OTHER: revision(OTHER)},
        generation=None
        if retrieve_only
        else GenerationConfig(provider=GenerationProvider.EXTRACTIVE, **(generation or {})),
        retrieval=Retrieval.model_validate({"minimum_score": 0.2, **(retrieval or {})}),
    )


class Parts:
    """A pipeline with its parts within reach."""

    def __init__(self, config: RuntimeConfig, documents: Sequence[dict[str, Any]], **more: Any) -> None:
        self.embedder = HashEmbedder()
        self.store = MemoryStore()
        self.generator = EchoGenerator()
        for fingerprint, revision in config.revisions.items():
            self.store.add(revision.collection, fingerprint, make_points(documents, self.embedder))
        self.store.aliases[config.alias] = config.revisions[config.target].collection
        embedders = dict.fromkeys(config.revisions, self.embedder)
        generator = self.generator if config.generation is not None else None
        self.pipeline = Pipeline(config, self.store, embedders, generator, **more)  # type: ignore[arg-type]


def make_pipeline(documents: Sequence[dict[str, Any]] | None = None, *, clock: Any = None, **config: Any) -> Parts:
    more = {} if clock is None else {"clock": clock}
    return Parts(make_config(**config), DOCUMENTS if documents is None else documents, **more)
