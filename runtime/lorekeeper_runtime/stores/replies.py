"""What Qdrant's error replies mean. Its texts stay in the chain of causes: they may quote what people stored."""

import orjson

from lorekeeper_runtime.errors import StoreError
from lorekeeper_runtime.http import HttpError, UnreachableError
from lorekeeper_runtime.stores.refusals import (
    collection_missing,
    dimension_mismatch,
    revision_changed,
    store_full,
    store_read_only,
)

__all__ = ["explain"]


def explain(error: HttpError | UnreachableError, name: str = "") -> StoreError:
    """Return the error to raise for a failed request.

    Args:
        error: What the client raised.
        name: The collection or alias that was asked for.
    """
    if isinstance(error, UnreachableError):
        return StoreError(
            "The vector store does not answer: start it, or correct its address.", code="StoreUnreachable"
        )
    said = _said(error.body)
    return _by_text(said, name) or _by_status(error.status, name)


def _by_text(said: str, name: str) -> StoreError | None:
    if "Not existing vector name" in said:
        return revision_changed()
    if "expected dim" in said:
        return dimension_mismatch()
    if "No space left" in said or "os error 28" in said:
        return store_full()
    if "Read-only file system" in said or "os error 30" in said or "Storage locked" in said:
        return store_read_only()
    if "doesn't exist" in said and "ollection" in said:
        return collection_missing(name)
    return None


def _by_status(status: int, name: str) -> StoreError:
    match status:
        case 401 | 403:
            return StoreError(
                "The vector store refused the API key: check the Secret or file that holds it.",
                code="StoreUnauthorized",
                retryable=False,
            )
        case 404:
            return collection_missing(name)
        case 413:
            return StoreError(
                "A request is larger than the vector store takes: raise its max_request_size_mb.",
                code="StoreRequestTooLarge",
                retryable=False,
            )
        case 429:
            return StoreError("The vector store asks to slow down: try again later.", code="StoreBusy")
        case 507:
            return store_full()
        case _:
            return StoreError(
                f"The vector store refused a request with status {status}: its log says why.", retryable=status >= 500
            )


def _said(body: bytes) -> str:
    """Return the error's text; bodies that are no JSON come from proxies and from the check of the API key."""
    try:
        status = orjson.loads(body).get("status")
    except (orjson.JSONDecodeError, AttributeError):
        return body.decode(errors="replace")
    return str(status.get("error", "")) if isinstance(status, dict) else str(status)
