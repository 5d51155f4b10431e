"""Whether questions can be answered now: each dependency by name, asked at most every few seconds."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lorekeeper_runtime.errors import LorekeeperError
from lorekeeper_runtime.ports import Embedder, Generator
from lorekeeper_runtime.query.errors import QueryError
from lorekeeper_runtime.query.pipeline import Pipeline

__all__ = ["DependencyState", "PipelineReadiness", "ReadinessProbe"]

CHECK_SECONDS = 2.0
"""How long a result is believed."""
MODEL_SECONDS = 30.0
"""How long a model that answered is believed to be there: asking some providers costs money."""
DEADLINE_SECONDS = 5.0
"""Longest time that one dependency may take to answer."""

_log = logging.getLogger("lorekeeper.query")


@dataclass(frozen=True, slots=True)
class DependencyState:
    """One dependency of one pipeline."""

    pipeline: str
    name: str
    """store, knowledge, embedder or generator."""
    ready: bool
    message: str = ""
    """What is wrong and what to do."""


class ReadinessProbe(Protocol):
    """Says of each dependency whether it is there."""

    async def check(self) -> Sequence[DependencyState]:
        """Return the state of all dependencies, within seconds; never raises for one that is missing."""
        ...


class PipelineReadiness:
    """Checks the dependencies of pipelines, all at once and each with a deadline. Results are kept for a short time,
    and callers that come meanwhile wait for the same check.
    """

    def __init__(
        self,
        pipelines: Iterable[Pipeline],
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipelines = list(pipelines)
        self._deadline = deadline_seconds
        self._clock = clock
        self._lock = asyncio.Lock()
        self._states: tuple[float, list[DependencyState]] | None = None
        self._models_until: dict[int, float] = {}

    async def check(self) -> Sequence[DependencyState]:
        """Return the state of all dependencies."""
        async with self._lock:
            if self._states is None or self._clock() - self._states[0] >= CHECK_SECONDS:
                found = await asyncio.gather(*(self._check_pipeline(pipeline) for pipeline in self._pipelines))
                self._states = (self._clock(), [state for states in found for state in states])
            return self._states[1]

    async def _check_pipeline(self, pipeline: Pipeline) -> list[DependencyState]:
        knowledge, generator = await asyncio.gather(
            self._check_knowledge(pipeline), self._check_model(pipeline, "generator", pipeline.generator)
        )
        return [*knowledge, *generator]

    async def _check_knowledge(self, pipeline: Pipeline) -> list[DependencyState]:
        """Store, alias and the model of the revision that the alias names: each is known only after the one before."""
        name = pipeline.name
        try:
            async with asyncio.timeout(self._deadline):
                active = await pipeline.read_active(fresh=True)
        except QueryError as error:
            if error.code == "NotReady":
                return [DependencyState(name, "store", True), DependencyState(name, "knowledge", False, error.message)]
            _log.warning("the store of pipeline %s is not ready: %s", name, error, exc_info=error.__cause__)
            return [DependencyState(name, "store", False, error.message)]
        except TimeoutError:
            return [DependencyState(name, "store", False, self._too_slow("store"))]
        return [
            DependencyState(name, "store", True),
            DependencyState(name, "knowledge", True),
            *await self._check_model(pipeline, "embedder", active.embedder),
        ]

    async def _check_model(
        self, pipeline: Pipeline, name: str, model: Embedder | Generator | None
    ) -> list[DependencyState]:
        if model is None:
            return []
        ready = DependencyState(pipeline.name, name, True)
        if self._clock() < self._models_until.get(id(model), float("-inf")):
            return [ready]
        try:
            async with asyncio.timeout(self._deadline):
                await model.describe()
        except LorekeeperError as error:
            _log.warning("the %s of pipeline %s is not ready: %s", name, pipeline.name, error, exc_info=error.__cause__)
            return [DependencyState(pipeline.name, name, False, error.message)]
        except TimeoutError:
            return [DependencyState(pipeline.name, name, False, self._too_slow(name))]
        self._models_until[id(model)] = self._clock() + MODEL_SECONDS
        return [ready]

    def _too_slow(self, name: str) -> str:
        return f"The {name} did not answer within {self._deadline:g} seconds; look at its load and its log."
