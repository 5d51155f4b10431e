"""How records lie in a manifest collection: one point a document, one a run, told apart by the field `kind`."""

from typing import Any

from lorekeeper_api.contract.points import document_point_id
from lorekeeper_api.contract.records import DocumentRecord, DocumentState, RunRecord

__all__ = [
    "DOCUMENT",
    "KIND",
    "MANIFEST_INDEXED",
    "RUN",
    "SOURCE",
    "STATE",
    "decode_document",
    "decode_run",
    "encode_document",
    "encode_run",
    "run_point_id",
]

KIND = "kind"
SOURCE = "source"
STATE = "state"
DOCUMENT = "document"
"""Kind of a document's record."""
RUN = "run"
"""Kind of a run's record."""
MANIFEST_INDEXED = (KIND, SOURCE, STATE)
"""Fields with a keyword index."""

_CHUNKS = "chunks"
_DOCUMENT_FIELDS = tuple(DocumentRecord.__dataclass_fields__)
_RUN_FIELDS = tuple(RunRecord.__dataclass_fields__)


def run_point_id(source: str) -> str:
    """Id of the point that holds the last run of a source; no document's id begins with a null."""
    return document_point_id(source, "\0run")


def encode_document(record: DocumentRecord) -> dict[str, Any]:
    """Return the payload of a document's record; its chunks are laid out flat, which is half as large as pairs."""
    payload = {KIND: DOCUMENT, **{name: getattr(record, name) for name in _DOCUMENT_FIELDS}}
    payload[STATE] = record.state.value
    payload[_CHUNKS] = [part for chunk in record.chunks for part in chunk]
    return payload


def decode_document(payload: dict[str, Any]) -> DocumentRecord:
    """Return the document's record that a payload holds; fields of a later version are left out."""
    fields = {name: payload[name] for name in _DOCUMENT_FIELDS if name in payload}
    parts = iter(fields[_CHUNKS])
    fields[_CHUNKS] = list(zip(parts, parts, strict=True))
    fields[STATE] = DocumentState(fields[STATE])
    return DocumentRecord(**fields)


def encode_run(record: RunRecord) -> dict[str, Any]:
    """Return the payload of a run's record."""
    return {KIND: RUN, **{name: getattr(record, name) for name in _RUN_FIELDS}}


def decode_run(payload: dict[str, Any]) -> RunRecord:
    """Return the run's record that a payload holds; fields of a later version are left out."""
    return RunRecord(**{name: payload[name] for name in _RUN_FIELDS if name in payload})
