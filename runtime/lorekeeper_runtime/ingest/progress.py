"""How far a sync has come, for whoever wants to look."""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Progress", "Snapshot", "Stage"]


class Stage:
    """Stages of a sync, in order."""

    LISTING = "listing"
    INDEXING = "indexing"
    SWEEPING = "sweeping"
    DONE = "done"


@dataclass(slots=True)
class Snapshot:
    """State of one sync at one moment."""

    source: str
    stage: str = Stage.LISTING
    listed: int = 0
    """Documents listed so far."""
    total: int = 0
    """Documents that need work."""
    done: int = 0
    """Of these, dealt with."""
    chunks: int = 0
    """Chunks written."""
    failed: int = 0
    """Documents that failed in this run."""
    bytes: int = 0
    """Bytes read."""


class Progress(Protocol):
    """Is told how far a sync has come; called often, so it must be cheap."""

    def update(self, snapshot: Snapshot) -> None:
        """Take note of the state; the snapshot is re-used and must not be kept."""
        ...
