"""The query service as its clients meet it: a real server on loopback, and the unmodified OpenAI SDK."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx
import openai
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lorekeeper_api.contract.collection import CollectionSchema
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.query.answer import NOT_IN_SOURCES
from lorekeeper_runtime.query.app import create_app
from lorekeeper_runtime.query.connection import BODY_BYTES
from lorekeeper_runtime.query.openai import ChatCompletion
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.shapes import Context, QueryAnswer, RetrieveAnswer
from lorekeeper_runtime.stores.embedded import EmbeddedStore
from lorekeeper_runtime.stores.lock import HomeLock
from tests.unit.runtime.query.parts import (
    DIMENSIONS,
    DOCUMENTS,
    FINGERPRINT,
    OTHER,
    EchoGenerator,
    HashEmbedder,
    Parts,
    make_config,
    make_pipeline,
    make_points,
)

QUESTION = "Which port does the service listen on by default?"
UNRELATED = "Who won yesterday?"
ANSWER = f"It says: {DOCUMENTS[0]['text']} [1]."
DEADLINE = 10.0


class Server:
    """Pipelines behind uvicorn, in a thread with a loop of its own."""

    def __init__(self, *parts: Parts) -> None:
        self.parts = parts[0] if parts else None
        app = create_app({part.pipeline.name: part.pipeline for part in parts}, version="1.2.3")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", loop="asyncio"))
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            self._started.set()
            await self._server.serve([self._socket])

        asyncio.run(serve())

    def wait_for(self, event: asyncio.Event) -> None:
        """Wait in the server's loop, with a deadline."""
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(event.wait(), DEADLINE), self.loop).result(DEADLINE + 1)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(DEADLINE)
        self._socket.close()


@contextmanager
def serve(*parts: Parts) -> Iterator[tuple[Server, httpx.Client]]:
    with Server(*(parts or (make_pipeline(),))) as server, httpx.Client(base_url=server.url, timeout=DEADLINE) as http:
        yield server, http


@pytest.fixture
def service() -> Iterator[tuple[Server, httpx.Client]]:
    with serve() as running:
        yield running


@pytest.fixture
def sdk(service) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=service[0].url + "/v1", api_key="none", max_retries=0, timeout=DEADLINE) as client:
        yield client


def ask(text: str = QUESTION) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def events_of(text: str) -> list[Any]:
    assert text.endswith("\n\n")
    lines = text.removesuffix("\n\n").split("\n\n")
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]


class TestNative:
    def test_query(self, service):
        _, http = service
        reply = http.post("/v1/query", json={"question": QUESTION}, headers={"X-Request-Id": "mine-1"})
        assert reply.status_code == 200
        body = reply.json()
        assert body["answer"] == ANSWER
        assert (body["answered"], body["cited"], body["revision"]) == (True, [1], FINGERPRINT)
        citation = body["citations"][0]
        assert (citation["number"], citation["cited"], citation["document"]) == (1, True, "ports.md")
        assert (citation["source"], citation["title"], citation["headings"]) == (
            "handbook",
            "Ports",
            ["Network", "Defaults"],
        )
        assert (citation["page"], citation["position"], citation["link"]) == (3, 0, "https://docs.example.com/ports.md")
        assert citation["quote"] == DOCUMENTS[0]["text"]
        assert citation["scores"]["dense"] > 0.5
        assert body["usage"] == {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        assert set(body["seconds"]) == {"embed", "search", "first_token", "generate"}
        assert body["id"] == reply.headers["X-Request-Id"] == "mine-1"
        QueryAnswer.model_validate(body)

    def test_query_without_a_good_passage(self, service):
        server, http = service
        body = http.post("/v1/query", json={"question": UNRELATED}).json()
        assert (body["answer"], body["answered"], body["citations"]) == (NOT_IN_SOURCES, False, [])
        assert server.parts.generator.requests == []
        QueryAnswer.model_validate(body)

    def test_retrieve(self, service):
        _, http = service
        body = http.post(
            "/v1/retrieve", json={"question": QUESTION, "pipeline": "support", "top_k": 1, "minimum_score": 0}
        ).json()
        assert [passage["text"] for passage in body["passages"]] == [DOCUMENTS[0]["text"]]
        assert (body["mode"], body["minimum_score"], body["pipeline"]) == ("Hybrid", 0, "support")
        RetrieveAnswer.model_validate(body)

    def test_a_pipeline_that_only_retrieves(self):
        with serve(make_pipeline(retrieve_only=True)) as (_, http):
            assert http.post("/v1/retrieve", json={"question": QUESTION}).json()["passages"]
            for path, body in (
                ("/v1/query", {"question": QUESTION}),
                ("/v1/chat/completions", {"model": "support", "messages": ask()}),
                ("/v1/chat/completions", {"model": "support", "messages": ask(), "stream": True}),
            ):
                reply = http.post(path, json=body)
                assert reply.status_code == 400
                assert reply.json()["error"]["code"] == "GenerationNotConfigured"
                assert "/v1/retrieve" in reply.json()["error"]["message"]
            assert http.get("/v1/models/support").json()["generation"] is False

    def test_with_several_pipelines_the_request_names_one(self):
        with serve(make_pipeline(), make_pipeline(name="other")) as (_, http):
            error = http.post("/v1/retrieve", json={"question": QUESTION}).json()["error"]
            assert (error["code"], error["param"]) == ("InvalidRequest", "pipeline")
            reply = http.post("/v1/retrieve", json={"question": QUESTION, "pipeline": "other"})
            assert reply.json()["pipeline"] == "other"
            assert [model["id"] for model in http.get("/v1/models").json()["data"]] == ["support", "other"]


class TestOpenAI:
    def test_a_whole_answer(self, sdk):
        reply = sdk.chat.completions.create(model="support", messages=ask(), temperature=0.3, max_tokens=50, seed=1)
        message = reply.choices[0].message
        assert message.content == ANSWER
        assert reply.choices[0].finish_reason == "stop"
        assert reply.usage.total_tokens == 120
        (annotation,) = message.annotations
        cited = annotation.url_citation
        assert message.content[cited.start_index : cited.end_index] == "[1]"
        assert (cited.url, cited.title) == ("https://docs.example.com/ports.md", "Ports")
        ChatCompletion.model_validate_json(reply.to_json())
        context = Context.model_validate(message.context)
        assert (context.answered, context.cited) == (True, [1])
        assert context.citations[0].cited is True

    def test_a_stream(self, service, sdk):
        chunks = list(sdk.chat.completions.create(model="support", messages=ask(), stream=True))
        assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
        assert len({chunk.id for chunk in chunks}) == 1
        first, last = chunks[0].choices[0], chunks[-1].choices[0]
        assert first.delta.role == "assistant"
        assert first.delta.context["citations"][0]["document"] == "ports.md"
        assert first.delta.context["revision"] == FINGERPRINT
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
        assert last.finish_reason == "stop"
        assert last.delta.annotations[0]["url_citation"]["url"] == "https://docs.example.com/ports.md"
        assert last.delta.context == {"answered": True, "grounded": True, "cited": [1]}
        assert all(chunk.usage is None for chunk in chunks)

    def test_a_stream_with_usage(self, sdk):
        chunks = list(
            sdk.chat.completions.create(
                model="support", messages=ask(), stream=True, stream_options={"include_usage": True}
            )
        )
        assert chunks[-1].choices == []
        assert chunks[-1].usage.total_tokens == 120
        assert all(chunk.usage is None for chunk in chunks[:-1])

    def test_usage_stands_in_each_chunk_exactly_once(self, service):
        body = {"model": "support", "messages": ask(), "stream": True, "stream_options": {"include_usage": True}}
        *chunks, done = service[1].post("/v1/chat/completions", json=body).text.removesuffix("\n\n").split("\n\n")
        assert done == "data: [DONE]"
        assert [chunk.count('"usage":') for chunk in chunks] == [1] * len(chunks)

    def test_the_sdks_own_accumulation_gives_the_whole_message(self, sdk):
        with sdk.chat.completions.stream(model="support", messages=ask()) as stream:
            message = stream.get_final_completion().choices[0].message
        assert message.content == ANSWER
        assert message.annotations
        assert message.context["cited"] == [1]
        assert message.context["grounded"] is True
        assert message.context["citations"][0]["number"] == 1

    async def test_the_asynchronous_client(self, service):
        async with openai.AsyncOpenAI(base_url=service[0].url + "/v1", api_key="none", max_retries=0) as client:
            stream = await client.chat.completions.create(model="support", messages=ask(), stream=True)
            assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == ANSWER

    def test_conversation_parts_and_stops_reach_the_model(self, service, sdk):
        sdk.chat.completions.create(
            model="support",
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Yes?"},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
            ],
            stop="END",
            max_completion_tokens=7,
            n=1,
            tools=[],
            user="someone",
            top_p=1,
        )
        (request,) = service[0].parts.generator.requests
        assert request.question == QUESTION
        assert list(request.history) == [("user", "Be brief."), ("user", "Hello"), ("assistant", "Yes?")]
        assert (request.stop, request.max_tokens) == (["END"], 7)

    def test_models(self, sdk):
        assert [model.id for model in sdk.models.list()] == ["support"]
        assert sdk.models.retrieve("support").owned_by == "lorekeeper"
        with pytest.raises(openai.NotFoundError) as caught:
            sdk.models.retrieve("nope")
        assert caught.value.code == "PipelineNotFound"

    def test_an_unknown_model(self, sdk):
        with pytest.raises(openai.NotFoundError, match="'nope' does not exist") as caught:
            sdk.chat.completions.create(model="nope", messages=ask())
        assert (caught.value.code, caught.value.param, caught.value.type) == (
            "PipelineNotFound",
            "model",
            "invalid_request_error",
        )

    def test_a_mark_split_over_pieces_and_an_invented_one(self, service, sdk):
        service[0].parts.generator.write = lambda request: ["So [", "1", "] and ", "[", "4", "2]", ". `x[", "42]`"]
        chunks = list(sdk.chat.completions.create(model="support", messages=ask(), stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "So [1] and. `x[42]`"

    @pytest.mark.parametrize(
        "text", ["a\n\ndata: [DONE]\n\nb", 'quote " and \\ and \u2028', "\N{GRINNING FACE}\x00\r\n"]
    )
    def test_text_cannot_break_the_framing(self, service, text):
        server, http = service
        server.parts.generator.write = lambda request: [text]
        reply = http.post("/v1/chat/completions", json={"model": "support", "messages": ask(), "stream": True})
        assert reply.headers["content-type"].startswith("text/event-stream")
        *chunks, done = events_of(reply.text)
        assert done == "[DONE]"
        assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == text

    def test_length(self, service, sdk):
        service[0].parts.generator.finish_reason = "length"
        assert sdk.chat.completions.create(model="support", messages=ask()).choices[0].finish_reason == "length"


class TestFailures:
    def test_a_dead_store_is_503_with_retry_after_and_without_its_text(self, service):
        server, http = service
        server.parts.store.down = True
        for path, body in (
            ("/v1/query", {"question": QUESTION}),
            ("/v1/retrieve", {"question": QUESTION}),
            ("/v1/chat/completions", {"model": "support", "messages": ask()}),
            ("/v1/chat/completions", {"model": "support", "messages": ask(), "stream": True}),
        ):
            reply = http.post(path, json=body)
            assert reply.status_code == 503
            assert reply.headers["Retry-After"].isdigit()
            error = reply.json()["error"]
            assert (error["code"], error["reason"], error["type"]) == (
                "VectorSearchFailed",
                "StoreUnreachable",
                "server_error",
            )
            assert error["retryable"] is True

    def test_what_does_not_pass_by_itself_is_not_to_be_retried(self, service):
        server, http = service
        server.parts.generator.error = ProviderError("No such model; pull it.", code="ModelNotFound", retryable=False)
        reply = http.post("/v1/query", json={"question": QUESTION})
        assert (reply.status_code, "Retry-After" in reply.headers) == (503, False)
        assert reply.json()["error"]["reason"] == "ModelNotFound"

    def test_a_failure_in_mid_stream_is_a_well_formed_event(self, service, sdk):
        service[0].parts.generator.error_after = ProviderError("The model broke off; ask again.")
        chunks = sdk.chat.completions.create(model="support", messages=ask(), stream=True)
        assert next(chunks).choices[0].delta.context["citations"]
        with pytest.raises(openai.APIError, match="broke off") as caught:
            list(chunks)
        assert caught.value.code == "GenerationFailed"

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_bug_says_nothing_but_an_id(self, service, stream):
        server, http = service
        server.parts.generator.error_after = RuntimeError("password=hunter2")
        body = {"model": "support", "messages": ask(), "stream": stream}
        reply = http.post("/v1/chat/completions", json=body, headers={"X-Request-Id": "find-me"})
        assert "hunter2" not in reply.text
        error = events_of(reply.text)[-1]["error"] if stream else reply.json()["error"]
        assert error["code"] == "InternalError"
        assert "find-me" in error["message"]
        assert reply.status_code == (200 if stream else 500)
        assert http.get("/healthz").status_code == 200

    def test_no_knowledge_yet(self, service):
        server, http = service
        server.parts.store.aliases.clear()
        reply = http.post("/v1/query", json={"question": QUESTION})
        assert (reply.status_code, reply.json()["error"]["code"]) == (503, "NotReady")


Q, R, C = "/v1/query", "/v1/retrieve", "/v1/chat/completions"
NESTED = b'{"question":' + b"[" * 5000 + b"]" * 5000 + b"}"


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "support", "messages": ask(), **fields}


BAD = [
    (Q, {}, 400, "InvalidRequest", "question"),
    (Q, {"question": ""}, 400, "InvalidRequest", "question"),
    (Q, {"question": " \n "}, 400, "InvalidRequest", "question"),
    (Q, {"question": "x" * 4001}, 400, "InvalidRequest", "question"),
    (Q, {"question": 5}, 400, "InvalidRequest", "question"),
    (Q, {"question": None}, 400, "InvalidRequest", "question"),
    (Q, {"question": ["x"]}, 400, "InvalidRequest", "question"),
    (Q, {"question": "x", "top_k": 0}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "top_k": 51}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "top_k": "5"}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "top_k": 1.5}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "top_k": True}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "top_k": 10**30}, 400, "InvalidRequest", "top_k"),
    (Q, {"question": "x", "topK": 5}, 400, "InvalidRequest", "topK"),
    (Q, {"question": "x", "minimum_score": 1.1}, 400, "InvalidRequest", "minimum_score"),
    (Q, {"question": "x", "pipeline": "nope"}, 404, "PipelineNotFound", "pipeline"),
    (Q, {"question": "x", "pipeline": ""}, 400, "InvalidRequest", "pipeline"),
    (R, {"question": "x", "filter": {}}, 400, "InvalidRequest", "filter"),
    (R, {"question": "x", "minimum_score": "high"}, 400, "InvalidRequest", "minimum_score"),
    (Q, b"", 400, "InvalidRequest", None),
    (Q, b"{", 400, "InvalidRequest", None),
    (Q, b"[]", 400, "InvalidRequest", None),
    (Q, b'"x"', 400, "InvalidRequest", None),
    (Q, b'{"question": NaN}', 400, "InvalidRequest", None),
    (Q, b'{"question": "\xff"}', 400, "InvalidRequest", "question"),
    (Q, b'{"question": "\\ud800"}', 400, "InvalidRequest", "question"),
    (R, b'{"question": "\\udfff x"}', 400, "InvalidRequest", "question"),
    (
        C,
        b'{"model": "support", "messages": [{"role": "user", "content": "\\ud800"}]}',
        400,
        "InvalidRequest",
        "messages[0].content",
    ),
    (Q, NESTED, 400, "InvalidRequest", None),
    (Q, b"{" + b" " * BODY_BYTES + b"}", 413, "RequestTooLarge", None),
    (C, {}, 400, "InvalidRequest", "model"),
    (C, chat(model="nope"), 404, "PipelineNotFound", "model"),
    (C, chat(messages=[]), 400, "InvalidRequest", "messages"),
    (C, chat(messages="x"), 400, "InvalidRequest", "messages"),
    (C, chat(messages=[{"role": "tool", "content": "x"}]), 400, "InvalidRequest", "messages[0].role"),
    (C, chat(messages=[{"role": "assistant", "content": "x"}]), 400, "InvalidRequest", "messages[0]"),
    (C, chat(messages=[{"role": "user"}]), 400, "InvalidRequest", "messages[0]"),
    (C, chat(messages=[{"role": "user", "content": 5}]), 400, "InvalidRequest", "messages[0].content"),
    (C, chat(messages=ask("x" * 4001)), 400, "InvalidRequest", "messages[0]"),
    (
        C,
        chat(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]),
        400,
        "InvalidRequest",
        "messages[0].content[0].type",
    ),
    (C, chat(n=2), 400, "InvalidRequest", "n"),
    (C, chat(tools=[{"type": "function", "function": {"name": "f"}}]), 400, "InvalidRequest", "tools"),
    (C, chat(tool_choice="required"), 400, "InvalidRequest", "tool_choice"),
    (C, chat(response_format={"type": "json_object"}), 400, "InvalidRequest", "response_format"),
    (C, chat(logprobs=True), 400, "InvalidRequest", "logprobs"),
    (C, chat(temperature=2.1), 400, "InvalidRequest", "temperature"),
    (C, chat(max_tokens=0), 400, "InvalidRequest", "max_tokens"),
    (C, chat(stop=["a"] * 5), 400, "InvalidRequest", "stop"),
    (C, chat(stop=""), 400, "InvalidRequest", "stop[0]"),
    (C, chat(stream="yes"), 400, "InvalidRequest", "stream"),
    (C, chat(stream_options=[]), 400, "InvalidRequest", "stream_options"),
    (C, chat(seed="x"), 400, "InvalidRequest", "seed"),
    (C, chat(colour="red"), 400, "InvalidRequest", "colour"),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[httpx.Client]:
    with serve() as (_, http):
        yield http


class TestBadRequests:
    @pytest.mark.parametrize(("path", "body", "status", "code", "param"), BAD)
    def test_table(self, shared, path, body, status, code, param):  # noqa: PLR0917 - the columns of the table
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = shared.post(path, content=content, headers={"Content-Type": "application/json"})
        assert reply.status_code == status
        error = reply.json()["error"]
        assert (error["code"], error["param"], error["type"]) == (code, param, "invalid_request_error")
        assert error["retryable"] is False
        assert error["message"].endswith(".")
        assert error["message"].count(". ") == 0
        if param is not None and status == 400 and param != "messages[0]":
            assert param in error["message"]
        assert reply.headers["X-Request-Id"]

    def test_a_long_body_without_a_length_is_stopped_while_it_comes(self, shared):
        reply = shared.post(Q, content=iter([b" " * 65536] * 40), headers={"Content-Type": "application/json"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "RequestTooLarge")

    @pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application"])
    def test_another_content_type(self, shared, content_type):
        headers = {} if content_type is None else {"Content-Type": content_type}
        reply = shared.post(Q, content=b'{"question":"x"}', headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (415, "UnsupportedMediaType")

    def test_no_such_route_and_another_method(self, shared):
        reply = shared.get("/v1/nothing")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "RouteNotFound")
        reply = shared.get(Q)
        assert (reply.status_code, reply.json()["error"]["code"]) == (405, "MethodNotAllowed")
        assert reply.headers["Allow"] == "POST"

    def test_the_asker_s_text_is_not_repeated(self, shared):
        for body in (
            {"question": "s3cret", "top_k": "s3cret"},
            {"question": ["s3cret"]},
            {"question": "s3cret" * 1000},
        ):
            assert "s3cret" not in shared.post(Q, json=body).text

    def test_a_harmful_request_id_is_replaced(self, shared):
        reply = shared.get("/healthz", headers={"X-Request-Id": "a b<script>"})
        assert reply.headers["X-Request-Id"].isalnum()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | JSON
FIELDS = {
    "question": st.text(max_size=50) | JSON,
    "pipeline": st.sampled_from(["support", "nope"]) | JSON,
    "top_k": st.integers(-1, 60) | JSON,
    "minimum_score": st.floats(-1, 2) | JSON,
    "model": st.sampled_from(["support", "nope"]) | JSON,
    "messages": st.lists(st.fixed_dictionaries({"role": ROLES, "content": st.text(max_size=50) | JSON}), max_size=4)
    | JSON,
    **dict.fromkeys(("stream", "stream_options", "temperature", "max_tokens", "stop", "seed", "n", "tools"), JSON),
}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from([Q, R, C]), body=st.fixed_dictionaries({}, optional=FIELDS))
def test_no_body_is_an_error_that_nobody_expected(shared, path, body):
    reply = shared.post(path, json=body)
    assert reply.status_code in {200, 400, 404}
    if reply.status_code != 200:
        assert set(reply.json()["error"]) == {"message", "type", "param", "code", "retryable"}


class TestDisconnect:
    """A client that leaves stops the work, whatever it was."""

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("phase", ["embed", "search", "first token", "mid-answer"])
    def test_chat(self, service, phase, stream):
        server, _ = service
        parts = server.parts
        begun, stopped = {
            "embed": (parts.embedder.started, parts.embedder.cancelled),
            "search": (parts.store.searching, parts.store.search_cancelled),
            "first token": (parts.generator.started, parts.generator.closed),
            "mid-answer": (parts.generator.started, parts.generator.closed),
        }[phase]
        parts.embedder.hang = phase == "embed"
        parts.store.hang = phase == "search"
        parts.generator.hang_before = phase == "first token"
        parts.generator.hang_after = phase == "mid-answer"
        self.leave(server, C, chat(stream=stream), begun, stopped)
        if phase in {"embed", "search"}:
            assert parts.generator.requests == []

    def test_query_and_retrieve(self, service):
        server, _ = service
        parts = server.parts
        parts.generator.hang_after = True
        self.leave(server, Q, {"question": QUESTION}, parts.generator.started, parts.generator.closed)
        parts.store.hang = True
        self.leave(server, R, {"question": QUESTION}, parts.store.searching, parts.store.search_cancelled)

    def leave(self, server, path, body, begun, stopped):
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as connection:
            connection.sendall(head.encode() + b"\r\n" + content)
            server.wait_for(begun)
            assert not stopped.is_set()
        server.wait_for(stopped)
        with httpx.Client(base_url=server.url, timeout=DEADLINE) as http:
            assert http.get("/healthz").status_code == 200
            assert "lorekeeper_query_in_flight 1.0" in http.get("/metrics").text

    def test_half_a_body(self, service):
        server, http = service
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as connection:
            head = f"POST {Q} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b'{"quest')
        assert http.get("/healthz").status_code == 200


class TestOperations:
    def test_health_needs_nothing_outside(self, service):
        server, http = service
        server.parts.store.down = True
        reads = server.parts.store.alias_reads
        assert http.get("/healthz").json() == {"status": "ok", "version": "1.2.3"}
        assert server.parts.store.alias_reads == reads

    def test_ready(self, service):
        _, http = service
        body = http.get("/readyz").json()
        assert body["ready"] is True
        assert [state["name"] for state in body["dependencies"]] == ["store", "knowledge", "embedder", "generator"]

    def test_a_dead_store_is_named(self, service):
        server, http = service
        server.parts.store.down = True
        reply = http.get("/readyz")
        assert reply.status_code == 503
        (bad,) = [state for state in reply.json()["dependencies"] if not state["ready"]]
        assert (bad["pipeline"], bad["name"]) == ("support", "store")
        assert bad["message"] == "The store does not answer; start it."

    def test_metrics(self, service):
        server, http = service
        http.post(Q, json={"question": QUESTION})
        http.post(Q, json={"question": UNRELATED})
        server.parts.generator.write = lambda request: ["8080."]
        assert http.post(Q, json={"question": QUESTION}).json()["grounded"] is False
        http.post(Q, json={})
        http.get("/whatever/secret-path")
        text = http.get("/metrics").text
        for line in (
            'lorekeeper_query_requests_total{route="/v1/query",status="200"} 3.0',
            'lorekeeper_query_requests_total{route="/v1/query",status="400"} 1.0',
            'lorekeeper_query_requests_total{route="unmatched",status="404"} 1.0',
            'lorekeeper_query_abstentions_total{by="retrieval",pipeline="support"} 1.0',
            'lorekeeper_query_answers_total{outcome="grounded",pipeline="support"} 1.0',
            'lorekeeper_query_answers_total{outcome="uncited",pipeline="support"} 1.0',
            'lorekeeper_query_answers_total{outcome="abstained",pipeline="support"} 1.0',
            'lorekeeper_query_tokens_total{kind="prompt",pipeline="support"} 200.0',
            'lorekeeper_query_stage_seconds_count{pipeline="support",stage="embed"} 3.0',
            'lorekeeper_query_stage_seconds_count{pipeline="support",stage="first_token"} 2.0',
            'lorekeeper_query_best_score_count{pipeline="support"} 3.0',
            "lorekeeper_query_in_flight 1.0",
        ):
            assert line in text
        assert "secret-path" not in text

    def test_two_applications_count_apart(self):
        with serve() as (_, one), serve() as (_, other):
            one.post(Q, json={"question": QUESTION})
            assert "/v1/query" not in other.get("/metrics").text

    def test_the_description_names_every_route_and_no_page_needs_a_cdn(self, service):
        _, http = service
        document = http.get("/openapi.json").json()
        assert set(document["paths"]) == {
            *("/v1/query", "/v1/retrieve", "/v1/chat/completions", "/v1/models", "/v1/models/{name}"),
            *("/healthz", "/readyz", "/metrics"),
        }
        assert http.get("/docs").status_code == 404
        assert http.get("/redoc").status_code == 404

    def test_the_access_log_has_the_route_and_not_the_question(self, service, caplog):
        _, http = service
        with caplog.at_level("INFO", logger="lorekeeper"):
            http.post(Q, json={"question": "s3cret " + QUESTION}, headers={"X-Request-Id": "line-1"})
            http.get("/metrics")  # the line before was written when this one is answered
        text = caplog.text
        assert "POST /v1/query 200" in text
        assert "request=line-1" in text
        assert "s3cret" not in text


async def test_over_the_embedded_store_a_promotion_changes_the_answers_and_breaks_none(tmp_path):
    config, embedder = make_config(), HashEmbedder()
    lock = HomeLock(tmp_path)
    lock.acquire()
    store = await EmbeddedStore.open(tmp_path / "data", lock)
    try:
        later = [{**DOCUMENTS[0], "text": "The service listens on port 9090 by default."}, *DOCUMENTS[1:]]
        for fingerprint, documents in ((FINGERPRINT, DOCUMENTS), (OTHER, later)):
            revision = config.revisions[fingerprint]
            schema = CollectionSchema(revision.collection, revision.documents, fingerprint, DIMENSIONS, sparse=True)
            await store.ensure_collections(schema)
            points = make_points(documents, embedder)
            for number, point in enumerate(points):
                point.id = f"00000000-0000-0000-0000-{number:012}"
            await store.upsert_chunks(schema, points)
        pipeline = Pipeline(config, store, dict.fromkeys(config.revisions, embedder), EchoGenerator())
        transport = httpx.ASGITransport(create_app({"support": pipeline}, version="1"))
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as http:
            error = (await http.post(Q, json={"question": QUESTION})).json()["error"]
            assert error["code"] == "NotReady"
            for fingerprint, answer in ((FINGERPRINT, "8080"), (OTHER, "9090"), (FINGERPRINT, "8080")):
                await store.promote(config.alias, config.revisions[fingerprint].collection)
                body = (await http.post(Q, json={"question": QUESTION})).json()
                assert (body["revision"], body["answered"]) == (fingerprint, True)
                assert answer in body["answer"]
                assert body["citations"][0]["scores"]["dense"] > 0.5
                assert body["citations"][0]["scores"]["sparse"] > 0
    finally:
        await store.close()
        lock.release()
