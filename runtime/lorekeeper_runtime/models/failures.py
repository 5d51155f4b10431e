"""What went wrong at a provider, in words that are safe to show and say what to do.

The provider's own text stays in the cause: it may hold credentials or other people's words.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lorekeeper_runtime.errors import ProviderError
from lorekeeper_runtime.http import HttpError, UnreachableError

__all__ = ["Upstream"]

_TOO_LONG = (
    b"context_length_exceeded",
    b"exceed_context_size",
    b"context length",
    b"context size",
    b"context window",
    b"maximum input length",
    b"too large to process",
    b"too many tokens",
)
_CANNOT_EMBED = (b"does not support embed", b"does not support pooling", b"not an embedding model")
_NO_MODEL = (b"model_not_found", b"model not found")


@dataclass(frozen=True, slots=True)
class Upstream:
    """A model at a provider, as messages name it."""

    provider: Literal["Ollama", "OpenAI"]
    url: str
    model: str
    work: Literal["embed", "generate"]

    @property
    def host(self) -> str:
        """Host and port, without credentials that an address may hold."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or self.url

    def translate(self, error: HttpError | UnreachableError) -> ProviderError:
        """Return the error to raise from `error`."""
        if isinstance(error, UnreachableError):
            return self.unreachable()
        if error.status in {401, 403}:
            return ProviderError(
                f"{self.host} refused the API key for the model {self.model}; check the pipeline's credentials.",
                code="ProviderUnauthorized",
                retryable=False,
            )
        if error.status == 429:
            return ProviderError(
                f"{self.host} allows no more requests for now; wait, or raise the account's limit.",
                code="ProviderRateLimited",
            )
        body = error.body.lower()
        if any(words in body for words in _TOO_LONG):
            return self.too_long()
        if self.work == "embed" and any(words in body for words in _CANNOT_EMBED):
            return self.cannot_embed()
        if error.status == 404 or any(words in body for words in _NO_MODEL):
            return self.not_found()
        return self.failed(f"with status {error.status}", retryable=error.status >= 500)

    def unreachable(self) -> ProviderError:
        """The provider does not answer."""
        if self.provider == "Ollama":
            message = (
                f"Ollama does not answer at {self.host}; start it with `ollama serve`, set OLLAMA_HOST to where it "
                "runs, or use `--embedded` to do without it."
            )
        else:
            message = (
                f"The model provider does not answer at {self.host}; check the pipeline's endpoint and the network, "
                "or use `--embedded` to do without it."
            )
        return ProviderError(message, code="ProviderUnreachable")

    def not_found(self) -> ProviderError:
        """The provider does not have the model."""
        if self.provider == "Ollama":
            what = f"Ollama at {self.host} does not have the model {self.model}; run `ollama pull {self.model}`."
        else:
            what = (
                f"{self.host} does not have the model {self.model}; check its name, and that the pipeline's endpoint "
                "is the whole base address (most end in /v1)."
            )
        return ProviderError(what, code="ModelNotFound", retryable=False)

    def cannot_embed(self) -> ProviderError:
        """The model is there and makes no vectors."""
        return ProviderError(
            f"The model {self.model} at {self.host} does not embed; name an embedding model, for example "
            "nomic-embed-text.",
            code="ModelCannotEmbed",
            retryable=False,
        )

    def too_long(self) -> ProviderError:
        """A text or a prompt does not fit the model."""
        if self.work == "embed":
            message = (
                f"A text is longer than the model {self.model} reads; make spec.chunking.size smaller, or name a "
                "model with a longer context."
            )
        else:
            message = (
                f"The prompt is longer than the model {self.model} reads at {self.host}; make "
                "spec.generation.contextWindow or spec.retrieval.topK smaller, or give the model a larger context."
            )
        return ProviderError(message, code="ContextTooLong", retryable=False)

    def broke_off(self) -> ProviderError:
        """The stream ended before the answer did."""
        return ProviderError(
            f"{self.host} broke off while the model {self.model} was answering; ask again, and look at the provider's "
            "log when it stays so.",
            code="GenerationFailed",
        )

    def spent_silently(self) -> ProviderError:
        """All tokens of the answer were used up, and none of them was for the reader."""
        return ProviderError(
            f"The model {self.model} used up spec.generation.maxTokens before it wrote a word; raise it, or name a "
            "model that does not think first.",
            code="GenerationFailed",
            retryable=False,
        )

    def failed(self, how: str, *, retryable: bool = True) -> ProviderError:
        """The provider answered and the answer is of no use.

        Args:
            how: Continues "HOST answered …"; never the provider's own words.
            retryable: Whether the same request may succeed later.
        """
        return ProviderError(
            f"{self.host} answered the request to the model {self.model} {how}; look at the provider's log.",
            code="EmbeddingFailed" if self.work == "embed" else "GenerationFailed",
            retryable=retryable,
        )
