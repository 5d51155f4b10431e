"""The bodies that Qdrant's REST API is sent, built from bytes: a vector passes from the model to the store unread."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from lorekeeper_api.contract.collection import BM25, CollectionSchema, Payload, dense_vector, sparse_vector
from lorekeeper_runtime.ports import ChunkPoint, Vector
from lorekeeper_runtime.stores.refusals import invalid_text
from lorekeeper_runtime.stores.words import heading_line

__all__ = ["Pieces", "bodies", "encode_overwrites", "encode_points", "encode_records", "encode_search", "field_equals"]

Pieces = Sequence[bytes]
"""A JSON value in pieces, joined once with all others: to format each one costs five times as much."""

_BM25_OPTIONS = orjson.dumps({"k": BM25.K, "b": BM25.B, "avg_len": BM25.AVERAGE_LENGTH, "language": BM25.LANGUAGE})
_BM25_TAIL = b',"model":' + orjson.dumps(BM25.MODEL) + b',"options":' + _BM25_OPTIONS + b"}"


def encode_points(schema: CollectionSchema, points: Iterable[ChunkPoint]) -> Iterator[Pieces]:
    """Yield each chunk.

    This is the hot path of an ingestion: a text, which stands in the payload and is what BM25 reads, is encoded once.

    Raises:
        StoreError: A payload is not valid Unicode.
    """
    begin = b'{"id":"'
    dense = orjson.dumps(dense_vector(schema.fingerprint)) + b":"
    sparse = orjson.dumps(sparse_vector(schema.fingerprint)) + b':{"text":'
    text_follows = b'},"payload":{' + orjson.dumps(Payload.TEXT) + b":"
    after_id = b'","vector":{'
    after_words = _BM25_TAIL + text_follows
    dumps = orjson.dumps
    try:
        for point in points:
            rest = point.payload.copy()
            text = dumps(rest.pop(Payload.TEXT))
            pieces = [begin, point.id.encode(), after_id]
            if point.vector is not None:
                pieces += (dense, point.vector)
            if schema.sparse:
                if point.vector is not None:
                    pieces.append(b",")
                pieces += (sparse, dumps(heading_line(rest))[:-1], text[1:], after_words)  # one string of two
            else:
                pieces.append(text_follows)
            pieces += (text, b"," if rest else b"", dumps(rest)[1:], b"}")
            yield pieces
    except orjson.JSONEncodeError as error:
        raise invalid_text() from error


def encode_records(records: Iterable[tuple[str, dict[str, object]]]) -> Iterator[Pieces]:
    """Yield each (id, payload) as a point without vectors.

    Raises:
        StoreError: A payload is not valid Unicode.
    """
    try:
        for point, payload in records:
            yield b'{"id":"', point.encode(), b'","vector":{},"payload":', orjson.dumps(payload), b"}"
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise invalid_text() from error


def encode_overwrites(payloads: Iterable[tuple[str, dict[str, object]]]) -> Iterator[Pieces]:
    """Yield an operation for each (id, payload). It names the point by a filter: an unknown id would be an error that
    stops the operations behind it.

    Raises:
        StoreError: A payload is not valid Unicode.
    """
    try:
        for point, payload in payloads:
            only = (b',"filter":{"must":[{"has_id":["', point.encode(), b'"]}]}}}')
            yield b'{"overwrite_payload":{"payload":', orjson.dumps(payload), *only
    except orjson.JSONEncodeError as error:
        raise invalid_text() from error


def bodies(head: bytes, parts: Iterable[Pieces], tail: bytes, *, limit: int) -> Iterator[bytes]:
    """Join parts to as few bodies as a limit of bytes allows; a part that is larger alone travels alone."""
    batch: list[bytes] = []
    size = 0
    for pieces in parts:
        length = sum(map(len, pieces)) + 1
        if batch and size + length > limit:
            batch[0], size = head, 0
            yield b"".join([*batch, tail])
            batch = []
        batch.append(b",")
        batch += pieces
        size += length
    if batch:
        batch[0] = head
        yield b"".join([*batch, tail])


def encode_search(fingerprint: str, vector: Vector | None, text: str | None, limit: int) -> bytes:
    """Return one request for both searches; the one whose query is None is left out."""
    searches = []
    tail = b',"limit":%d,"with_payload":true}' % limit
    if vector is not None:
        searches.append(b'{"query":' + vector + b',"using":' + orjson.dumps(dense_vector(fingerprint)) + tail)
    if text is not None:
        query = b'{"text":' + orjson.dumps(text) + _BM25_TAIL
        searches.append(b'{"query":' + query + b',"using":' + orjson.dumps(sparse_vector(fingerprint)) + tail)
    return b'{"searches":[' + b",".join(searches) + b"]}"


def field_equals(**fields: str | list[str]) -> dict[str, object]:
    """Return the filter for points whose fields equal a value, or one of a list of values."""
    return {
        "must": [
            {"key": key, "match": {"any": value} if isinstance(value, list) else {"value": value}}
            for key, value in fields.items()
        ]
    }
