"""Reads docs/api/v1alpha1-full.yaml with the marks behind its fields."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.unit.api.given import ROOT

FILE = ROOT / "docs" / "api" / "v1alpha1-full.yaml"
BRINGS = {"laptop", "operator", "ingestion", "query", "revisions", "models", "trust", "operations"}
FURTHER = {"declared", "immutable", "fingerprint"}

Marks = dict[str, set[str]]


def load_marks() -> dict[str, Marks]:
    """Marks of every field of spec and status by kind and path, entries of lists by `[]`.

    A field that stands on the line of another one shares its marks.
    """
    text = FILE.read_text()
    lines = text.splitlines()
    found: dict[str, Marks] = {}
    for root in yaml.compose_all(text, yaml.SafeLoader):
        body = {key.value: value for key, value in root.value}
        marks = found.setdefault(body["kind"].value, {})
        for part in ("spec", "status"):
            for path, line in _fields(body[part], part):
                comment = re.search(r" # ([a-z, ]+)$", lines[line])
                marks.setdefault(path, set()).update(comment[1].split(", ") if comment else ())
    return found


def load_part(kind: str, part: str, *wanted: str) -> dict[str, Any]:
    """What the document shows of the spec or the status of a kind, of it the fields with one of the marks."""
    marks = load_marks()[kind]

    def keep(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {
                name: keep(inner, f"{path}.{name}")
                for name, inner in value.items()
                if marks[f"{path}.{name}"].intersection(wanted)
            }
        return [keep(entry, f"{path}[]") for entry in value] if isinstance(value, list) else value

    (document,) = (found for found in yaml.safe_load_all(FILE.read_text()) if found["kind"] == kind)
    kept: dict[str, Any] = keep(document[part], part)
    return kept


def _fields(node: Any, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = f"{path}.{key.value}"
            yield here, key.start_mark.line
            yield from _fields(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            yield from _fields(entry, f"{path}[]")
