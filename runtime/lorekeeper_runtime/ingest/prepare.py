"""Fetch, parse and chunk: the synchronous half of ingestion, run in a worker thread."""

import hashlib
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lorekeeper_api.contract.records import DocumentState
from lorekeeper_runtime.errors import DocumentError, LorekeeperError
from lorekeeper_runtime.ingest.diff import Todo
from lorekeeper_runtime.ports import Chunk, Chunker, ParsedDocument, RawDocument, Source

__all__ = ["EMPTY", "PreparedDocument", "Preparer", "content_hash"]

EMPTY = "Empty"
"""Code of a document that holds nothing to index; it counts as skipped, not as failed."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class PreparedDocument:
    """A document ready to be embedded, or the reason why it is not."""

    todo: Todo
    content: str = ""
    """Hash of the bytes; empty when they could not be read."""
    size: int = 0
    title: str = ""
    chunks: list[Chunk] = field(default_factory=list)
    same: bool = False
    """The bytes are those that are indexed already: only the version moved."""
    error: DocumentError | None = None


def content_hash(content: bytes, link: str) -> str:
    """Hash of everything that the chunks and payloads of a document are made from: 32 hexadecimal digits."""
    digest = hashlib.blake2b(content, digest_size=16)
    if link:
        digest.update(b"\0" + link.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class Preparer:
    """Prepares documents in order, in batches that fit one round to the embedder; one thread at a time.

    Args:
        todos: What needs a look.
        source: Where it is fetched from.
        parse: Turns bytes into text.
        chunker: Cuts text.
        max_bytes: Largest document that is read.
        max_chunks: Most chunks one document may give.
        batch_chunks: A batch is full with so many chunks, or so many documents.
    """

    def __init__(
        self,
        todos: Iterable[Todo],
        *,
        source: Source,
        parse: Callable[[RawDocument], ParsedDocument],
        chunker: Chunker,
        max_bytes: int,
        max_chunks: int,
        batch_chunks: int,
    ) -> None:
        self._todos = deque(todos)
        self._source = source
        self._parse = parse
        self._chunker = chunker
        self._max_bytes = max_bytes
        self._max_chunks = max_chunks
        self._batch_chunks = batch_chunks

    def next_batch(self) -> list[PreparedDocument]:
        """Prepare documents until the batch is full; an empty batch means that all are done."""
        batch: list[PreparedDocument] = []
        chunks = 0
        while self._todos and chunks < self._batch_chunks and len(batch) < self._batch_chunks:
            prepared = self._prepare(self._todos.popleft())
            chunks += len(prepared.chunks)
            batch.append(prepared)
        return batch

    def _prepare(self, todo: Todo) -> PreparedDocument:
        prepared = PreparedDocument(todo, size=max(todo.listed.size, 0))
        try:
            self._read(todo, prepared)
        except DocumentError as error:
            prepared.error = error
        except LorekeeperError:
            raise  # the source is at fault, not the document
        except Exception as error:  # noqa: BLE001 - a parser may fail in any way; one document never stops a run
            _log.debug("%s failed in an unforeseen way", todo.listed.id, exc_info=error)
            prepared.error = DocumentError(
                f"The document could not be read ({type(error).__name__}): check that the file opens elsewhere, or "
                "exclude it.",
                code="ParseFailed",
            )
        if prepared.error is not None:
            prepared.chunks = []
        return prepared

    def _read(self, todo: Todo, prepared: PreparedDocument) -> None:
        if todo.listed.size > self._max_bytes:
            raise _too_large(todo.listed.size, self._max_bytes)
        raw = self._source.fetch(todo.listed)
        prepared.size = len(raw.content)
        if prepared.size > self._max_bytes:
            raise _too_large(prepared.size, self._max_bytes)
        prepared.content = content_hash(raw.content, todo.link)
        previous = todo.previous
        if previous and previous.state is DocumentState.INDEXED and previous.content == prepared.content:
            self._check_chunks(len(previous.chunks))
            prepared.same = True
            return
        parsed = self._parse(raw)
        prepared.title = parsed.title
        chunks = self._chunker.chunk(parsed)
        if not chunks:
            raise DocumentError("The document holds no text; there is nothing to index.", code=EMPTY)
        self._check_chunks(len(chunks))
        prepared.chunks = chunks

    def _check_chunks(self, count: int) -> None:
        if count > self._max_chunks:
            raise DocumentError(
                f"The document gives {count} chunks, more than the limit of {self._max_chunks}: split it, "
                "exclude it, or raise limits.chunks of its source.",
                code="TooManyChunks",
            )


def _too_large(size: int, limit: int) -> DocumentError:
    return DocumentError(
        f"The document has {_say_bytes(size)}, more than the limit of {_say_bytes(limit)}: split it, exclude it, or "
        "raise limits.documentSize of its source.",
        code="TooLarge",
    )


def _say_bytes(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"
