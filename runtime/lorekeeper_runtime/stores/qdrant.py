"""The store behind Qdrant's REST API."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import orjson

from lorekeeper_api.contract.collection import CollectionSchema, Payload, dense_vector, sparse_vector
from lorekeeper_api.contract.points import document_point_id
from lorekeeper_api.contract.records import DocumentRecord, RunRecord
from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.http import HttpClient, HttpError, UnreachableError
from lorekeeper_runtime.ports import ActiveCollection, ChunkPoint, Hit, StoreCounts, Vector
from lorekeeper_runtime.stores.records import (
    DOCUMENT,
    KIND,
    MANIFEST_INDEXED,
    RUN,
    SOURCE,
    STATE,
    decode_document,
    decode_run,
    encode_document,
    encode_run,
    run_point_id,
)
from lorekeeper_runtime.stores.refusals import collection_in_use, collection_missing, invalid_text, schema_mismatch
from lorekeeper_runtime.stores.replies import explain
from lorekeeper_runtime.stores.scores import merge_scores
from lorekeeper_runtime.stores.wire import (
    Pieces,
    bodies,
    encode_overwrites,
    encode_points,
    encode_records,
    encode_search,
    field_equals,
)

__all__ = ["QdrantStore"]

_PAGE = 1000
_HASHES = 256
"""Text hashes asked for at once."""
_IDS = 10_000
"""Ids deleted at once."""
_BODY_BYTES = 24 * 1024 * 1024
"""Qdrant takes 32 MB by default."""


class QdrantStore:
    """Speaks to one Qdrant through a client that it owns and closes.

    A collection's metadata carries its schema and its own name, so that one read of an alias gives both the collection
    and the fingerprint, and a key that may only read through the alias suffices.
    """

    def __init__(self, http: HttpClient, *, body_bytes: int = _BODY_BYTES) -> None:
        self._http = http
        self._body_bytes = body_bytes

    async def ensure_collections(self, schema: CollectionSchema) -> None:
        """Create the collection and its manifest where they are missing; refuse those of another schema.

        A manifest whose collection is gone is emptied: its records speak of chunks that nobody has.
        """
        chunks = await self._describe(schema.collection)
        if chunks is None:
            await self._drop(schema.documents)
        vectors = {}
        if schema.dimensions is not None:
            vectors[dense_vector(schema.fingerprint)] = {"size": schema.dimensions, "distance": "Cosine"}
        settings: dict[str, object] = {"vectors": vectors}
        if schema.sparse:
            settings["sparse_vectors"] = {sparse_vector(schema.fingerprint): {"modifier": "idf"}}
        await self._ensure(schema.collection, chunks, settings, asdict(schema), Payload.INDEXED)
        manifest = {"manifest_of": schema.collection, "fingerprint": schema.fingerprint}
        documents = await self._describe(schema.documents)
        await self._ensure(schema.documents, documents, {"vectors": {}}, manifest, MANIFEST_INDEXED)

    async def drop_collections(self, collection: str, documents: str) -> None:
        """Delete a revision. The manifest goes first: one without its chunks would claim what is not there."""
        path = f"/collections/{quote(collection, safe='')}/aliases"
        named = await self._get(path, collection, missing={"aliases": []})
        if named["aliases"]:
            raise collection_in_use(collection)
        await self._drop(documents)
        await self._drop(collection)

    async def list_collections(self) -> list[str]:
        """Names of all collections."""
        return sorted(each["name"] for each in (await self._get("/collections", ""))["collections"])

    async def read_alias(self, alias: str) -> ActiveCollection | None:
        """What the alias names, or None."""
        described = await self._describe(alias)
        if described is None:
            return None
        ours = _ours(described)
        if ours is None:
            raise schema_mismatch(alias)
        if ours.get("collection") in {alias, None}:
            return None  # a collection, not an alias
        return ActiveCollection(ours["collection"], ours["fingerprint"])

    async def promote(self, alias: str, collection: str) -> None:
        """Let the alias name the collection from now on, in one step."""
        # Qdrant does the actions in order and undoes none: naming a missing collection would leave no alias at all.
        if await self._describe(collection) is None:
            raise collection_missing(collection)
        actions = [
            {"delete_alias": {"alias_name": alias}},
            {"create_alias": {"alias_name": alias, "collection_name": collection}},
        ]
        await self._send("POST", "/collections/aliases", orjson.dumps({"actions": actions}), collection)

    async def upsert_chunks(self, schema: CollectionSchema, points: Sequence[ChunkPoint]) -> None:
        """Write chunks, replacing those with the same ids."""
        await self._upsert(schema.collection, encode_points(schema, points))

    async def set_payloads(self, collection: str, payloads: Sequence[tuple[str, dict[str, object]]]) -> None:
        """Replace the whole payload of points that stay as they are otherwise; unknown ids are ignored."""
        operations = encode_overwrites(payloads)
        for body in bodies(b'{"operations":[', operations, b"]}", limit=self._body_bytes):
            await self._send("POST", _points(collection, "/batch?wait=true"), body, collection)

    async def delete_chunks(self, collection: str, ids: Sequence[str]) -> None:
        """Delete chunks; unknown ids are no error."""
        for start in range(0, len(ids), _IDS):
            body = orjson.dumps({"points": ids[start : start + _IDS]})
            await self._send("POST", _points(collection, "/delete?wait=true"), body, collection)

    async def find_vectors(self, schema: CollectionSchema, hashes: Sequence[str]) -> dict[str, Vector]:
        """Dense vectors of chunks already stored with these text hashes, by hash. They come normalised to length 1."""
        found: dict[str, Vector] = {}
        if schema.dimensions is None:
            return found
        name = dense_vector(schema.fingerprint)
        wanted = list(dict.fromkeys(hashes))
        for start in range(0, len(wanted), _HASHES):
            missing = wanted[start : start + _HASHES]
            # Thousands of chunks may share one text: each further page leaves out the hashes that were found.
            while missing:
                points, _ = await self._scroll(
                    schema.collection,
                    field_equals(**{Payload.HASH: missing}),
                    with_payload=[Payload.HASH],
                    with_vector=[name],
                )
                for point in points:
                    vector = (point.get("vector") or {}).get(name)
                    if vector is not None:
                        found.setdefault(point["payload"][Payload.HASH], orjson.dumps(vector))
                left = [each for each in missing if each not in found]
                missing = left if len(points) == _PAGE and len(left) < len(missing) else []
        return found

    async def list_chunk_ids(self, collection: str, source: str) -> AsyncIterator[list[str]]:
        """Yield the ids of all chunks of a source, page by page."""
        async for points in self._pages(collection, field_equals(**{Payload.SOURCE: source}), with_payload=False):
            yield [point["id"] for point in points]

    async def search(
        self, collection: str, *, fingerprint: str, vector: Vector | None, text: str | None, limit: int
    ) -> tuple[list[Hit], list[Hit]]:
        """Search by meaning and by words in one request; a list is empty when its query is None."""
        if vector is None and text is None:
            return [], []
        try:
            body = encode_search(fingerprint, vector, text, limit)
        except orjson.JSONEncodeError as error:
            raise invalid_text() from error
        lists = await self._send("POST", _points(collection, "/query/batch"), body, collection)
        found = iter(lists)
        dense = [] if vector is None else next(found)["points"]
        sparse = [] if text is None else next(found)["points"]
        return merge_scores(
            [(point["id"], point["score"], point["payload"]) for point in dense],
            [(point["id"], point["score"], point["payload"]) for point in sparse],
        )

    async def read_documents(self, documents: str, source: str) -> AsyncIterator[list[DocumentRecord]]:
        """Yield the records of a source, page by page."""
        async for points in self._pages(documents, field_equals(**{KIND: DOCUMENT, SOURCE: source}), with_payload=True):
            yield [decode_document(point["payload"]) for point in points]

    async def write_documents(self, documents: str, records: Iterable[DocumentRecord]) -> None:
        """Write records, replacing earlier ones of the same documents."""
        points = ((document_point_id(each.source, each.document), encode_document(each)) for each in records)
        await self._upsert(documents, encode_records(points))

    async def delete_documents(self, documents: str, keys: Sequence[tuple[str, str]]) -> None:
        """Delete records by (source, document)."""
        try:
            ids = [document_point_id(*key) for key in keys]
        except UnicodeEncodeError as error:
            raise invalid_text() from error
        await self.delete_chunks(documents, ids)

    async def read_runs(self, documents: str) -> dict[str, RunRecord]:
        """The last run of each source."""
        runs: dict[str, RunRecord] = {}
        async for points in self._pages(documents, field_equals(**{KIND: RUN}), with_payload=True):
            runs.update((point["payload"][SOURCE], decode_run(point["payload"])) for point in points)
        return runs

    async def write_run(self, documents: str, record: RunRecord) -> None:
        """Write the run of a source in place of its last one."""
        await self._upsert(documents, encode_records([(run_point_id(record.source), encode_run(record))]))

    async def count(self, collection: str, documents: str) -> StoreCounts:
        """Sizes of a revision."""
        counted = await self._send("POST", _points(collection, "/count"), b'{"exact":true}', collection)
        body = orjson.dumps({"key": STATE, "exact": True, "filter": field_equals(**{KIND: DOCUMENT})})
        states = await self._send("POST", f"/collections/{quote(documents, safe='')}/facet", body, documents)
        return StoreCounts(counted["count"], {hit["value"]: hit["count"] for hit in states["hits"]})

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _ensure(
        self,
        name: str,
        described: dict[str, Any] | None,
        settings: dict[str, object],
        ours: Mapping[str, object],
        indexed: Sequence[str],
    ) -> None:
        if described is None:
            body = orjson.dumps({**settings, "metadata": {"lorekeeper": ours}})
            try:
                await self._http.request("PUT", f"/collections/{quote(name, safe='')}", body)
            except HttpError as error:
                if error.status != 409 and b"already exists" not in error.body:
                    raise explain(error, name) from error  # else another worker, or a repeated request, was first
            except UnreachableError as error:
                raise explain(error, name) from error
            described = await self._describe(name)
        if described is None or _ours(described) != ours:
            raise schema_mismatch(name)
        for field in indexed:
            if field not in described["payload_schema"]:
                body = orjson.dumps({"field_name": field, "field_schema": "keyword"})
                await self._send("PUT", f"/collections/{quote(name, safe='')}/index?wait=true", body, name)

    async def _describe(self, name: str) -> dict[str, Any] | None:
        described: dict[str, Any] | None = await self._get(f"/collections/{quote(name, safe='')}", name, missing=None)
        return described

    async def _drop(self, name: str) -> None:
        try:
            await self._send("DELETE", f"/collections/{quote(name, safe='')}", None, name)
        except StoreError as error:
            if error.code != "CollectionMissing":
                raise

    async def _upsert(self, collection: str, points: Iterable[Pieces]) -> None:
        for body in bodies(b'{"points":[', points, b"]}", limit=self._body_bytes):
            await self._send("PUT", _points(collection, "?wait=true"), body, collection)

    async def _pages(
        self, collection: str, where: dict[str, object], *, with_payload: bool
    ) -> AsyncIterator[list[dict[str, Any]]]:
        offset = None
        while True:
            points, offset = await self._scroll(collection, where, with_payload=with_payload, offset=offset)
            if points:
                yield points
            if offset is None:
                return

    async def _scroll(
        self,
        collection: str,
        where: dict[str, object],
        *,
        with_payload: bool | list[str],
        with_vector: bool | list[str] = False,
        offset: object = None,
    ) -> tuple[list[dict[str, Any]], object]:
        asked = {"filter": where, "limit": _PAGE, "with_payload": with_payload, "with_vector": with_vector}
        if offset is not None:
            asked["offset"] = offset
        page = await self._send("POST", _points(collection, "/scroll"), orjson.dumps(asked), collection)
        return page["points"], page.get("next_page_offset")

    async def _get(self, path: str, name: str, **default: object) -> Any:
        """GET a result; with `missing=...`, that is the result where there is no such collection."""
        try:
            return await self._send("GET", path, None, name)
        except StoreError as error:
            if error.code == "CollectionMissing" and "missing" in default:
                return default["missing"]
            raise

    async def _send(self, method: str, path: str, body: bytes | Pieces | None, name: str) -> Any:
        """Send a request and return its result. All may be sent twice: a second time they change nothing."""
        try:
            return orjson.loads(await self._http.request(method, path, body))["result"]
        except (HttpError, UnreachableError) as error:
            raise explain(error, name) from error
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise StoreError(
                "What answers at the vector store's address is not Qdrant: correct the address.", retryable=False
            ) from error


def _points(collection: str, rest: str) -> str:
    return f"/collections/{quote(collection, safe='')}/points{rest}"


def _ours(described: dict[str, Any]) -> dict[str, Any] | None:
    ours = (described["config"].get("metadata") or {}).get("lorekeeper")
    return ours if isinstance(ours, dict) else None
