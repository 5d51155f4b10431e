"""The OpenAPI document. Hot routes read their bodies themselves, so that FastAPI has to be told what they are."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lorekeeper_runtime.query.problems import ErrorBody

__all__ = ["API_VERSION", "build_openapi", "describe_body", "describe_errors"]

API_VERSION = "v1"

_ERRORS = {
    400: "The request is wrong.",
    404: "There is no such pipeline.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    500: "An error that nobody expected.",
    503: "A dependency does not answer; Retry-After says when to try again.",
}
_REFERENCE = "#/components/schemas/{model}"


def describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what a route says of its body; `build_openapi` must be given the same model."""
    schema = {"$ref": _REFERENCE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def describe_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of its errors: of those statuses, or of all."""
    return {status: {"model": ErrorBody, "description": _ERRORS[status]} for status in statuses or _ERRORS}


def build_openapi(app: FastAPI, bodies: list[type[BaseModel]]) -> dict[str, Any]:
    """Return the OpenAPI document of an application.

    Args:
        app: The application.
        bodies: Models that its routes name by `describe_body`.
    """
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for path in document["paths"].values():
        for operation in path.values():
            # FastAPI promises it wherever there is a parameter; our parameters are any text.
            operation["responses"].pop("422", None)
    _, schemas = models_json_schema([(model, "validation") for model in bodies], ref_template=_REFERENCE)
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components.update(schemas["$defs"])
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    document["components"]["schemas"] = dict(sorted(components.items()))
    return document
