"""Names and schema of the collections of a pipeline."""

from dataclasses import dataclass

__all__ = [
    "BM25",
    "CollectionSchema",
    "Payload",
    "alias_name",
    "collection_name",
    "dense_vector",
    "documents_name",
    "manifest_name",
    "sparse_vector",
]


def alias_name(namespace: str, pipeline: str) -> str:
    """Alias that names the active collection of a pipeline."""
    return f"{namespace}.{pipeline}"


def collection_name(namespace: str, pipeline: str, fingerprint: str) -> str:
    """Collection that holds the chunks of one revision."""
    return f"{namespace}.{pipeline}.{fingerprint}"


def documents_name(namespace: str, pipeline: str, fingerprint: str) -> str:
    """Collection that holds the document manifest of one revision."""
    return manifest_name(collection_name(namespace, pipeline, fingerprint))


def manifest_name(collection: str) -> str:
    """Collection that holds the document manifest beside a collection of chunks."""
    return f"{collection}.documents"


def dense_vector(fingerprint: str) -> str:
    """Name of the embedding's vector: a search for another revision's vector fails instead of answering nonsense."""
    return f"dense-{fingerprint}"


def sparse_vector(fingerprint: str) -> str:
    """Name of the BM25 vector."""
    return f"bm25-{fingerprint}"


class BM25:
    """Settings of Qdrant's own BM25, stated so that every engine computes the same vectors."""

    MODEL = "qdrant/bm25"
    K = 1.2
    B = 0.75
    AVERAGE_LENGTH = 150.0
    """Words of a usual chunk."""
    LANGUAGE = "english"


class Payload:
    """Fields of a chunk's payload; short where every chunk repeats them."""

    SOURCE = "source"
    """Name of the KnowledgeSource."""
    DOCUMENT = "document"
    """Id of the document within its source, for most sources its path."""
    HASH = "hash"
    """Hash of the embedded text: equal text shares its embedding."""
    TEXT = "text"
    """The passage."""
    TITLE = "title"
    """Title of the document."""
    HEADINGS = "headings"
    """Headings that the passage stands under, outermost first."""
    POSITION = "position"
    """Number of the chunk in its document, from 0."""
    PAGE = "page"
    """Page of the passage, from 1; only where the format has pages."""
    LINK = "link"
    """Address of the document, where it has one."""

    INDEXED = (SOURCE, DOCUMENT, HASH)
    """Fields with a keyword index."""


@dataclass(frozen=True, slots=True)
class CollectionSchema:
    """What a store needs to create the collections of one revision."""

    collection: str
    documents: str
    fingerprint: str
    dimensions: int | None
    """Length of the dense vectors; None for a collection without them."""
    sparse: bool
    """Whether there is a BM25 vector with IDF."""
