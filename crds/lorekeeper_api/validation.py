"""Everything that is wrong with one resource, at once, in plain sentences with paths.

What the API server would refuse is refused here: the same bounds, the same rules, fields by their wire names only, and
an explicit null counts as absent.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from lorekeeper_api.names import API_VERSION
from lorekeeper_api.resources import RESOURCES
from lorekeeper_api.rules import AppliedRule, Path, iterate_field_rules, iterate_rules
from lorekeeper_api.sentences import describe_error, find_nearest

__all__ = ["Mistake", "format_path", "validate_resource"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of a manifest."""

    path: Path
    """Where it is: names of fields as the manifest spells them, and numbers in lists. The last part may be absent from
    the manifest, when it is a required field that is missing or one that has a default."""
    message: str
    """One sentence without a full stop."""

    @property
    def line(self) -> str:
        """The path as people write it, a colon and the message."""
        return f"{format_path(self.path)}: {self.message}"


def format_path(path: Path) -> str:
    """Return a path as people write it, for example `spec.sources[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "manifest"


def validate_resource(resource: Mapping[str, Any]) -> list[Mistake]:
    """Return every mistake of a resource of our API group; none means that a cluster would take it, too.

    The status is left out: it is the operator's, and comes along when a manifest is copied from a cluster.

    Args:
        resource: The resource as its manifest says it: only mappings, lists, text, numbers, truth values and None.
    """
    mistakes = [*_find_identity_mistakes(resource), *_find_strange_values(resource, ())]
    model = RESOURCES.get(str(resource.get("kind")))
    if model is None or any(len(mistake.path) > 1 for mistake in mistakes):
        return mistakes
    body = {key: value for key, value in resource.items() if key not in ("apiVersion", "kind", "status")}
    return mistakes + _find_mistakes(model, _without_nulls(body))


def _find_identity_mistakes(resource: Mapping[str, Any]) -> Iterator[Mistake]:
    version, kind = resource.get("apiVersion"), resource.get("kind")
    if version != API_VERSION:
        yield Mistake(("apiVersion",), f"must be `{API_VERSION}`")
    if kind not in RESOURCES:
        nearest = find_nearest(str(kind), RESOURCES)
        hint = f"; did you mean `{nearest}`?" if nearest else ""
        yield Mistake(("kind",), f"must be one of {', '.join(f'`{known}`' for known in RESOURCES)}{hint}")


def _find_strange_values(value: object, path: Path) -> Iterator[Mistake]:
    """YAML can say more than JSON. A date is the text that was written, as for kubectl."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _find_strange_values(inner, (*path, key))
            else:
                yield Mistake((*path, str(key)), "the name of a field must be text: put quotes around it")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _find_strange_values(inner, (*path, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Mistake(path, "must be a finite number")
    elif value is not None and not isinstance(value, str | int | float | date):
        yield Mistake(path, "must be text: put quotes around it")


def _without_nulls(value: Any) -> Any:
    """Fields that are null count as absent, as on the API server; entries of a list stay."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _find_mistakes(model: type[BaseModel], body: dict[str, Any]) -> list[Mistake]:
    try:
        applied = list(iterate_rules(_validate(TypeAdapter(model), body)))
        mistakes = []
    except ValidationError as error:
        mistakes = _describe(model, error)
        # The rules of all parts that are whole are told as well, so that nobody has to run twice.
        applied = list(_iterate_part_rules(model, body, ()))
    return mistakes + [Mistake(rule.reported_path, rule.rule.message) for rule in applied if not rule.holds()]


def _validate(adapter: TypeAdapter[Any], value: object) -> Any:
    # As JSON and strict: a number in quotes is no number, as on the API server.
    return adapter.validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)


def _describe(model: type[BaseModel], error: ValidationError) -> list[Mistake]:
    mistakes = []
    meant: set[Path] = set()
    missing = []
    for found in error.errors(include_url=False):
        path, kind = found["loc"], found["type"]
        if kind == "extra_forbidden":
            holder = _model_at(model, path[:-1])
            suggestion = _suggest_field(holder, str(path[-1]))
            meant.add((*path[:-1], suggestion))
            hint = f"; did you mean `{suggestion}`?" if suggestion else ""
            mistakes.append(Mistake(path, f"unknown field `{path[-1]}`{hint}"))
        elif kind == "missing":
            missing.append(Mistake(path, "is required"))
        elif kind == "model_type":
            mistakes.append(Mistake(path, f"must be a mapping of fields: {_list_fields(_model_at(model, path))}"))
        else:
            message = describe_error(kind, found["input"], found.get("ctx", {}), found["msg"])
            mistakes.append(Mistake(path, message))
    # A required field that was only misspelled is one mistake, not two.
    return mistakes + [mistake for mistake in missing if mistake.path not in meant]


def _iterate_part_rules(model: type[BaseModel], body: dict[str, Any], path: Path) -> Iterator[AppliedRule]:
    known = {info.alias or name: info for name, info in model.model_fields.items()}
    has_unknown = any(key not in known for key in body) and model.model_config.get("extra") == "forbid"
    if not has_unknown:
        try:
            yield from iterate_rules(_validate(TypeAdapter(model), body), path=path)
        except ValidationError:
            pass
        else:
            return
    for key, info in known.items():
        if key not in body:
            continue
        here = (*path, key)
        try:
            yield from iterate_field_rules(_validate(_adapter_of(info), body[key]), info, here)
        except ValidationError:
            inner, value = _model_of(info.annotation), body[key]
            if inner is not None:
                parts = [(here, value)] if isinstance(value, dict) else _number_parts(value, here)
                for part_path, part in parts:
                    yield from _iterate_part_rules(inner, part, part_path)


def _adapter_of(info: FieldInfo) -> TypeAdapter[Any]:
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[(annotation, *info.metadata)] if info.metadata else annotation)


def _number_parts(value: object, path: Path) -> list[tuple[Path, dict[str, Any]]]:
    entries = enumerate(value) if isinstance(value, list) else ()
    return [((*path, number), entry) for number, entry in entries if isinstance(entry, dict)]


def _model_of(annotation: object) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a list; None for other fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Annotated, Union, UnionType, list):
        return next((model for arm in get_args(annotation) if (model := _model_of(arm)) is not None), None)
    return None


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    for part in path:
        for name, info in model.model_fields.items():
            if part == (info.alias or name):
                model = _model_of(info.annotation) or model
    return model


def _suggest_field(model: type[BaseModel], word: str) -> str:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    nearest = find_nearest(word, fields)
    if nearest:
        return nearest
    below = [
        f"{alias}.{name}"
        for alias, info in fields.items()
        if (inner := _model_of(info.annotation)) is not None and get_origin(info.annotation) is not list
        for name in (other.alias for other in inner.model_fields.values())
        if name == word
    ]
    return below[0] if len(below) == 1 else ""


def _list_fields(model: type[BaseModel]) -> str:
    required = [info.alias or name for name, info in model.model_fields.items() if info.is_required()]
    names = required or [info.alias or name for name, info in model.model_fields.items()][:4]
    return ", ".join(f"`{name}`" for name in names) or "this one has none, write `{}`"
