"""Ids: of a document's record, of a chunk's point, and of a text."""

import hashlib
import uuid

__all__ = ["ChunkIds", "chunk_point_id", "document_point_id", "text_hash"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "lorekeeper.dev")

_VARIANT = {f"{digit:x}": f"{digit & 0x3 | 0x8:x}" for digit in range(16)}
"""First digit of an id's fourth group, by the one that the hash has there."""


def text_hash(text: str) -> str:
    """Hash of a text that is embedded: 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def document_point_id(source: str, document: str) -> str:
    """Id of the record of a document in the manifest."""
    return _format_id(hashlib.sha1(_NAMESPACE.bytes + f"{source}\0{document}".encode(), usedforsecurity=False))


def chunk_point_id(source: str, document: str, chunk_hash: str, occurrence: int) -> str:
    """Id of a chunk's point: UUIDv5 of source, document, hash of the text and which of its occurrences (from 0) it is.

    Documents never share a point, and a killed run that starts again makes the same ids.
    """
    return str(uuid.uuid5(_NAMESPACE, f"{source}\0{document}\0{chunk_hash}\0{occurrence}"))


class ChunkIds:
    """Makes the ids of all chunks of one document, in their order: those of `chunk_point_id`, in much less time.

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
        return _format_id(digest)


def _format_id(digest: "hashlib._Hash") -> str:
    """A hash as a UUIDv5. The digits of version and variant are put in by hand, which is quicker than `uuid.UUID`."""
    text = digest.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
