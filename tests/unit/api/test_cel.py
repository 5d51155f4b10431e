"""Every rule says the same in CEL and in Python. celpy stands in for the API server's CEL."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import celpy
import pytest
from pydantic import BaseModel, ValidationError

from lorekeeper_api.crd import build_schema
from lorekeeper_api.names import Kind
from lorekeeper_api.pipeline import RAGPipelineSpec
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.rules import AppliedRule, Rule, iterate_rules
from tests.unit.api.given import STORE_CHANGES, load_badspecs, load_examples


@cache
def program(cel: str) -> celpy.Runner:
    environment = celpy.Environment()
    return environment.program(environment.compile(cel))


def cel_value(value: object) -> Any:
    # The API server sees the wire form with defaults, and every number of a float field as a double.
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    return celpy.json_to_cel(value)


def holds_in_cel(applied: AppliedRule) -> bool:
    names = {"self": cel_value(applied.value)}
    if applied.rule.transition:
        names["oldSelf"] = cel_value(applied.old)
    return bool(program(applied.rule.cel).evaluate(names))


def applied_rules() -> Iterator[tuple[str, AppliedRule]]:
    resources = [(str(bad), bad.resource) for bad in load_badspecs()]
    resources += [(f"example {example['metadata']['name']}", example) for example in load_examples()]
    for name, resource in resources:
        try:
            model = RESOURCES[Kind(resource["kind"])].model_validate(resource)
        except ValidationError:
            continue  # rules are looked at where the schema holds
        for applied in iterate_rules(model, model):
            yield name, applied


APPLIED = list(applied_rules())


@pytest.mark.parametrize("name", sorted({name for name, _ in APPLIED}))
def test_both_languages_agree(name: str) -> None:
    mine = [applied for owner, applied in APPLIED if owner == name and applied.rule.cel]
    assert mine
    for applied in mine:
        assert holds_in_cel(applied) == applied.holds(), (applied.reported_path, applied.rule.cel)


def test_every_rule_was_seen_broken_and_kept() -> None:
    seen: dict[Rule, set[bool]] = {}
    for _, applied in APPLIED:
        seen.setdefault(applied.rule, set()).add(applied.holds())
    for rule, outcomes in seen.items():
        assert True in outcomes, f"never kept: {rule.message}"
    # Rules that no bad spec breaks are broken by hand below.
    unbroken = {rule.message for rule, outcomes in seen.items() if False not in outcomes and not rule.transition}
    assert unbroken == {message for message, _ in BROKEN_BY_HAND}
    in_schemas = {rule["rule"] for kind in Kind for rule in _rules_in(build_schema(RESOURCES[kind]))}
    assert {rule.cel for rule in seen if rule.cel} == in_schemas


def _rules_in(schema: dict[str, Any]) -> Iterator[dict[str, str]]:
    yield from schema.get("x-kubernetes-validations", [])
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from _rules_in(inner)


PIPELINE: dict[str, Any] = {
    "sources": [{"name": "a"}],
    "embedding": {"provider": "Ollama", "model": "m"},
    "generation": {"provider": "Ollama", "model": "m"},
}
SOURCE: dict[str, Any] = {"configMap": {"name": "a"}}
CREDENTIALS = {"name": "a"}

BROKEN_BY_HAND: list[tuple[str, dict[str, Any]]] = [
    ("must not contain `..`", {**PIPELINE, "embedding": {"provider": "Ollama", "model": "a/../b"}}),
    (
        "a model inside the process asks for no key: remove `credentials`, or choose the provider Ollama or OpenAI",
        {
            **PIPELINE,
            "embedding": {"provider": "Embedded", "model": "all-minilm-l6-v2", "credentials": CREDENTIALS},
        },
    ),
    (
        (
            "OpenAI's own service needs an API key: name its Secret under `credentials`, or give the `endpoint` of "
            "another server"
        ),
        {**PIPELINE, "embedding": {"provider": "OpenAI", "model": "text-embedding-3-small"}},
    ),
    (
        (
            "Embedded and Extractive work inside the process and have no address: remove `endpoint`, or choose the "
            "provider Ollama or OpenAI"
        ),
        {**PIPELINE, "generation": {"provider": "Extractive", "endpoint": "http://a"}},
    ),
    (
        (
            "Embedded and Extractive work inside the process and ask for no key: remove `credentials`, or choose the "
            "provider Ollama or OpenAI"
        ),
        {**PIPELINE, "generation": {"provider": "Embedded", "model": "m", "credentials": CREDENTIALS}},
    ),
    (
        "a repository on the same machine asks for no password: remove `credentials`",
        {"git": {"url": "file:///srv/docs", "credentials": "git"}},
    ),
    ("must be a branch, a tag or a full commit id", {"git": {"url": "https://a/b", "ref": "--upload-pack=x"}}),
    (
        "must be a relative path such as `guides/start.md`, without `..`, `.`, `//` or `\\`",
        {"inline": {"documents": [{"path": "../a.md", "text": "a"}]}},
    ),
    (
        "the name of a KnowledgeSource has at most 63 characters: it is the value of a label",
        {"name": "a" * 64, **SOURCE},
    ),
]


@pytest.mark.parametrize(("message", "spec"), BROKEN_BY_HAND)
def test_broken_by_hand(message: str, spec: dict[str, Any]) -> None:
    kind = Kind.PIPELINE if "sources" in spec else Kind.SOURCE
    spec = dict(spec)
    resource = {"metadata": {"name": spec.pop("name", "a")}, "spec": spec}
    broken = [applied for applied in iterate_rules(RESOURCES[kind].model_validate(resource)) if not applied.holds()]
    assert [applied.rule.message for applied in broken] == [message]
    assert not holds_in_cel(broken[0])


@pytest.mark.parametrize(("before", "after", "allowed"), STORE_CHANGES)
def test_the_store_stays(before: dict[str, Any], after: dict[str, Any], allowed: bool) -> None:
    old, new = (RAGPipelineSpec.model_validate({**PIPELINE, "store": store}) for store in (before, after))
    (applied,) = [applied for applied in iterate_rules(new, old) if applied.rule.transition]
    assert applied.holds() is allowed
    assert holds_in_cel(applied) is allowed


@pytest.mark.parametrize(
    "spec",
    [
        {**PIPELINE, "retrieval": {"topK": 10, "candidates": 10}},
        {**PIPELINE, "chunking": {"size": 100, "overlap": 99}},
        {**PIPELINE, "generation": {"provider": "Ollama", "model": "m", "maxTokens": 511, "contextWindow": 512}},
        {**PIPELINE, "retrieval": {"fusion": {"weights": {"dense": 0, "sparse": 0.1}}}},
        {**PIPELINE, "retrieval": {"fusion": {"weights": {"dense": 1, "sparse": 0}}}},
        {**PIPELINE, "retrieval": {"mode": "Dense", "minimumScore": 0}},
        {**PIPELINE, "generation": {"provider": "Extractive", "temperature": 0}},
        {**PIPELINE, "generation": {"provider": "OpenAI", "model": "m", "endpoint": "http://[::1]:8000/v1?a=@b"}},
        {**PIPELINE, "name": "a" * 40},
        {**SOURCE, "name": "a.b" * 21},
        {**SOURCE, "linkPrefix": "https://docs.example.com/?file="},
        {"git": {"url": "file:///srv/docs", "ref": "refs/tags/v1.0", "include": ["/docs/", "{a,b}/**/*.md"]}},
        {"git": {"url": "http://git.svc:3000/a/b.git", "credentials": "git", "path": "..docs/.hidden/a..b"}},
        {**SOURCE, "schedule": "0 0 1-31 JAN-dec 0-7", "limits": {"documentSize": "1"}},
    ],
    ids=str,
)
def test_what_is_just_right_is_taken(spec: dict[str, Any]) -> None:
    kind = Kind.PIPELINE if "sources" in spec else Kind.SOURCE
    spec = dict(spec)
    resource = {"metadata": {"name": spec.pop("name", "a")}, "spec": spec}
    for applied in iterate_rules(RESOURCES[kind].model_validate(resource)):
        assert applied.holds(), applied.rule.message
        assert not applied.rule.cel or holds_in_cel(applied), applied.rule.cel
