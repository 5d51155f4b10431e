"""What `--embedded` does: every remote part of a pipeline gives way to one inside the process."""

from lorekeeper_api.contract.known_models import BUNDLED_EMBEDDING
from lorekeeper_api.pipeline import (
    Embedding,
    EmbeddingProvider,
    Generation,
    GenerationProvider,
    RAGPipelineSpec,
    Store,
)

__all__ = ["replace_remote"]

_REMOTE_GENERATION = frozenset({GenerationProvider.OLLAMA, GenerationProvider.OPENAI})


def replace_remote(spec: RAGPipelineSpec) -> tuple[RAGPipelineSpec, list[str]]:
    """Return the pipeline without remote parts, and a sentence for each one that was replaced."""
    changes: dict[str, object] = {}
    said: list[str] = []
    embedding, generation = spec.embedding, spec.generation
    if embedding.provider is not EmbeddingProvider.EMBEDDED:
        changes["embedding"] = Embedding(provider=EmbeddingProvider.EMBEDDED, model=BUNDLED_EMBEDDING)
        said.append(f"embedding {embedding.provider} {embedding.model} -> Embedded {BUNDLED_EMBEDDING}")
        if spec.retrieval.minimum_score is not None:
            # A similarity means something for the model that it was measured with, and nothing for another one.
            changes["retrieval"] = spec.retrieval.model_copy(update={"minimum_score": None})
            said.append(f"retrieval.minimumScore {spec.retrieval.minimum_score} -> the one measured in the knowledge")
    if generation is not None and generation.provider in _REMOTE_GENERATION:
        changes["generation"] = Generation(provider=GenerationProvider.EXTRACTIVE)
        said.append(f"generation {generation.provider} {generation.model} -> Extractive (quotes, no model)")
    if spec.store.external is not None:
        changes["store"] = Store()
        said.append("store external -> embedded engine")
    return spec.model_copy(update=changes), said
