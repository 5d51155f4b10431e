"""KnowledgeSource: where documents come from, and how they are kept in step."""

from typing import Annotated

from pydantic import Field

from lorekeeper_api.fields import (
    Cron,
    Folder,
    GitReference,
    GitUrl,
    Globs,
    Link,
    Name,
    Path,
    Quantity,
    TimeZone,
)
from lorekeeper_api.rules import rule
from lorekeeper_api.wire import Wire

__all__ = [
    "ConfigMapSource",
    "DocumentLimits",
    "GitSource",
    "Guard",
    "InlineDocument",
    "InlineSource",
    "KnowledgeSourceSpec",
    "VolumeSource",
]


class GitSource(Wire):
    """Documents are the files of one commit of a Git repository."""

    url: GitUrl
    """Address of the repository: https, http, or file for one on the same machine (only with `lorekeeper run`)."""

    ref: GitReference = "HEAD"
    """Branch, tag or full commit id. HEAD is the branch that the repository itself calls its default."""

    path: Folder | None = None
    """Folder inside the repository that the documents are taken from; the whole repository when absent."""

    include: Globs | None = None
    """Globs of paths below `path` to take, for example `**/*.md`. Every supported format when absent."""

    exclude: Globs | None = None
    """Globs of paths below `path` to leave out. Exclusion wins over inclusion."""

    credentials: Name | None = None
    """Secret of the same namespace with the keys `username` and `password` (or a token as password)."""

    @rule(
        field="credentials",
        cel="!has(self.credentials) || !self.url.startsWith('file://')",
        message="a repository on the same machine asks for no password: remove `credentials`",
    )
    def _file_needs_no_credentials(self) -> bool:
        return self.credentials is None or not self.url.startswith("file://")


class VolumeSource(Wire):
    """Documents are the files on a PersistentVolumeClaim; `lorekeeper run --volume CLAIM=FOLDER` on a laptop."""

    claim_name: Name
    """PersistentVolumeClaim of the same namespace; it is mounted read-only."""

    path: Folder | None = None
    """Folder on the volume that the documents are taken from; the whole volume when absent."""

    include: Globs | None = None
    """Globs of paths below `path` to take, for example `**/*.md`. Every supported format when absent."""

    exclude: Globs | None = None
    """Globs of paths below `path` to leave out. Exclusion wins over inclusion."""


class ConfigMapSource(Wire):
    """Documents are the entries of one ConfigMap; an entry's key is the document's path."""

    name: Name
    """ConfigMap of the same namespace."""


class InlineDocument(Wire):
    """One document, written into the resource itself."""

    path: Path
    """Name of the document; its ending tells the format, for example `faq.md`."""

    text: Annotated[str, Field(min_length=1, max_length=65536)]
    """Text of the document."""

    link: Link | None = None
    """Address that citations of this document point to."""


class InlineSource(Wire):
    """Documents are written into the resource itself: for a handful of short texts."""

    documents: Annotated[
        list[InlineDocument],
        Field(
            min_length=1,
            max_length=64,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"]},
        ),
    ]
    """The documents, each with a path of its own."""

    @rule(
        field="documents",
        cel="self.documents.all(one, self.documents.exists_one(other, other.path == one.path))",
        message="each document needs a path of its own: rename or remove the one that repeats",
    )
    def _paths_are_unique(self) -> bool:
        return len({document.path for document in self.documents}) == len(self.documents)


class DocumentLimits(Wire):
    """What a single document may cost."""

    document_size: Quantity = "50Mi"
    """Largest document that is read, in bytes; a larger one is recorded as failed with the reason TooLarge."""

    chunks: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    """Most chunks one document may give; one with more is recorded as failed with the reason TooManyChunks."""


class Guard(Wire):
    """How much one sync may take away before it stops and asks; what is indexed keeps being served meanwhile."""

    max_deleted_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Largest share of the indexed documents, in percent, that one sync may delete. A sync that would delete more is
    held with the reason DeletionHeld until it is confirmed. Up to 10 documents may always go."""


class KnowledgeSourceSpec(Wire):
    """Where documents come from: exactly one kind of source, and how it is kept in step."""

    git: GitSource | None = None
    """Files of a Git repository."""

    volume: VolumeSource | None = None
    """Files on a PersistentVolumeClaim."""

    config_map: ConfigMapSource | None = None
    """Entries of a ConfigMap."""

    inline: InlineSource | None = None
    """Texts written into this resource."""

    link_prefix: Link | None = None
    """Address that is put before a document's path to give its citations a link, for example the web site that shows
    the same files."""

    schedule: Cron | None = None
    """When to sync again, as a cron expression of five fields. Without it a source is synced when it or a pipeline
    that names it changes, and on request."""

    time_zone: TimeZone = "Etc/UTC"
    """Time zone of `schedule`, by its IANA name."""

    suspend: bool = False
    """Stops syncs of this source; what is indexed keeps being served."""

    limits: DocumentLimits = Field(default_factory=DocumentLimits)
    """What a single document may cost."""

    guard: Guard = Field(default_factory=Guard)
    """How much one sync may take away."""

    @rule(
        cel="[has(self.git), has(self.volume), has(self.configMap), has(self.inline)].filter(kind, kind).size() == 1",
        message="give exactly one of `git`, `volume`, `configMap` and `inline`; a second one is a KnowledgeSource of "
        "its own",
    )
    def _is_one_kind_of_source(self) -> bool:
        return [self.git, self.volume, self.config_map, self.inline].count(None) == 3

    @property
    def kind(self) -> str:
        """Name of the one kind of source that is set, as it is spelled in the manifest."""
        return next(
            name for name in ("git", "volume", "configMap", "inline") if getattr(self, _SNAKE[name]) is not None
        )


_SNAKE = {"git": "git", "volume": "volume", "configMap": "config_map", "inline": "inline"}
