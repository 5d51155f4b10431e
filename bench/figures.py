"""Medians, spreads, ratios and goals: pure functions over what the rounds gave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

__all__ = ["Goal", "Spread", "compare", "spread_of"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several rounds."""

    median: float
    lowest: float
    highest: float

    def shown(self, form: str = ",.0f") -> str:
        """The median, and the range when there is one."""
        if self.lowest == self.highest:
            return format(self.median, form)
        return f"{self.median:{form}} ({self.lowest:{form}} to {self.highest:{form}})"


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised, and what was measured."""

    name: str
    measured: float
    goal: float
    at_least: bool
    """True when more is better."""
    unit: str

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


def spread_of(values: Sequence[float]) -> Spread:
    """Median, lowest and highest."""
    return Spread(median(values), min(values), max(values))


def compare(
    ours: Sequence[dict[str, Any]], peer: Sequence[dict[str, Any]], figure: Callable[[dict[str, Any]], float]
) -> Spread:
    """Ratio of ours to a peer's, round by round, so that a busy moment of the machine weighs on both sides."""
    return spread_of([figure(a) / figure(b) for a, b in zip(ours, peer, strict=True)])
