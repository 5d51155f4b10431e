"""From resources to the runtime's configuration: pure, and the same on a laptop and on a cluster.

Whoever calls it says where things are (`Places`) and has asked the embedding's provider before `build_config`, because
the model's digest and dimensions are part of the fingerprint.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lorekeeper_api.contract.collection import alias_name, collection_name, documents_name
from lorekeeper_api.contract.config import (
    EmbeddingConfig,
    GenerationConfig,
    RevisionConfig,
    RuntimeConfig,
    SourceConfig,
    StoreConfig,
)
from lorekeeper_api.contract.fingerprint import compute_fingerprint
from lorekeeper_api.contract.known_models import find_profile
from lorekeeper_api.pipeline import (
    Credentials,
    EmbeddingProvider,
    Generation,
    GenerationProvider,
    RAGPipelineSpec,
    RetrievalMode,
)
from lorekeeper_api.source import KnowledgeSourceSpec

__all__ = [
    "CLUSTER_ONLY_FIELDS",
    "OPENAI_ENDPOINT",
    "Places",
    "build_config",
    "build_embedding",
    "build_generation",
    "build_source",
    "build_store",
]

OPENAI_ENDPOINT = "https://api.openai.com/v1"
"""OpenAI's own service, where the manifest names no endpoint."""

CLUSTER_ONLY_FIELDS: Mapping[str, Sequence[tuple[str, ...]]] = {
    "RAGPipeline": (("serving", "replicas"),),
    "KnowledgeSource": (),
}
"""Fields of each kind's spec, as they are spelled in a manifest, that mean nothing without a cluster."""


class Places(Protocol):
    """Where the process that reads the configuration finds what the resources refer to.

    Every method may raise what its implementation says when there is no such thing.
    """

    @property
    def ollama(self) -> str:
        """Address of the Ollama that a model without an endpoint uses."""
        ...

    def managed_store(self) -> StoreConfig:
        """The store of a pipeline that names none."""
        ...

    def secret_file(self, credentials: Credentials) -> str:
        """File that holds one key of a Secret."""
        ...

    def secret_folder(self, name: str) -> str:
        """Folder that holds the keys of a Secret as files."""
        ...

    def config_map_folder(self, name: str) -> str:
        """Folder that holds the entries of a ConfigMap as files."""
        ...

    def volume_folder(self, claim: str) -> str:
        """Folder where a PersistentVolumeClaim is mounted."""
        ...

    def model_file(self, name: str) -> str:
        """Path of a GGUF file."""
        ...

    def source_cache(self, source: str) -> str | None:
        """Folder that a source may keep between runs."""
        ...


def build_embedding(spec: RAGPipelineSpec, places: Places) -> EmbeddingConfig:
    """Return the embedding model with endpoint, prefixes and credentials resolved; the provider is not asked."""
    declared = spec.embedding
    profile = find_profile(declared.model)
    prefixes = declared.prefixes
    return EmbeddingConfig(
        provider=declared.provider,
        model=declared.model,
        dimensions=declared.dimensions or 0,
        query_prefix=profile.query_prefix if prefixes is None else prefixes.query,
        document_prefix=profile.document_prefix if prefixes is None else prefixes.document,
        endpoint=_endpoint(declared.provider.value, declared.endpoint, places),
        credentials_file=places.secret_file(declared.credentials) if declared.credentials else None,
    )


def build_generation(declared: Generation | None, places: Places) -> GenerationConfig | None:
    """Return the model that writes answers, resolved; None for a pipeline that only retrieves."""
    if declared is None:
        return None
    model = declared.model
    if declared.provider is GenerationProvider.EMBEDDED and model is not None:
        model = places.model_file(model)
    return GenerationConfig(
        provider=declared.provider,
        model=model,
        endpoint=_endpoint(declared.provider.value, declared.endpoint, places),
        credentials_file=places.secret_file(declared.credentials) if declared.credentials else None,
        temperature=declared.temperature,
        max_tokens=declared.max_tokens,
        context_window=declared.context_window,
        system_prompt=declared.system_prompt,
    )


def build_store(spec: RAGPipelineSpec, places: Places) -> StoreConfig:
    """Return where the pipeline's collections are kept."""
    external = spec.store.external
    if external is None:
        return places.managed_store()
    return StoreConfig(
        kind="Qdrant",
        url=external.url,
        credentials_file=places.secret_file(external.credentials) if external.credentials else None,
    )


def build_source(name: str, spec: KnowledgeSourceSpec, places: Places) -> SourceConfig:
    """Return a source with its references resolved."""
    mount = credentials = cache = None
    if spec.volume is not None:
        mount = places.volume_folder(spec.volume.claim_name)
    elif spec.config_map is not None:
        mount = places.config_map_folder(spec.config_map.name)
    elif spec.git is not None:
        cache = places.source_cache(name)
        credentials = places.secret_folder(spec.git.credentials) if spec.git.credentials else None
    return SourceConfig(name=name, spec=spec, mount=mount, credentials=credentials, cache=cache)


def build_config(
    *,
    namespace: str,
    name: str,
    spec: RAGPipelineSpec,
    sources: Mapping[str, KnowledgeSourceSpec],
    embedding: EmbeddingConfig,
    places: Places,
) -> RuntimeConfig:
    """Return the configuration of a pipeline.

    Args:
        namespace: Namespace of the pipeline.
        name: Name of the pipeline.
        spec: What it declares.
        sources: The KnowledgeSources that it names, by name.
        embedding: Its embedding model after the provider was asked: digest and dimensions decide the fingerprint.
        places: Where the process finds what the resources refer to.
    """
    # A pipeline that searches one way only does not pay for the other; searching both ways later is a new revision.
    dense = spec.retrieval.mode is not RetrievalMode.SPARSE
    sparse = spec.retrieval.mode is not RetrievalMode.DENSE
    fingerprint = compute_fingerprint(embedding, spec.chunking, dense=dense, sparse=sparse)
    revision = RevisionConfig(
        fingerprint=fingerprint,
        collection=collection_name(namespace, name, fingerprint),
        documents=documents_name(namespace, name, fingerprint),
        embedding=embedding,
        chunking=spec.chunking,
        dense=dense,
        sparse=sparse,
    )
    return RuntimeConfig(
        pipeline=name,
        namespace=namespace,
        store=build_store(spec, places),
        alias=alias_name(namespace, name),
        target=fingerprint,
        revisions={fingerprint: revision},
        generation=build_generation(spec.generation, places),
        retrieval=spec.retrieval,
        sources=[build_source(reference.name, sources[reference.name], places) for reference in spec.sources],
    )


def _endpoint(provider: str, declared: str | None, places: Places) -> str | None:
    match provider:
        case EmbeddingProvider.OLLAMA.value:
            return declared or places.ollama
        case EmbeddingProvider.OPENAI.value:
            return declared or OPENAI_ENDPOINT
        case _:
            return None
