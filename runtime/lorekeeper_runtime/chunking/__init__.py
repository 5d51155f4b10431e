"""Chunking: cuts a parsed document into the passages that are embedded, found and cited."""

from lorekeeper_api.pipeline import Chunking, ChunkingStrategy
from lorekeeper_runtime.chunking.recursive import RecursiveChunker
from lorekeeper_runtime.ports import Chunker

__all__ = ["RecursiveChunker", "make_chunker"]


def make_chunker(config: Chunking) -> Chunker:
    """Return the chunker that the configuration asks for."""
    match config.strategy:
        case ChunkingStrategy.RECURSIVE:
            return RecursiveChunker(config)
