"""Status of both kinds: what the operator found to be true."""

from typing import Annotated

from pydantic import Field

from lorekeeper_api.conditions import Conditions
from lorekeeper_api.fields import DateTime
from lorekeeper_api.requests import LastRequest
from lorekeeper_api.wire import Wire

__all__ = ["KnowledgeSourceStatus", "RAGPipelineStatus"]

Generation = Annotated[int, Field(ge=0, le=2**53)]
Count = Annotated[int, Field(ge=0, le=2**53)]


class RAGPipelineStatus(Wire):
    """What is true of the pipeline."""

    observed_generation: Generation | None = None
    """Generation of the spec that this status was made for."""

    conditions: Conditions | None = None
    """What is true, one entry a concern; Ready sums up."""

    endpoint: Annotated[str, Field(max_length=2048)] | None = None
    """Address that answers questions."""

    revision: Annotated[str, Field(max_length=63)] | None = None
    """Fingerprint of the revision that serves."""

    documents: Count | None = None
    """Documents in the revision that serves."""

    chunks: Count | None = None
    """Passages in the revision that serves."""

    replicas: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Query pods that exist."""

    selector: Annotated[str, Field(max_length=1024)] | None = None
    """Label selector of the query pods, for autoscalers."""

    last_request: LastRequest | None = None
    """Answer to the last request."""


class KnowledgeSourceStatus(Wire):
    """What is true of the source, over all pipelines that use it; counts are those of the worst of them."""

    observed_generation: Generation | None = None
    """Generation of the spec that this status was made for."""

    conditions: Conditions | None = None
    """What is true, one entry a concern; Ready sums up."""

    documents: Count | None = None
    """Documents that are indexed."""

    failed: Count | None = None
    """Documents whose last attempt failed."""

    revision: Annotated[str, Field(max_length=255)] | None = None
    """What the last complete listing saw, for example a commit."""

    last_attempt: DateTime | None = None
    """When the last sync began."""

    last_success: DateTime | None = None
    """When the last sync ended that did all it should."""

    next_run: DateTime | None = None
    """When the next scheduled sync is due."""

    last_request: LastRequest | None = None
    """Answer to the last request."""
