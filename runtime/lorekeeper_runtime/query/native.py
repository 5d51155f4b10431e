"""Lorekeeper's own routes: a question in, a cited answer or passages out."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from lorekeeper_runtime.query.answer import Question, collect
from lorekeeper_runtime.query.connection import ConnectionScope, read_json
from lorekeeper_runtime.query.openapi import describe_body, describe_errors
from lorekeeper_runtime.query.problems import json_response, validate
from lorekeeper_runtime.query.service import QueryService
from lorekeeper_runtime.query.shapes import (
    QueryAnswer,
    QueryRequest,
    RetrieveAnswer,
    RetrieveRequest,
    build_context,
    build_passages,
    build_usage,
)

__all__ = ["make_native_router"]


def make_native_router(service: QueryService) -> APIRouter:
    """Return the routes `POST /v1/query` and `POST /v1/retrieve`."""
    router = APIRouter(tags=["Lorekeeper"])

    @router.post(
        "/v1/query",
        response_model=None,
        responses={200: {"model": QueryAnswer}, **describe_errors()},
        openapi_extra=describe_body(QueryRequest),
    )
    async def query(request: Request) -> Response:
        """Answer a question from the sources, with citations."""
        body = validate(QueryRequest, await read_json(request))
        pipeline = service.find(body.pipeline, param="pipeline")
        async with ConnectionScope(request.receive):
            question = Question(body.question, top_k=body.top_k, minimum_score=body.minimum_score)
            whole = await collect(service.answer(pipeline, question))
        return json_response(
            {
                "id": request.scope["lorekeeper.request_id"],
                "answer": whole.text,
                **build_context(pipeline.name, whole.started, whole.finished),
                "finish_reason": whole.finished.finish_reason,
                "usage": build_usage(whole.finished),
                "seconds": whole.started.retrieval.seconds | whole.finished.seconds,
            }
        )

    @router.post(
        "/v1/retrieve",
        response_model=None,
        responses={200: {"model": RetrieveAnswer}, **describe_errors()},
        openapi_extra=describe_body(RetrieveRequest),
    )
    async def retrieve(request: Request) -> Response:
        """Find the passages that are about a question; no model writes."""
        body = validate(RetrieveRequest, await read_json(request))
        pipeline = service.find(body.pipeline, param="pipeline")
        async with ConnectionScope(request.receive):
            question = Question(body.question, top_k=body.top_k, minimum_score=body.minimum_score)
            found = await service.retrieve(pipeline, question)
        return json_response(
            {
                "pipeline": pipeline.name,
                "revision": found.revision,
                "mode": found.mode.value,
                "minimum_score": found.minimum_score,
                "best_score": found.best_cosine,
                "passages": build_passages(found),
                "seconds": found.seconds,
            }
        )

    return router
