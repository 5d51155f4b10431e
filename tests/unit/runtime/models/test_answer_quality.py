"""The extractive answer over a real handbook: right quotes for what it says, silence for what it does not say."""

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
import yaml

from lorekeeper_api.contract.config import EmbeddingConfig, GenerationConfig
from lorekeeper_api.pipeline import EmbeddingProvider, GenerationProvider
from lorekeeper_runtime.models.extractive import ExtractiveGenerator
from lorekeeper_runtime.models.minilm import MiniLMEmbedder
from lorekeeper_runtime.ports import GenerationRequest, ModelDescription, Passage, Vector
from tests.unit.runtime.models.questions import ANSWERED, HELD_OUT_ANSWERED, HELD_OUT_UNANSWERED, UNANSWERED

HANDBOOK = Path(__file__).with_name("handbook.yaml")


class RememberingEmbedder:
    """The bundled model; a text that is asked again is not computed again."""

    def __init__(self) -> None:
        self._model = MiniLMEmbedder(EmbeddingConfig(provider=EmbeddingProvider.EMBEDDED, model="all-minilm-l6-v2"))
        self._known: dict[str, Vector] = {}

    async def describe(self) -> ModelDescription:
        return await self._model.describe()

    async def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, await self._model.embed_documents(new), strict=True))
        return [self._known[text] for text in texts]

    async def embed_query(self, text: str) -> Vector:
        return (await self.embed_documents([text]))[0]

    async def close(self) -> None:
        await self._model.close()


def read_sections() -> list[tuple[str, tuple[str, ...], str]]:
    """Title, headings and text of each section of the handbook."""
    sections: list[tuple[str, tuple[str, ...], str]] = []
    for document in yaml.safe_load(HANDBOOK.read_text(encoding="utf-8"))["data"].values():
        title = ""
        for part in re.split(r"^(?=##? )", document, flags=re.MULTILINE):
            heading = re.match(r"(##?) (.+)\n+", part)
            if heading is None:
                continue
            if heading[1] == "#":
                title = heading[2]
            path: tuple[str, ...] = (title,) if heading[1] == "#" else (title, heading[2])
            if text := part[heading.end() :].strip():
                sections.append((title, path, text))
    return sections


@pytest.mark.parametrize("by_meaning", [True, False])
async def test_right_answers_and_silence(by_meaning: bool) -> None:
    embedder = RememberingEmbedder()
    sections = read_sections()
    passages = await embedder.embed_documents([" > ".join(path) + "\n" + text for _, path, text in sections])
    decoded = [orjson.loads(vector) for vector in passages]
    generator = ExtractiveGenerator(
        GenerationConfig(provider=GenerationProvider.EXTRACTIVE), embedder if by_meaning else None
    )

    async def ask(question: str) -> str:
        query = orjson.loads(await embedder.embed_query(question))
        near = sorted(
            zip(decoded, sections, strict=True),
            key=lambda pair: -sum(a * b for a, b in zip(query, pair[0], strict=True)),
        )[:5]
        found = [Passage(n, text, title, path) for n, (_, (title, path, text)) in enumerate(near, start=1)]
        return " ".join([piece.text async for piece in generator.generate(GenerationRequest(question, found))])

    answers = {question: await ask(question) for question, _ in ANSWERED + HELD_OUT_ANSWERED}
    right = [question for question, words in ANSWERED + HELD_OUT_ANSWERED if words in answers[question]]
    silent = [question for question in UNANSWERED + HELD_OUT_UNANSWERED if not await ask(question)]
    await embedder.close()

    assert len(right) >= (0.88 if by_meaning else 0.78) * len(answers), sorted(set(answers) - set(right))
    assert len(silent) >= 0.95 * len(UNANSWERED + HELD_OUT_UNANSWERED), silent
