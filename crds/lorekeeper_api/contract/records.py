"""Records that the worker leaves in the manifest collection: one a document, one a run."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

__all__ = ["DocumentRecord", "DocumentState", "RunOutcome", "RunRecord", "StoredChunk"]

RunOutcome = Literal["Running", "Succeeded", "Failed", "DeletionHeld", "Interrupted"]
"""How a run ended. Running in a record of the past means that the run was killed."""


class DocumentState(StrEnum):
    """How the last attempt at a document ended."""

    INDEXED = "Indexed"
    FAILED = "Failed"
    """Chunks of an earlier version are served only while the failure may pass by itself."""
    SKIPPED = "Skipped"
    """Nothing to index, for example an empty file."""


StoredChunk = tuple[str, str]
"""A chunk as the manifest knows it: hash of its text, hash of the rest of its payload."""


@dataclass(slots=True)
class DocumentRecord:
    """Everything known of one document of one source in one revision. It is written after the document's chunks: it is
    the commit record.
    """

    source: str
    document: str
    version: str
    """Version that the listing gave; an equal one needs no look at the content."""
    content: str
    """Hash of the content that the chunks were made from; empty when it was never read."""
    state: DocumentState
    chunks: list[StoredChunk] = field(default_factory=list)
    """Chunks that are in the collection, in order."""
    code: str = ""
    """Stable reason code when the document failed or was skipped."""
    message: str = ""
    """One sentence for a person."""
    retryable: bool = False
    """Whether the failure may pass by itself."""
    attempts: int = 0
    """Failed attempts at this version, in a row."""
    size: int = 0
    """Bytes."""


@dataclass(slots=True)
class RunRecord:
    """What one run over one source did. Written as Running when it starts and once more when it ends, so that a run
    that was killed is known.
    """

    source: str
    run: str
    """Id of the run."""
    outcome: RunOutcome
    started: str
    """RFC 3339, UTC."""
    finished: str = ""
    revision: str = ""
    """Revision of the source, for example a commit."""
    code: str = ""
    """Stable reason code when the run did not succeed."""
    message: str = ""
    """One sentence for a person."""
    listed: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0
    chunks_embedded: int = 0
    chunks_written: int = 0
    chunks_deleted: int = 0
    seconds: float = 0.0
