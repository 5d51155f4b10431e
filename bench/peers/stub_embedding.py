"""One call to the stub embedder by httpx and orjson: leaner than the SDK that most users of the peers take."""

import httpx
import orjson

__all__ = ["StubClient"]

MODEL = "stub-embedder"


class StubClient:
    """Holds one connection open."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url)

    def embed(self, texts: list[str]) -> list[list[float]]:
        """Return one vector a text."""
        body = orjson.dumps({"model": MODEL, "input": texts, "encoding_format": "float"})
        reply = self._http.post("/v1/embeddings", content=body, headers={"Content-Type": "application/json"})
        reply.raise_for_status()
        return [item["embedding"] for item in orjson.loads(reply.content)["data"]]
