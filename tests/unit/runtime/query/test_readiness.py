import asyncio

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.query.readiness import CHECK_SECONDS, MODEL_SECONDS, PipelineReadiness
from tests.unit.runtime.query.parts import make_pipeline


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def states_of(states) -> dict[str, bool]:
    return {state.name: state.ready for state in states}


async def test_all_is_well():
    parts = make_pipeline()
    states = await PipelineReadiness([parts.pipeline]).check()
    assert states_of(states) == {"store": True, "knowledge": True, "embedder": True, "generator": True}
    assert {state.pipeline for state in states} == {"support"}


async def test_parts_that_a_pipeline_does_not_have_are_not_asked_for():
    parts = make_pipeline(retrieve_only=True, retrieval={"mode": "Sparse"})
    assert states_of(await PipelineReadiness([parts.pipeline]).check()) == {"store": True, "knowledge": True}


async def test_each_dependency_is_named():
    parts = make_pipeline()
    clock = Clock()
    readiness = PipelineReadiness([parts.pipeline], clock=clock)
    parts.generator.describe_error = ProviderError("The model is away; start it.")
    (bad,) = [state for state in await readiness.check() if not state.ready]
    assert (bad.name, bad.message) == ("generator", "The model is away; start it.")
    clock.now += CHECK_SECONDS
    parts.generator.describe_error = None
    parts.store.aliases.clear()
    assert states_of(await readiness.check()) == {"store": True, "knowledge": False, "generator": True}
    clock.now += CHECK_SECONDS
    parts.store.down = True
    assert states_of(await readiness.check()) == {"store": False, "generator": True}


async def test_results_are_kept_for_a_short_time_and_models_for_longer():
    parts = make_pipeline()
    clock = Clock()
    readiness = PipelineReadiness([parts.pipeline], clock=clock)
    await asyncio.gather(*(readiness.check() for _ in range(10)))
    assert (parts.store.alias_reads, parts.embedder.describes) == (1, 1)
    clock.now += CHECK_SECONDS
    await readiness.check()
    assert (parts.store.alias_reads, parts.embedder.describes) == (2, 1)
    clock.now += MODEL_SECONDS
    await readiness.check()
    assert (parts.store.alias_reads, parts.embedder.describes) == (3, 2)


async def test_a_hanging_dependency_costs_its_deadline_and_no_more():
    parts = make_pipeline()

    async def hang() -> None:
        await asyncio.Event().wait()

    parts.generator.describe = hang
    async with asyncio.timeout(5):
        states = await PipelineReadiness([parts.pipeline], deadline_seconds=0.05).check()
    assert states_of(states)["generator"] is False
    assert states_of(states)["embedder"] is True
