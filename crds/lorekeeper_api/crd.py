"""CustomResourceDefinitions from the models: structural, described, bounded, with the rules as CEL."""

from typing import Any

from pydantic import BaseModel

from lorekeeper_api.names import CATEGORY, GROUP, KINDS, VERSION, Kind
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.rules import rules_of

__all__ = ["build_crd", "build_schema"]

Schema = dict[str, Any]

_READY = '.status.conditions[?(@.type=="Ready")]'
_COLUMNS: dict[Kind, list[tuple[str, str, str, int]]] = {
    Kind.PIPELINE: [
        ("Ready", "string", f"{_READY}.status", 0),
        ("Reason", "string", f"{_READY}.reason", 0),
        ("Documents", "integer", ".status.documents", 0),
        ("Revision", "string", ".status.revision", 0),
        ("Endpoint", "string", ".status.endpoint", 0),
        ("Chunks", "integer", ".status.chunks", 1),
        ("Embedding", "string", ".spec.embedding.model", 1),
        ("Generation", "string", ".spec.generation.model", 1),
        ("Replicas", "integer", ".status.replicas", 1),
        ("Message", "string", f"{_READY}.message", 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    ],
    Kind.SOURCE: [
        ("Ready", "string", f"{_READY}.status", 0),
        ("Reason", "string", f"{_READY}.reason", 0),
        ("Documents", "integer", ".status.documents", 0),
        ("Failed", "integer", ".status.failed", 0),
        ("Synced", "date", ".status.lastSuccess", 0),
        ("Schedule", "string", ".spec.schedule", 1),
        ("Suspended", "boolean", ".spec.suspend", 1),
        ("Revision", "string", ".status.revision", 1),
        ("Message", "string", f"{_READY}.message", 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    ],
}
_SCALE = {
    "specReplicasPath": ".spec.serving.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
_STANDARD_FIELDS: dict[str, Schema] = {
    "apiVersion": {"type": "string", "description": f"Version of the API: {GROUP}/{VERSION}."},
    "kind": {"type": "string", "description": "Kind of the resource."},
    # The server brings this schema itself and takes nothing here but the name, which rules need to point to it. It has
    # a bound, and the server refuses a description of `metadata` as such.
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 253, "description": "Name of the resource."}},
    },
}
_LOST = frozenset({"title", "const", "discriminator", "examples", "$defs", "$ref", "anyOf"})


def build_crd(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind as a plain manifest."""
    names = KINDS[kind]
    subresources: Schema = {"status": {}}
    if kind is Kind.PIPELINE:
        subresources["scale"] = dict(_SCALE)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind.value,
                "listKind": f"{kind.value}List",
                "plural": names.plural,
                "singular": names.singular,
                "shortNames": [names.short],
                "categories": [CATEGORY],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": [_build_column(*column) for column in _COLUMNS[kind]],
                    "subresources": subresources,
                    "schema": {"openAPIV3Schema": build_schema(RESOURCES[kind])},
                }
            ],
        },
    }


def build_schema(resource: type[BaseModel]) -> Schema:
    """Return the structural schema of a whole resource."""
    raw = resource.model_json_schema(by_alias=True)
    definitions = raw["$defs"]
    schema: Schema = {
        "type": "object",
        "description": _one_line(raw["description"]),
        "required": ["spec"],
        "properties": {
            **_STANDARD_FIELDS,
            "spec": _make_structural(raw["properties"]["spec"], definitions),
            "status": _make_structural(raw["properties"]["status"], definitions),
        },
    }
    schema["x-kubernetes-validations"] = [rule.as_schema() for rule in rules_of(resource) if rule.cel]
    return schema


def _build_column(name: str, kind: str, path: str, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path}
    if priority:
        column["priority"] = priority
    return column


def _make_structural(node: Schema, definitions: Schema) -> Schema:
    """Turn pydantic's JSON Schema into what Kubernetes calls structural: no references, no unions."""
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _make_structural({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    if "anyOf" in node:
        # Optional: the server drops an explicit null, so that absence needs no type of its own.
        arms = [arm for arm in node["anyOf"] if arm.get("type") != "null"]
        if len(arms) != 1:
            raise TypeError(f"Kubernetes cannot say this union: {arms}.")
        return _make_structural(
            {**arms[0], **{key: value for key, value in node.items() if key != "anyOf"}}, definitions
        )
    schema: Schema = {key: value for key, value in node.items() if key not in _LOST}
    if "const" in node:
        schema["enum"] = [node["const"]]
    # An empty default says nothing, and is refused where a rule reads a field inside.
    if schema.get("default", {}) in (None, {}):
        schema.pop("default", None)
    if "description" in schema:
        schema["description"] = _one_line(schema["description"])
    if schema.get("type") == "object" and schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    # Said by its absence: the server leaves an empty mapping out of what it publishes.
    if not schema.get("properties", True):
        del schema["properties"]
    if "properties" in schema:
        schema["properties"] = {
            name: _make_structural(value, definitions) for name, value in schema["properties"].items()
        }
    if "items" in schema:
        schema["items"] = _make_structural(schema["items"], definitions)
    return schema


def _one_line(text: str) -> str:
    return " ".join(text.split())
