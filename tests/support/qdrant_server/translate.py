"""Between the REST API's JSON and the engine's objects."""

import json
from functools import lru_cache
from typing import Any

import qdrant_edge as edge

MODEL = "qdrant/bm25"


class RefusedError(Exception):
    """An error reply: a status and the text that the real server sends."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Dot": edge.Distance.Dot,
    "Euclid": edge.Distance.Euclid,
    "Manhattan": edge.Distance.Manhattan,
}
SCHEMAS = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
    "bool": edge.PayloadSchemaType.Bool,
    "datetime": edge.PayloadSchemaType.Datetime,
    "uuid": edge.PayloadSchemaType.Uuid,
}


def config(definition: dict[str, Any]) -> edge.EdgeConfig:
    vectors = definition.get("vectors") or {}
    if "size" in vectors:
        vectors = {"": vectors}
    dense = {name: edge.EdgeVectorParams(each["size"], DISTANCES[each["distance"]]) for name, each in vectors.items()}
    sparse = {
        name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if each.get("modifier") == "idf" else None)
        for name, each in (definition.get("sparse_vectors") or {}).items()
    }
    # The engine wants a vector where the server is content with none.
    return edge.EdgeConfig(dense, sparse or {"unused": edge.EdgeSparseVectorParams()})


@lru_cache(maxsize=16)
def _bm25(options: str) -> edge.Bm25:
    try:
        return edge.Bm25(edge.Bm25Config(**json.loads(options)))
    except (TypeError, ValueError) as error:
        raise RefusedError(400, f"Bad request: Invalid BM25 config: {error}") from error


def vector(value: Any, *, query: bool) -> Any:
    """A vector of a point or a query: numbers, sparse, or a text that BM25 turns into one."""
    if isinstance(value, dict) and "text" in value:
        if value["model"].lower() != MODEL:
            raise RefusedError(400, f"Inference is not enabled for the model {value['model']}")
        model = _bm25(json.dumps(value.get("options") or {}))
        return model.embed_query(value["text"]) if query else model.embed_document(value["text"])
    if isinstance(value, dict) and "indices" in value:
        return edge.SparseVector(value["indices"], value["values"])
    return value


def vectors(value: Any) -> Any:
    if isinstance(value, dict) and not {"text", "indices"} & value.keys():
        return {name: vector(each, query=False) for name, each in value.items()}
    return vector(value, query=False)


def points(body: dict[str, Any]) -> list[edge.Point]:
    if "batch" in body:
        batch = body["batch"]
        payloads = batch.get("payloads") or [None] * len(batch["ids"])
        named = batch["vectors"]
        each_vector = (
            [{name: named[name][i] for name in named} for i in range(len(batch["ids"]))]
            if isinstance(named, dict)
            else named
        )
        listed = zip(batch["ids"], each_vector, payloads, strict=True)
    else:
        listed = ((each["id"], each["vector"], each.get("payload")) for each in body["points"])
    return [edge.Point(point, vectors(given), payload) for point, given, payload in listed]


def _match(match: dict[str, Any]) -> Any:
    kinds = {"value": edge.MatchValue, "any": edge.MatchAny, "except": edge.MatchExcept, "text": edge.MatchText}
    ((kind, value),) = match.items()
    return kinds[kind](value)


def _condition(given: dict[str, Any]) -> Any:
    if "has_id" in given:
        return edge.HasIdCondition(set(given["has_id"]))
    if "is_empty" in given:
        return edge.IsEmptyCondition(given["is_empty"]["key"])
    if "is_null" in given:
        return edge.IsNullCondition(given["is_null"]["key"])
    if "key" in given:
        match = _match(given["match"]) if given.get("match") else None
        return edge.FieldCondition(given["key"], match=match, range=_range(given.get("range")))
    return filter_of(given)


def _range(given: dict[str, Any] | None) -> Any:
    if not given:
        return None
    bounds = {name: value for name, value in given.items() if value is not None}
    dates = any(isinstance(value, str) for value in bounds.values())
    return edge.RangeDateTime(**bounds) if dates else edge.RangeFloat(**bounds)


def filter_of(given: dict[str, Any] | None) -> edge.Filter | None:
    if not given:
        return None
    clauses: dict[str, Any] = {}
    for clause in ("must", "should", "must_not"):
        listed = given.get(clause)
        if listed:
            clauses[clause] = [_condition(each) for each in (listed if isinstance(listed, list) else [listed])]
    return edge.Filter(**clauses)


def query(body: dict[str, Any]) -> edge.QueryRequest:
    return edge.QueryRequest(
        limit=10 if body.get("limit") is None else body["limit"],
        offset=body.get("offset") or 0,
        query=_scoring(body.get("query"), body.get("using") or ""),
        prefetches=_prefetches(body.get("prefetch")),
        filter=filter_of(body.get("filter")),
        score_threshold=body.get("score_threshold"),
        with_payload=selector(body.get("with_payload", False)),
        with_vector=body.get("with_vector", False),
    )


def _prefetches(given: Any) -> list[edge.Prefetch]:
    listed = given if isinstance(given, list) else [given] if given else []
    return [
        edge.Prefetch(
            limit=10 if each.get("limit") is None else each["limit"],
            query=_scoring(each.get("query"), each.get("using") or ""),
            prefetches=_prefetches(each.get("prefetch")),
            filter=filter_of(each.get("filter")),
            score_threshold=each.get("score_threshold"),
        )
        for each in listed
    ]


def _scoring(given: Any, using: str) -> Any:
    if given is None:
        return None
    if isinstance(given, dict) and "fusion" in given:
        return edge.Fusion.Rrf(k=2) if given["fusion"] == "rrf" else edge.Fusion.Dbsf()
    if isinstance(given, dict) and "rrf" in given:
        settings = given["rrf"]
        return edge.Fusion.Rrf(k=settings.get("k") or 2, weights=settings.get("weights"))
    if isinstance(given, dict) and "nearest" in given:
        given = given["nearest"]
    return edge.Query.Nearest(vector(given, query=True), using=using)


def selector(given: Any) -> Any:
    if isinstance(given, dict) and "include" in given:
        return given["include"]
    return given


def record(found: Any) -> dict[str, Any]:
    """A found point as JSON; a scored one has its score too."""
    shown: dict[str, Any] = {"id": found.id if isinstance(found.id, int) else str(found.id), "payload": found.payload}
    if found.vector is not None:
        named = found.vector
        shown["vector"] = (
            {name: _shown(each) for name, each in named.items()} if isinstance(named, dict) else _shown(named)
        )
    if isinstance(found, edge.ScoredPoint):
        shown |= {"score": found.score, "version": found.version}
    return shown


def _shown(value: Any) -> Any:
    if isinstance(value, edge.SparseVector):
        return {"indices": list(value.indices), "values": list(value.values)}
    return value
