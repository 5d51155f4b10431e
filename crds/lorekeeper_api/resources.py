"""The two kinds as whole resources: metadata, spec and status."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from lorekeeper_api.fields import Name
from lorekeeper_api.names import PIPELINE_NAME_LIMIT, SOURCE_NAME_LIMIT, Kind
from lorekeeper_api.pipeline import RAGPipelineSpec
from lorekeeper_api.rules import rule
from lorekeeper_api.source import KnowledgeSourceSpec
from lorekeeper_api.status import KnowledgeSourceStatus, RAGPipelineStatus
from lorekeeper_api.wire import Wire

__all__ = ["RESOURCES", "KnowledgeSource", "Metadata", "RAGPipeline"]


class Metadata(Wire):
    """Metadata of a resource, as far as Lorekeeper reads it; the API server knows and checks the rest."""

    model_config = ConfigDict(extra="allow")

    name: Name
    """Name of the resource."""

    namespace: str | None = None
    """Namespace of the resource."""

    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the resource."""

    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the resource."""

    generation: int | None = None
    """Counts the changes of the spec."""

    uid: str | None = None
    """Identity of the resource, also when another one has its name later."""

    creation_timestamp: str | None = None
    """When the resource was created, RFC 3339."""

    deletion_timestamp: str | None = None
    """When the resource was asked to go, RFC 3339."""


class RAGPipeline(Wire):
    """Knowledge, models and a store put together to something that answers questions."""

    api_version: Literal["lorekeeper.dev/v1alpha1"] = "lorekeeper.dev/v1alpha1"
    kind: Literal["RAGPipeline"] = "RAGPipeline"
    metadata: Metadata
    spec: RAGPipelineSpec
    """Which knowledge is embedded how, kept where, and answered by what."""
    status: RAGPipelineStatus | None = None
    """What is true of the pipeline; written by the operator."""

    @rule(
        field="metadata.name",
        cel=f"self.metadata.name.size() <= {PIPELINE_NAME_LIMIT} && self.metadata.name.matches(r'^[a-z][-a-z0-9]*$')",
        message=f"the name of a RAGPipeline has at most {PIPELINE_NAME_LIMIT} lower-case letters, digits and `-`, and "
        "begins with a letter: its Services and pods are named after it",
    )
    def _name_fits(self) -> bool:
        name = self.metadata.name
        return len(name) <= PIPELINE_NAME_LIMIT and set(name) <= _LABEL_LETTERS and name[0].isalpha()


class KnowledgeSource(Wire):
    """A place that documents come from, and how they are kept in step."""

    api_version: Literal["lorekeeper.dev/v1alpha1"] = "lorekeeper.dev/v1alpha1"
    kind: Literal["KnowledgeSource"] = "KnowledgeSource"
    metadata: Metadata
    spec: KnowledgeSourceSpec
    """Where documents come from, and how they are kept in step."""
    status: KnowledgeSourceStatus | None = None
    """What is true of the source; written by the operator."""

    @rule(
        field="metadata.name",
        cel=f"self.metadata.name.size() <= {SOURCE_NAME_LIMIT}",
        message=f"the name of a KnowledgeSource has at most {SOURCE_NAME_LIMIT} characters: it is the value of a label",
    )
    def _name_fits(self) -> bool:
        return len(self.metadata.name) <= SOURCE_NAME_LIMIT


_LABEL_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

RESOURCES: dict[str, type[Any]] = {Kind.PIPELINE: RAGPipeline, Kind.SOURCE: KnowledgeSource}
"""Model of every kind."""
