"""OpenAI's API, as OpenAI and many servers speak it: embeddings and streamed chat. The base address includes /v1."""

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import orjson

from lorekeeper_api.contract.config import EmbeddingConfig, GenerationConfig
from lorekeeper_runtime.http import HttpClient, HttpError, UnreachableError
from lorekeeper_runtime.models.failures import Upstream
from lorekeeper_runtime.models.prompt import build_messages, make_fence_key
from lorekeeper_runtime.models.streams import LineTooLongError, read_lines
from lorekeeper_runtime.models.vectors import check_vectors, cut_vectors, vector_length
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, ModelDescription, Vector

__all__ = ["OPENAI_URL", "OpenAIEmbedder", "OpenAIGenerator"]

OPENAI_URL = "https://api.openai.com/v1"
"""OpenAI's own service."""

TEXTS_PER_REQUEST = 128  # of 8,000 characters each: below the service's 300,000 tokens a request
_RESIZABLE = "text-embedding-3"  # the only models that take `dimensions`; others refuse the parameter
_REASONING = re.compile(r"(o\d|gpt-5)")  # refuse every temperature but their own


class OpenAIEmbedder:
    """An embedding model behind an OpenAI-compatible API.

    Args:
        config: The resolved model.
        http: Client for the API's base address; closed with the embedder.
    """

    def __init__(self, config: EmbeddingConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._upstream = Upstream("OpenAI", http.url, config.model, "embed")

    async def describe(self) -> ModelDescription:
        """Embed one word: no other way to learn the dimensions is common to these servers; see `ports.Embedder`."""
        vector = (await self._embed(["dimensions"]))[0]
        return ModelDescription(name=self._config.model, digest="", dimensions=vector_length(vector))

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Embed texts with the document prefix; see `ports.Embedder`."""
        prefixed = [self._config.document_prefix + text for text in texts]
        vectors: list[Vector] = []
        for start in range(0, len(prefixed), TEXTS_PER_REQUEST):
            vectors += await self._embed(prefixed[start : start + TEXTS_PER_REQUEST])
        return vectors

    async def embed_query(self, text: str) -> Vector:
        """Embed a question with the query prefix; see `ports.Embedder`."""
        return (await self._embed([self._config.query_prefix + text]))[0]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _embed(self, texts: Sequence[str]) -> list[Vector]:
        config = self._config
        body: dict[str, object] = {"model": config.model, "input": texts, "encoding_format": "float"}
        if config.dimensions and _RESIZABLE in config.model:
            body["dimensions"] = config.dimensions
        try:
            content = await self._http.request("POST", "/embeddings", orjson.dumps(body))
        except (HttpError, UnreachableError) as error:
            raise self._upstream.translate(error) from error
        try:
            reply, vectors = cut_vectors(content)
        except ValueError as error:
            raise self._upstream.failed("with something that is not JSON") from error
        positions = _read_positions(reply)
        if positions is None:
            raise self._upstream.failed("without vectors", retryable=False)
        return check_vectors(positions, vectors, count=len(texts), dimensions=config.dimensions, model=config.model)


class OpenAIGenerator:
    """A chat model behind an OpenAI-compatible API.

    Args:
        config: The resolved model.
        http: Client for the API's base address; closed with the generator.
    """

    def __init__(self, config: GenerationConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._upstream = Upstream("OpenAI", http.url, config.model or "", "generate")
        self._fence_key = make_fence_key()

    async def describe(self) -> ModelDescription:
        """Look the model up in the listing; a server without one is believed; see `ports.Generator`."""
        name = self._upstream.model
        try:
            listing = await self._http.get_json("/models")
        except HttpError as error:
            if error.status in {404, 405, 501}:
                return ModelDescription(name=name, digest="")
            raise self._upstream.translate(error) from error
        except UnreachableError as error:
            raise self._upstream.translate(error) from error
        except ValueError as error:
            raise self._upstream.failed("with something that is not JSON", retryable=False) from error
        entries = listing.get("data") if isinstance(listing, dict) else None
        for entry in entries or []:
            if entry.get("id") == name:
                context = entry.get("max_model_len") or (entry.get("meta") or {}).get("n_ctx")
                return ModelDescription(name=name, digest="", context_length=context)
        if entries:
            raise self._upstream.not_found()
        return ModelDescription(name=name, digest="")

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GeneratedPiece, None]:
        """Stream the answer; see `ports.Generator`."""
        body = orjson.dumps(self._chat(request))
        stream = _ChatStream(self._upstream)
        try:
            async with self._http.stream("/chat/completions", body) as reader:
                async for line in read_lines(reader):
                    if text := stream.read(line):
                        yield GeneratedPiece(text)
                    if stream.done:
                        break
        except HttpError as error:
            raise self._upstream.translate(error) from error
        except UnreachableError as error:
            raise (self._upstream.broke_off() if stream.written else self._upstream.unreachable()) from error
        except LineTooLongError as error:
            raise self._upstream.failed("with a line without end") from error
        yield stream.finish()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _chat(self, request: GenerationRequest) -> dict[str, object]:
        config = self._config
        model = config.model or ""
        own_service = self._http.url.startswith(OPENAI_URL)
        body: dict[str, object] = {
            "model": model,
            "messages": build_messages(request, config.system_prompt, fence_key=self._fence_key),
            "stream": True,
            "stream_options": {"include_usage": True},
            # OpenAI's newer models refuse max_tokens, most other servers know nothing else.
            "max_completion_tokens" if own_service else "max_tokens": min(
                config.max_tokens, request.max_tokens or config.max_tokens
            ),
        }
        if not (own_service and _REASONING.match(model)):
            body["temperature"] = config.temperature if request.temperature is None else request.temperature
        if request.seed is not None:
            body["seed"] = request.seed
        if request.stop:
            body["stop"] = list(request.stop)
        return body


@dataclass(slots=True)
class _ChatStream:
    """What has been seen of a streamed chat completion."""

    upstream: Upstream
    done: bool = False
    written: bool = False
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def read(self, line: bytes) -> str:
        """Take in one line and return its text, mostly a word or nothing."""
        if line.startswith(b"{"):  # no stream at all, but one JSON object: an error sent with status 200
            raise self.upstream.failed("without a stream", retryable=False) from ValueError(
                line[:300].decode("utf-8", "replace")
            )
        if not line.startswith(b"data:"):  # comments that keep the connection alive, names of events
            return ""
        data = line[5:].strip()
        if data == b"[DONE]":
            self.done = True
            return ""
        try:
            event = orjson.loads(data)
            if event.get("error"):
                raise self.upstream.broke_off() from ValueError(str(event["error"]))
            if usage := event.get("usage"):
                self.prompt_tokens = usage.get("prompt_tokens")
                self.completion_tokens = usage.get("completion_tokens")
            choices = event.get("choices")
            if not choices:
                return ""
            self.finish_reason = choices[0].get("finish_reason") or self.finish_reason
            text = (choices[0].get("delta") or {}).get("content") or ""
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise self.upstream.failed("with a line that is not JSON") from error
        self.written = self.written or bool(text)
        return str(text)

    def finish(self) -> GeneratedPiece:
        """Return the last piece, or raise when the answer is not whole."""
        if not self.done and self.finish_reason is None:
            raise self.upstream.broke_off()
        if self.finish_reason == "content_filter":
            raise self.upstream.failed("by stopping the answer with its content filter", retryable=False)
        reason = "length" if self.finish_reason == "length" else "stop"
        if reason == "length" and not self.written:
            raise self.upstream.spent_silently()
        return GeneratedPiece(
            "", finish_reason=reason, prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens
        )


def _read_positions(reply: object) -> list[object] | None:
    """Positions of the vectors in the order of the texts, by `index` where the server gives it."""
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        return None
    indexes = [entry.get("index") for entry in data]
    if all(type(index) is int for index in indexes) and len(set(indexes)) == len(indexes):
        data = sorted(data, key=lambda entry: entry["index"])
    return [entry.get("embedding") for entry in data]
