import pytest

from lorekeeper_api.crd import build_schema
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.validation import validate_resource
from tests.unit.api.given import BADSPECS, BadSpec, load_badspecs, load_examples

SPECS = load_badspecs()


def test_the_table_names_every_file_once() -> None:
    files = {file.name for file in BADSPECS.glob("*.yaml")} - {"table.yaml"}
    assert sorted(spec.file for spec in SPECS) == sorted(files)
    assert len(files) >= 40


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_check_says(spec: BadSpec) -> None:
    assert [mistake.line for mistake in validate_resource(spec.resource)] == spec.check


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_server_is_expected_to_say_what_the_schema_holds(spec: BadSpec) -> None:
    if not spec.server or spec.server.get("strict"):
        return
    node = build_schema(RESOURCES[spec.resource["kind"]])
    rules = list(node.get("x-kubernetes-validations", []))
    for part in spec.server["field"].replace("[", ".[").split("."):
        if part:
            node = node["items"] if part.startswith("[") else node["properties"][part]
            rules += node.get("x-kubernetes-validations", [])
    if spec.is_rule:
        assert spec.server["says"] in {rule["message"] for rule in rules}


@pytest.mark.parametrize("resource", load_examples(), ids=lambda resource: resource["metadata"]["name"])
def test_examples_have_no_mistake(resource: dict[str, object]) -> None:
    assert validate_resource(resource) == []
