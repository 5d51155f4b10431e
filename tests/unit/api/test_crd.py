from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from lorekeeper_api.crd import build_crd, build_schema
from lorekeeper_api.names import KINDS, Kind
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.wire import Wire
from tests.unit.api.given import load_examples

Node = dict[str, Any]


def schema_of(kind: Kind) -> Node:
    schema: Node = build_crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from walk(inner, f"{path}.{name}")
    if "items" in node:
        yield from walk(node["items"], f"{path}[]")


NODES = {
    f"{kind}{path}": node
    for kind in Kind
    for path, node in walk(schema_of(kind))
    if path not in (".apiVersion", ".kind")
}


def test_every_node_has_a_type() -> None:
    types = {"object", "array", "string", "integer", "number", "boolean"}
    assert {path: node for path, node in NODES.items() if node.get("type") not in types} == {}


@pytest.mark.parametrize("kind", Kind)
def test_every_field_is_described(kind: Kind) -> None:
    for path, node in walk(schema_of(kind)):
        for name, inner in node.get("properties", {}).items():
            if (path, name) == ("", "metadata"):
                continue  # the server describes it itself
            description = inner.get("description", "")
            assert description.endswith("."), f"{path}.{name}: a description is whole sentences"
            assert "\n" not in description


def test_everything_has_an_end() -> None:
    for path, node in NODES.items():
        match node["type"]:
            case "string":
                assert "maxLength" in node or "enum" in node, path
            case "array":
                assert "maxItems" in node, path
            case "integer" | "number":
                assert "minimum" in node, path
                assert "maximum" in node, path
            case "object":
                assert "additionalProperties" not in node, path


def test_is_structural() -> None:
    for path, node in NODES.items():
        assert not {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title", "const"} & node.keys(), path
        assert node.get("default", 0) not in (None, {}), path
        for rule in node.get("x-kubernetes-validations", []):
            assert rule["message"] == rule["message"].strip(" ."), path
            assert "\n" not in rule["rule"] + rule["message"], path
            inner: Node = node
            for part in rule.get("fieldPath", "").split(".")[1:]:
                inner = inner["properties"][part]


@pytest.mark.parametrize("kind", Kind)
def test_metadata_is_left_to_the_server(kind: Kind) -> None:
    # The server refuses a definition that says more, even a description of `metadata`.
    metadata = schema_of(kind)["properties"]["metadata"]
    assert metadata.keys() <= {"type", "properties"}
    assert metadata["type"] == "object"
    assert metadata["properties"].keys() <= {"name", "generateName"}
    # Also under `status` or `spec` nothing may pose as a resource of its own.
    for path, node in NODES.items():
        assert not {"x-kubernetes-embedded-resource", "x-kubernetes-preserve-unknown-fields"} & node.keys(), path


def test_a_rule_about_the_name_points_to_the_name() -> None:
    for kind in Kind:
        assert [rule["fieldPath"] for rule in schema_of(kind)["x-kubernetes-validations"]] == [".metadata.name"]


def test_choices_are_spelled_in_camel_case() -> None:
    for path, node in NODES.items():
        for choice in node.get("enum", []):
            assert choice[0].isupper(), path
            assert choice.isalnum(), path


def test_lists_of_objects_are_keyed() -> None:
    for path, node in NODES.items():
        if node["type"] == "array" and node["items"]["type"] == "object":
            assert node["x-kubernetes-list-type"] == "map", path
            keys = node["x-kubernetes-list-map-keys"]
            assert set(keys) <= set(node["items"]["required"]), path


def test_defaults_are_whole() -> None:
    for path, node in NODES.items():
        # Where a rule reads a field inside, the server refuses a default that leaves it out.
        if node["type"] == "object" and "default" in node:
            inside = {name for name, inner in node["properties"].items() if "default" in inner}
            assert set(node["default"]) == inside, path
            jsonschema.validate(node["default"], node)


@pytest.mark.parametrize("kind", Kind)
def test_is_named_and_shown_as_agreed(kind: Kind) -> None:
    crd = build_crd(kind)
    assert crd["metadata"]["name"] == f"{KINDS[kind].plural}.lorekeeper.dev"
    names = crd["spec"]["names"]
    assert names["shortNames"] == [{"RAGPipeline": "rag", "KnowledgeSource": "know"}[kind]]
    assert names["categories"] == ["lorekeeper"]
    (version,) = crd["spec"]["versions"]
    shown = [column["name"] for column in version["additionalPrinterColumns"] if "priority" not in column]
    assert (
        shown
        == {
            "RAGPipeline": ["Ready", "Reason", "Documents", "Revision", "Endpoint", "Age"],
            "KnowledgeSource": ["Ready", "Reason", "Documents", "Failed", "Synced", "Age"],
        }[kind]
    )
    assert version["subresources"]["status"] == {}
    known = {path for path, _ in walk(schema_of(kind))}
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"]
        if not path.startswith((".metadata.", ".status.conditions")):
            assert path in known


def test_scales_over_fields_that_are_there() -> None:
    crd = build_crd(Kind.PIPELINE)
    nodes = dict(walk(schema_of(Kind.PIPELINE)))
    scale = crd["spec"]["versions"][0]["subresources"]["scale"]
    # Without a default the scale subresource answers 500.
    assert nodes[scale["specReplicasPath"]]["default"] == 1
    assert nodes[".spec.serving"]["default"] == {"replicas": 1}
    assert nodes[scale["statusReplicasPath"]]["type"] == "integer"
    assert nodes[scale["labelSelectorPath"]]["type"] == "string"


def test_every_rule_of_the_models_is_in_the_schema() -> None:
    spec = schema_of(Kind.PIPELINE)["properties"]["spec"]
    assert [rule["fieldPath"] for rule in spec["x-kubernetes-validations"]] == [".sources", ".store"]
    overlap = spec["properties"]["chunking"]["x-kubernetes-validations"]
    assert [rule["rule"] for rule in overlap] == ["self.overlap < self.size"]
    git = schema_of(Kind.SOURCE)["properties"]["spec"]["properties"]["git"]
    assert len(git["properties"]["url"]["x-kubernetes-validations"]) == 2
    assert git["properties"]["include"]["items"]["x-kubernetes-validations"]


@pytest.mark.parametrize("resource", load_examples(), ids=lambda resource: resource["metadata"]["name"])
def test_examples_fit_the_schema(resource: Node) -> None:
    jsonschema.validate(resource, schema_of(Kind(resource["kind"])))


def test_a_union_is_refused() -> None:
    class Spec(Wire):
        value: int | str

    class Thing(RESOURCES[Kind.SOURCE]):  # type: ignore[misc]  # the table holds models of any kind
        """A thing."""

        spec: Spec

    with pytest.raises(TypeError, match="union"):
        build_schema(Thing)
