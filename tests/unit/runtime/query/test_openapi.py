import subprocess
import sys
from pathlib import Path

import jsonschema
import orjson
import pytest

DOCUMENT = Path(__file__).parents[4] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def printed() -> bytes:
    return subprocess.run([sys.executable, "-m", "lorekeeper_runtime.query"], check=True, capture_output=True).stdout


def test_the_committed_document_is_that_of_the_code(printed):
    assert DOCUMENT.read_bytes() == printed, "docs/openapi.json is stale: run make generate"


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return found.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_every_reference_leads_somewhere_and_every_schema_is_valid(printed):
    document = orjson.loads(printed)
    schemas = document["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in references(document)} <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_field_of_our_own_is_described(printed):
    schemas = orjson.loads(printed)["components"]["schemas"]
    for name in ("QueryRequest", "RetrieveRequest", "QueryAnswer", "RetrieveAnswer", "Context", "Citation"):
        assert [field for field, schema in schemas[name]["properties"].items() if "description" not in schema] == []


def test_every_route_says_what_it_does(printed):
    for path in orjson.loads(printed)["paths"].values():
        for operation in path.values():
            assert operation["description"]
