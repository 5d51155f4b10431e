"""After a run that did not end: make the collection and its manifest agree again."""

from dataclasses import replace

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_api.contract.records import DocumentRecord
from lorekeeper_runtime.ingest.commit import point_ids
from lorekeeper_runtime.ports import Store

__all__ = ["recover"]


async def recover(
    store: Store, schema: CollectionSchema, source: str, records: dict[str, DocumentRecord]
) -> tuple[dict[str, DocumentRecord], int]:
    """Delete chunks that no record names, and mark documents whose chunks are missing so that they are indexed anew.

    A killed run leaves the first kind (chunks are written before their document's record, and deleted after it); only
    somebody else's hand leaves the second.

    Returns:
        The records to compare the listing with, and the number of chunks deleted.
    """
    stored: set[str] = set()
    async for page in store.list_chunk_ids(schema.collection, source):
        stored.update(page)
    expected: set[str] = set()
    checked: dict[str, DocumentRecord] = {}
    for document, record in records.items():
        ids = point_ids(source, document, record.chunks)
        present = [chunk for chunk, point in zip(record.chunks, ids, strict=True) if point in stored]
        if len(present) == len(ids):
            checked[document] = record
        else:
            checked[document] = replace(record, version="", content="", chunks=[])
            continue
        expected.update(ids)
    orphans = list(stored - expected)
    if orphans:
        await store.delete_chunks(schema.collection, orphans)
    return checked, len(orphans)
