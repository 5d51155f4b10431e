"""What every embedder does. The fakes stand beside real peers: onnxruntime, llama.cpp's server, and Ollama when given.

A real Ollama is asked when OLLAMA_URL and OLLAMA_EMBED_MODEL are set.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from lorekeeper_api.contract.config import EmbeddingConfig
from lorekeeper_api.pipeline import EmbeddingProvider
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient
from lorekeeper_runtime.models.minilm import MiniLMEmbedder
from lorekeeper_runtime.models.ollama import OllamaEmbedder
from lorekeeper_runtime.models.openai import OpenAIEmbedder
from lorekeeper_runtime.ports import Embedder, Vector
from tests.support.fake_ollama import FakeOllama, serve_ollama
from tests.support.fake_openai import FakeOpenAI, serve_openai
from tests.support.gguf import find_gguf

IMPLEMENTATIONS = ["minilm", "ollama", "openai", "llama.cpp"]
if os.environ.get("OLLAMA_URL") and os.environ.get("OLLAMA_EMBED_MODEL"):
    IMPLEMENTATIONS.append("real-ollama")


@dataclass
class Peer:
    """An implementation with what it talks to."""

    name: str
    make: Callable[..., Embedder]
    """Makes an embedder; arguments replace fields of the configuration."""
    fake: FakeOllama | FakeOpenAI | None = None


@pytest.fixture(scope="module")
def llama_server() -> Iterator[str]:
    """llama.cpp's own server in embedding mode, at its base address."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(find_gguf())
    params.model_alias = {"smollm2"}
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_ctx, params.n_parallel, params.port, params.verbosity = 512, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture(params=IMPLEMENTATIONS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    async with AsyncExitStack() as stack:

        def keep(embedder: Embedder) -> Embedder:
            stack.push_async_callback(embedder.close)
            return embedder

        def maker(kind: Any, provider: EmbeddingProvider, model: str, url: str) -> Callable[..., Embedder]:
            def make(**fields: Any) -> Embedder:
                config = EmbeddingConfig(**{"provider": provider, "model": model, **fields})
                return keep(kind(config, HttpClient(url, attempts=1)))

            return make

        match str(request.param):
            case "minilm":

                def make(**fields: Any) -> Embedder:
                    config = {"provider": EmbeddingProvider.EMBEDDED, "model": "all-minilm-l6-v2", **fields}
                    return keep(MiniLMEmbedder(EmbeddingConfig(**config), threads=1))

                yield Peer("minilm", make)
            case "ollama":
                fake, url = await stack.enter_async_context(serve_ollama())
                yield Peer("ollama", maker(OllamaEmbedder, EmbeddingProvider.OLLAMA, "nomic-embed-text", url), fake)
            case "openai":
                service, url = await stack.enter_async_context(serve_openai())
                yield Peer(
                    "openai", maker(OpenAIEmbedder, EmbeddingProvider.OPENAI, service.embedding_model, url), service
                )
            case "llama.cpp":
                url = request.getfixturevalue("llama_server")
                yield Peer("llama.cpp", maker(OpenAIEmbedder, EmbeddingProvider.OPENAI, "smollm2", url))
            case _:
                url, model = os.environ["OLLAMA_URL"], os.environ["OLLAMA_EMBED_MODEL"]
                yield Peer("real-ollama", maker(OllamaEmbedder, EmbeddingProvider.OLLAMA, model, url))


def cosine(left: Vector, right: Vector) -> float:
    a, b = orjson.loads(left), orjson.loads(right)
    return float(sum(x * y for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5)


TEXTS = [
    "A cat sleeps on the sofa.",
    "The server listens on port 8080, and the client connects to it.",
    "Übergröße, 東京, 🐈 and \u0000 control characters.",
    "x",
]


async def test_one_vector_a_text_in_order(peer: Peer) -> None:
    embedder = peer.make()
    together = await embedder.embed_documents(TEXTS)
    assert len(together) == len(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        (alone,) = await embedder.embed_documents([text])
        assert cosine(alone, vector) > 0.999


async def test_vectors_have_the_described_length(peer: Peer) -> None:
    description = await peer.make().describe()
    assert description.dimensions
    embedder = peer.make(dimensions=description.dimensions)
    vectors = [*await embedder.embed_documents(TEXTS), await embedder.embed_query("What is it?")]
    assert {len(orjson.loads(vector)) for vector in vectors} == {description.dimensions}


async def test_no_texts_no_vectors(peer: Peer) -> None:
    assert await peer.make().embed_documents([]) == []


async def test_many_texts(peer: Peer) -> None:
    texts = [f"Text number {number}." for number in range(150)]
    vectors = await peer.make().embed_documents(texts)
    assert len(vectors) == 150
    (last,) = await peer.make().embed_documents(texts[-1:])
    assert cosine(last, vectors[-1]) > 0.999


async def test_a_question_and_a_document_without_prefixes_are_the_same(peer: Peer) -> None:
    embedder = peer.make()
    (document,) = await embedder.embed_documents([TEXTS[1]])
    assert cosine(document, await embedder.embed_query(TEXTS[1])) > 0.999


async def test_prefixes_are_put_before(peer: Peer) -> None:
    prefixed, bare = peer.make(query_prefix="search query: ", document_prefix="search document: "), peer.make()
    expected = await bare.embed_documents(["search document: a cat", "search query: a cat"])
    (document,) = await prefixed.embed_documents(["a cat"])
    assert cosine(document, expected[0]) > 0.999
    assert cosine(await prefixed.embed_query("a cat"), expected[1]) > 0.999
    assert cosine(document, expected[1]) < 0.999


async def test_similar_texts_are_closer(peer: Peer) -> None:
    cat, kitten, port = await peer.make().embed_documents(
        ["The cat sits on the mat.", "The cat sat on a mat.", "Interest rates rose by two percent."]
    )
    assert cosine(cat, kitten) > cosine(cat, port)


async def test_the_end_of_a_long_text_is_never_lost_silently(peer: Peer) -> None:
    text = "word " * 1500
    refused: ProviderError | None = None
    vectors: list[Vector] = []
    try:
        vectors = await peer.make().embed_documents([text, text + "a cat on a sofa " * 200])
    except ProviderError as error:
        refused = error
    if refused is None:
        assert cosine(*vectors) < 0.99
    else:
        assert refused.code == "ContextTooLong"
        assert not refused.retryable
        assert "spec.chunking.size" in refused.message


# llama.cpp's server answers to every name.
@pytest.mark.parametrize("peer", [name for name in IMPLEMENTATIONS if name != "llama.cpp"], indirect=True)
async def test_a_model_that_is_not_there(peer: Peer) -> None:
    with pytest.raises(ProviderError) as caught:
        await peer.make(model="no-such-model").describe()
    assert caught.value.code == "ModelNotFound"
    assert "no-such-model" in caught.value.message


async def test_declared_dimensions_that_the_model_does_not_have(peer: Peer) -> None:
    if peer.name == "openai":
        peer.make = _with_model(peer, "other-model")
    with pytest.raises(ProviderError) as caught:
        await peer.make(dimensions=10).embed_documents(["a cat"])
    assert caught.value.code == "DimensionMismatch"
    assert "dimensions" in caught.value.message


def _with_model(peer: Peer, model: str) -> Callable[..., Embedder]:
    assert isinstance(peer.fake, FakeOpenAI)
    peer.fake.embedding_model = model
    make = peer.make
    return lambda **fields: make(**{"model": model, **fields})


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("too-few", "TooFewVectors"),
        ("too-long-vector", "DimensionMismatch"),
        ("nan", "EmbeddingFailed"),
        ("no-json", "EmbeddingFailed"),
        ("401", "ProviderUnauthorized"),
        ("403", "ProviderUnauthorized"),
        ("404", "ModelNotFound"),
        ("429", "ProviderRateLimited"),
        ("500", "EmbeddingFailed"),
    ],
)
@pytest.mark.parametrize("peer", ["ollama", "openai"], indirect=True)
async def test_faults_have_codes_and_safe_messages(peer: Peer, fault: str, code: str) -> None:
    assert peer.fake is not None
    peer.fake.fault = fault
    with pytest.raises(ProviderError) as caught:
        await peer.make().embed_documents(["a cat", "a dog"])
    assert caught.value.code == code
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(("kind", "hint"), [(OllamaEmbedder, "ollama serve"), (OpenAIEmbedder, "endpoint")])
async def test_a_provider_that_is_away(kind: Any, hint: str, unused_tcp_port: int) -> None:
    config = EmbeddingConfig(provider=EmbeddingProvider.OLLAMA, model="m")
    embedder = kind(config, HttpClient(f"http://user:pass@127.0.0.1:{unused_tcp_port}", attempts=1))
    with pytest.raises(ProviderError) as caught:
        await embedder.describe()
    await embedder.close()
    assert caught.value.code == "ProviderUnreachable"
    assert caught.value.retryable
    assert f"127.0.0.1:{unused_tcp_port}" in caught.value.message
    assert "pass" not in caught.value.message
    assert hint in caught.value.message
    assert "--embedded" in caught.value.message
