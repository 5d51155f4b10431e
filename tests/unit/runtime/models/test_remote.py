"""What is sent to Ollama and to OpenAI, and what is read from odd but right replies."""

from collections.abc import AsyncIterator

import orjson
import pytest
from aiohttp import web

from lorekeeper_api.contract.config import EmbeddingConfig, GenerationConfig
from lorekeeper_api.pipeline import EmbeddingProvider, GenerationProvider
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient
from lorekeeper_runtime.models.failures import Upstream
from lorekeeper_runtime.models.ollama import OllamaEmbedder, OllamaGenerator
from lorekeeper_runtime.models.openai import OPENAI_URL, OpenAIEmbedder, OpenAIGenerator
from lorekeeper_runtime.models.streams import LineTooLongError, read_lines
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, Generator
from tests.support.fake_ollama import FakeOllama, serve, serve_ollama, toy_vector
from tests.support.fake_openai import FakeOpenAI, serve_openai

REQUEST = GenerationRequest("Why?", [], temperature=0.5, max_tokens=9, stop=["END"], seed=7)


@pytest.fixture
async def ollama() -> AsyncIterator[tuple[FakeOllama, HttpClient]]:
    async with serve_ollama() as (fake, url):
        http = HttpClient(url, attempts=1)
        yield fake, http
        await http.close()


@pytest.fixture
async def openai() -> AsyncIterator[tuple[FakeOpenAI, HttpClient]]:
    async with serve_openai() as (fake, url):
        http = HttpClient(url, attempts=1)
        yield fake, http
        await http.close()


def embedding(model: str = "nomic-embed-text", dimensions: int = 0) -> EmbeddingConfig:
    return EmbeddingConfig(provider=EmbeddingProvider.OLLAMA, model=model, dimensions=dimensions)


def generation(model: str = "gemma3:1b") -> GenerationConfig:
    return GenerationConfig(provider=GenerationProvider.OLLAMA, model=model, context_window=2048, max_tokens=100)


async def read(generator: Generator, request: GenerationRequest = REQUEST) -> list[GeneratedPiece]:
    return [piece async for piece in generator.generate(request)]


# --- Ollama ----------------------------------------------------------------------------------------------------------


async def test_ollama_describes_an_embedding_model(ollama: tuple[FakeOllama, HttpClient]) -> None:
    description = await OllamaEmbedder(embedding(), ollama[1]).describe()
    assert (description.dimensions, description.context_length) == (32, 2048)
    assert len(description.digest) == 64


async def test_a_chat_model_does_not_embed_although_the_server_would(ollama: tuple[FakeOllama, HttpClient]) -> None:
    with pytest.raises(ProviderError) as caught:
        await OllamaEmbedder(embedding("gemma3:1b"), ollama[1]).describe()
    assert caught.value.code == "ModelCannotEmbed"


async def test_an_embedding_model_does_not_chat(ollama: tuple[FakeOllama, HttpClient]) -> None:
    generator = OllamaGenerator(generation("nomic-embed-text"), ollama[1])
    with pytest.raises(ProviderError, match="does not chat"):
        await generator.describe()
    with pytest.raises(ProviderError):
        await read(generator)


async def test_a_missing_model_says_how_to_fetch_it(ollama: tuple[FakeOllama, HttpClient]) -> None:
    with pytest.raises(ProviderError, match="`ollama pull llama3:8b`"):
        await OllamaGenerator(generation("llama3:8b"), ollama[1]).describe()


async def test_other_dimensions_than_declared_show_before_anything_is_embedded(
    ollama: tuple[FakeOllama, HttpClient],
) -> None:
    with pytest.raises(ProviderError, match="dimensions to 32") as caught:
        await OllamaEmbedder(embedding(dimensions=768), ollama[1]).describe()
    assert caught.value.code == "DimensionMismatch"


async def test_what_ollama_is_sent(ollama: tuple[FakeOllama, HttpClient]) -> None:
    fake, http = ollama
    await OllamaEmbedder(embedding(), http).embed_documents(["a"])
    assert fake.last("/api/embed") == {"model": "nomic-embed-text", "input": ["a"], "truncate": False}
    await read(OllamaGenerator(generation(), http))
    chat = fake.last("/api/chat")
    assert chat["options"] == {"num_ctx": 2048, "temperature": 0.5, "num_predict": 9, "seed": 7, "stop": ["END"]}
    assert (chat["stream"], chat["truncate"], chat["think"]) == (True, False, False)


# --- OpenAI ----------------------------------------------------------------------------------------------------------


async def test_vectors_are_ordered_by_index(openai: tuple[FakeOpenAI, HttpClient]) -> None:
    fake, http = openai
    fake.shuffled = True
    vectors = await OpenAIEmbedder(embedding(fake.embedding_model), http).embed_documents(["a cat", "the sea"])
    assert [orjson.loads(vector) for vector in vectors] == [toy_vector("a cat", 32), toy_vector("the sea", 32)]


async def test_dimensions_go_to_models_that_can_be_resized_only(openai: tuple[FakeOpenAI, HttpClient]) -> None:
    fake, http = openai
    vectors = await OpenAIEmbedder(embedding("text-embedding-3-small", 16), http).embed_documents(["a"])
    assert len(orjson.loads(vectors[0])) == 16
    fake.embedding_model = "bge-m3"
    await OpenAIEmbedder(embedding("bge-m3", 32), http).embed_documents(["a"])
    assert fake.last("/v1/embeddings") == {"model": "bge-m3", "input": ["a"], "encoding_format": "float"}


async def test_a_server_without_a_listing_is_believed(openai: tuple[FakeOpenAI, HttpClient]) -> None:
    fake, http = openai
    fake.fault = "no-models"
    assert (await OpenAIGenerator(generation("anything"), http).describe()).name == "anything"


async def test_what_openai_is_sent(openai: tuple[FakeOpenAI, HttpClient]) -> None:
    fake, http = openai
    await read(OpenAIGenerator(generation(fake.chat_model), http))
    body = fake.last("/v1/chat/completions")
    del body["messages"]
    assert body == {
        "model": fake.chat_model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
        "seed": 7,
        "stop": ["END"],
    }


def test_openai_s_own_service_gets_the_newer_names() -> None:
    body = OpenAIGenerator(generation("gpt-5-mini"), HttpClient(OPENAI_URL))._chat(REQUEST)
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert "temperature" not in body


@pytest.mark.parametrize(
    "lines",
    [
        [b'data:{"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\n\n', b"data:[DONE]\n\n"],
        [b'event: x\r\ndata: {"choices":[{"delta":{"content":"Yes"}}]}\r\n\r\ndata: [DONE]\r\n\r\n'],
        [
            b'data: {"choices":[{"delta":{"role":"assistant","content":null}}]}\n',
            b'data: {"choices":[{"delta":{"content":"Y',
            b'es"},"finish_reason":"stop"}],"usage":null}\n\n',
        ],
    ],
)
async def test_streams_that_are_written_differently(lines: list[bytes]) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        for line in lines:
            await reply.write(line)
        return reply

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with serve(app) as url:
        generator = OpenAIGenerator(generation("m"), HttpClient(f"{url}/v1"))
        pieces = await read(generator)
        await generator.close()
    assert "".join(piece.text for piece in pieces) == "Yes"
    assert pieces[-1].finish_reason == "stop"


# --- parts -----------------------------------------------------------------------------------------------------------


class Pieces:
    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    async def readany(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


async def test_lines_do_not_depend_on_the_pieces_they_come_in() -> None:
    text = b"one\r\n\ntwo\nthree"
    for size in range(1, len(text) + 1):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert [line async for line in read_lines(Pieces(*pieces))] == [b"one", b"two", b"three"]


async def test_a_line_without_end_is_given_up() -> None:
    with pytest.raises(LineTooLongError):
        [line async for line in read_lines(Pieces(*[b"x" * 1024 * 1024] * 9))]


def test_messages_name_the_host_without_credentials() -> None:
    upstream = Upstream("OpenAI", "https://user:secret@api.example.com/v1", "m", "embed")
    assert upstream.host == "api.example.com"
    assert "secret" not in upstream.unreachable().message
