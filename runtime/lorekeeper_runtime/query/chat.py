"""Chat completions as OpenAI spells them: requests, whole answers, and the chunks of a stream."""

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from lorekeeper_runtime.query.answer import Answer, AnswerFinished, AnswerStarted, Question
from lorekeeper_runtime.query.citations import Mark
from lorekeeper_runtime.query.errors import invalid_request
from lorekeeper_runtime.query.problems import validate
from lorekeeper_runtime.query.shapes import QUESTION_CHARACTERS, Shape, build_context, build_outcome, build_usage

__all__ = ["ChatChunks", "ChatRequest", "TextPart", "build_completion", "read_chat_request", "read_question"]

_REFUSED: dict[str, tuple[object, ...]] = {
    "audio": (None,),
    "frequency_penalty": (None, 0),
    "function_call": (None, "none", "auto"),
    "functions": (None, []),
    "logit_bias": (None, {}),
    "logprobs": (None, False),
    "modalities": (None, ["text"]),
    "n": (None, 1),
    "prediction": (None,),
    "presence_penalty": (None, 0),
    "reasoning_effort": (None, "none"),
    "response_format": (None, {"type": "text"}),
    "service_tier": (None, "auto", "default"),
    "store": (None, False),
    "tool_choice": (None, "none", "auto"),
    "tools": (None, []),
    "top_logprobs": (None, 0),
    "top_p": (None, 1),
    "verbosity": (None, "medium"),
    "web_search_options": (None,),
}
"""Fields of the OpenAI API that a pipeline cannot serve, with the values that ask for nothing: those are taken, so that
clients which always send them work; every other value is an error instead of being ignored."""

_LABELS = frozenset(
    {"metadata", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "user"}
)
"""Fields that never change an answer; they are taken and dropped."""


def _as_parts(value: object) -> object:
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    if value is None or isinstance(value, list):
        return value
    raise ValueError("it must be a text or a list of parts")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class TextPart(Shape):
    """A part of a message; only text is taken."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text"]
    text: str


class ChatMessage(Shape):
    """A turn of the conversation."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    """Who speaks. What system and developer say stands before the conversation as a user's turn: it does not replace
    the pipeline's own instructions."""
    content: Annotated[
        list[TextPart] | None,
        BeforeValidator(_as_parts),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"$ref": "#/components/schemas/TextPart"}},
                    {"type": "null"},
                ]
            }
        ),
    ] = None
    """A text, or a list of text parts."""

    @property
    def text(self) -> str:
        """The text of all parts."""
        return "\n".join(part.text for part in self.content or ())


class StreamOptions(Shape):
    """How a stream ends."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False
    """Adds a last chunk with the tokens."""


class ChatRequest(Shape):
    """A conversation whose last turn is the question."""

    model: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the pipeline."""
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=512)]
    """The conversation. The last message is the user's question, 1 to 4,000 characters, and the only one that is
    searched for; the model also reads the earlier ones, the latest as far as they fit."""
    stream: bool | None = None
    """Whether the answer comes piece by piece, as server-sent events."""
    stream_options: StreamOptions | None = None
    """How a stream ends."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Randomness; the pipeline's own setting when absent."""
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    """Longest answer, in tokens; lowers the pipeline's own setting and never raises it."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Older name of max_completion_tokens."""
    stop: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=256)]] | None,
        Field(max_length=4),
        BeforeValidator(_as_list),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string"},
                    {"type": "array", "items": {"type": "string"}, "maxItems": 4},
                    {"type": "null"},
                ]
            }
        ),
    ] = None
    """Up to four texts that end the answer where they would appear."""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    """Makes answers repeat themselves where the provider can."""


def read_chat_request(body: dict[str, Any]) -> ChatRequest:
    """Validate a request.

    Raises:
        QueryError: InvalidRequest, naming the field.
    """
    for name, harmless in _REFUSED.items():
        if name not in body or body[name] in harmless:
            continue
        match name:
            case "tools" | "functions" | "tool_choice" | "function_call":
                message = f"A pipeline answers from its sources and calls no tools; leave the field '{name}' out."
            case "n":
                message = "A pipeline writes one answer a request; leave the field 'n' out or set it to 1."
            case _:
                message = f"The field '{name}' is not supported by this service; leave it out."
        raise invalid_request(message, param=name)
    return validate(
        ChatRequest, {name: value for name, value in body.items() if name not in _REFUSED and name not in _LABELS}
    )


def read_question(request: ChatRequest) -> Question:
    """Return the question of a conversation.

    Raises:
        QueryError: InvalidRequest when the last message is not a question of 1 to 4,000 characters.
    """
    *earlier, last = request.messages
    param = f"messages[{len(earlier)}]"
    text = last.text.strip()
    if last.role != "user":
        raise invalid_request("The last message must be the user's question.", param=param)
    if not 1 <= len(text) <= QUESTION_CHARACTERS:
        raise invalid_request(
            f"The last message is the question and must have 1 to {QUESTION_CHARACTERS} characters.", param=param
        )
    return Question(
        text,
        history=[
            ("assistant" if message.role == "assistant" else "user", message.text)
            for message in earlier
            if message.text.strip()
        ],
        temperature=request.temperature,
        max_tokens=request.max_completion_tokens or request.max_tokens,
        stop=request.stop or (),
        seed=request.seed,
    )


def build_completion(pipeline: str, whole: Answer) -> dict[str, Any]:
    """Return a whole answer as a `chat.completion`."""
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": pipeline,
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": whole.text,
                    "refusal": None,
                    "annotations": _annotations(whole.started, whole.finished.marks),
                    "context": build_context(pipeline, whole.started, whole.finished),
                },
                "logprobs": None,
                "finish_reason": whole.finished.finish_reason,
            }
        ],
        "usage": build_usage(whole.finished),
    }


class ChatChunks:
    """Builds the events of one stream. What all its chunks share is encoded once."""

    def __init__(self, pipeline: str, *, include_usage: bool) -> None:
        self._pipeline = pipeline
        head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": pipeline,
        }
        if include_usage:
            head["usage"] = None
        self._head = b"data: " + orjson.dumps(head)[:-1]
        self._text_head = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._include_usage = include_usage

    def first(self, started: AnswerStarted) -> bytes:
        """The role, and the passages that the answer will be written from."""
        delta = {"role": "assistant", "content": "", "context": build_context(self._pipeline, started)}
        return self._chunk(delta, None)

    def text(self, text: str) -> bytes:
        """More text."""
        return self._text_head + orjson.dumps(text) + b'},"logprobs":null,"finish_reason":null}]}\n\n'

    def last(self, started: AnswerStarted, finished: AnswerFinished) -> bytes:
        """The annotations, what was cited, the tokens when they were asked for, and the end."""
        delta = {
            "annotations": _annotations(started, finished.marks),
            "context": build_outcome(finished),
        }
        events = self._chunk(delta, finished.finish_reason)
        if self._include_usage:
            # The head ends with a null usage; the same key again would be an invalid object.
            head = self._head.removesuffix(b'"usage":null')
            events += head + b'"choices":[],"usage":' + orjson.dumps(build_usage(finished)) + b"}\n\n"
        return events + b"data: [DONE]\n\n"

    @staticmethod
    def error(body: dict[str, Any]) -> bytes:
        """An error in the middle of a stream; nothing comes after it."""
        return b"data: " + orjson.dumps(body) + b"\n\n"

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._head + b',"choices":[' + orjson.dumps(choice) + b"]}\n\n"


def _annotations(started: AnswerStarted, marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """Return the marks whose documents have an address as OpenAI's annotations."""
    annotations = []
    for mark in marks:
        passage = started.packed.passages[mark.number - 1]
        if passage.link is not None:
            citation = {
                "start_index": mark.start,
                "end_index": mark.end,
                "url": passage.link,
                "title": passage.title or passage.document,
            }
            annotations.append({"type": "url_citation", "url_citation": citation})
    return annotations
