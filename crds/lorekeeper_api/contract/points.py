"""Ids: of a document's record, of a chunk's point, and of a text."""

import hashlib
import uuid

__all__ = ["chunk_point_id", "document_point_id", "text_hash"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "lorekeeper.dev")


def text_hash(text: str) -> str:
    """Hash of a text that is embedded: 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def document_point_id(source: str, document: str) -> str:
    """Id of the record of a document in the manifest."""
    return str(uuid.uuid5(_NAMESPACE, f"{source}\0{document}"))


def chunk_point_id(source: str, document: str, chunk_hash: str, occurrence: int) -> str:
    """Id of a chunk's point: UUIDv5 of source, document, hash of the text and which of its occurrences (from 0) it is.

    Documents never share a point, and a killed run that starts again makes the same ids.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{source}\0{document}\0{chunk_hash}\0{occurrence}"))
