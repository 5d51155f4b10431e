from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lorekeeper_api.contract.config import EmbeddingConfig
from lorekeeper_api.contract.fingerprint import compute_fingerprint
from lorekeeper_api.crd import build_schema
from lorekeeper_api.names import REQUEST_ANNOTATION, Kind
from lorekeeper_api.pipeline import Chunking, EmbeddingProvider
from lorekeeper_api.requests import RequestVerb, parse_request, verbs_of
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.rules import rules_of
from lorekeeper_api.validation import validate_resource
from tests.unit.api.full_document import BRINGS, FILE, FURTHER, load_marks
from tests.unit.api.given import ROOT

MARKS = load_marks()


def crd_paths(kind: str) -> set[str]:
    def walk(node: dict[str, Any], path: str) -> Iterator[str]:
        for name, inner in node.get("properties", {}).items():
            yield f"{path}.{name}"
            yield from walk(inner, f"{path}.{name}")
        if "items" in node:
            yield from walk(node["items"], f"{path}[]")

    properties = build_schema(RESOURCES[kind])["properties"]
    return {path for part in ("spec", "status") for path in walk(properties[part], part)}


@pytest.mark.parametrize("kind", Kind)
def test_the_crd_is_what_is_marked_as_there(kind: Kind) -> None:
    marked = {path for path, marks in MARKS[kind].items() if marks & {"laptop", "declared"}}
    assert marked == crd_paths(kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_field_says_what_brings_it(kind: Kind) -> None:
    wrong = {path for path, marks in MARKS[kind].items() if len(marks & BRINGS) != 1 or marks - BRINGS - FURTHER}
    assert not wrong


@pytest.mark.parametrize("kind", Kind)
def test_a_field_comes_no_later_than_what_is_in_it(kind: Kind) -> None:
    for path, marks in MARKS[kind].items():
        if "laptop" in marks and (parent := path.rpartition(".")[0].removesuffix("[]")) in MARKS[kind]:
            assert "laptop" in MARKS[kind][parent], path


def test_what_can_be_applied_today_is_valid_as_it_stands_there() -> None:
    """The fields marked laptop, with one kind of source and of store, make a valid manifest."""
    source, pipeline = yaml.safe_load_all(FILE.read_text())
    for resource in (source, pipeline):
        resource["spec"] = keep(resource["spec"], "spec", crd_paths(resource["kind"]))
    for kind in ("volume", "configMap", "inline"):
        del source["spec"][kind]
    del pipeline["spec"]["store"]["managed"]
    assert validate_resource(source) == []
    assert validate_resource(pipeline) == []


def keep(value: Any, path: str, known: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: keep(inner, f"{path}.{key}", known) for key, inner in value.items() if f"{path}.{key}" in known}
    if isinstance(value, list):
        return [keep(inner, f"{path}[]", known) for inner in value]
    return value


@pytest.mark.parametrize("kind", Kind)
def test_the_status_is_one_that_the_models_read(kind: Kind) -> None:
    resource = next(found for found in yaml.safe_load_all(FILE.read_text()) if found["kind"] == kind)
    status = keep(resource["status"], "status", crd_paths(kind))
    RESOURCES[kind].model_fields["status"].annotation.__args__[0].model_validate(status)


# What of the specification reaches the fingerprint under which name.
EMBEDDING_FIELDS = {
    "provider": ("spec.embedding.provider", EmbeddingProvider.OPENAI),
    "model": ("spec.embedding.model", "other"),
    "dimensions": ("spec.embedding.dimensions", 99),
    "query_prefix": ("spec.embedding.prefixes.query", "other: "),
    "document_prefix": ("spec.embedding.prefixes.document", "other: "),
    "endpoint": ("spec.embedding.endpoint", "http://other"),
    "credentials_file": ("spec.embedding.credentials", "/other"),
}
CHUNKING_FIELDS: dict[str, object] = {"size": 900, "overlap": 90, "contextualHeader": False}


def test_marks_of_the_fingerprint_are_what_it_is_made_of() -> None:
    embedding = EmbeddingConfig(provider=EmbeddingProvider.OLLAMA, model="some", dimensions=8)
    chunking = Chunking()
    before = compute_fingerprint(embedding, chunking, dense=True, sparse=True)
    decides, known = {"spec.chunking.strategy"}, {"spec.chunking.strategy"}
    assert "strategy" in chunking.model_dump(), "the fingerprint takes all of chunking"
    for field, (path, other) in EMBEDDING_FIELDS.items():
        known.add(path)
        changed = embedding.model_copy(update={field: other})
        if compute_fingerprint(changed, chunking, dense=True, sparse=True) != before:
            decides.add(path)
    for field, other in CHUNKING_FIELDS.items():
        known.add(f"spec.chunking.{field}")
        if compute_fingerprint(embedding, Chunking.model_validate({field: other}), dense=True, sparse=True) != before:
            decides.add(f"spec.chunking.{field}")
    known.add("spec.retrieval.mode")
    if before not in {
        compute_fingerprint(embedding, chunking, dense=True, sparse=False),
        compute_fingerprint(embedding, chunking, dense=False, sparse=True),
    }:
        decides.add("spec.retrieval.mode")
    marks = MARKS[Kind.PIPELINE]
    assert {path for path, found in marks.items() if "laptop" in found and "fingerprint" in found} == decides
    # A new field of either must be thought of here.
    assert known >= {path for path in crd_paths(Kind.PIPELINE) if path.startswith("spec.chunking.")}
    assert set(EmbeddingConfig.model_fields) == {*EMBEDDING_FIELDS, "digest"}


def test_marks_of_what_cannot_change_are_the_rules_about_changes() -> None:
    immutable = {path for path, marks in MARKS[Kind.PIPELINE].items() if {"laptop", "immutable"} <= marks}
    assert immutable == {"spec.store.external.url"}
    (transition,) = [
        rule for rule in rules_of(RESOURCES[Kind.PIPELINE].model_fields["spec"].annotation) if rule.transition
    ]
    assert "self.store.external.url == oldSelf.store.external.url" in transition.cel
    assert not any("laptop" in marks and "immutable" in marks for marks in MARKS[Kind.SOURCE].values())


def test_requests_are_written_as_they_are_read() -> None:
    for resource in yaml.safe_load_all(FILE.read_text()):
        request = parse_request(resource["metadata"]["annotations"][REQUEST_ANNOTATION])
        assert request.verb in verbs_of(Kind(resource["kind"]))
    text = (ROOT / "docs" / "api" / "README.md").read_text()
    for verb in RequestVerb:
        both = verb in verbs_of(Kind.SOURCE)
        assert f"| `{verb}` | {'both' if both else 'RAGPipeline'} |" in text
