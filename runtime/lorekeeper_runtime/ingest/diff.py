"""What a listing and the document manifest say together: pure functions."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from lorekeeper_api.contract.records import DocumentRecord, DocumentState
from lorekeeper_api.source import DocumentLimits, KnowledgeSourceSpec
from lorekeeper_runtime.ports import ListedDocument

__all__ = ["MAX_ATTEMPTS", "Difference", "Todo", "compute_difference", "link_of"]

MAX_ATTEMPTS = 5
"""Times that a document is tried again when its failure may pass."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A document that needs a look."""

    listed: ListedDocument
    version: str
    """What the record will say: the listed version, and a trace of the link."""
    link: str
    previous: DocumentRecord | None


@dataclass(slots=True)
class Difference:
    """What a sync has to do."""

    todo: list[Todo] = field(default_factory=list)
    """New, changed and to be tried again, in the listing's order."""
    gone: list[DocumentRecord] = field(default_factory=list)
    """Known, and no longer listed."""
    listed: int = 0
    unchanged: int = 0
    still_failed: list[DocumentRecord] = field(default_factory=list)
    """Failed before, unchanged since, and not tried again."""
    still_skipped: int = 0


def link_of(listed: ListedDocument, prefix: str | None) -> str:
    """Address that citations of a document point to; empty when there is none."""
    if listed.link or prefix is None:
        return listed.link
    return prefix.rstrip("/") + "/" + quote(listed.id)


def _settings_of(spec: KnowledgeSourceSpec) -> str:
    """Settings by which the same bytes have another outcome; empty for the defaults, so that versions stay short."""
    limits = spec.limits
    return "" if limits == DocumentLimits() else f"{limits.document_size}/{limits.chunks}"


def _version_with(version: str, link: str, settings: str) -> str:
    """The link is part of every payload and limits decide what fails, so others of these are another version."""
    if not link and not settings:
        return version
    traces = f"{link}\0{settings}".encode("utf-8", "surrogatepass")
    return f"{version}+{hashlib.blake2b(traces, digest_size=4).hexdigest()}"


def compute_difference(
    listing: Iterable[ListedDocument], records: Mapping[str, DocumentRecord], spec: KnowledgeSourceSpec
) -> Difference:
    """Compare a complete listing with the manifest.

    A document whose failure was its own fault (a broken file) is left alone until it or the limits change; one whose
    failure may pass is tried again, up to MAX_ATTEMPTS times.
    """
    settings = _settings_of(spec)
    difference = Difference()
    seen: set[str] = set()
    for listed in listing:
        if listed.id in seen:
            continue
        seen.add(listed.id)
        difference.listed += 1
        link = link_of(listed, spec.link_prefix)
        version = _version_with(listed.version, link, settings)
        record = records.get(listed.id)
        if record is None or record.version != version or _deserves_retry(record):
            difference.todo.append(Todo(listed, version, link, record))
        elif record.state is DocumentState.FAILED:
            difference.still_failed.append(record)
        elif record.state is DocumentState.SKIPPED:
            difference.still_skipped += 1
        else:
            difference.unchanged += 1
    difference.gone = [record for document, record in records.items() if document not in seen]
    return difference


def _deserves_retry(record: DocumentRecord) -> bool:
    return record.state is DocumentState.FAILED and record.retryable and record.attempts < MAX_ATTEMPTS
