"""What a prepared document means for the collection: which chunks are new, moved or gone. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from lorekeeper_api.contract.collection import Payload
from lorekeeper_api.contract.points import ChunkIds, text_hash
from lorekeeper_api.contract.records import DocumentRecord, DocumentState, StoredChunk
from lorekeeper_runtime.errors import DocumentError
from lorekeeper_runtime.ingest.prepare import EMPTY, PreparedDocument
from lorekeeper_runtime.ports import Chunk, ChunkPoint

__all__ = ["DocumentCommit", "compute_commit", "compute_failure", "point_ids"]


@dataclass(slots=True)
class DocumentCommit:
    """The writes that bring the collection from a document's last version to this one.

    In the order they are made: new chunks; when chunks moved, a record that says the document is in the making, then
    their payloads; the record; the deletion of chunks that are gone.

    A process that is killed between any two leaves a state that the next run finishes: see `recover`.
    """

    record: DocumentRecord
    new: list[ChunkPoint] = field(default_factory=list)
    """Chunks that have no point yet; their vectors are still to come."""
    moved: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """Points that stay and whose payload changes."""
    gone: list[str] = field(default_factory=list)
    """Points that belong to no chunk any more."""


def point_ids(source: str, document: str, chunks: Sequence[StoredChunk]) -> list[str]:
    """Ids of the points of a document's chunks, in order."""
    ids = ChunkIds(source, document)
    return [ids.next_id(chunk_hash) for chunk_hash, _ in chunks]


def compute_commit(source: str, prepared: PreparedDocument, *, contextual_header: bool) -> DocumentCommit:
    """Compare a prepared document with what is stored of it.

    Args:
        source: Name of the source.
        prepared: The document.
        contextual_header: Whether its chunks are embedded and searched together with their headings.
    """
    todo = prepared.todo
    document = todo.listed.id
    previous = todo.previous
    stored: dict[str, str] = {}
    if previous is not None and previous.chunks:
        stored = dict(zip(point_ids(source, document, previous.chunks), (p for _, p in previous.chunks), strict=True))
    commit = DocumentCommit(
        DocumentRecord(
            source=source,
            document=document,
            version=todo.version,
            content=prepared.content,
            state=DocumentState.INDEXED,
            size=prepared.size,
        )
    )
    ids = ChunkIds(source, document)
    chunks = commit.record.chunks
    title = prepared.title
    for position, chunk in enumerate(prepared.chunks):
        text = _with_header(title, chunk) if contextual_header else chunk.text
        chunk_hash = text_hash(text)
        point = ids.next_id(chunk_hash)
        place_hash = _place_hash(title, position, chunk, todo.link)
        chunks.append((chunk_hash, place_hash))
        known = stored.pop(point, None)
        if known == place_hash:
            continue
        payload: dict[str, object] = {
            Payload.SOURCE: source,
            Payload.DOCUMENT: document,
            Payload.HASH: chunk_hash,
            Payload.TEXT: chunk.text,
            Payload.TITLE: title,
            Payload.POSITION: position,
        }
        if chunk.headings:
            payload[Payload.HEADINGS] = chunk.headings
        if chunk.page is not None:
            payload[Payload.PAGE] = chunk.page
        if todo.link:
            payload[Payload.LINK] = todo.link
        if known is None:
            commit.new.append(ChunkPoint(point, None, payload, text))
        else:
            commit.moved.append((point, payload))
    commit.gone = list(stored)
    return commit


def _place_hash(title: str, position: int, chunk: Chunk, link: str) -> str:
    """Hash of what a payload says besides the text: where the passage stands."""
    place = f"{title}\0{position}\0{chunk.page}\0{link}\0" + "\0".join(chunk.headings)
    return hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _with_header(title: str, chunk: Chunk) -> str:
    """A passage seldom repeats what its headings say, so they are embedded and searched with it."""
    path = " > ".join(chunk.headings) if chunk.headings else title
    return f"{path}\n{chunk.text}" if path else chunk.text


def compute_failure(source: str, prepared: PreparedDocument, error: DocumentError) -> DocumentCommit:
    """What is written of a document that could not be indexed.

    While the failure may pass by itself, the chunks of its earlier version stay and are served; when the document
    itself is at fault they go, because the source no longer says what they say.
    """
    todo = prepared.todo
    previous = todo.previous
    chunks = list(previous.chunks) if previous is not None else []
    again = previous is not None and previous.state is DocumentState.FAILED and previous.version == todo.version
    record = DocumentRecord(
        source=source,
        document=todo.listed.id,
        version=todo.version,
        content=prepared.content,
        state=DocumentState.SKIPPED if error.code == EMPTY else DocumentState.FAILED,
        chunks=chunks if error.retryable else [],
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        attempts=(previous.attempts if again and previous is not None else 0) + 1,
        size=prepared.size,
    )
    gone = [] if error.retryable else point_ids(source, todo.listed.id, chunks)
    return DocumentCommit(record, gone=gone)
