"""Conditions: what is true of a resource, in the shape of Kubernetes' metav1.Condition."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lorekeeper_api.fields import DateTime
from lorekeeper_api.wire import Wire

__all__ = ["Condition", "ConditionStatus", "Conditions", "set_condition"]


class ConditionStatus(StrEnum):
    """Whether a condition is true."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Wire):
    """One thing that is true, false or not known of the resource."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """What the condition is about, for example Ready."""

    status: ConditionStatus
    """Whether it is true."""

    observed_generation: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """Generation of the resource that this was found for."""

    last_transition_time: DateTime
    """When the status last changed."""

    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """One word for programs that says why."""

    message: Annotated[str, Field(max_length=32768)]
    """A sentence for people that says why, and what to do."""


Conditions = Annotated[
    list[Condition],
    Field(
        max_length=32,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]
"""Conditions of a resource, one of each type."""


def set_condition(conditions: Sequence[Condition], new: Condition) -> list[Condition]:
    """Return the conditions with one set, in place of the earlier one of its type or at the end.

    The transition time of the earlier one stays while the status does.
    """
    result = list(conditions)
    for number, earlier in enumerate(result):
        if earlier.type == new.type:
            if earlier.status is new.status:
                new = new.model_copy(update={"last_transition_time": earlier.last_transition_time})
            result[number] = new
            return result
    return [*result, new]
