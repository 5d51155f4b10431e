"""A server of OpenAI's API with a few models and no weights, with faults on request."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.fake_ollama import CONTEXT_BYTES, serve, toy_vector

__all__ = ["FakeOpenAI", "serve_openai"]

KEY = "sk-test-key"


@dataclass
class FakeOpenAI:
    """What the server has, was asked, and shall do wrong."""

    embedding_model: str = "text-embedding-3-small"
    chat_model: str = "gpt-4o-mini"
    dimensions: int = 32
    words: tuple[str, ...] = ("It ", "listens ", "on ", "port ", "8080 ", "[1].")
    fault: str = ""
    """too-few, too-long-vector, nan, no-json, no-models, mid-stream-error, cut, endless, unfinished, think, filtered,
    or a status as digits."""
    shuffled: bool = False
    """Whether vectors come in another order than the texts; `index` says which is which."""
    requests: list[tuple[str, Any]] = field(default_factory=list)
    authorization: str = ""
    """Header of the last request."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left while an answer was being written."""

    def last(self, path: str) -> Any:
        """Body of the last request to a path."""
        return [body for seen, body in self.requests if seen == path][-1]


@asynccontextmanager
async def serve_openai() -> AsyncIterator[tuple[FakeOpenAI, str]]:
    """Yield the fake and its base address, with /v1."""
    fake = FakeOpenAI()
    app = web.Application()
    app.add_routes(
        [
            web.get("/v1/models", _handler(fake, _models)),
            web.post("/v1/embeddings", _handler(fake, _embeddings)),
            web.post("/v1/chat/completions", _handler(fake, _chat)),
        ]
    )
    async with serve(app) as url:
        yield fake, f"{url}/v1"


def _handler(fake: FakeOpenAI, answer: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        fake.requests.append((request.path, body))
        fake.authorization = request.headers.get("Authorization", "")
        if fake.fault.isdigit():
            return _error(int(fake.fault), "secret provider text", "some_code")
        if fake.fault == "no-json":
            return web.Response(text="<html>gateway</html>")
        reply: web.StreamResponse = await answer(fake, request, body)
        return reply

    return handle


def _error(status: int, message: str, code: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": "invalid_request_error", "code": code}}, status=status
    )


async def _models(fake: FakeOpenAI, _request: web.Request, _body: Any) -> web.Response:
    if fake.fault == "no-models":
        return _error(404, "not found", "unknown_url")
    return web.json_response(
        {"object": "list", "data": [{"id": n, "object": "model"} for n in (fake.embedding_model, fake.chat_model)]}
    )


async def _embeddings(fake: FakeOpenAI, _request: web.Request, body: Any) -> web.Response:
    if body["model"] != fake.embedding_model:
        return _error(404, f"The model `{body['model']}` does not exist", "model_not_found")
    if any(len(text.encode()) > CONTEXT_BYTES for text in body["input"]):
        return _error(400, "This model's maximum context length is 8192 tokens", "context_length_exceeded")
    vectors = [toy_vector(text, body.get("dimensions", fake.dimensions)) for text in body["input"]]
    if fake.fault == "too-long-vector":
        vectors[-1].append(0.5)
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    if fake.shuffled:
        data.reverse()
    if fake.fault == "too-few":
        data.pop()
    text = json.dumps({"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 3}})
    if fake.fault == "nan":
        text = text.replace("0.", "NaN, 0.", 1)
    return web.Response(text=text, content_type="application/json")


async def _chat(fake: FakeOpenAI, request: web.Request, body: Any) -> web.StreamResponse:
    if body["model"] != fake.chat_model:
        return _error(404, f"The model `{body['model']}` does not exist", "model_not_found")
    if sum(len(message["content"]) for message in body["messages"]) > 16000:
        return _error(400, "This model's maximum context length is 4096 tokens", "context_length_exceeded")
    reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await reply.prepare(request)
    limit = body.get("max_tokens", 10_000)
    said, reason = "", "stop"
    await reply.write(b": keep-alive\n\n")
    try:
        for number, word in enumerate(fake.words):
            if number == limit:
                reason = "length"
                break
            if any(stop in said + word for stop in body.get("stop", ())):
                break
            said += word
            delta = {"content": word}
            if fake.fault == "think":
                delta, reason = {"reasoning_content": word}, "length"
            await _write(reply, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            if number == 1 and await _go_wrong(fake, request, reply):
                return reply
    except (asyncio.CancelledError, ConnectionResetError):
        fake.gone.set()
        raise
    if fake.fault == "filtered":
        reason = "content_filter"
    await _write(reply, {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if body.get("stream_options", {}).get("include_usage"):
        usage = {"prompt_tokens": 26, "completion_tokens": min(limit, len(fake.words))}
        await _write(reply, {"choices": [], "usage": usage})
    await reply.write(b"data: [DONE]\n\n")
    return reply


async def _go_wrong(fake: FakeOpenAI, request: web.Request, reply: web.StreamResponse) -> bool:
    if fake.fault == "mid-stream-error":
        await _write(reply, {"error": {"message": "secret provider text", "type": "server_error"}})
        return True
    if fake.fault == "cut":
        assert request.transport is not None
        request.transport.abort()
        return True
    if fake.fault == "endless":
        await asyncio.Event().wait()  # until the client goes
    return fake.fault == "unfinished"


async def _write(reply: web.StreamResponse, event: object) -> None:
    await reply.write(b"data: " + json.dumps(event).encode() + b"\r\n\r\n")
