"""Reasons: one word that says why, the same in conditions, in records of runs and documents, and in errors of the API.

A word that was released keeps its meaning.
"""

from enum import StrEnum
from typing import Self

__all__ = ["Reason"]


class Reason(StrEnum):
    """Every reason and error code, each with its meaning and what to do."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member that is equal to its word and carries its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # --- documents ---
    EMPTY = "Empty", "The document holds no text. Nothing is wrong with the run."
    ENCRYPTED = "Encrypted", "The document is protected by a password. Store it without one, or exclude it."
    INVALID_ENCODING = "InvalidEncoding", "The text is not in the encoding it claims. Save it as UTF-8, or exclude it."
    INVALID_TEXT = "InvalidText", "The document holds text that the store cannot keep. Repair or exclude it."
    LFS_POINTER = "LfsPointer", "The repository holds only a pointer of Git LFS. Commit the file itself, or exclude it."
    NO_TEXT_LAYER = "NoTextLayer", "The pages are pictures without text. Store a version with text, or exclude it."
    NOT_TEXT = "NotText", "A binary file has the name of a text. Give it its right ending, or exclude it."
    OUTSIDE_SOURCE = "OutsideSource", "A link leads out of the source's folder. Put the file itself there."
    PARSE_FAILED = "ParseFailed", "The document is damaged or not what its name says. Repair, replace or exclude it."
    TOO_DEEP = (
        "TooDeep",
        "More elements of an HTML page are open at once than any page needs. Close its tags, or exclude it.",
    )
    TOO_LARGE = "TooLarge", "The document is larger than `limits.documentSize`. Raise the limit, or exclude it."
    TOO_MANY_CHUNKS = (
        "TooManyChunks",
        "The document gives more chunks than `limits.chunks`. Raise it, or split the file.",
    )
    UNREADABLE = "Unreadable", "The file cannot be read. Give the reader access to it, or exclude it."
    UNSUPPORTED_FORMAT = "UnsupportedFormat", "No parser reads this kind of document. Exclude it, or convert it."
    VANISHED = "Vanished", "The document went away between listing and reading. The next sync sees to it."
    # --- sources and runs ---
    DELETION_HELD = (
        "DeletionHeld",
        "A sync would delete more than `guard.maxDeletedPercent` allows. Nothing was deleted. Confirm, or raise it.",
    )
    INGESTION_FAILED = "IngestionFailed", "A sync ended early. Its message says why; the next one goes on from there."
    INTERRUPTED = "Interrupted", "A sync was killed before it ended. The next one goes on from there."
    INVALID_SOURCE = "InvalidSource", "The source is declared in a way that cannot work. Its message names the field."
    REF_NOT_FOUND = "RefNotFound", "The repository has no such branch, tag or commit. Correct `git.ref`."
    SOURCE_FAILED = "SourceFailed", "The source could not be listed to its end. Nothing was deleted."
    SOURCE_NOT_FOUND = (
        "SourceNotFound",
        "What the source or pipeline names is not there. Create it, or correct the name.",
    )
    SOURCE_UNAUTHORIZED = "SourceUnauthorized", "The source refused the credentials. Check the Secret they are in."
    SOURCE_UNREACHABLE = "SourceUnreachable", "The source's server does not answer as it should. It is tried again."
    SOURCE_UNREADABLE = (
        "SourceUnreadable",
        "A folder of the source cannot be read. Give the reader access, or exclude it.",
    )
    # --- models ---
    CONTEXT_TOO_LONG = "ContextTooLong", "The question or a chunk is longer than the model reads. Shorten it."
    DIMENSION_MISMATCH = (
        "DimensionMismatch",
        "The model's vectors have another length than declared or stored. Correct `embedding.dimensions`.",
    )
    EMBEDDING_FAILED = "EmbeddingFailed", "The embedding model's provider refused, broke off or sent no usable vector."
    GENERATION_FAILED = "GenerationFailed", "The generation model's provider refused, broke off or did not answer."
    GENERATION_NOT_CONFIGURED = "GenerationNotConfigured", "The pipeline only retrieves. Ask `/v1/retrieve` instead."
    MODEL_CANNOT_EMBED = "ModelCannotEmbed", "The model makes no embeddings. Name an embedding model."
    MODEL_NOT_FOUND = "ModelNotFound", "The provider does not have the model. Correct its name, or pull it."
    PROVIDER_RATE_LIMITED = "ProviderRateLimited", "The provider asks to slow down. Lorekeeper tries again by itself."
    PROVIDER_UNAUTHORIZED = "ProviderUnauthorized", "The provider refused the API key. Check the Secret."
    PROVIDER_UNREACHABLE = "ProviderUnreachable", "The provider does not answer at its endpoint. Start or correct it."
    TOO_FEW_VECTORS = "TooFewVectors", "The provider answered with another number of vectors than it was sent texts."
    # --- store and revisions ---
    COLLECTION_IN_USE = "CollectionInUse", "The collection serves and cannot be dropped. Promote another one first."
    COLLECTION_MISSING = "CollectionMissing", "The collection is not there. An ingestion builds it."
    NO_DOCUMENTS = "NoDocuments", "The revision that serves holds no document. Check the sources and their filters."
    REVISION_CHANGED = "RevisionChanged", "Another revision was promoted during the search. It is asked again."
    SCHEMA_MISMATCH = "SchemaMismatch", "A collection of this name has another schema. Delete it, or use another store."
    STORE_BUSY = "StoreBusy", "The store asks to slow down. Lorekeeper tries again by itself."
    STORE_DAMAGED = (
        "StoreDamaged",
        "Files of the embedded store are damaged. Delete what the message names, and ingest.",
    )
    STORE_FULL = "StoreFull", "The store's disk is full. Free some space, or enlarge the volume."
    STORE_LOCKED = "StoreLocked", "Another process holds the embedded store. Stop it, or ask it over HTTP."
    STORE_READ_ONLY = "StoreReadOnly", "The store cannot be written to. Check its permissions."
    STORE_REQUEST_TOO_LARGE = "StoreRequestTooLarge", "The store refuses a request of this size. Raise its limit."
    STORE_UNAUTHORIZED = "StoreUnauthorized", "The store refused the API key. Check the Secret."
    STORE_UNREACHABLE = "StoreUnreachable", "The store does not answer at its address. Start or correct it."
    VECTOR_SEARCH_FAILED = "VectorSearchFailed", "The vector store refused or did not answer."
    # --- requests to the query API ---
    FORBIDDEN = "Forbidden", "The caller may not do this. Only the command line of the same home may ask for a sync."
    HOST_NOT_ALLOWED = (
        "HostNotAllowed",
        "A service on the loopback address answers to `localhost` and `127.0.0.1` alone: no web page shall ask it.",
    )
    INVALID_REQUEST = "InvalidRequest", "The request is not what the API reads. `param` names the field."
    METHOD_NOT_ALLOWED = "MethodNotAllowed", "The route knows another HTTP method."
    NOT_READY = "NotReady", "The pipeline cannot answer yet. `/readyz` names what is missing."
    PIPELINE_NOT_FOUND = "PipelineNotFound", "There is no pipeline of this name. `/v1/models` lists them."
    RATE_LIMIT_EXCEEDED = "RateLimitExceeded", "Too many requests. `Retry-After` says when to come again."
    REQUEST_TIMEOUT = "RequestTimeout", "The request's body did not arrive in time."
    REQUEST_TOO_LARGE = "RequestTooLarge", "The request's body is too large."
    ROUTE_NOT_FOUND = "RouteNotFound", "There is no such route. `/openapi.json` lists them."
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType", "The body must be JSON."
    # --- everything ---
    COMMAND_FAILED = "CommandFailed", "A command of the CLI cannot do what it was asked for. Its message says why."
    INTERNAL_ERROR = "InternalError", "Something went wrong that should not. The log has the details; please report it."
    INVALID_CONFIGURATION = "InvalidConfiguration", "The runtime's configuration does not fit together."
    READY = "Ready", "All is well."
    SUSPENDED = "Suspended", "It is switched off by `suspend`."
