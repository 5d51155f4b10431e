"""An Ollama of a few models and no weights, with faults on request. Its shapes are those of Ollama 0.13.5."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["FakeOllama", "serve", "serve_ollama", "toy_vector"]

CONTEXT_BYTES = 4000


def toy_vector(text: str, dimensions: int) -> list[float]:
    """A vector by which texts that share words are close: each word turns a few numbers up."""
    numbers = [0.001] * dimensions
    for word in text.lower().split():
        for byte in hashlib.sha256(word.strip(".,?!").encode()).digest()[:4]:
            numbers[byte % dimensions] += 1.0
    length = sum(number * number for number in numbers) ** 0.5
    return [round(number / length, 6) for number in numbers]


@asynccontextmanager
async def serve(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free loopback port; handlers are cancelled when their client goes."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class FakeOllama:
    """What the server has, was asked, and shall do wrong."""

    embedding_model: str = "nomic-embed-text:latest"
    chat_model: str = "gemma3:1b"
    dimensions: int = 32
    words: tuple[str, ...] = ("It ", "listens ", "on ", "port ", "8080 ", "[1].")
    fault: str = ""
    """too-few, too-long-vector, nan, no-json, mid-stream-error, cut, endless, think, or a status as digits."""
    requests: list[tuple[str, Any]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left while an answer was being written."""

    def last(self, path: str) -> Any:
        """Body of the last request to a path."""
        return [body for seen, body in self.requests if seen == path][-1]


@asynccontextmanager
async def serve_ollama() -> AsyncIterator[tuple[FakeOllama, str]]:
    """Yield the fake and its address."""
    fake = FakeOllama()
    app = web.Application()
    app.add_routes(
        [
            web.get("/api/tags", _handler(fake, _tags)),
            web.post("/api/show", _handler(fake, _show)),
            web.post("/api/embed", _handler(fake, _embed)),
            web.post("/api/chat", _handler(fake, _chat)),
        ]
    )
    async with serve(app) as url:
        yield fake, url


def _handler(fake: FakeOllama, answer: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        fake.requests.append((request.path, body))
        if fake.fault.isdigit():
            return web.json_response({"error": "secret provider text"}, status=int(fake.fault))
        if fake.fault == "no-json":
            return web.Response(text="<html>gateway</html>")
        reply: web.StreamResponse = await answer(fake, request, body)
        return reply

    return handle


def _full_name(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


async def _tags(fake: FakeOllama, _request: web.Request, _body: Any) -> web.Response:
    names = (fake.embedding_model, fake.chat_model)
    models = [{"name": n, "model": n, "digest": hashlib.sha256(n.encode()).hexdigest(), "size": 1} for n in names]
    return web.json_response({"models": models})


async def _show(fake: FakeOllama, _request: web.Request, body: Any) -> web.Response:
    name = _full_name(body["model"])
    if name == fake.embedding_model:
        facts = {"general.architecture": "nomic-bert", "nomic-bert.embedding_length": fake.dimensions}
        return web.json_response(
            {"capabilities": ["embedding"], "model_info": {**facts, "nomic-bert.context_length": 2048}}
        )
    if name == fake.chat_model:
        facts = {"general.architecture": "gemma3", "gemma3.embedding_length": 1152}
        return web.json_response(
            {"capabilities": ["completion"], "model_info": {**facts, "gemma3.context_length": 32768}}
        )
    return _missing(body["model"])


def _missing(model: str) -> web.Response:
    return web.json_response({"error": f"model '{model}' not found"}, status=404)


async def _embed(fake: FakeOllama, _request: web.Request, body: Any) -> web.Response:
    if _full_name(body["model"]) not in {fake.embedding_model, fake.chat_model}:
        return _missing(body["model"])
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    if any(len(text.encode()) > CONTEXT_BYTES for text in texts):
        if not body.get("truncate", True):
            return web.json_response({"error": "the input length exceeds the context length"}, status=400)
        texts = [text[:CONTEXT_BYTES] for text in texts]
    vectors = [toy_vector(text, fake.dimensions) for text in texts]
    if fake.fault == "too-few":
        vectors = vectors[:-1]
    if fake.fault == "too-long-vector":
        vectors[-1].append(0.5)
    text = json.dumps({"model": body["model"], "embeddings": vectors, "total_duration": 14, "prompt_eval_count": 3})
    if fake.fault == "nan":
        text = text.replace("0.", "NaN, 0.", 1)
    return web.Response(text=text, content_type="application/json")


async def _chat(fake: FakeOllama, request: web.Request, body: Any) -> web.StreamResponse:
    if _full_name(body["model"]) == fake.embedding_model:
        return web.json_response({"error": f"{body['model']!r} does not support chat"}, status=400)
    if _full_name(body["model"]) != fake.chat_model:
        return _missing(body["model"])
    if sum(len(message["content"]) for message in body["messages"]) > 4 * body["options"]["num_ctx"]:
        return web.json_response({"error": "the input length exceeds the context length"}, status=400)
    reply = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await reply.prepare(request)
    limit = body["options"]["num_predict"]
    said, reason = "", "stop"
    try:
        for number, word in enumerate(fake.words):
            if number == limit:
                reason = "length"
                break
            if any(stop in said + word for stop in body["options"].get("stop", ())):
                break
            said += word
            message = {"role": "assistant", "content": word}
            if fake.fault == "think":
                message, reason = {"role": "assistant", "content": "", "thinking": word}, "length"
            await _write(reply, {"model": body["model"], "message": message, "done": False})
            if number == 1 and await _go_wrong(fake, request, reply):
                return reply
    except (asyncio.CancelledError, ConnectionResetError):
        fake.gone.set()
        raise
    message = {"role": "assistant", "content": ""}
    counts = {"prompt_eval_count": 26, "eval_count": min(limit, len(fake.words))}
    await _write(reply, {"model": body["model"], "message": message, "done": True, "done_reason": reason, **counts})
    return reply


async def _go_wrong(fake: FakeOllama, request: web.Request, reply: web.StreamResponse) -> bool:
    if fake.fault == "mid-stream-error":
        await _write(reply, {"error": "secret provider text"})
        return True
    if fake.fault == "cut":
        assert request.transport is not None
        request.transport.abort()
        return True
    if fake.fault == "endless":
        await asyncio.Event().wait()  # until the client goes
    return False


async def _write(reply: web.StreamResponse, event: object) -> None:
    await reply.write(json.dumps(event).encode() + b"\n")
