"""From which cosine on a passage is about a question: measured once a revision, used where nobody chose a minimum."""

import asyncio

import pytest

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.query.errors import QueryError
from lorekeeper_runtime.query.floor import STRANGERS, measure_floor
from lorekeeper_runtime.query.retrieve import retrieve
from tests.unit.runtime.query.parts import OTHER, make_pipeline

QUESTION = "Which port does the service listen on by default?"


async def test_three_quarters_of_the_strangers_stay_at_or_below_the_floor():
    scores = dict(zip(STRANGERS, [number / 100 for number in range(len(STRANGERS))], strict=True))

    async def score(question: str) -> float:
        await asyncio.sleep(0)
        return scores[question]

    floor = await measure_floor(score)
    assert sum(each <= floor for each in scores.values()) == len(STRANGERS) * 3 // 4


@pytest.mark.parametrize(("score", "floor"), [(-0.3, 0.0), (1.2, 1.0), (0.25, 0.25)])
async def test_a_floor_is_between_0_and_1(score: float, floor: float):
    async def same(_: str) -> float:
        return score

    assert await measure_floor(same) == floor


async def test_it_is_measured_once_a_revision_and_again_after_an_hour():
    now = [0.0]
    parts = make_pipeline(retrieval={"minimum_score": None}, clock=lambda: now[0])
    found = await asyncio.gather(*(retrieve(parts.pipeline, QUESTION) for _ in range(3)))
    assert sum(text in STRANGERS for text in parts.embedder.embedded) == len(STRANGERS)
    assert found[0].passages
    assert found[0].minimum_score is not None
    now[0] = 3601.0
    await retrieve(parts.pipeline, QUESTION)
    assert sum(text in STRANGERS for text in parts.embedder.embedded) == 2 * len(STRANGERS)
    parts.store.aliases[parts.pipeline.config.alias] = parts.pipeline.config.revisions[OTHER].collection
    parts.pipeline.forget_active()
    await retrieve(parts.pipeline, QUESTION)
    assert sum(text in STRANGERS for text in parts.embedder.embedded) == 3 * len(STRANGERS)


async def test_a_stranger_finds_nothing_without_any_setting():
    documents = [{"document": f"{n}.md", "text": f"the port of service number{n} is open"} for n in range(12)]
    parts = make_pipeline(documents, retrieval={"minimum_score": None, "mode": "Dense"})
    assert (await retrieve(parts.pipeline, "Who was Napoleon?")).passages == []
    assert (await retrieve(parts.pipeline, "the port of service number3")).passages[0].document == "3.md"


async def test_a_chosen_minimum_needs_no_measuring():
    parts = make_pipeline(retrieval={"minimum_score": 0.1})
    await retrieve(parts.pipeline, QUESTION)
    assert parts.embedder.embedded == [QUESTION]


async def test_an_embedder_that_is_away_is_told():
    parts = make_pipeline(retrieval={"minimum_score": None})
    parts.embedder.error = ProviderError("It is away.", code="ProviderUnreachable")
    with pytest.raises(QueryError) as raised:
        await retrieve(parts.pipeline, QUESTION)
    assert raised.value.code == "EmbeddingFailed"
