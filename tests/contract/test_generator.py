"""What every generator does. The fakes stand beside real peers: llama.cpp with a small model, and Ollama when given.

A real Ollama is asked when OLLAMA_URL and OLLAMA_CHAT_MODEL are set.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from lorekeeper_api.contract.config import GenerationConfig
from lorekeeper_api.pipeline import GenerationProvider
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient
from lorekeeper_runtime.models import gguf
from lorekeeper_runtime.models.extractive import ExtractiveGenerator
from lorekeeper_runtime.models.gguf import GGUFGenerator
from lorekeeper_runtime.models.ollama import OllamaGenerator
from lorekeeper_runtime.models.openai import OpenAIGenerator
from lorekeeper_runtime.ports import GeneratedPiece, GenerationRequest, Generator, Passage
from tests.support.fake_ollama import FakeOllama, serve_ollama
from tests.support.fake_openai import FakeOpenAI, serve_openai
from tests.support.gguf import find_gguf

IMPLEMENTATIONS = ["ollama", "openai", "gguf", "extractive"]
if os.environ.get("OLLAMA_URL") and os.environ.get("OLLAMA_CHAT_MODEL"):
    IMPLEMENTATIONS.append("real-ollama")
FAKES = ["ollama", "openai"]

REQUEST = GenerationRequest(
    question="What port does the server listen on?",
    passages=[
        Passage(1, "The server listens on port 8080. Another port is given by `--port`.", "Guide", ("Network",)),
        Passage(2, "The cat sleeps on the sofa.", "Pets"),
    ],
    temperature=0,
    seed=1,
)


@dataclass
class Peer:
    """An implementation with what it talks to."""

    name: str
    make: Callable[..., Generator]
    """Makes a generator; arguments replace fields of the configuration."""
    fake: FakeOllama | FakeOpenAI | None = None


@pytest.fixture(params=IMPLEMENTATIONS)
async def peer(request: pytest.FixtureRequest) -> AsyncIterator[Peer]:
    async with AsyncExitStack() as stack:

        def maker(build: Callable[[GenerationConfig], Generator], **defaults: Any) -> Callable[..., Generator]:
            def make(**fields: Any) -> Generator:
                generator = build(GenerationConfig(**{"max_tokens": 60, "context_window": 1024, **defaults, **fields}))
                stack.push_async_callback(generator.close)
                return generator

            return make

        match str(request.param):
            case "ollama":
                ollama, url = await stack.enter_async_context(serve_ollama())
                make = maker(
                    lambda config: OllamaGenerator(config, HttpClient(url, attempts=1)),
                    provider=GenerationProvider.OLLAMA,
                    model=ollama.chat_model,
                )
                yield Peer("ollama", make, ollama)
            case "openai":
                service, url = await stack.enter_async_context(serve_openai())
                make = maker(
                    lambda config: OpenAIGenerator(config, HttpClient(url, attempts=1)),
                    provider=GenerationProvider.OPENAI,
                    model=service.chat_model,
                )
                yield Peer("openai", make, service)
            case "gguf":
                make = maker(
                    lambda config: GGUFGenerator(config, threads=1),
                    provider=GenerationProvider.EMBEDDED,
                    model=str(find_gguf()),
                )
                yield Peer("gguf", make)
            case "extractive":
                make = maker(lambda config: ExtractiveGenerator(config, None), provider=GenerationProvider.EXTRACTIVE)
                yield Peer("extractive", make)
            case _:
                make = maker(
                    lambda config: OllamaGenerator(config, HttpClient(os.environ["OLLAMA_URL"])),
                    provider=GenerationProvider.OLLAMA,
                    model=os.environ["OLLAMA_CHAT_MODEL"],
                )
                yield Peer("real-ollama", make)


async def read(generator: Generator, request: GenerationRequest = REQUEST) -> list[GeneratedPiece]:
    return [piece async for piece in generator.generate(request)]


def text_of(pieces: list[GeneratedPiece]) -> str:
    return "".join(piece.text for piece in pieces)


async def test_pieces_and_a_last_one_with_the_counts(peer: Peer) -> None:
    pieces = await read(peer.make())
    assert text_of(pieces).strip()
    assert [piece.finish_reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    last = pieces[-1]
    assert last.finish_reason in {"stop", "length"}
    assert last.prompt_tokens is not None
    assert last.completion_tokens


async def test_an_answer_can_be_asked_for_again(peer: Peer) -> None:
    generator = peer.make()
    assert text_of(await read(generator)) == text_of(await read(generator))


async def test_concurrent_answers(peer: Peer) -> None:
    generator = peer.make(max_tokens=20)
    answers = await asyncio.gather(*(read(generator) for _ in range(3)))
    assert all(text_of(answer).strip() for answer in answers)


async def test_max_tokens_ends_the_answer(peer: Peer) -> None:
    pieces = await read(peer.make(), replace(REQUEST, max_tokens=3))
    assert pieces[-1].finish_reason == "length"
    assert (pieces[-1].completion_tokens or 0) <= 3
    assert len(text_of(pieces)) <= 40


async def test_max_tokens_goes_downwards_only(peer: Peer) -> None:
    pieces = await read(peer.make(max_tokens=3), replace(REQUEST, max_tokens=50))
    assert pieces[-1].finish_reason == "length"
    assert (pieces[-1].completion_tokens or 0) <= 3


async def test_stop_ends_the_answer_before_it(peer: Peer) -> None:
    whole = text_of(await read(peer.make()))
    stop = whole.split()[2]
    pieces = await read(peer.make(), replace(REQUEST, stop=[stop]))
    assert stop not in text_of(pieces)
    assert whole.startswith(text_of(pieces).rstrip())
    assert pieces[-1].finish_reason == "stop"


async def test_history_is_taken(peer: Peer) -> None:
    history = [("user", "Hello"), ("assistant", "Hello, ask me something.")]
    pieces = await read(peer.make(), replace(REQUEST, history=history))
    assert pieces[-1].finish_reason


async def test_closing_early_leaves_the_generator_usable(peer: Peer) -> None:
    generator = peer.make()
    pieces = cast("AsyncGenerator[GeneratedPiece, None]", generator.generate(REQUEST))
    await anext(pieces)
    await pieces.aclose()
    assert text_of(await read(generator)).strip()


async def test_describe(peer: Peer) -> None:
    description = await peer.make().describe()
    assert description.name
    assert description.dimensions is None


@pytest.mark.parametrize("peer", [name for name in IMPLEMENTATIONS if name != "extractive"], indirect=True)
async def test_a_model_that_is_not_there(peer: Peer) -> None:
    for call in (peer.make(model="no-such-model").describe(), read(peer.make(model="no-such-model"))):
        with pytest.raises(ProviderError) as caught:
            await call
        assert caught.value.code == "ModelNotFound"
        assert "no-such-model" in caught.value.message
        assert not caught.value.retryable


@pytest.mark.parametrize("peer", [name for name in IMPLEMENTATIONS if name != "extractive"], indirect=True)
async def test_a_prompt_that_does_not_fit_is_refused(peer: Peer) -> None:
    long = replace(REQUEST, passages=[Passage(1, "word " * 6000, "Long")])
    with pytest.raises(ProviderError) as caught:
        await read(peer.make(), long)
    assert caught.value.code == "ContextTooLong"
    assert "contextWindow" in caught.value.message


@pytest.mark.parametrize("peer", FAKES, indirect=True)
async def test_the_first_piece_does_not_wait_for_the_last_and_closing_stops_the_work_upstream(peer: Peer) -> None:
    assert peer.fake is not None
    peer.fake.fault = "endless"
    pieces = cast("AsyncGenerator[GeneratedPiece, None]", peer.make().generate(REQUEST))
    assert (await anext(pieces)).text == "It "
    await pieces.aclose()
    await asyncio.wait_for(peer.fake.gone.wait(), 5)


@pytest.mark.parametrize("peer", FAKES, indirect=True)
async def test_a_cancelled_reader_stops_the_work_upstream(peer: Peer) -> None:
    assert peer.fake is not None
    peer.fake.fault = "endless"
    begun = asyncio.Event()

    async def read_on() -> None:
        async for _ in peer.make().generate(REQUEST):
            begun.set()

    task = asyncio.create_task(read_on())
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(peer.fake.gone.wait(), 5)


FAULTS = [
    ("mid-stream-error", "GenerationFailed"),
    ("cut", "GenerationFailed"),
    ("think", "GenerationFailed"),
    ("no-json", "GenerationFailed"),
    ("401", "ProviderUnauthorized"),
    ("429", "ProviderRateLimited"),
    ("404", "ModelNotFound"),
    ("500", "GenerationFailed"),
]


@pytest.mark.parametrize(("fault", "code"), FAULTS)
@pytest.mark.parametrize("peer", FAKES, indirect=True)
async def test_faults_have_codes_and_safe_messages(peer: Peer, fault: str, code: str) -> None:
    assert peer.fake is not None
    peer.fake.fault = fault
    with pytest.raises(ProviderError) as caught:
        await read(peer.make())
    assert caught.value.code == code
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("fault", ["unfinished", "filtered"])
@pytest.mark.parametrize("peer", ["openai"], indirect=True)
async def test_an_answer_that_is_not_whole_is_an_error(peer: Peer, fault: str) -> None:
    assert peer.fake is not None
    peer.fake.fault = fault
    with pytest.raises(ProviderError) as caught:
        await read(peer.make())
    assert caught.value.code == "GenerationFailed"


@pytest.mark.parametrize(("kind", "hint"), [(OllamaGenerator, "ollama serve"), (OpenAIGenerator, "endpoint")])
async def test_a_provider_that_is_away(kind: Any, hint: str, unused_tcp_port: int) -> None:
    config = GenerationConfig(provider=GenerationProvider.OLLAMA, model="m")
    generator = kind(config, HttpClient(f"http://127.0.0.1:{unused_tcp_port}", attempts=1))
    with pytest.raises(ProviderError) as caught:
        await read(generator)
    await generator.close()
    assert caught.value.code == "ProviderUnreachable"
    assert hint in caught.value.message
    assert "--embedded" in caught.value.message


@pytest.mark.parametrize("peer", ["gguf"], indirect=True)
async def test_a_file_that_is_no_model(peer: Peer, tmp_path: Any) -> None:
    (tmp_path / "not.gguf").write_bytes(b"something else")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and then nothing of use")
    with pytest.raises(ProviderError, match="is not a GGUF file"):
        await peer.make(model=str(tmp_path / "not.gguf")).describe()
    with pytest.raises(ProviderError, match="cannot be loaded"):
        await read(peer.make(model=str(tmp_path / "broken.gguf")))


@pytest.mark.parametrize("peer", ["gguf"], indirect=True)
async def test_the_model_is_loaded_once_before_the_first_question(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    first, go_on = threading.Event(), threading.Event()
    start = gguf._start_server

    def start_when_told(*arguments: Any) -> Any:
        begun.append(arguments)
        first.set()
        assert go_on.wait(30)
        return start(*arguments)

    monkeypatch.setattr(gguf, "_start_server", start_when_told)
    generator = cast("GGUFGenerator", peer.make(max_tokens=3))
    impatient = asyncio.create_task(generator.describe())
    assert await asyncio.to_thread(first.wait, 30)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    go_on.set()
    await generator.describe()
    assert len(begun) == 1
    assert text_of(await read(generator))
    assert len(begun) == 1


@pytest.mark.parametrize("peer", ["gguf"], indirect=True)
async def test_closing_stops_the_server(peer: Peer) -> None:
    generator = cast("GGUFGenerator", peer.make(max_tokens=3))
    await read(generator)
    port = int(generator._server.listening_address.rsplit(":", 1)[1])
    await generator.close()
    with pytest.raises(OSError):  # noqa: PT011 - refused or reset, by platform
        await asyncio.open_connection("127.0.0.1", port)
    assert text_of(await read(generator))
