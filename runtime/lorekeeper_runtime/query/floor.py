"""From which cosine on a passage is about a question: measured in the knowledge itself, for any embedding model.

What two unrelated texts score differs from model to model (some never go below 0.4) and grows with the number of
passages, because among more strangers one is always nearer. So the floor is no constant: questions about other things
are asked once a revision, and the best score of most of them is what strangers reach here. With all-MiniLM-L6-v2 it
came to 0.16 among 50 passages and 0.25 among 14,203, where 7 of 8 and 8 of 8 questions with an answer lay above.
"""

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["STRANGERS", "measure_floor"]

STRANGERS = (
    "Which river flows through Vienna?",
    "How long should a chicken be roasted?",
    "Who painted the Mona Lisa?",
    "What are the symptoms of measles?",
    "How do bees make honey?",
    "When did the Roman Empire fall?",
    "How is a violin tuned?",
    "What is the melting point of tungsten?",
    "How do I prune roses in spring?",
    "Who composed the Moonlight Sonata?",
    "How far is Mars from the Sun?",
    "What does a divorce lawyer charge?",
    "Which shoes go with a blue suit?",
    "How often should engine oil be changed?",
    "What do penguins eat?",
    "Who wrote Moby Dick?",
)
"""Questions from so many fields that no knowledge answers a quarter of them."""

_AT_ONCE = 4
"""Questions on their way at the same time: a model server has other work."""


async def measure_floor(best_score: Callable[[str], Awaitable[float]]) -> float:
    """Return the cosine that three quarters of the strangers stay below, between 0 and 1.

    The upper quarter is left out, so that a knowledge that does answer some of them is not shut up by it.

    Args:
        best_score: Cosine of the best passage for a question; 0 when there is no passage at all.
    """
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(question: str) -> float:
        async with slots:
            return await best_score(question)

    scores = sorted(await asyncio.gather(*map(ask, STRANGERS)))
    return min(max(scores[len(scores) * 3 // 4 - 1], 0.0), 1.0)
