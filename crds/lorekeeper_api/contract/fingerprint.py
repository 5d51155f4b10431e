"""The fingerprint: a hash of everything that decides what a vector means."""

import hashlib
import json

from lorekeeper_api.contract.config import EmbeddingConfig
from lorekeeper_api.pipeline import Chunking

__all__ = ["CONTENT_VERSION", "compute_fingerprint"]

CONTENT_VERSION = 1
"""Raised when parsing, chunking or BM25 settings change what is indexed for the same document."""


def compute_fingerprint(embedding: EmbeddingConfig, chunking: Chunking, *, dense: bool, sparse: bool) -> str:
    """Return the fingerprint of a revision, 8 hexadecimal digits.

    Endpoint, credentials and the query's prefix stay out: they change how a question is asked, not what is stored.
    """
    decides: dict[str, object] = {
        "content": CONTENT_VERSION,
        "chunking": chunking.model_dump(mode="json"),
        "sparse": sparse,
    }
    if dense:
        decides["embedding"] = [
            embedding.provider.value,
            embedding.model,
            embedding.digest,
            embedding.dimensions,
            embedding.document_prefix,
        ]
    text = json.dumps(decides, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]
