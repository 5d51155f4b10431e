from typing import Annotated

from pydantic import Field

from lorekeeper_api.rules import Rule, Violation, find_violations, rule, rules_of, transition
from lorekeeper_api.wire import Wire

SHORT = Rule("self.size() < 4", "must be short", lambda value: len(value) < 4)
LOWER = Rule("", "must be in lower case", lambda value: value.islower())


class Inner(Wire):
    a_name: Annotated[str, SHORT] = "ab"
    names: Annotated[list[Annotated[str, Field(max_length=9), LOWER]], Field(max_length=5)] = Field(
        default_factory=list
    )
    count: int = 1

    @rule(field="count", cel="self.count > 0", message="must be positive")
    def _is_positive(self) -> bool:
        return self.count > 0


class Outer(Wire):
    one: Inner = Field(default_factory=Inner)
    maybe: Inner | None = None
    text: Annotated[str, SHORT] | None = None
    many: list[Inner] = Field(default_factory=list)

    @transition(field="one.count", cel="self.one.count >= oldSelf.one.count", message="must not shrink")
    def _grows(self, old: "Outer") -> bool:
        return self.one.count >= old.one.count


def test_every_broken_rule_is_told_with_its_path() -> None:
    bad = Inner(a_name="abcd", names=["a", "B"], count=0)
    found = find_violations(Outer(one=bad, maybe=bad, text="abcd", many=[Inner(), bad]))
    expected = [
        Violation((*path, *below), message)
        for path in (("one",), ("maybe",), ("many", 1))
        for below, message in (
            (("count",), "must be positive"),
            (("aName",), "must be short"),
            (("names", 1), "must be in lower case"),
        )
    ]
    assert sorted(found, key=str) == sorted([*expected, Violation(("text",), "must be short")], key=str)


def test_what_is_absent_breaks_nothing() -> None:
    assert find_violations(Outer()) == []


def test_rules_about_changes_need_the_old_value() -> None:
    new, old = Outer(one=Inner(count=1)), Outer(one=Inner(count=2))
    assert find_violations(new) == []
    assert find_violations(new, old, path=("spec",)) == [Violation(("spec", "one", "count"), "must not shrink")]
    assert find_violations(old, new) == []


def test_rules_are_inherited() -> None:
    class Narrower(Inner):
        """One with another rule besides."""

        @rule(message="must be odd")
        def _is_odd(self) -> bool:
            return self.count % 2 == 1

    assert [found.message for found in rules_of(Narrower)] == ["must be positive", "must be odd"]


def test_the_schema_holds_what_cel_can_say() -> None:
    schema = Outer.model_json_schema(by_alias=True)
    inner = schema["$defs"]["Inner"]
    assert inner["x-kubernetes-validations"] == [
        {"rule": "self.count > 0", "message": "must be positive", "fieldPath": ".count"}
    ]
    assert inner["properties"]["aName"]["x-kubernetes-validations"] == [
        {"rule": "self.size() < 4", "message": "must be short"}
    ]
    assert "x-kubernetes-validations" not in inner["properties"]["names"]["items"]
