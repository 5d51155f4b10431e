"""Whole passages into the context window, best first; what does not fit is said, never cut."""

from collections.abc import Sequence
from dataclasses import dataclass

from lorekeeper_api.contract.config import GenerationConfig
from lorekeeper_runtime.models.prompt import build_messages, estimate_message_tokens, estimate_tokens
from lorekeeper_runtime.ports import GenerationRequest, Passage
from lorekeeper_runtime.query.errors import context_too_long
from lorekeeper_runtime.query.retrieve import Found

__all__ = ["Packed", "number_passages", "pack"]

PASSAGE_TOKENS = 24
"""Around each passage: two fences and its number."""
INTRODUCTION_TOKENS = 64
"""Before the first passage: what the fences mean."""

Turn = tuple[str, str]
"""An earlier turn as (role, text)."""


@dataclass(slots=True)
class Packed:
    """What goes into the prompt, and what does not."""

    passages: list[Found]
    """In the prompt; the n-th is cited as [n], from 1."""
    left_out: list[Found]
    """Retrieved, and too long for the room that was left."""
    history: list[Turn]
    """The latest turns that fit into a third of the room, oldest first."""
    turns_left_out: int
    """Earlier turns that did not."""


def pack(
    found: Sequence[Found], question: str, history: Sequence[Turn], config: GenerationConfig, max_tokens: int
) -> Packed:
    """Choose what fits into the model's context window beside the answer.

    Args:
        found: Passages, best first. One that does not fit is left out; a shorter one after it may still fit.
        question: The question; it is always in the prompt.
        history: Earlier turns as (role, text), oldest first.
        config: Context window and system prompt.
        max_tokens: Kept free for the answer.

    Raises:
        QueryError: ContextTooLong when not one of the passages fits.
    """
    bare = build_messages(GenerationRequest(question, ()), config.system_prompt)
    room = config.context_window - max_tokens - estimate_message_tokens(bare) - INTRODUCTION_TOKENS
    turns: list[Turn] = []
    turn_room = room // 3
    for role, text in reversed(history):
        turn_room -= estimate_message_tokens([{"role": role, "content": text}])
        if turn_room < 0:
            break
        turns.insert(0, (role, text))
    room -= estimate_message_tokens({"role": role, "content": text} for role, text in turns)
    passages: list[Found] = []
    left_out: list[Found] = []
    for passage in found:
        path = " > ".join((passage.title, *passage.headings))
        tokens = estimate_tokens(passage.text) + estimate_tokens(path) + PASSAGE_TOKENS
        if tokens > room:
            left_out.append(passage)
            continue
        room -= tokens
        passages.append(passage)
    if found and not passages:
        raise context_too_long(config.context_window)
    return Packed(passages, left_out, turns, len(history) - len(turns))


def number_passages(found: Sequence[Found]) -> list[Passage]:
    """Return passages as the generator sees them."""
    return [
        Passage(number, passage.text, passage.title, passage.headings) for number, passage in enumerate(found, start=1)
    ]
