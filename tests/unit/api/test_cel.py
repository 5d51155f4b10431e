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
from tests.unit.api.given import (
    BROKEN_BY_HAND,
    JUST_RIGHT,
    PIPELINE,
    STORE_CHANGES,
    build_resource,
    load_badspecs,
    load_examples,
)


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


@pytest.mark.parametrize(("message", "spec"), BROKEN_BY_HAND)
def test_broken_by_hand(message: str, spec: dict[str, Any]) -> None:
    resource = build_resource(spec)
    model = RESOURCES[resource["kind"]].model_validate(resource)
    broken = [applied for applied in iterate_rules(model) if not applied.holds()]
    assert [applied.rule.message for applied in broken] == [message]
    assert not holds_in_cel(broken[0])


@pytest.mark.parametrize(("before", "after", "allowed"), STORE_CHANGES)
def test_the_store_stays(before: dict[str, Any], after: dict[str, Any], allowed: bool) -> None:
    old, new = (RAGPipelineSpec.model_validate({**PIPELINE, "store": store}) for store in (before, after))
    (applied,) = [applied for applied in iterate_rules(new, old) if applied.rule.transition]
    assert applied.holds() is allowed
    assert holds_in_cel(applied) is allowed


@pytest.mark.parametrize("spec", JUST_RIGHT, ids=str)
def test_what_is_just_right_is_taken(spec: dict[str, Any]) -> None:
    resource = build_resource(spec)
    for applied in iterate_rules(RESOURCES[resource["kind"]].model_validate(resource)):
        assert applied.holds(), applied.rule.message
        assert not applied.rule.cel or holds_in_cel(applied), applied.rule.cel
