"""RAGPipeline: which knowledge is embedded how, kept where, and answered by what."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lorekeeper_api.contract.known_models import BUNDLED_EMBEDDING
from lorekeeper_api.fields import ModelName, Name, SecretKey, SourceName, Text, Url
from lorekeeper_api.rules import rule, transition
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


_INSIDE = (GenerationProvider.EMBEDDED, GenerationProvider.EXTRACTIVE)


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

    name: SourceName
    """KnowledgeSource of the same namespace."""


class Credentials(Wire):
    """A key of a Secret of the same namespace."""

    name: Name
    """Secret of the same namespace."""

    key: SecretKey = "api-key"
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

    @rule(
        field="endpoint",
        cel="self.provider != 'Embedded' || !has(self.endpoint)",
        message="a model inside the process has no address: remove `endpoint`, or choose the provider Ollama or OpenAI",
    )
    def _embedded_has_no_endpoint(self) -> bool:
        return self.provider is not EmbeddingProvider.EMBEDDED or self.endpoint is None

    @rule(
        field="credentials",
        cel="self.provider != 'Embedded' || !has(self.credentials)",
        message="a model inside the process asks for no key: remove `credentials`, or choose the provider Ollama or "
        "OpenAI",
    )
    def _embedded_has_no_credentials(self) -> bool:
        return self.provider is not EmbeddingProvider.EMBEDDED or self.credentials is None

    @rule(
        field="model",
        cel=f"self.provider != 'Embedded' || self.model == '{BUNDLED_EMBEDDING}'",
        message=f"the provider Embedded has one model: write `{BUNDLED_EMBEDDING}`, or choose the provider Ollama or "
        "OpenAI",
    )
    def _embedded_is_the_bundled_model(self) -> bool:
        return self.provider is not EmbeddingProvider.EMBEDDED or self.model == BUNDLED_EMBEDDING

    @rule(
        field="credentials",
        cel="self.provider != 'OpenAI' || has(self.endpoint) || has(self.credentials)",
        message="OpenAI's own service needs an API key: name its Secret under `credentials`, or give the `endpoint` "
        "of another server",
    )
    def _openai_needs_credentials(self) -> bool:
        return (
            self.provider is not EmbeddingProvider.OPENAI or self.endpoint is not None or self.credentials is not None
        )


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

    @rule(
        field="model",
        cel="self.provider == 'Extractive' || has(self.model)",
        message="name the `model` that writes the answers; only the provider Extractive needs none",
    )
    def _model_is_named(self) -> bool:
        return self.provider is GenerationProvider.EXTRACTIVE or self.model is not None

    @rule(
        field="model",
        cel="self.provider != 'Extractive' || !has(self.model)",
        message="Extractive quotes sentences and uses no model: remove `model`, or choose another provider",
    )
    def _extractive_has_no_model(self) -> bool:
        return self.provider is not GenerationProvider.EXTRACTIVE or self.model is None

    @rule(
        field="systemPrompt",
        cel="self.provider != 'Extractive' || !has(self.systemPrompt)",
        message="Extractive has no model that could follow a prompt: remove `systemPrompt`, or choose another provider",
    )
    def _extractive_has_no_prompt(self) -> bool:
        return self.provider is not GenerationProvider.EXTRACTIVE or self.system_prompt is None

    @rule(
        field="endpoint",
        cel="!(self.provider in ['Embedded', 'Extractive']) || !has(self.endpoint)",
        message="Embedded and Extractive work inside the process and have no address: remove `endpoint`, or choose the "
        "provider Ollama or OpenAI",
    )
    def _inside_has_no_endpoint(self) -> bool:
        return self.provider not in _INSIDE or self.endpoint is None

    @rule(
        field="credentials",
        cel="!(self.provider in ['Embedded', 'Extractive']) || !has(self.credentials)",
        message="Embedded and Extractive work inside the process and ask for no key: remove `credentials`, or choose "
        "the provider Ollama or OpenAI",
    )
    def _inside_has_no_credentials(self) -> bool:
        return self.provider not in _INSIDE or self.credentials is None

    @rule(
        field="credentials",
        cel="self.provider != 'OpenAI' || has(self.endpoint) || has(self.credentials)",
        message="OpenAI's own service needs an API key: name its Secret under `credentials`, or give the `endpoint` "
        "of another server",
    )
    def _openai_needs_credentials(self) -> bool:
        return (
            self.provider is not GenerationProvider.OPENAI or self.endpoint is not None or self.credentials is not None
        )

    @rule(
        field="maxTokens",
        cel="self.maxTokens < self.contextWindow",
        message="must be smaller than `contextWindow`: question and passages need room beside the answer",
    )
    def _answer_leaves_room(self) -> bool:
        return self.max_tokens < self.context_window


class Chunking(Wire):
    """How documents are cut into the passages that are embedded, found and cited."""

    strategy: ChunkingStrategy = ChunkingStrategy.RECURSIVE
    """Recursive cuts at headings, then paragraphs, lines, sentences and words, and keeps code blocks whole where they
    fit."""

    size: Annotated[int, Field(ge=100, le=8000)] = 1000
    """Longest chunk, in characters."""

    overlap: Annotated[int, Field(ge=0, le=4000)] = 100
    """Characters at the end of a chunk that the next one of the same section repeats, at most."""

    contextual_header: bool = True
    """Whether a chunk is embedded and searched together with the headings that it stands under, or with the document's
    title where it stands under none. Citations show the bare passage either way."""

    @rule(
        field="overlap",
        cel="self.overlap < self.size",
        message="must be smaller than `size`: a chunk cannot repeat all of the one before",
    )
    def _overlap_is_smaller(self) -> bool:
        return self.overlap < self.size


class Weights(Wire):
    """How much each search counts."""

    dense: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Weight of the search by meaning."""

    sparse: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Weight of the search by words (BM25)."""

    @rule(
        cel="self.dense > 0.0 || self.sparse > 0.0",
        message="one weight must be above 0, or no search counts; to use a single one, set `retrieval.mode`",
    )
    def _one_counts(self) -> bool:
        return self.dense > 0 or self.sparse > 0


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
    say, and no model is asked. Absent: measured for each revision, by what questions about other things reach in it."""

    @rule(
        field="candidates",
        cel="self.candidates >= self.topK",
        message="must be at least `topK`: an answer cannot use more passages than the search returns",
    )
    def _candidates_are_enough(self) -> bool:
        return self.candidates >= self.top_k

    @rule(
        field="minimumScore",
        cel="self.mode != 'Sparse' || !has(self.minimumScore)",
        message="Sparse computes no cosine similarity to compare with: remove `minimumScore`, or choose the mode "
        "Hybrid or Dense",
    )
    def _sparse_has_no_score(self) -> bool:
        return self.mode is not RetrievalMode.SPARSE or self.minimum_score is None


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

    @rule(
        cel="!(has(self.managed) && has(self.external))",
        message="give `managed` or `external`, not both",
    )
    def _is_one_kind_of_store(self) -> bool:
        return self.managed is None or self.external is None


class Serving(Wire):
    """The query service."""

    replicas: Annotated[int, Field(ge=0, le=100)] = 1
    """Query pods. Used on a cluster only."""


class RAGPipelineSpec(Wire):
    """Which knowledge is embedded how, kept where, and answered by what."""

    sources: Annotated[
        list[SourceReference],
        Field(
            min_length=1,
            max_length=64,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ]
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

    @rule(
        field="sources",
        cel="self.sources.all(one, self.sources.exists_one(other, other.name == one.name))",
        message="each source is named once: remove the one that repeats",
    )
    def _sources_are_unique(self) -> bool:
        return len({source.name for source in self.sources}) == len(self.sources)

    # Where the vectors lie is part of a pipeline's identity: another place would be found empty, and what lies in the
    # old one would be served by nobody and deleted by nobody. A source may change its kind: documents keep their ids
    # where their paths stay the same, and the guard holds a sync that would lose too many.
    @transition(
        field="store",
        cel=(
            "(has(self.store) && has(self.store.external)) == (has(oldSelf.store) && has(oldSelf.store.external)) && "
            "(!(has(self.store) && has(self.store.external)) || self.store.external.url == oldSelf.store.external.url)"
        ),
        message="the store of a pipeline cannot change, its vectors would stay behind: make a second pipeline with the "
        "new store, and delete this one when clients have moved",
    )
    def _store_stays(self, old: "RAGPipelineSpec") -> bool:
        now, before = self.store.external, old.store.external
        return (now and now.url) == (before and before.url)
