"""Errors of the query service, each with the HTTP status that it is answered with."""

from lorekeeper_runtime.errors import LorekeeperError, ProviderError, StoreError

__all__ = [
    "QueryError",
    "context_too_long",
    "embedding_failed",
    "generation_failed",
    "generation_not_configured",
    "host_not_allowed",
    "invalid_request",
    "not_ready",
    "pipeline_not_found",
    "search_failed",
]


class QueryError(LorekeeperError):
    """A question that cannot be answered, as clients see it: `code` is stable, the message is safe to show."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        param: str | None = None,
        reason: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, code=code, retryable=retryable)
        self.status = status
        self.param = param
        """Field of the request that is wrong."""
        self.reason = reason
        """Code of the error beneath, where `code` names only the stage that failed."""


def invalid_request(
    message: str, *, param: str | None = None, code: str = "InvalidRequest", status: int = 400
) -> QueryError:
    """The request itself is wrong; sending it again does not help."""
    return QueryError(message, code=code, status=status, param=param)


def pipeline_not_found(name: str, *, param: str) -> QueryError:
    """The request names a pipeline that this service does not serve."""
    message = f"The pipeline '{name[:253]}' does not exist; GET /v1/models lists those that do."
    return QueryError(message, code="PipelineNotFound", status=404, param=param)


def host_not_allowed() -> QueryError:
    """The request names a host that this service does not answer to."""
    return QueryError(
        "This service answers to the names of this machine alone: ask it at http://127.0.0.1, or let it serve on "
        "another address.",
        code="HostNotAllowed",
        status=403,
    )


def generation_not_configured(pipeline: str) -> QueryError:
    """The pipeline only retrieves."""
    message = f"The pipeline '{pipeline}' has no generation model; use POST /v1/retrieve, or declare spec.generation."
    return QueryError(message, code="GenerationNotConfigured", status=400)


def not_ready(message: str, *, retryable: bool = True) -> QueryError:
    """There is no knowledge to answer from yet."""
    return QueryError(message, code="NotReady", status=503, retryable=retryable)


def context_too_long(context_window: int) -> QueryError:
    """Not even one passage fits beside the question."""
    message = (
        f"The question leaves no room for a passage in the context window of {context_window} tokens; "
        "shorten it, lower max_tokens, or raise spec.generation.contextWindow."
    )
    return QueryError(message, code="ContextTooLong", status=400)


def embedding_failed(error: ProviderError) -> QueryError:
    """The question could not be embedded. Raise it `from` the error."""
    return _stage_failed("EmbeddingFailed", error)


def search_failed(error: StoreError) -> QueryError:
    """The store could not be searched. Raise it `from` the error."""
    return _stage_failed("VectorSearchFailed", error)


def generation_failed(error: ProviderError) -> QueryError:
    """The model did not write an answer. Raise it `from` the error."""
    return _stage_failed("GenerationFailed", error)


def _stage_failed(code: str, error: LorekeeperError) -> QueryError:
    reason = error.code if error.code not in {code, type(error).code} else None
    return QueryError(error.message, code=code, status=error.status, reason=reason, retryable=error.retryable)
