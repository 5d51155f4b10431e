"""The routes of the OpenAI API: every client of it can ask a pipeline, whose name is the model."""

import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lorekeeper_runtime.errors import LorekeeperError
from lorekeeper_runtime.query.answer import AnswerFinished, AnswerPiece, AnswerStarted, Question, collect
from lorekeeper_runtime.query.chat import ChatChunks, ChatRequest, build_completion, read_chat_request, read_question
from lorekeeper_runtime.query.connection import ConnectionScope, EventStream, read_json
from lorekeeper_runtime.query.openapi import describe_body, describe_errors
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.problems import build_error, internal_error, json_response
from lorekeeper_runtime.query.service import QueryService
from lorekeeper_runtime.query.shapes import Context, Shape, Usage

__all__ = ["make_openai_router"]

_log = logging.getLogger("lorekeeper.query")


class UrlCitation(Shape):
    """A mark whose document has an address."""

    start_index: int
    """Where the mark begins in the text, in characters."""
    end_index: int
    """Where it ends."""
    url: str
    title: str


class Annotation(Shape):
    """A citation as OpenAI's own models give it."""

    type: str
    url_citation: UrlCitation


class CompletionMessage(Shape):
    """The answer; marks [n] in the content name the citations of the context."""

    role: str
    content: str
    refusal: None
    annotations: list[Annotation]
    context: Context


class CompletionChoice(Shape):
    """The one choice."""

    index: int
    message: CompletionMessage
    logprobs: None
    finish_reason: str


class ChatCompletion(Shape):
    """A whole answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage


class Model(Shape):
    """A pipeline."""

    id: str
    """Name of the pipeline."""
    object: str
    created: int
    """When this service started, in seconds since 1970."""
    owned_by: str
    generation: bool
    """Whether it answers; one that does not only retrieves."""


class ModelList(Shape):
    """All pipelines."""

    object: str
    data: list[Model]


_STREAM = {
    "text/event-stream": {
        "schema": {
            "type": "string",
            "description": "With `stream`: chunks of the type chat.completion.chunk. The first has the citations in "
            "`delta.context`, the last has `delta.annotations` and what was cited; then `[DONE]`. An error in the "
            "middle is an event with `error`, and the last one.",
        }
    }
}


def make_openai_router(service: QueryService) -> APIRouter:
    """Return the routes `POST /v1/chat/completions`, `GET /v1/models` and `GET /v1/models/{id}`."""
    router = APIRouter(tags=["OpenAI"])
    created = int(time.time())

    @router.post(
        "/v1/chat/completions",
        response_model=None,
        responses={200: {"model": ChatCompletion, "content": _STREAM}, **describe_errors()},
        openapi_extra=describe_body(ChatRequest),
    )
    async def chat_completions(request: Request) -> Response:
        """Answer the last message of a conversation from the sources, with citations."""
        body = read_chat_request(await read_json(request))
        pipeline = service.find(body.model, param="model")
        question = read_question(body)
        if body.stream:
            usage = body.stream_options is not None and body.stream_options.include_usage
            chunks = ChatChunks(pipeline.name, include_usage=usage)
            request_id = request.scope["lorekeeper.request_id"]
            return EventStream(lambda: _stream(service, pipeline, question, chunks, request_id))
        async with ConnectionScope(request.receive):
            whole = await collect(service.answer(pipeline, question))
        return json_response(build_completion(pipeline.name, whole))

    @router.get("/v1/models", response_model=None, responses={200: {"model": ModelList}})
    async def list_models() -> Response:
        """List the pipelines."""
        data = [_build_model(pipeline, created) for pipeline in service.pipelines.values()]
        return json_response({"object": "list", "data": data})

    @router.get("/v1/models/{name}", response_model=None, responses={200: {"model": Model}, **describe_errors(404)})
    async def read_model(name: str) -> Response:
        """Return one pipeline."""
        return json_response(_build_model(service.find(name, param="model"), created))

    return router


async def _stream(
    service: QueryService, pipeline: Pipeline, question: Question, chunks: ChatChunks, request_id: str
) -> AsyncGenerator[bytes]:
    """Yield the events of an answer. Errors before the first event are raised, later ones become the last event."""
    started: AnswerStarted | None = None
    try:
        async with aclosing(service.answer(pipeline, question)) as events:
            async for event in events:
                match event:
                    case AnswerPiece():
                        yield chunks.text(event.text)
                    case AnswerStarted():
                        started = event
                        yield chunks.first(event)
                    case AnswerFinished():
                        if started is not None:
                            yield chunks.last(started, event)
    except LorekeeperError as error:
        if started is None:
            raise
        _log.warning("request %s failed: %s: %s", request_id, error.code, error, exc_info=error.__cause__)
        yield chunks.error(build_error(error))
    except Exception:
        if started is None:
            raise
        _log.exception("request %s failed unexpectedly", request_id)
        yield chunks.error(build_error(internal_error(request_id)))


def _build_model(pipeline: Pipeline, created: int) -> dict[str, Any]:
    return {
        "id": pipeline.name,
        "object": "model",
        "created": created,
        "owned_by": "lorekeeper",
        "generation": pipeline.generator is not None,
    }
