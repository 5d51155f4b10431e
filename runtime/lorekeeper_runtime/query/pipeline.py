"""A pipeline held open: its store, the models of its revisions, and the revision that answers now."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lorekeeper_api.contract.config import RevisionConfig, RuntimeConfig
from lorekeeper_api.pipeline import RetrievalMode
from lorekeeper_runtime.errors import ProviderError, StoreError
from lorekeeper_runtime.ports import ActiveCollection, Embedder, Generator, Store
from lorekeeper_runtime.query.errors import embedding_failed, not_ready, search_failed
from lorekeeper_runtime.query.floor import measure_floor

__all__ = ["ActiveRevision", "Pipeline"]

ALIAS_SECONDS = 5.0
"""How long a read alias is believed. It may be: vectors carry the fingerprint in their names, so that a search in a
revision that has been replaced fails instead of answering nonsense."""


FLOOR_SECONDS = 3600.0
"""How long a measured floor is believed."""


@dataclass(frozen=True, slots=True)
class ActiveRevision:
    """The revision that an alias names, with what is needed to ask it."""

    alias: str
    fingerprint: str
    config: RevisionConfig
    embedder: Embedder | None
    """None when questions need no vector."""
    words: bool
    """Whether questions are searched by words."""

    @property
    def mode(self) -> RetrievalMode:
        """What a search does in truth: the declared mode, as far as the revision has the vectors for it."""
        if self.embedder is None:
            return RetrievalMode.SPARSE
        return RetrievalMode.HYBRID if self.words else RetrievalMode.DENSE


class Pipeline:
    """One pipeline of the service. Its parts are closed by whoever opened them.

    Args:
        config: The pipeline's configuration.
        store: Where its collections lie.
        embedders: By fingerprint, for each revision with dense vectors.
        generator: None for a pipeline that only retrieves.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        config: RuntimeConfig,
        store: Store,
        embedders: Mapping[str, Embedder],
        generator: Generator | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.store = store
        self.embedders = embedders
        self.generator = generator
        self._clock = clock
        self._active: tuple[ActiveCollection, float] | None = None
        self._floors: dict[str, tuple[float, float]] = {}
        self._measuring = asyncio.Lock()

    @property
    def name(self) -> str:
        """Name that clients ask it by."""
        return self.config.pipeline

    async def read_active(self, *, fresh: bool = False) -> ActiveRevision:
        """Return the revision that answers now.

        Args:
            fresh: Whether to ask the store even when it was asked a moment ago.

        Raises:
            QueryError: NotReady when nothing has been promoted yet or this service does not know the revision;
                VectorSearchFailed when the store does not answer.
        """
        now = self._clock()
        if not fresh and self._active is not None and now - self._active[1] < ALIAS_SECONDS:
            return self._resolve(self._active[0])
        try:
            active = await self.store.read_alias(self.config.alias)
        except StoreError as error:
            raise search_failed(error) from error
        if active is None:
            self._active = None
            raise not_ready(f"The pipeline '{self.name}' has no knowledge yet; wait until its first ingestion is done.")
        self._active = (active, now)
        return self._resolve(active)

    def forget_active(self) -> None:
        """Read the alias anew at the next question: it names something else by now."""
        self._active = None

    async def read_floor(self, active: ActiveRevision) -> float:
        """Return the cosine from which on a passage is about a question, as measured in the active revision.

        It is measured at the first question and again every hour, because knowledge grows; see `floor`.

        Raises:
            QueryError: EmbeddingFailed or VectorSearchFailed.
        """
        async with self._measuring:
            known = self._floors.get(active.fingerprint)
            if known is None or self._clock() - known[1] > FLOOR_SECONDS:
                known = (await measure_floor(lambda question: self._best_cosine(active, question)), self._clock())
                self._floors = {active.fingerprint: known}
            return known[0]

    async def _best_cosine(self, active: ActiveRevision, question: str) -> float:
        if active.embedder is None:
            return 0.0
        try:
            vector = await active.embedder.embed_query(question)
            found, _ = await self.store.search(
                active.alias, fingerprint=active.fingerprint, vector=vector, text=None, limit=1
            )
        except ProviderError as error:
            raise embedding_failed(error) from error
        except StoreError as error:
            raise search_failed(error) from error
        return found[0].dense or 0.0 if found else 0.0

    def _resolve(self, active: ActiveCollection) -> ActiveRevision:
        revision = self.config.revisions.get(active.fingerprint)
        if revision is None:
            raise not_ready(
                f"The pipeline '{self.name}' serves the revision {active.fingerprint}, which this service does not "
                "know; wait until it has its new configuration, or restart it."
            )
        mode = self.config.retrieval.mode
        dense, words = revision.dense, revision.sparse
        if dense and words:  # an older revision may lack what the mode wants: then what it has is searched
            dense, words = mode is not RetrievalMode.SPARSE, mode is not RetrievalMode.DENSE
        embedder = self.embedders.get(active.fingerprint) if dense else None
        if dense and embedder is None:
            raise not_ready(
                f"The pipeline '{self.name}' has no embedding model for the revision {active.fingerprint}; restart "
                "the service with the configuration that names it."
            )
        return ActiveRevision(self.config.alias, active.fingerprint, revision, embedder, words)
