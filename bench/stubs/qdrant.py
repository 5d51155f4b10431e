"""The stub of Qdrant's REST API: it keeps points as they came, filters by payload, and finds the same few for every
question. No index, no distance, no disk: what is left is the client's own cost.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import orjson

from bench.stubs.http import Answer

__all__ = ["QdrantStub"]

JSON = b"application/json"
FOUND = 50
"""Points that a search can return at most."""
Record = dict[str, Any]


class QdrantStub:
    """Collections in memory, and counts of what was asked."""

    def __init__(self) -> None:
        self._collections: dict[str, Record] = {}
        self._points: dict[str, dict[Any, Record]] = {}
        self._aliases: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._routes: dict[tuple[str, str], Callable[[str, Record], object]] = {
            ("PUT", ""): self._create,
            ("PATCH", ""): lambda name, body: True,
            ("GET", ""): self._describe,
            ("DELETE", ""): self._drop,
            ("GET", "exists"): lambda name, body: {"exists": self._real(name) in self._collections},
            ("GET", "aliases"): lambda name, body: {"aliases": self._list_aliases(name)},
            ("PUT", "index"): self._acknowledge,
            ("PUT", "points"): self._upsert,
            ("POST", "points"): self._retrieve,
            ("POST", "points/delete"): self._delete,
            ("PUT", "points/payload"): self._set_payload,
            ("POST", "points/payload"): self._set_payload,
            ("POST", "points/batch"): self._batch,
            ("POST", "points/scroll"): self._scroll,
            ("POST", "points/count"): lambda name, body: {"count": sum(1 for _ in self._select(name, body))},
            ("POST", "points/query"): self._query,
            ("POST", "points/query/batch"): lambda name, body: [self._query(name, one) for one in body["searches"]],
        }

    def handle(self, method: str, path: str, body: bytes) -> Answer:
        route = path.partition("?")[0].strip("/")
        if route.startswith("bench/"):
            return 200, JSON, orjson.dumps(self._control(route))
        self.counts["requests"] += 1
        if not route:
            return 200, JSON, b'{"title":"qdrant - vector search engine","version":"1.19.0"}'
        if route in {"healthz", "readyz", "livez"}:
            return 200, b"text/plain", b"all shards are ready"
        request = orjson.loads(body) if body else {}
        if route == "aliases":
            return _done({"aliases": self._list_aliases(None)})
        if route == "collections":
            return _done({"collections": [{"name": name} for name in self._collections]})
        if route == "collections/aliases":
            return _done(self._change_aliases(request))
        return self._handle_collection(method, route, request)

    def _control(self, route: str) -> object:
        """What the benchmark itself asks: the counts so far, a new count, an empty store."""
        if route == "bench/counts":
            return dict(self.counts)
        self.counts.clear()
        if route == "bench/clear":
            for kept in (self._collections, self._points, self._aliases):
                kept.clear()
        return {}

    def _handle_collection(self, method: str, route: str, request: Record) -> Answer:
        _, name, *rest = unquote(route).split("/")
        action = "/".join(rest)
        call = self._routes.get((method, action))
        if call is None:
            return 404, JSON, b'{"status":{"error":"The stub has no such route."},"time":0.0}'
        known = self._real(name) in self._collections
        if not known and (method, action) not in {("PUT", ""), ("DELETE", ""), ("GET", "exists")}:
            text = f"Not found: Collection `{name}` doesn't exist!"
            return 404, JSON, orjson.dumps({"status": {"error": text}, "time": 0.0})
        self.counts[f"{method} {action or 'collection'}"] += 1
        return _done(call(name, request))

    # collections and aliases

    def _real(self, name: str) -> str:
        return self._aliases.get(name, name)

    def _create(self, name: str, body: Record) -> object:
        self._collections[name] = body
        self._points[name] = {}
        return True

    def _describe(self, name: str, body: Record) -> object:
        settings = self._collections[self._real(name)]
        points = len(self._points[self._real(name)])
        params = {"vectors": settings.get("vectors", {}), "shard_number": 1, "replication_factor": 1}
        params |= {"write_consistency_factor": 1, "on_disk_payload": True}
        if settings.get("sparse_vectors"):
            params["sparse_vectors"] = settings["sparse_vectors"]
        config: Record = {"params": params, "hnsw_config": _HNSW, "optimizer_config": _OPTIMIZER, "wal_config": _WAL}
        if "metadata" in settings:
            config["metadata"] = settings["metadata"]
        schema = {
            field: {"data_type": "keyword", "points": points} for field in ("source", "document", "hash", "state")
        }
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": points,
            "indexed_vectors_count": points,
            "segments_count": 1,
            "config": config,
            "payload_schema": schema,
        }

    def _drop(self, name: str, body: Record) -> object:
        self._points.pop(name, None)
        return self._collections.pop(name, None) is not None

    def _list_aliases(self, name: str | None) -> list[Record]:
        return [
            {"alias_name": alias, "collection_name": collection}
            for alias, collection in self._aliases.items()
            if name is None or collection == name
        ]

    def _change_aliases(self, body: Record) -> object:
        for action in body["actions"]:
            if "delete_alias" in action:
                self._aliases.pop(action["delete_alias"]["alias_name"], None)
            elif "create_alias" in action:
                made = action["create_alias"]
                self._aliases[made["alias_name"]] = made["collection_name"]
        return True

    # points

    def _acknowledge(self, name: str, body: Record) -> object:
        return {"operation_id": 1, "status": "completed"}

    def _upsert(self, name: str, body: Record) -> object:
        points: Iterable[Record] | None = body.get("points")
        if points is None:
            batch = body["batch"]
            points = [
                {"id": point, "vector": _vector_at(batch["vectors"], i), "payload": batch["payloads"][i]}
                for i, point in enumerate(batch["ids"])
            ]
        kept = self._points[self._real(name)]
        for point in points:
            kept[point["id"]] = point
            self.counts["points " + ("chunks" if point["vector"] else "records")] += 1
        return self._acknowledge(name, body)

    def _retrieve(self, name: str, body: Record) -> object:
        kept = self._points[self._real(name)]
        return [_shown(kept[point], body, payload=True) for point in body["ids"] if point in kept]

    def _delete(self, name: str, body: Record) -> object:
        kept = self._points[self._real(name)]
        for point in [p["id"] for p in self._select(name, body)] if "filter" in body else body["points"]:
            if kept.pop(point, None) is not None:
                self.counts["points deleted"] += 1
        return self._acknowledge(name, body)

    def _set_payload(self, name: str, body: Record) -> object:
        kept = self._points[self._real(name)]
        for point in body.get("points") or []:
            if point in kept:
                kept[point]["payload"] = body["payload"]
                self.counts["payloads set"] += 1
        return self._acknowledge(name, body)

    def _batch(self, name: str, body: Record) -> object:
        calls = {
            "upsert": self._upsert,
            "delete": self._delete,
            "set_payload": self._set_payload,
            "overwrite_payload": self._set_payload,
        }
        return [calls[kind](name, part) for operation in body["operations"] for kind, part in operation.items()]

    def _scroll(self, name: str, body: Record) -> object:
        limit = body.get("limit", 10)
        start = body.get("offset")
        found = sorted(self._select(name, body), key=lambda point: str(point["id"]))
        page = [point for point in found if start is None or str(point["id"]) >= str(start)]
        following = page[limit]["id"] if len(page) > limit else None
        return {"points": [_shown(p, body, payload=True) for p in page[:limit]], "next_page_offset": following}

    def _query(self, name: str, body: Record) -> object:
        limit = min(body.get("limit", 10), FOUND)
        points = self._points[self._real(name)].values()
        found = [point for point, _ in zip(points, range(limit), strict=False)]
        shown = [_shown(p, body, payload=False) | {"version": 1, "score": 0.9 - i / 100} for i, p in enumerate(found)]
        return {"points": shown}

    def _select(self, name: str, body: Record) -> Iterator[Record]:
        conditions = (body.get("filter") or {}).get("must") or []
        if isinstance(conditions, dict):
            conditions = [conditions]
        for point in self._points[self._real(name)].values():
            if all(_matches(point, condition) for condition in conditions):
                yield point


def _done(result: object) -> Answer:
    return 200, JSON, orjson.dumps({"result": result, "status": "ok", "time": 0.0})


def _vector_at(vectors: Any, index: int) -> object:
    if isinstance(vectors, dict):
        return {name: column[index] for name, column in vectors.items()}
    return vectors[index]


def _matches(point: Record, condition: Record) -> bool:
    if "has_id" in condition:
        return point["id"] in condition["has_id"]
    match = condition["match"]
    value = (point.get("payload") or {}).get(condition["key"])
    return value in match["any"] if "any" in match else bool(value == match["value"])


def _shown(point: Record, body: Record, *, payload: bool) -> Record:
    shown: Record = {"id": point["id"]}
    wanted = body.get("with_payload", payload)
    if wanted:
        fields = wanted if isinstance(wanted, list) else wanted.get("include") if isinstance(wanted, dict) else None
        content = point.get("payload") or {}
        shown["payload"] = content if fields is None else {key: content[key] for key in fields if key in content}
    vectors = body.get("with_vector", body.get("with_vectors", False))
    if vectors:
        vector = point["vector"]
        named = isinstance(vectors, list) and isinstance(vector, dict)
        shown["vector"] = {key: vector[key] for key in vectors if key in vector} if named else vector
    return shown


_HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
_OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "indexing_threshold": 10000,
    "flush_interval_sec": 5,
}
_WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0}
