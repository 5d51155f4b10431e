"""Ollama by its own REST API, which tells a model's digest, dimensions and capabilities; its OpenAI facade does not."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import orjson

from lorekeeper_api.contract.config import EmbeddingConfig, GenerationConfig
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient, HttpError, UnreachableError
from lorekeeper_runtime.models.failures import Upstream
from lorekeeper_runtime.models.prompt import build_messages, make_fence_key
from lorekeeper_runtime.models.streams import LineTooLongError, read_lines
from lorekeeper_runtime.models.vectors import check_vectors, cut_vectors, vector_length
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, ModelDescription, Vector

__all__ = ["OLLAMA_URL", "OllamaEmbedder", "OllamaGenerator"]

OLLAMA_URL = "http://127.0.0.1:11434"
"""Where Ollama listens when nobody says otherwise."""

TEXTS_PER_REQUEST = 64


class OllamaEmbedder:
    """An embedding model that Ollama runs.

    Args:
        config: The resolved model.
        http: Client for Ollama's address; closed with the embedder.
    """

    def __init__(self, config: EmbeddingConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._upstream = Upstream("Ollama", http.url, config.model, "embed")

    async def describe(self) -> ModelDescription:
        """Ask for digest, dimensions and context length; see `ports.Embedder`."""
        shown = await _show(self._http, self._upstream)
        if "embedding" not in shown.get("capabilities", ["embedding"]):  # servers before 0.6 do not tell
            raise self._upstream.cannot_embed()
        dimensions = _fact(shown, "embedding_length")
        if dimensions is None:
            dimensions = vector_length((await self._embed(["dimensions"], dimensions=0))[0])
        if self._config.dimensions not in {0, dimensions}:
            raise ProviderError(
                f"The model {self._config.model} makes vectors of {dimensions} numbers where {self._config.dimensions} "
                f"are declared; set spec.embedding.dimensions to {dimensions}, or name another model.",
                code="DimensionMismatch",
                retryable=False,
            )
        return ModelDescription(
            name=self._config.model,
            digest=await _find_digest(self._http, self._upstream),
            dimensions=dimensions,
            context_length=_fact(shown, "context_length"),
        )

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Embed texts with the document prefix; see `ports.Embedder`."""
        prefixed = [self._config.document_prefix + text for text in texts]
        vectors: list[Vector] = []
        for start in range(0, len(prefixed), TEXTS_PER_REQUEST):
            vectors += await self._embed(prefixed[start : start + TEXTS_PER_REQUEST], self._config.dimensions)
        return vectors

    async def embed_query(self, text: str) -> Vector:
        """Embed a question with the query prefix; see `ports.Embedder`."""
        return (await self._embed([self._config.query_prefix + text], self._config.dimensions))[0]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _embed(self, texts: Sequence[str], dimensions: int) -> list[Vector]:
        # Without truncate=false Ollama cuts a long text and says nothing.
        body = orjson.dumps({"model": self._config.model, "input": texts, "truncate": False})
        try:
            content = await self._http.request("POST", "/api/embed", body)
        except (HttpError, UnreachableError) as error:
            raise self._upstream.translate(error) from error
        try:
            reply, vectors = cut_vectors(content)
        except ValueError as error:
            raise self._upstream.failed("with something that is not JSON") from error
        positions = reply.get("embeddings") if isinstance(reply, dict) else None
        if not isinstance(positions, list):
            raise self._upstream.failed("without vectors", retryable=False)
        return check_vectors(positions, vectors, count=len(texts), dimensions=dimensions, model=self._config.model)


class OllamaGenerator:
    """A chat model that Ollama runs.

    Args:
        config: The resolved model.
        http: Client for Ollama's address; closed with the generator.
    """

    def __init__(self, config: GenerationConfig, http: HttpClient) -> None:
        self._config = config
        self._http = http
        self._upstream = Upstream("Ollama", http.url, config.model or "", "generate")
        self._fence_key = make_fence_key()

    async def describe(self) -> ModelDescription:
        """Ask for digest and context length; see `ports.Generator`."""
        shown = await _show(self._http, self._upstream)
        if "completion" not in shown.get("capabilities", ["completion"]):
            raise ProviderError(
                f"The model {self._upstream.model} at {self._upstream.host} does not chat; name a model that does.",
                code="GenerationFailed",
                retryable=False,
            )
        return ModelDescription(
            name=self._upstream.model,
            digest=await _find_digest(self._http, self._upstream),
            context_length=_fact(shown, "context_length"),
        )

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[GeneratedPiece, None]:
        """Stream the answer; see `ports.Generator`."""
        body = orjson.dumps(self._chat(request))
        written = False
        try:
            async with self._http.stream("/api/chat", body) as reader:
                async for line in read_lines(reader):
                    piece = self._read_piece(line)
                    written = written or bool(piece.text)
                    if piece.finish_reason == "length" and not written:
                        raise self._upstream.spent_silently()
                    if piece.text or piece.finish_reason:
                        yield piece
                    if piece.finish_reason:
                        return
        except HttpError as error:
            raise self._upstream.translate(error) from error
        except UnreachableError as error:
            raise (self._upstream.broke_off() if written else self._upstream.unreachable()) from error
        except LineTooLongError as error:
            raise self._upstream.failed("with a line without end") from error
        raise self._upstream.broke_off()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _chat(self, request: GenerationRequest) -> dict[str, object]:
        config = self._config
        options: dict[str, object] = {
            "num_ctx": config.context_window,
            "temperature": config.temperature if request.temperature is None else request.temperature,
            "num_predict": min(config.max_tokens, request.max_tokens or config.max_tokens),
        }
        if request.seed is not None:
            options["seed"] = request.seed
        if request.stop:
            options["stop"] = list(request.stop)
        return {
            "model": config.model,
            "messages": build_messages(request, config.system_prompt, fence_key=self._fence_key),
            "stream": True,
            # A model that thinks would spend the answer's tokens on it, unseen.
            "think": False,
            # Too long a prompt is an error, not a prompt without its head; servers that do not know these ignore them.
            "truncate": False,
            "shift": False,
            "options": options,
        }

    def _read_piece(self, line: bytes) -> GeneratedPiece:
        try:
            event = orjson.loads(line)
            if "error" in event:  # comes with status 200 when it happens under way
                raise self._upstream.broke_off() from ValueError(str(event["error"]))
            text = event.get("message", {}).get("content") or ""
            if not event.get("done"):
                return GeneratedPiece(text)
            return GeneratedPiece(
                text,
                finish_reason="length" if event.get("done_reason") == "length" else "stop",
                prompt_tokens=event.get("prompt_eval_count"),
                completion_tokens=event.get("eval_count"),
            )
        except (ValueError, AttributeError, TypeError) as error:
            raise self._upstream.failed("with a line that is not JSON") from error


async def _show(http: HttpClient, upstream: Upstream) -> dict[str, Any]:
    try:
        shown = await http.post_json("/api/show", {"model": upstream.model})
    except (HttpError, UnreachableError) as error:
        raise upstream.translate(error) from error
    except ValueError as error:
        raise upstream.failed("with something that is not JSON", retryable=False) from error
    if not isinstance(shown, dict):
        raise upstream.failed("with something that Ollama does not send", retryable=False)
    return shown


async def _find_digest(http: HttpClient, upstream: Upstream) -> str:
    """Digest of the model's manifest; empty when the listing does not have it."""
    try:
        listing = await http.get_json("/api/tags")
    except (HttpError, UnreachableError) as error:
        raise upstream.translate(error) from error
    model = upstream.model
    name = model if ":" in model.rsplit("/", 1)[-1] else f"{model}:latest"
    for entry in listing.get("models") or []:
        if str(entry.get("name", "")).lower() == name.lower():
            return str(entry.get("digest", ""))
    return ""


def _fact(shown: dict[str, Any], name: str) -> int | None:
    """A number of `model_info`, whose keys begin with the model's architecture."""
    facts = shown.get("model_info") or {}
    value = facts.get(f"{facts.get('general.architecture', '')}.{name}")
    return value if isinstance(value, int) else None
