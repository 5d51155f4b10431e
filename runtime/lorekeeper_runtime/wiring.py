"""Puts the parts together: from a configuration to open stores, models, sources, and the query service."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorekeeper_api import __version__
from lorekeeper_api.contract.config import EmbeddingConfig, GenerationConfig, RuntimeConfig, StoreConfig
from lorekeeper_api.pipeline import EmbeddingProvider, GenerationProvider
from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpClient, SecretFile
from lorekeeper_runtime.ports import Embedder, Generator, Store

if TYPE_CHECKING:
    from fastapi import FastAPI

    from lorekeeper_runtime.ingest.pipeline import IngestReport
    from lorekeeper_runtime.ingest.progress import Progress
    from lorekeeper_runtime.stores.lock import HomeLock

__all__ = ["OpenPipeline", "build_app", "ingest", "open_pipeline", "open_store", "resolve_embedding"]


def _open_http(endpoint: str | None, credentials_file: str | None) -> HttpClient:
    if endpoint is None:
        raise ProviderError("The provider's endpoint is missing from the configuration.", code="InvalidConfiguration")
    return HttpClient(endpoint, secret=SecretFile(credentials_file) if credentials_file else None)


@asynccontextmanager
async def open_store(config: StoreConfig, lock: "HomeLock | None" = None) -> AsyncIterator[Store]:
    """Open a store for as long as the context lasts.

    Args:
        config: Where collections are kept.
        lock: The held lock of the folder that an embedded store lies in.

    Raises:
        StoreError: The folder is not readable, or of another version.
    """
    store: Store
    if config.kind == "Embedded":
        from lorekeeper_runtime.stores.embedded import EmbeddedStore

        if config.path is None or lock is None:
            raise ValueError("an embedded store needs its folder and the lock of its home")
        store = await EmbeddedStore.open(config.path, lock)
    else:
        from lorekeeper_runtime.stores.qdrant import QdrantStore

        if config.url is None:
            raise ValueError("a Qdrant store needs its address")
        secret = SecretFile(config.credentials_file) if config.credentials_file else None
        store = QdrantStore(HttpClient(config.url, secret=secret, auth_header="api-key", auth_prefix=""))
    try:
        yield store
    finally:
        await store.close()


def make_embedder(config: EmbeddingConfig) -> Embedder:
    """Make the embedder that a configuration names; nothing is asked or loaded yet."""
    match config.provider:
        case EmbeddingProvider.EMBEDDED:
            from lorekeeper_runtime.models.minilm import MiniLMEmbedder

            return MiniLMEmbedder(config)
        case EmbeddingProvider.OLLAMA:
            from lorekeeper_runtime.models.ollama import OllamaEmbedder

            return OllamaEmbedder(config, _open_http(config.endpoint, config.credentials_file))
        case EmbeddingProvider.OPENAI:
            from lorekeeper_runtime.models.openai import OpenAIEmbedder

            return OpenAIEmbedder(config, _open_http(config.endpoint, config.credentials_file))


def make_generator(config: GenerationConfig, embedder: Embedder | None) -> Generator:
    """Make the generator that a configuration names; nothing is asked or loaded yet.

    Args:
        config: The model.
        embedder: Of the active revision: Extractive compares sentences with it.
    """
    match config.provider:
        case GenerationProvider.EXTRACTIVE:
            from lorekeeper_runtime.models.extractive import ExtractiveGenerator

            return ExtractiveGenerator(config, embedder)
        case GenerationProvider.EMBEDDED:
            from lorekeeper_runtime.models.gguf import GGUFGenerator

            return GGUFGenerator(config)
        case GenerationProvider.OLLAMA:
            from lorekeeper_runtime.models.ollama import OllamaGenerator

            return OllamaGenerator(config, _open_http(config.endpoint, config.credentials_file))
        case GenerationProvider.OPENAI:
            from lorekeeper_runtime.models.openai import OpenAIGenerator

            return OpenAIGenerator(config, _open_http(config.endpoint, config.credentials_file))


async def resolve_embedding(config: EmbeddingConfig) -> EmbeddingConfig:
    """Ask the provider what the manifest leaves open: the model's digest and the length of its vectors.

    Raises:
        ProviderError: The provider does not answer, does not have the model, or the model does not embed, or it makes
            vectors of another length than declared.
    """
    embedder = make_embedder(config)
    try:
        description = await embedder.describe()
    finally:
        await embedder.close()
    if description.dimensions is None:
        raise ProviderError(
            f"The model {config.model} does not embed: name an embedding model.", code="ModelCannotEmbed"
        )
    if config.dimensions not in {0, description.dimensions}:
        raise ProviderError(
            f"The model {config.model} makes vectors of {description.dimensions} numbers, the manifest declares "
            f"{config.dimensions}: correct embedding.dimensions or leave it out.",
            code="DimensionMismatch",
        )
    return config.model_copy(update={"digest": description.digest, "dimensions": description.dimensions})


@dataclass(frozen=True, slots=True)
class OpenPipeline:
    """A pipeline with its parts held open."""

    config: RuntimeConfig
    store: Store
    embedders: Mapping[str, Embedder]
    """By fingerprint; a revision without dense vectors has none."""
    generator: Generator | None


@asynccontextmanager
async def open_pipeline(config: RuntimeConfig, store: Store) -> AsyncIterator[OpenPipeline]:
    """Make the models of a pipeline and close them at the end of the context."""
    async with AsyncExitStack() as stack:
        embedders: dict[str, Embedder] = {}
        for fingerprint, revision in config.revisions.items():
            if revision.dense:
                embedders[fingerprint] = make_embedder(revision.embedding)
                stack.push_async_callback(embedders[fingerprint].close)
        generator = None
        if config.generation is not None:
            generator = make_generator(config.generation, embedders.get(config.target))
            stack.push_async_callback(generator.close)
        yield OpenPipeline(config, store, embedders, generator)


async def ingest(
    parts: OpenPipeline,
    *,
    progress: "Progress",
    confirm_deletion: frozenset[str] = frozenset(),
    sources: frozenset[str] | None = None,
) -> "IngestReport":
    """Sync the sources of a pipeline into its target revision; see `ingest.pipeline.ingest_pipeline`."""
    from lorekeeper_runtime.ingest.pipeline import ingest_pipeline
    from lorekeeper_runtime.sources import open_source

    return await ingest_pipeline(
        parts.config,
        store=parts.store,
        embedder=parts.embedders.get(parts.config.target),
        open_source=open_source,
        progress=progress,
        confirm_deletion=confirm_deletion,
        sources=sources,
    )


def build_app(pipelines: Sequence[OpenPipeline], *, hosts: Collection[str] | None = None) -> "FastAPI":
    """Make the query service for open pipelines; with `hosts` it answers to these names alone."""
    from lorekeeper_runtime.query.app import create_app
    from lorekeeper_runtime.query.pipeline import Pipeline

    return create_app(
        {
            parts.config.pipeline: Pipeline(parts.config, parts.store, parts.embedders, parts.generator)
            for parts in pipelines
        },
        version=__version__,
        hosts=hosts,
    )
