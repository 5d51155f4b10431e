"""The model that every resource and every part of the contract is made of: camelCase outside, snake_case inside."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from lorekeeper_api.rules import rules_of

__all__ = ["Wire"]


def _complete_schema(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add what pydantic leaves out of a schema: the rules of the model, and the defaults of fields that hold models."""
    rules = [rule.as_schema() for rule in rules_of(model) if rule.cel]
    if rules:
        schema["x-kubernetes-validations"] = rules
    for name, info in model.model_fields.items():
        if info.default_factory is not None:
            default = info.get_default(call_default_factory=True, validated_data={})
            if isinstance(default, BaseModel):
                whole = default.model_dump(mode="json", by_alias=True, exclude_none=True)
                schema["properties"][info.alias or name]["default"] = whole


class Wire(BaseModel):
    """A strict model: unknown fields are errors, and the docstring under a field is its description."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_extra=_complete_schema,
    )
