"""Errors of the runtime: each has a stable code and a message that is safe to show anyone.

What a provider said stays in the log (`__cause__`): it may carry credentials or other people's text.
"""

__all__ = ["DocumentError", "LorekeeperError", "ProviderError", "SourceError", "StoreError"]


class LorekeeperError(Exception):
    """Base of every error that the runtime raises on purpose."""

    code = "InternalError"
    status = 500
    retryable = False

    def __init__(self, message: str, *, code: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        self.message = message
        """One sentence that says what happened and what to do; safe to show."""
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable


class DocumentError(LorekeeperError):
    """One document cannot be read, parsed or indexed. The run goes on."""

    code = "ParseFailed"


class SourceError(LorekeeperError):
    """A source cannot be listed. Nothing is deleted."""

    code = "SourceFailed"


class StoreError(LorekeeperError):
    """The vector store refused or did not answer."""

    code = "VectorSearchFailed"
    status = 503
    retryable = True


class ProviderError(LorekeeperError):
    """A model's provider refused or did not answer."""

    code = "GenerationFailed"
    status = 503
    retryable = True
