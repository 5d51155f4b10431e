"""The errors that every store raises, in one wording."""

from lorekeeper_runtime.errors import StoreError

__all__ = [
    "collection_in_use",
    "collection_missing",
    "dimension_mismatch",
    "invalid_text",
    "revision_changed",
    "schema_mismatch",
    "store_full",
    "store_read_only",
]


def revision_changed() -> StoreError:
    """Return the error for a search whose vectors belong to another revision."""
    return StoreError("Another revision is active now: read the alias and ask again.", code="RevisionChanged")


def collection_missing(name: str) -> StoreError:
    """Return the error for a collection or alias that is not there."""
    return StoreError(
        f"The collection {name} does not exist: run the ingestion to build it.",
        code="CollectionMissing",
        retryable=False,
    )


def collection_in_use(name: str) -> StoreError:
    """Return the error for dropping what an alias names."""
    return StoreError(
        f"The collection {name} is the active one and is not deleted: promote another revision first.",
        code="CollectionInUse",
        retryable=False,
    )


def schema_mismatch(name: str) -> StoreError:
    """Return the error for a collection that something else, or another schema, made."""
    return StoreError(
        f"The collection {name} exists with another schema: delete it, or give the pipeline another name.",
        code="SchemaMismatch",
        retryable=False,
    )


def dimension_mismatch() -> StoreError:
    """Return the error for a vector of another length than the collection's."""
    return StoreError(
        "A vector has another length than the collection's vectors: correct embedding.dimensions.",
        code="DimensionMismatch",
        retryable=False,
    )


def invalid_text() -> StoreError:
    """Return the error for text that is no Unicode, such as half of a surrogate pair."""
    return StoreError(
        "A text or a name is not valid Unicode and cannot be stored: repair the document or exclude it.",
        code="InvalidText",
        retryable=False,
    )


def store_full() -> StoreError:
    """Return the error for a store without room."""
    return StoreError("The vector store has no room left: free disk space or give it more.", code="StoreFull")


def store_read_only() -> StoreError:
    """Return the error for a store that takes no writes."""
    return StoreError(
        "The vector store takes no writes: check its disk and the rights of its key or folder.",
        code="StoreReadOnly",
        retryable=False,
    )
