"""The model that every resource and every part of the contract is made of: camelCase outside, snake_case inside."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

__all__ = ["Wire"]


class Wire(BaseModel):
    """A strict model: unknown fields are errors, and the docstring under a field is its description."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )
