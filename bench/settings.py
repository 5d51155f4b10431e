"""The configuration of the measured pipeline: the one that `lorekeeper run` would resolve a manifest to."""

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
from lorekeeper_api.pipeline import Chunking, EmbeddingProvider, GenerationProvider, Retrieval, RetrievalMode
from lorekeeper_api.source import KnowledgeSourceSpec, VolumeSource

__all__ = ["PIPELINE", "make_config"]

PIPELINE = "bench"
_NAMESPACE = "default"
_MODEL = "stub-embedder"
_DIMENSIONS = 384


def make_config(
    *, folder: str, models: str, qdrant: str, mode: str = "Hybrid", size: int = 1000, overlap: int = 100
) -> RuntimeConfig:
    """Return a pipeline over one folder, with an OpenAI-shaped provider and a Qdrant.

    Args:
        folder: Documents, as a mounted volume.
        models: Address of the provider, without `/v1`.
        qdrant: Address of Qdrant.
        mode: A RetrievalMode.
        size: Longest chunk, in characters.
        overlap: Characters that two chunks share at most.
    """
    chosen = RetrievalMode(mode)
    dense, sparse = chosen is not RetrievalMode.SPARSE, chosen is not RetrievalMode.DENSE
    embedding = EmbeddingConfig(
        provider=EmbeddingProvider.OPENAI, model=_MODEL, dimensions=_DIMENSIONS, endpoint=models + "/v1"
    )
    chunking = Chunking(size=size, overlap=overlap)
    fingerprint = compute_fingerprint(embedding, chunking, dense=dense, sparse=sparse)
    revision = RevisionConfig(
        fingerprint=fingerprint,
        collection=collection_name(_NAMESPACE, PIPELINE, fingerprint),
        documents=documents_name(_NAMESPACE, PIPELINE, fingerprint),
        embedding=embedding,
        chunking=chunking,
        dense=dense,
        sparse=sparse,
    )
    return RuntimeConfig(
        pipeline=PIPELINE,
        namespace=_NAMESPACE,
        store=StoreConfig(kind="Qdrant", url=qdrant),
        alias=alias_name(_NAMESPACE, PIPELINE),
        target=fingerprint,
        revisions={fingerprint: revision},
        generation=GenerationConfig(provider=GenerationProvider.OPENAI, model=_MODEL, endpoint=models + "/v1"),
        retrieval=Retrieval(mode=chosen),
        sources=[
            SourceConfig(name="docs", spec=KnowledgeSourceSpec(volume=VolumeSource(claim_name="docs")), mount=folder)
        ],
    )
