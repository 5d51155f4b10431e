"""Ids: of a document's record, of a chunk's point, and of a text."""

import hashlib
import uuid

__all__ = ["ChunkIds", "chunk_point_id", "document_point_id", "text_hash"]

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


class ChunkIds:
    """Makes the ids of all chunks of one document, in their order: those of `chunk_point_id`, in a third of the time.

    It hashes what the ids of a document have in common once, and counts the occurrences.
    """

    def __init__(self, source: str, document: str) -> None:
        beginning = _NAMESPACE.bytes + f"{source}\0{document}\0".encode("utf-8", "surrogatepass")
        self._beginning = hashlib.sha1(beginning, usedforsecurity=False)
        self._occurrences: dict[str, int] = {}

    def next_id(self, chunk_hash: str) -> str:
        """Return the id of the next chunk with this hash; call it in the order of the document."""
        occurrence = self._occurrences.get(chunk_hash, 0)
        self._occurrences[chunk_hash] = occurrence + 1
        digest = self._beginning.copy()
        digest.update(f"{chunk_hash}\0{occurrence}".encode())
        value = bytearray(digest.digest()[:16])
        value[6] = value[6] & 0x0F | 0x50
        value[8] = value[8] & 0x3F | 0x80
        text = value.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
