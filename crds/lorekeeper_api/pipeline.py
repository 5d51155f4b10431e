"""RAGPipeline: which knowledge is embedded how, kept where, and answered by what."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lorekeeper_api.fields import Name, Text, Url
from lorekeeper_api.wire import Wire

__all__ = [
    "Chunking",
    "ChunkingStrategy",
    "Credentials",
    "Embedding",
    "EmbeddingPrefixes",
    "EmbeddingProvider",
    "ExternalStore",
    "Fusion",
    "FusionMethod",
    "Generation",
    "GenerationProvider",
    "ManagedStore",
    "RAGPipelineSpec",
    "Retrieval",
    "RetrievalMode",
    "Serving",
    "SourceReference",
    "Store",
    "Weights",
]

ModelName = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$")]
"""Name of a model as its provider spells it."""


class EmbeddingProvider(StrEnum):
    """Who turns text into vectors."""

    OLLAMA = "Ollama"
    OPENAI = "OpenAI"
    EMBEDDED = "Embedded"


class GenerationProvider(StrEnum):
    """Who writes answers."""

    OLLAMA = "Ollama"
    OPENAI = "OpenAI"
    EMBEDDED = "Embedded"
    EXTRACTIVE = "Extractive"


class ChunkingStrategy(StrEnum):
    """How a document is cut."""

    RECURSIVE = "Recursive"


class RetrievalMode(StrEnum):
    """Which searches find passages."""

    DENSE = "Dense"
    SPARSE = "Sparse"
    HYBRID = "Hybrid"


class FusionMethod(StrEnum):
    """How two ranked lists become one."""

    WEIGHTED_SCORES = "WeightedScores"
    RECIPROCAL_RANKS = "ReciprocalRanks"


class SourceReference(Wire):
    """One KnowledgeSource that the pipeline answers from."""

    name: Name
    """KnowledgeSource of the same namespace."""


class Credentials(Wire):
    """A key of a Secret of the same namespace."""

    name: Name
    """Secret of the same namespace."""

    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = "api-key"
    """Key inside the Secret."""


class EmbeddingPrefixes(Wire):
    """Texts that some models want before what they embed."""

    query: Annotated[str, Field(max_length=1024)] = ""
    """Put before a question."""

    document: Annotated[str, Field(max_length=1024)] = ""
    """Put before a chunk of a document."""


class Embedding(Wire):
    """The model that turns text into vectors."""

    provider: EmbeddingProvider
    """Who runs the model: Ollama, OpenAI (and every server that speaks its API), or Embedded (inside the process)."""

    model: ModelName
    """Name of the model as its provider spells it; for Embedded the bundled `all-minilm-l6-v2`."""

    dimensions: Annotated[int, Field(ge=8, le=8192)] | None = None
    """Length of the vectors. Asked of the provider when absent; a model that answers otherwise is refused."""

    prefixes: EmbeddingPrefixes | None = None
    """Texts put before questions and documents; those the model is known to want when absent."""

    endpoint: Url | None = None
    """Address of the provider. Absent: the namespace's Ollama, or OpenAI's own service."""

    credentials: Credentials | None = None
    """Key of a Secret that holds the provider's API key."""


class Generation(Wire):
    """The model that writes answers from the passages found."""

    provider: GenerationProvider
    """Who runs the model: Ollama, OpenAI (and every server that speaks its API), Embedded (a GGUF file inside the
    process), or Extractive (no model: the best supporting sentences, quoted)."""

    model: ModelName | None = None
    """Name of the model as its provider spells it; for Embedded the name of a GGUF file. Extractive has none."""

    endpoint: Url | None = None
    """Address of the provider. Absent: the namespace's Ollama, or OpenAI's own service."""

    credentials: Credentials | None = None
    """Key of a Secret that holds the provider's API key."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Randomness of the answer; 0 repeats itself."""

    max_tokens: Annotated[int, Field(ge=1, le=32_768)] = 512
    """Longest answer, in tokens."""

    context_window: Annotated[int, Field(ge=512, le=2_000_000)] = 4096
    """Tokens that the model reads and writes at once; the prompt is packed to fit it."""

    system_prompt: Text | None = None
    """Instructions that stand before every question. Absent: answer from the passages only, and cite them."""


class Chunking(Wire):
    """How documents are cut into the passages that are embedded, found and cited."""

    strategy: ChunkingStrategy = ChunkingStrategy.RECURSIVE
    """Recursive cuts at headings, then paragraphs, lines, sentences and words, and keeps code blocks whole where they
    fit."""

    size: Annotated[int, Field(ge=100, le=8000)] = 1000
    """Longest chunk, in characters."""

    overlap: Annotated[int, Field(ge=0, le=4000)] = 100
    """Characters at the end of a chunk that the next one of the same section repeats, at most."""


class Weights(Wire):
    """How much each search counts."""

    dense: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Weight of the search by meaning."""

    sparse: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Weight of the search by words (BM25)."""


class Fusion(Wire):
    """How the lists of a hybrid search become one."""

    method: FusionMethod = FusionMethod.WEIGHTED_SCORES
    """WeightedScores adds scores after scaling each list to 0..1; ReciprocalRanks adds 1 / (60 + rank)."""

    weights: Weights = Field(default_factory=Weights)
    """How much each search counts."""


class Retrieval(Wire):
    """How passages are found for a question."""

    mode: RetrievalMode = RetrievalMode.HYBRID
    """Dense searches by meaning, Sparse by words (BM25), Hybrid by both."""

    fusion: Fusion = Field(default_factory=Fusion)
    """How the two lists of a hybrid search become one."""

    top_k: Annotated[int, Field(ge=1, le=50)] = 5
    """Passages that an answer may use, at most."""

    candidates: Annotated[int, Field(ge=1, le=500)] = 50
    """Passages that each search returns before fusion."""

    minimum_score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Lowest cosine similarity that a passage needs; without one such passage the answer is that the sources do not
    say. Absent: the value known for the embedding model. Not used by Sparse."""


class ManagedStore(Wire):
    """A Qdrant that Lorekeeper runs; with `lorekeeper run` the embedded engine."""


class ExternalStore(Wire):
    """A Qdrant that somebody else runs."""

    url: Url
    """Address of its REST API."""

    credentials: Credentials | None = None
    """Key of a Secret that holds Qdrant's API key."""


class Store(Wire):
    """Where vectors are kept: managed or external."""

    managed: ManagedStore | None = None
    """A Qdrant that Lorekeeper runs. The default."""

    external: ExternalStore | None = None
    """A Qdrant that somebody else runs."""


class Serving(Wire):
    """The query service."""

    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """Query pods. Used on a cluster only."""


class RAGPipelineSpec(Wire):
    """Which knowledge is embedded how, kept where, and answered by what."""

    sources: Annotated[list[SourceReference], Field(min_length=1, max_length=64)]
    """KnowledgeSources of the same namespace that the pipeline answers from."""

    embedding: Embedding
    """The model that turns text into vectors."""

    generation: Generation | None = None
    """The model that writes answers. Absent: a pipeline that only retrieves."""

    chunking: Chunking = Field(default_factory=Chunking)
    """How documents are cut."""

    retrieval: Retrieval = Field(default_factory=Retrieval)
    """How passages are found."""

    store: Store = Field(default_factory=Store)
    """Where vectors are kept."""

    serving: Serving = Field(default_factory=Serving)
    """The query service."""
