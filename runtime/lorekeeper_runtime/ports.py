"""The ports: what ingestion and the query service need from the outside, as Protocols.

Sources, parsers and chunkers are synchronous and run in a worker thread; stores and models are asynchronous. A vector
travels as the bytes of a JSON array, the way providers send it and Qdrant takes it, so that it is never turned into
Python floats on the way.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.records import DocumentRecord, RunRecord

__all__ = [
    "ActiveCollection",
    "Chunk",
    "ChunkPoint",
    "Chunker",
    "Embedder",
    "GeneratedPiece",
    "GenerationRequest",
    "Generator",
    "Hit",
    "ListedDocument",
    "ModelDescription",
    "ParsedDocument",
    "Parser",
    "Passage",
    "RawDocument",
    "Section",
    "Source",
    "Store",
    "StoreCounts",
    "Vector",
]

Vector = bytes
"""A dense vector as the bytes of a JSON array of numbers, for example b"[0.1,-0.2]"."""


# --- sources ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """One line of a source's listing; cheap to make, nothing is read."""

    id: str
    """Id within the source: for files the path below the source's folder, with forward slashes."""
    version: str
    """Opaque; equal means unchanged."""
    size: int
    """Bytes."""
    link: str = ""
    """Address for citations, where the source knows one."""


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as the source gave it."""

    id: str
    content: bytes
    content_type: str = ""
    """What the source says it is; a hint, the content decides."""


class Source(Protocol):
    """Where documents come from. Synchronous: it is used from one worker thread."""

    @property
    def revision(self) -> str:
        """What the last listing saw, for example a commit id; empty when the source has no such thing."""
        ...

    def list_documents(self) -> Iterator[ListedDocument]:
        """Yield every document, ids unique. Only an iterator that ends without an error is a complete listing.

        Raises:
            SourceError: The source cannot be listed.
        """
        ...

    def fetch(self, document: ListedDocument) -> RawDocument:
        """Read one listed document.

        Raises:
            DocumentError: It cannot be read; the run goes on.
        """
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


# --- parsing and chunking --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Section:
    """A run of text under one path of headings."""

    text: str
    """Plain text or Markdown; paragraphs are divided by an empty line, code stands in fences."""
    headings: tuple[str, ...] = ()
    """Headings that the text stands under, outermost first, without markup."""
    page: int | None = None
    """Page that the text begins on, from 1."""


@dataclass(slots=True)
class ParsedDocument:
    """A document as text."""

    title: str
    sections: list[Section]


class Parser(Protocol):
    """Turns the bytes of one content type into text."""

    def parse(self, document: RawDocument) -> ParsedDocument:
        """Parse a document.

        Raises:
            DocumentError: It is not what it says, is damaged, or holds no text.
        """
        ...


@dataclass(slots=True)
class Chunk:
    """A passage: what is embedded, found and cited."""

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


class Chunker(Protocol):
    """Cuts a parsed document into chunks."""

    def chunk(self, document: ParsedDocument) -> list[Chunk]:
        """Return the chunks in order; no text is lost and none is longer than the limit."""
        ...


# --- models ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a provider says of a model."""

    name: str
    digest: str
    """Identity of the weights; empty when the provider cannot tell."""
    dimensions: int | None = None
    """Length of its vectors; None when it does not embed."""
    context_length: int | None = None
    """Tokens it reads at most; None when the provider does not tell."""


class Embedder(Protocol):
    """Turns texts into vectors. Prefixes are the implementation's business: callers pass bare texts."""

    async def describe(self) -> ModelDescription:
        """Ask the provider about the model; for an embedding model `dimensions` is always set.

        Raises:
            ProviderError: The provider does not answer or does not have the model, or the model does not embed.
        """
        ...

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector a text, in order.

        Raises:
            ProviderError: Also when the reply has too few vectors or vectors of another length.
        """
        ...

    async def embed_query(self, text: str) -> Vector:
        """Return the vector of a question."""
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk as the generator sees it; `number` is the mark it is cited by, from 1."""

    number: int
    text: str
    title: str
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A question with the passages that may answer it."""

    question: str
    passages: Sequence[Passage]
    history: Sequence[tuple[str, str]] = ()
    """Earlier turns as (role, text), roles user and assistant, oldest first."""
    temperature: float | None = None
    """Overrides the configured one."""
    max_tokens: int | None = None
    """Overrides the configured one, downwards only."""
    stop: Sequence[str] = ()
    seed: int | None = None


@dataclass(slots=True)
class GeneratedPiece:
    """A part of an answer; the last one carries the counts."""

    text: str
    finish_reason: str | None = None
    """`stop` or `length` on the last piece."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Generator(Protocol):
    """Writes an answer from passages, citing them as [n]."""

    async def describe(self) -> ModelDescription:
        """Ask the provider about the model.

        Raises:
            ProviderError: The provider does not answer or does not have the model.
        """
        ...

    def generate(self, request: GenerationRequest) -> AsyncIterator[GeneratedPiece]:
        """Yield the answer piece by piece; closing the iterator stops the work upstream.

        A generator that finds no support in the passages yields no text at all: the caller then says so.

        Raises:
            ProviderError: The provider refused, broke off or did not answer.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...


# --- stores ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ChunkPoint:
    """A chunk on its way into a collection."""

    id: str
    vector: Vector | None
    """None in a collection without dense vectors."""
    payload: dict[str, object]
    """Fields of `contract.collection.Payload`."""
    text: str
    """What is embedded, and what the store computes the BM25 vector from: the passage, with its headings in front
    where the revision wants them.
    """


@dataclass(slots=True)
class Hit:
    """A found chunk with the scores that found it."""

    id: str
    payload: dict[str, object]
    dense: float | None = None
    """Cosine similarity; None when only the sparse search found it."""
    sparse: float | None = None
    """BM25 score; None when only the dense search found it."""


@dataclass(frozen=True, slots=True)
class ActiveCollection:
    """What an alias names."""

    collection: str
    fingerprint: str
    """From the collection's own metadata."""


@dataclass(slots=True)
class StoreCounts:
    """Sizes of one revision."""

    chunks: int = 0
    documents: dict[str, int] = field(default_factory=dict)
    """Documents by state, see `contract.records.DocumentState`."""


class Store(Protocol):
    """Collections of chunks, each with a document manifest beside it. Every write is acknowledged when it is durable
    against the death of this process.

    Raises of every method:
        StoreError: The store refused or did not answer.
    """

    async def ensure_collections(self, schema: CollectionSchema) -> None:
        """Create the collection and its manifest where they are missing; refuse those of another schema."""
        ...

    async def drop_collections(self, collection: str, documents: str) -> None:
        """Delete a revision; missing collections are no error. The one that an alias names is refused."""
        ...

    async def list_collections(self) -> list[str]:
        """Names of all collections."""
        ...

    async def read_alias(self, alias: str) -> ActiveCollection | None:
        """What the alias names, or None. It names a collection with its fingerprint as one thing."""
        ...

    async def promote(self, alias: str, collection: str) -> None:
        """Let the alias name the collection from now on, in one step."""
        ...

    # chunks

    async def upsert_chunks(self, schema: CollectionSchema, points: Sequence[ChunkPoint]) -> None:
        """Write chunks, replacing those with the same ids."""
        ...

    async def set_payloads(self, collection: str, payloads: Sequence[tuple[str, dict[str, object]]]) -> None:
        """Replace the whole payload of points that stay as they are otherwise; unknown ids are ignored."""
        ...

    async def delete_chunks(self, collection: str, ids: Sequence[str]) -> None:
        """Delete chunks; unknown ids are no error."""
        ...

    async def find_vectors(self, schema: CollectionSchema, hashes: Sequence[str]) -> dict[str, Vector]:
        """Dense vectors of chunks already stored with these text hashes, by hash; those not found are absent."""
        ...

    def list_chunk_ids(self, collection: str, source: str) -> AsyncIterator[list[str]]:
        """Yield the ids of all chunks of a source, page by page."""
        ...

    async def search(
        self,
        collection: str,
        *,
        fingerprint: str,
        vector: Vector | None,
        text: str | None,
        limit: int,
    ) -> tuple[list[Hit], list[Hit]]:
        """Search by meaning (vector) and by words (text) in one request; a list is empty when its query is None.

        Args:
            collection: A collection or an alias.
            fingerprint: Revision that the vectors belong to: a search in another revision's collection fails with the
                code RevisionChanged instead of answering nonsense.
            vector: The embedded question, or None.
            text: The question's words, or None.
            limit: Length of each list at most.
        """
        ...

    # document manifest

    def read_documents(self, documents: str, source: str) -> AsyncIterator[list[DocumentRecord]]:
        """Yield the records of a source, page by page."""
        ...

    async def write_documents(self, documents: str, records: Iterable[DocumentRecord]) -> None:
        """Write records, replacing earlier ones of the same documents."""
        ...

    async def delete_documents(self, documents: str, keys: Sequence[tuple[str, str]]) -> None:
        """Delete records by (source, document)."""
        ...

    async def read_runs(self, documents: str) -> dict[str, RunRecord]:
        """The last run of each source."""
        ...

    async def write_run(self, documents: str, record: RunRecord) -> None:
        """Write the run of a source in place of its last one."""
        ...

    async def count(self, collection: str, documents: str) -> StoreCounts:
        """Sizes of a revision."""
        ...

    async def close(self) -> None:
        """Flush and let go of what is held open."""
        ...
