"""The bodies that Qdrant's REST API is sent, built from bytes: a vector passes from the model to the store unread."""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from lorekeeper_api.contract.collection import BM25, CollectionSchema, dense_vector, sparse_vector
from lorekeeper_runtime.ports import ChunkPoint, Vector
from lorekeeper_runtime.stores.refusals import invalid_text

__all__ = ["Pieces", "bodies", "encode_overwrites", "encode_points", "encode_records", "encode_search", "field_equals"]

Pieces = Sequence[bytes]
"""A JSON value in pieces, joined once with all others: to format each one costs five times as much."""

_BM25_OPTIONS = orjson.dumps({"k": BM25.K, "b": BM25.B, "avg_len": BM25.AVERAGE_LENGTH, "language": BM25.LANGUAGE})
_BM25_TAIL = b',"model":' + orjson.dumps(BM25.MODEL) + b',"options":' + _BM25_OPTIONS + b"}"


def encode_points(schema: CollectionSchema, points: Iterable[ChunkPoint]) -> Iterator[Pieces]:
    """Yield each chunk.

    Raises:
        StoreError: A payload is not valid Unicode.
    """
    dense = f'","vector":{{"{dense_vector(schema.fingerprint)}":'
    sparse = f'"{sparse_vector(schema.fingerprint)}":{{"text":'.encode()
    payload = b'},"payload":'
    dumps = orjson.dumps
    try:
        # Few pieces: each one costs in Python and again in the kernel. Only the vector is too long to be copied.
        for point in points:
            end = payload + dumps(point.payload) + b"}"
            if schema.sparse:
                end = sparse + dumps(point.text) + _BM25_TAIL + end
            if point.vector is None:
                yield f'{{"id":"{point.id}","vector":{{'.encode(), end
            else:
                yield f'{{"id":"{point.id}{dense}'.encode(), point.vector, b"," + end if schema.sparse else end
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
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


def bodies(head: bytes, parts: Iterable[Pieces], tail: bytes, *, limit: int) -> Iterator[Pieces]:
    """Put parts into as few bodies as a limit of bytes allows; a part that is larger alone travels alone."""
    body: list[bytes] = []
    size = 0
    for pieces in parts:
        length = sum(map(len, pieces)) + 1
        if body and size + length > limit:
            body[0], size = head, 0
            yield [*body, tail]
            body = []
        body.append(b",")
        body += pieces
        size += length
    if body:
        body[0] = head
        yield [*body, tail]


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
