"""Names of the API: group, kinds, labels, annotations, and how long the name of a resource may be."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "API_VERSION",
    "CATEGORY",
    "FIELD_MANAGER",
    "FINALIZER",
    "GROUP",
    "KINDS",
    "LABEL_PIPELINE",
    "LABEL_REVISION",
    "LABEL_SOURCE",
    "PIPELINE_NAME_LIMIT",
    "REQUEST_ANNOTATION",
    "SOURCE_NAME_LIMIT",
    "VERSION",
    "Kind",
    "KindNames",
]

GROUP = "lorekeeper.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "lorekeeper"
"""`kubectl get lorekeeper` lists all kinds."""

FIELD_MANAGER = "lorekeeper"
"""Name under which the operator applies what it owns."""

FINALIZER = f"{GROUP}/external-data"
"""Only on a pipeline whose data outside the cluster is deleted with it."""

LABEL_PIPELINE = f"{GROUP}/pipeline"
"""On every object made for a pipeline: the pipeline's name."""

LABEL_SOURCE = f"{GROUP}/source"
"""On every object made for a source of a pipeline: the source's name."""

LABEL_REVISION = f"{GROUP}/revision"
"""On every object made for a revision: its fingerprint."""

REQUEST_ANNOTATION = f"{GROUP}/request"
"""Asks for something to be done once; see `lorekeeper_api.requests`."""

PIPELINE_NAME_LIMIT = 40
"""Longest name of a RAGPipeline. Its pods are called NAME-query-HASH-HASH: 63 characters, which is what a host name and
a label's value may have, less 6 for `-query`, 11 for the ReplicaSet's hash and 6 for the pod's own."""

SOURCE_NAME_LIMIT = 63
"""Longest name of a KnowledgeSource: it is the value of a label."""


class Kind(StrEnum):
    """Kinds of resource."""

    PIPELINE = "RAGPipeline"
    SOURCE = "KnowledgeSource"


@dataclass(frozen=True, slots=True)
class KindNames:
    """What a kind is called."""

    plural: str
    singular: str
    short: str


KINDS = {
    Kind.PIPELINE: KindNames("ragpipelines", "ragpipeline", "rag"),
    Kind.SOURCE: KindNames("knowledgesources", "knowledgesource", "know"),
}
"""Names of every kind. The short name `ks` is taken by Flux."""
