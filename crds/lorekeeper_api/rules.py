"""Rules that no single bound can say: written once as CEL for the API server and once as Python for everywhere else.

A rule of a model is a decorated method; a rule of a kind of value is a `Rule` among the metadata of its `Annotated`.
Nothing is raised while a model is built: `find_violations` tells all broken rules at once, each with its path.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = [
    "AppliedRule",
    "Path",
    "Rule",
    "Violation",
    "find_violations",
    "iterate_field_rules",
    "iterate_rules",
    "rule",
    "rules_of",
    "transition",
]

Path = tuple[str | int, ...]
"""Way from the root of a resource to a value: names of fields as the manifest spells them, and numbers in lists."""

_Check = TypeVar("_Check", bound=Callable[..., bool])
_ATTRIBUTE = "__lorekeeper_rule__"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in both languages."""

    cel: str
    """Expression for the API server over `self` (and `oldSelf`); empty where CEL cannot say it, then the operator and
    `lorekeeper check` alone enforce the rule."""
    message: str
    """One sentence without a full stop that names the fix; shown after the path."""
    check: Callable[..., bool]
    """The same in Python: takes the value, and for a transition also the old value; True when all is well."""
    field: str = ""
    """Path below the value, with dots, that a violation is reported at; empty for the value itself."""
    transition: bool = False
    """Whether it compares the new value with the one before."""

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Add the rule to the schema of the value that it annotates."""
        schema = handler(core_schema)
        if self.cel:
            schema.setdefault("x-kubernetes-validations", []).append(self.as_schema())
        return schema

    def as_schema(self) -> dict[str, str]:
        """Return the rule as an entry of `x-kubernetes-validations`."""
        entry = {"rule": self.cel, "message": self.message}
        if self.field:
            entry["fieldPath"] = f".{self.field}"
        return entry


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """A rule together with one value that it holds for."""

    rule: Rule
    path: Path
    """Path of the value."""
    value: Any
    old: Any = None
    """The value before; only set for a transition."""

    def holds(self) -> bool:
        """Whether the value keeps the rule."""
        if self.rule.transition:
            return self.rule.check(self.value, self.old)
        return self.rule.check(self.value)

    @property
    def reported_path(self) -> Path:
        """Path that a violation is reported at."""
        return (*self.path, *self.rule.field.split(".")) if self.rule.field else self.path


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule."""

    path: Path
    message: str


def rule(*, message: str, field: str = "", cel: str = "") -> Callable[[_Check], _Check]:
    """Make a method of a model, which says whether all is well, a rule of that model."""

    def decorate(check: _Check) -> _Check:
        setattr(check, _ATTRIBUTE, Rule(cel, message, check, field))
        return check

    return decorate


def transition(*, message: str, field: str = "", cel: str = "") -> Callable[[_Check], _Check]:
    """Make a method of a model, which takes the model before the change, a rule about changes."""

    def decorate(check: _Check) -> _Check:
        setattr(check, _ATTRIBUTE, Rule(cel, message, check, field, transition=True))
        return check

    return decorate


def rules_of(model: type[BaseModel]) -> list[Rule]:
    """Return the rules of a model class, in the order they are written, those of its bases first."""
    found: dict[str, Rule] = {}
    for parent in reversed(model.__mro__):
        for name, member in vars(parent).items():
            attached = getattr(member, _ATTRIBUTE, None)
            if isinstance(attached, Rule):
                found[name] = attached
    return list(found.values())


def find_violations(model: BaseModel, old: BaseModel | None = None, *, path: Path = ()) -> list[Violation]:
    """Return every broken rule of a model and of all that it holds.

    Args:
        model: A valid model, for example a whole resource.
        old: The same model before the change; without it rules about changes are left out.
        path: Path of the model.
    """
    return [
        Violation(applied.reported_path, applied.rule.message)
        for applied in iterate_rules(model, old, path=path)
        if not applied.holds()
    ]


def iterate_rules(model: BaseModel, old: BaseModel | None = None, *, path: Path = ()) -> Iterator[AppliedRule]:
    """Yield every rule with every value of the model that it holds for."""
    for own in rules_of(type(model)):
        if not own.transition:
            yield AppliedRule(own, path, model)
        elif old is not None:
            yield AppliedRule(own, path, model, old)
    for name, info in type(model).model_fields.items():
        before = None if old is None else getattr(old, name, None)
        yield from iterate_field_rules(getattr(model, name), info, (*path, info.alias or name), before)


def iterate_field_rules(value: object, info: FieldInfo, path: Path, old: object = None) -> Iterator[AppliedRule]:
    """Yield the rules of one field of a model, and of all that it holds."""
    yield from _iterate(value, info.annotation, info.metadata, path, old)


def _iterate(value: object, annotation: object, metadata: list[Any], path: Path, old: object) -> Iterator[AppliedRule]:
    if value is None:
        return
    for item in metadata:
        if isinstance(item, Rule):
            yield AppliedRule(item, path, value)
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        yield from _iterate(value, inner, _unpack(more), path, old)
    elif origin in (Union, UnionType):
        # Kubernetes knows no unions, so that one arm is the value's and the other one None.
        for arm in get_args(annotation):
            if arm is not type(None):
                yield from _iterate(value, arm, [], path, old)
    elif isinstance(value, list):
        (inner,) = get_args(annotation)
        for number, element in enumerate(value):
            yield from _iterate(element, inner, [], (*path, number), None)
    elif isinstance(value, BaseModel):
        yield from iterate_rules(value, old if isinstance(old, BaseModel) else None, path=path)


def _unpack(metadata: list[Any]) -> list[Any]:
    """A `Field(...)` inside `Annotated` may hold rules of its own among its metadata."""
    return [part for item in metadata for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
