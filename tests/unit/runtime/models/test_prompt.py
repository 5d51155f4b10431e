"""The prompt: passages as data between fences, the question last."""

from lorekeeper_runtime.models.prompt import (
    DEFAULT_SYSTEM_PROMPT,
    build_messages,
    estimate_message_tokens,
    estimate_tokens,
)
from lorekeeper_runtime.ports import GenerationRequest, Passage

PASSAGES = [Passage(1, "Text one.", "Title", ("Part", "Section")), Passage(2, "Text two.", "Other")]


def fence_of(content: str) -> str:
    return next(line for line in content.splitlines() if line.startswith("===="))


def test_order_and_content() -> None:
    messages = build_messages(GenerationRequest("Why?", PASSAGES, history=[("user", "Hi"), ("assistant", "Yes")]))
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"] == DEFAULT_SYSTEM_PROMPT
    content = messages[-1]["content"]
    fence = fence_of(content)
    assert f"{fence}\n[1] Title > Part > Section\nText one.\n{fence}\n{fence}\n[2] Other\nText two.\n{fence}" in content
    assert content.endswith("\n\nQuestion: Why?")


def test_own_instructions() -> None:
    messages = build_messages(GenerationRequest("Why?", []), "Be short.")
    assert messages == [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Question: Why?"}]


def test_fences_cannot_be_guessed() -> None:
    request = GenerationRequest("Why?", PASSAGES)
    fences = {fence_of(build_messages(request)[-1]["content"]) for _ in range(5)}
    assert len(fences) == 5


def test_the_same_passages_make_the_same_prefix_for_the_prompt_cache() -> None:
    first = build_messages(GenerationRequest("Why?", PASSAGES), fence_key=b"key")[-1]["content"]
    second = build_messages(GenerationRequest("How?", PASSAGES), fence_key=b"key")[-1]["content"]
    assert first.removesuffix("Why?") == second.removesuffix("How?")
    other = build_messages(GenerationRequest("Why?", PASSAGES), fence_key=b"other")[-1]["content"]
    assert fence_of(other) != fence_of(first)


def test_tokens_are_estimated_upwards() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("a" * 35) == 10
    assert estimate_tokens("東京") >= 2
    assert estimate_message_tokens([{"role": "user", "content": "a" * 35}]) == 18
