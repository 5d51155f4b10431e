"""How large a file in a Git repository is, without putting its content together."""

from dulwich.object_store import PackBasedObjectStore
from dulwich.objects import ObjectID
from dulwich.pack import DELTA_TYPES

__all__ = ["BlobSizes"]


class BlobSizes:
    """Sizes of blobs, from the headers that packs keep.

    A blob may be kept as a difference from another one, and that one again; its size stands at the beginning of the
    first difference, so that the chain need not be followed.

    Args:
        store: The objects of a repository.
    """

    def __init__(self, store: PackBasedObjectStore) -> None:
        self._store = store
        self._packs = list(store.packs)

    def size_of(self, blob: ObjectID) -> int:
        """Return a blob's size in bytes.

        Raises:
            KeyError: It is not in the repository.
        """
        for pack in self._packs:
            try:
                offset = pack.index.object_offset(blob)
            except KeyError:
                continue
            unpacked = pack.data.get_unpacked_object_at(offset)
            if unpacked.pack_type_num in DELTA_TYPES:
                return _size_from_delta(b"".join(unpacked.decomp_chunks))
            return sum(map(len, unpacked.decomp_chunks))
        return self._store[blob].raw_length()


def _size_from_delta(delta: bytes) -> int:
    """The second of the two numbers that a difference begins with: seven bits a byte, the lowest first."""
    at = 0
    size = 0
    for _ in range(2):
        size = shift = 0
        while True:
            byte = delta[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
    return size
