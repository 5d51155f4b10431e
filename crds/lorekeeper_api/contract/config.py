"""The runtime's configuration: one JSON file a pipeline, written by the operator or by `lorekeeper run`."""

from typing import Annotated, Literal

from pydantic import Field

from lorekeeper_api.pipeline import Chunking, EmbeddingProvider, GenerationProvider, Retrieval
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_api.wire import Wire

__all__ = [
    "EmbeddingConfig",
    "GenerationConfig",
    "RevisionConfig",
    "RuntimeConfig",
    "SourceConfig",
    "StoreConfig",
]

Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]


class EmbeddingConfig(Wire):
    """An embedding model with everything resolved that the manifest leaves open."""

    provider: EmbeddingProvider
    """Who runs the model."""

    model: str
    """Name of the model as its provider spells it."""

    digest: str = ""
    """What the weights were when the revision was made (Ollama's digest, or sha256 of the file); empty when the
    provider cannot tell, or has not been asked yet."""

    dimensions: int = 0
    """Length of the vectors; 0 when the provider has not been asked yet."""

    query_prefix: str = ""
    """Put before a question."""

    document_prefix: str = ""
    """Put before a chunk."""

    endpoint: str | None = None
    """Address of the provider; None inside the process."""

    credentials_file: str | None = None
    """File that holds the provider's API key; read again when it changes."""


class RevisionConfig(Wire):
    """One revision of the knowledge: where it lies and how its vectors were made."""

    fingerprint: Fingerprint
    """Hash of everything that decides what a vector means; see `contract.fingerprint`."""

    collection: str
    """Collection that holds the chunks."""

    documents: str
    """Collection that holds the document manifest of this revision."""

    embedding: EmbeddingConfig
    """The model that embeds documents and questions of this revision."""

    chunking: Chunking
    """How documents are cut."""

    dense: bool = True
    """Whether chunks have an embedding."""

    sparse: bool = True
    """Whether chunks have a BM25 vector."""


class GenerationConfig(Wire):
    """The model that writes answers, resolved."""

    provider: GenerationProvider
    """Who runs the model."""

    model: str | None = None
    """Name of the model; for Embedded the path of a GGUF file; None for Extractive."""

    endpoint: str | None = None
    """Address of the provider; None inside the process."""

    credentials_file: str | None = None
    """File that holds the provider's API key; read again when it changes."""

    temperature: float = 0.1
    """Randomness of the answer."""

    max_tokens: int = 512
    """Longest answer, in tokens."""

    context_window: int = 4096
    """Tokens that the model reads and writes at once."""

    system_prompt: str | None = None
    """Instructions that stand before every question; None for the default ones."""


class StoreConfig(Wire):
    """Where collections are kept."""

    kind: Literal["Embedded", "Qdrant"]
    """Embedded is Qdrant's engine inside the process, Qdrant its REST API."""

    path: str | None = None
    """Folder of the embedded engine."""

    url: str | None = None
    """Address of Qdrant's REST API."""

    credentials_file: str | None = None
    """File that holds Qdrant's API key; read again when it changes."""


class SourceConfig(Wire):
    """A KnowledgeSource with its references resolved."""

    name: str
    """Name of the KnowledgeSource."""

    spec: KnowledgeSourceSpec
    """What the resource says."""

    mount: str | None = None
    """Folder that holds the files of a volume or the entries of a ConfigMap."""

    credentials: str | None = None
    """Folder that holds the keys of the credentials Secret as files."""

    cache: str | None = None
    """Folder that this source may keep between runs, for example a Git clone."""


class RuntimeConfig(Wire):
    """Everything that a worker or a query pod of one pipeline needs to know."""

    pipeline: str
    """Name of the RAGPipeline; clients use it as the model's name."""

    namespace: str = "default"
    """Namespace of the RAGPipeline."""

    store: StoreConfig
    """Where collections are kept."""

    alias: str
    """Alias of the active revision's collection: what a question asks."""

    target: Fingerprint
    """Revision that ingestion builds and keeps in step."""

    revisions: dict[str, RevisionConfig]
    """Every revision that may be active, by fingerprint. A pod embeds a question by the entry that the alias's
    collection metadata names."""

    generation: GenerationConfig | None = None
    """The model that writes answers; None for a pipeline that only retrieves."""

    retrieval: Retrieval = Field(default_factory=Retrieval)
    """How passages are found."""

    sources: list[SourceConfig] = Field(default_factory=list)
    """The sources that a worker keeps in step; empty for a query pod."""
