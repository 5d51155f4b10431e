"""The routes of the REST API, as far as clients of this project use them."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import qdrant_edge as edge
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .engine import Engine
from .translate import RefusedError, filter_of, points, query, record, selector, vectors

VERSION = "1.19.0"
BODY_LIMIT = 32 * 1024 * 1024
OPEN_PATHS = {"/", "/healthz", "/readyz", "/livez"}

Handler = Callable[[Engine, dict[str, str], Any], Any]
Update = edge.UpdateOperation


def make_app(engine: Engine, *, api_key: str | None = None, body_limit: int = BODY_LIMIT) -> Starlette:
    def serve(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            started = time.perf_counter()
            refused = _check_key(request, api_key)
            if refused is not None:
                return refused
            content = await request.body()
            if len(content) > body_limit:
                text = f"JSON payload ({len(content)} bytes) is larger than allowed (limit: {body_limit} bytes)."
                return _failure(413, text, started)
            try:
                body = json.loads(content) if content else {}
                result = await run_in_threadpool(handler, engine, request.path_params, body)
            except RefusedError as error:
                return _failure(error.status, str(error), started)
            except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
                return _failure(400, f"Format error in JSON body: {error}", started)
            return JSONResponse({"result": result, "status": "ok", "time": time.perf_counter() - started})

        return respond

    async def root(request: Request) -> Response:
        return JSONResponse({"title": "qdrant - vector search engine", "version": VERSION, "commit": "stand-in"})

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("all shards are ready")

    one = "/collections/{name}"
    routes = [
        Route("/", root),
        *(Route(path, healthy) for path in ("/healthz", "/readyz", "/livez")),
        *(Route(path, serve(handler), methods=[method]) for method, path, handler in _table(one)),
    ]
    return Starlette(routes=routes)


def _table(one: str) -> list[tuple[str, str, Handler]]:
    return [
        ("GET", "/collections", lambda e, p, b: {"collections": [{"name": name} for name in sorted(e.collections)]}),
        ("POST", "/collections/aliases", lambda e, p, b: e.change_aliases(b["actions"])),
        ("GET", "/aliases", lambda e, p, b: _aliases(e, None)),
        ("GET", f"{one}/aliases", lambda e, p, b: _aliases(e, p["name"])),
        ("GET", f"{one}/exists", lambda e, p, b: {"exists": p["name"] in e.collections or p["name"] in e.aliases}),
        ("GET", one, _describe),
        ("PUT", one, lambda e, p, b: e.create(p["name"], b)),
        ("PATCH", one, _patch),
        ("DELETE", one, lambda e, p, b: e.delete(p["name"])),
        ("PUT", f"{one}/index", lambda e, p, b: e.create_index(p["name"], b["field_name"], b["field_schema"])),
        ("DELETE", f"{one}/index/{{field}}", lambda e, p, b: e.delete_index(p["name"], p["field"])),
        ("PUT", f"{one}/points", lambda e, p, b: e.find(p["name"]).update(Update.upsert_points(points(b)))),
        ("POST", f"{one}/points", _retrieve),
        ("POST", f"{one}/points/delete", lambda e, p, b: e.find(p["name"]).update(_delete(b))),
        ("PUT", f"{one}/points/payload", lambda e, p, b: e.find(p["name"]).update(_overwrite(b))),
        ("POST", f"{one}/points/payload", lambda e, p, b: e.find(p["name"]).update(_set(b))),
        ("PUT", f"{one}/points/vectors", lambda e, p, b: e.find(p["name"]).update(_vectors(b))),
        ("POST", f"{one}/points/batch", _batch),
        ("POST", f"{one}/points/scroll", _scroll),
        ("POST", f"{one}/points/count", _count),
        ("POST", f"{one}/points/query", _query),
        ("POST", f"{one}/points/query/batch", _query_batch),
        ("GET", f"{one}/points/{{id}}", _retrieve_one),
        ("POST", f"{one}/facet", _facet),
    ]


def _check_key(request: Request, api_key: str | None) -> Response | None:
    if api_key is None or request.url.path in OPEN_PATHS:
        return None
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = request.headers.get("api-key") or bearer
    if not given:
        return PlainTextResponse("Must provide an API key or an Authorization bearer token", 401)
    return None if given == api_key else PlainTextResponse("Invalid API key or JWT", 401)


def _failure(status: int, text: str, started: float) -> Response:
    return JSONResponse({"status": {"error": text}, "time": time.perf_counter() - started}, status)


def _aliases(engine: Engine, collection: str | None) -> Any:
    listed = [
        {"alias_name": alias, "collection_name": name}
        for alias, name in sorted(engine.aliases.items())
        if collection in {None, name}
    ]
    return {"aliases": listed}


def _describe(engine: Engine, path: dict[str, str], body: Any) -> Any:
    collection = engine.find(path["name"])
    definition = collection.definition
    info = collection.ask(lambda shard: shard.info())
    params = {
        "vectors": definition.get("vectors") or {},
        "shard_number": 1,
        "replication_factor": 1,
        "write_consistency_factor": 1,
        "on_disk_payload": True,
    }
    if definition.get("sparse_vectors"):
        params["sparse_vectors"] = definition["sparse_vectors"]
    settings = {
        "params": params,
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
    }
    if definition.get("metadata"):
        settings["metadata"] = definition["metadata"]
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": collection.ask(lambda shard: shard.count(edge.CountRequest(exact=True))),
        "indexed_vectors_count": info.indexed_vectors_count,
        "segments_count": info.segments_count,
        "config": settings,
        "payload_schema": {
            field: {
                "data_type": kind,
                "points": info.payload_schema[field].points if field in info.payload_schema else 0,
            }
            for field, kind in definition["indexes"].items()
        },
    }


def _patch(engine: Engine, path: dict[str, str], body: Any) -> Any:
    collection = engine.find(path["name"])
    collection.definition["metadata"] = {
        **(collection.definition.get("metadata") or {}),
        **(body.get("metadata") or {}),
    }
    collection.save()
    return True


def _retrieve(engine: Engine, path: dict[str, str], body: Any) -> Any:
    payload, vector = selector(body.get("with_payload", True)), body.get("with_vector", False)
    found = engine.find(path["name"]).ask(lambda shard: shard.retrieve(body["ids"], payload, vector))
    return [record(each) for each in found]


def _retrieve_one(engine: Engine, path: dict[str, str], body: Any) -> Any:
    found = _retrieve(engine, path, {"ids": [path["id"]], "with_vector": True})
    if not found:
        raise RefusedError(404, f"Not found: Point with id {path['id']} does not exists!")
    return found[0]


def _delete(body: Any) -> Any:
    if "filter" in body:
        return Update.delete_points_by_filter(filter_of(body["filter"]))
    return Update.delete_points(body["points"])


def _overwrite(body: Any) -> Any:
    if body.get("points") is not None:
        return Update.overwrite_payload(body["points"], body["payload"], body.get("key"))
    return Update.overwrite_payload_by_filter(filter_of(body["filter"]), body["payload"], body.get("key"))


def _set(body: Any) -> Any:
    if body.get("points") is not None:
        return Update.set_payload(body["points"], body["payload"], body.get("key"))
    return Update.set_payload_by_filter(filter_of(body["filter"]), body["payload"], body.get("key"))


def _vectors(body: Any) -> Any:
    return Update.update_vectors([edge.PointVectors(each["id"], vectors(each["vector"])) for each in body["points"]])


def _batch(engine: Engine, path: dict[str, str], body: Any) -> Any:
    makers: dict[str, Callable[[Any], Any]] = {
        "upsert": lambda each: Update.upsert_points(points(each)),
        "delete": _delete,
        "overwrite_payload": _overwrite,
        "set_payload": _set,
        "update_vectors": _vectors,
    }
    collection = engine.find(path["name"])
    done = []
    for operation in body["operations"]:
        ((kind, given),) = operation.items()
        done.append(collection.update(makers[kind](given)))
    return done


def _scroll(engine: Engine, path: dict[str, str], body: Any) -> Any:
    request = edge.ScrollRequest(
        offset=body.get("offset"),
        limit=10 if body.get("limit") is None else body["limit"],
        filter=filter_of(body.get("filter")),
        with_payload=selector(body.get("with_payload", True)),
        with_vector=body.get("with_vector", False),
    )
    found, following = engine.find(path["name"]).ask(lambda shard: shard.scroll(request))
    return {
        "points": [record(each) for each in found],
        "next_page_offset": following if following is None or isinstance(following, int) else str(following),
    }


def _count(engine: Engine, path: dict[str, str], body: Any) -> Any:
    request = edge.CountRequest(exact=body.get("exact", True), filter=filter_of(body.get("filter")))
    return {"count": engine.find(path["name"]).ask(lambda shard: shard.count(request))}


def _query(engine: Engine, path: dict[str, str], body: Any) -> Any:
    request = query(body)
    return {"points": [record(each) for each in engine.find(path["name"]).ask(lambda shard: shard.query(request))]}


def _query_batch(engine: Engine, path: dict[str, str], body: Any) -> Any:
    request = edge.QueryBatchRequest([query(each) for each in body["searches"]])
    lists = engine.find(path["name"]).ask(lambda shard: shard.query_batch(request))
    return [{"points": [record(each) for each in found]} for found in lists]


def _facet(engine: Engine, path: dict[str, str], body: Any) -> Any:
    collection = engine.find(path["name"])
    if body["key"] not in collection.definition["indexes"]:
        raise RefusedError(
            400,
            f'Bad request: Index required but not found for "{body["key"]}" of one of the following types: '
            "[keyword]. Help: Create an index for this key or use a different filter.",
        )
    request = edge.FacetRequest(
        body["key"], body.get("limit") or 10, exact=body.get("exact", False), filter=filter_of(body.get("filter"))
    )
    return {
        "hits": [{"value": hit.value, "count": hit.count} for hit in collection.ask(lambda s: s.facet(request)).hits]
    }
