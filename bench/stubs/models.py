"""The stub of a provider: embeddings and chat in the shapes of OpenAI and Ollama, from replies rendered beforehand."""

import base64
import math
import random
import struct
import zlib
from collections import Counter

import orjson

from bench.stubs.http import Answer

__all__ = ["DIMENSIONS", "MODEL", "ModelsStub"]

DIMENSIONS = 384
MODEL = "stub-embedder"
DISTINCT = 512
"""Vectors kept; a text gets the one that its checksum picks."""
TOKENS = 64
"""Length of an answer of the language model."""
JSON = b"application/json"


class ModelsStub:
    """Answers at once and counts what it was asked for."""

    def __init__(self) -> None:
        numbers = random.Random(20261123)
        vectors = [_unit_vector(numbers) for _ in range(DISTINCT)]
        self._floats = [orjson.dumps(vector) for vector in vectors]
        self._base64 = [b'"' + base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)) + b'"' for vector in vectors]
        self.counts: Counter[str] = Counter()

    def handle(self, method: str, path: str, body: bytes) -> Answer:
        route = path.partition("?")[0]
        if route == "/bench/counts":
            return 200, JSON, orjson.dumps(dict(self.counts))
        if route == "/bench/reset":
            self.counts.clear()
            return 200, JSON, b"{}"
        self.counts["requests"] += 1
        if route in {"/v1/embeddings", "/api/embed"}:
            return self._embed(route, orjson.loads(body))
        if route == "/v1/chat/completions":
            self.counts["answers"] += 1
            return _chat(orjson.loads(body))
        described = _DESCRIPTIONS.get(route)
        if described is None:
            return 404, JSON, b'{"error":{"message":"The stub has no such route.","code":"not_found"}}'
        return 200, JSON, orjson.dumps(described)

    def _embed(self, route: str, request: dict[str, object]) -> Answer:
        texts = request["input"]
        if isinstance(texts, str):
            texts = [texts]
        assert isinstance(texts, list)
        self.counts["embed_requests"] += 1
        self.counts["texts"] += len(texts)
        rendered = self._base64 if request.get("encoding_format") == "base64" else self._floats
        # A text may come as a string or, from OpenAI's own clients, as token ids.
        found = [rendered[zlib.crc32(orjson.dumps(text)) % DISTINCT] for text in texts]
        if route == "/api/embed":
            return 200, JSON, b'{"model":"%b","embeddings":[%b]}' % (MODEL.encode(), b",".join(found))
        data = b",".join(
            b'{"object":"embedding","index":%d,"embedding":%b}' % (index, vector) for index, vector in enumerate(found)
        )
        return (
            200,
            JSON,
            b'{"object":"list","data":[%b],"model":"%b","usage":{"prompt_tokens":%d,"total_tokens":%d}}'
            % (data, MODEL.encode(), len(texts), len(texts)),
        )


def _unit_vector(numbers: random.Random) -> list[float]:
    """Return a vector with the digits of a real one: 32-bit floats of length 1, nine figures each."""
    vector = [numbers.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.sqrt(sum(x * x for x in vector))
    return [float(f"{x / length:.8g}") for x in vector]


def _chat(request: dict[str, object]) -> Answer:
    words = ["It", " is", " so", " [1]", "."] + [" word"] * (TOKENS - 5)
    usage = {"prompt_tokens": 1000, "completion_tokens": TOKENS, "total_tokens": 1000 + TOKENS}
    head = {"id": "chatcmpl-stub", "created": 1, "model": MODEL}
    if not request.get("stream"):
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, JSON, orjson.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    head["object"] = "chat.completion.chunk"
    events = [{**head, "choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({**head, "choices": [], "usage": usage})
    body = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    return 200, b"text/event-stream", body


_DESCRIPTIONS: dict[str, dict[str, object]] = {
    "/v1/models": {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 1, "owned_by": "bench"}]},
    f"/v1/models/{MODEL}": {"id": MODEL, "object": "model", "created": 1, "owned_by": "bench"},
    "/api/version": {"version": "0.13.0"},
    "/api/tags": {"models": [{"name": f"{MODEL}:latest", "model": f"{MODEL}:latest", "digest": "0" * 64}]},
    "/api/show": {
        "capabilities": ["embedding", "completion"],
        "details": {"family": "bert"},
        "model_info": {
            "general.architecture": "bert",
            "bert.embedding_length": DIMENSIONS,
            "bert.context_length": 8192,
        },
    },
}
