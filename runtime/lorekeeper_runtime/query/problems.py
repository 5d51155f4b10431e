"""Errors on the wire: one shape, OpenAI's, for everything that can go wrong."""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from lorekeeper_runtime.errors import LorekeeperError
from lorekeeper_runtime.query.errors import QueryError, invalid_request

__all__ = [
    "ErrorBody",
    "ErrorDetail",
    "add_error_handlers",
    "build_error",
    "internal_error",
    "json_response",
    "name_field",
    "validate",
]

RETRY_AFTER_SECONDS = 2
CLIENT_CLOSED_REQUEST = 499
"""What proxies log for a client that left; nobody receives it."""

_log = logging.getLogger("lorekeeper.query")

Body = TypeVar("Body", bound=BaseModel)

_CODES = {404: "RouteNotFound", 405: "MethodNotAllowed"}


class ErrorDetail(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    message: str
    """One sentence that says what happened and what to do."""
    type: str
    """invalid_request_error, rate_limit_error or server_error."""
    param: str | None
    """Field of the request that is wrong."""
    code: str
    """Stable: for programs to decide by."""
    retryable: bool
    """Whether the same request may succeed later."""
    reason: str | None = None
    """Code of the error beneath, where `code` names only the stage that failed."""


class ErrorBody(BaseModel):
    """An error in the shape of the OpenAI API."""

    error: ErrorDetail


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response with a JSON body."""
    return Response(orjson.dumps(body), status, headers, "application/json")


def build_error(error: LorekeeperError) -> dict[str, Any]:
    """Return the body of an error."""
    param = error.param if isinstance(error, QueryError) else None
    detail: dict[str, Any] = {
        "message": error.message,
        "type": _type(error.status),
        "param": param,
        "code": error.code,
        "retryable": error.retryable,
    }
    if isinstance(error, QueryError) and error.reason is not None:
        detail["reason"] = error.reason
    return {"error": detail}


def internal_error(request_id: str) -> QueryError:
    """An error that nobody expected: its text stays in the log, found by the request's id."""
    return QueryError(
        f"Something went wrong inside the service; give its operator the request id {request_id}.",
        code="InternalError",
        status=500,
    )


def validate(model: type[Body], body: dict[str, Any]) -> Body:
    """Return a request's body as a model.

    Raises:
        QueryError: InvalidRequest, naming the first wrong field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # The input stays out of the sentence: it is the asker's text.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = name_field(first["loc"])
        match first["type"]:
            case "missing":
                message = f"The field '{param}' is missing; add it."
            case "extra_forbidden":
                message = f"The field '{param[:64]}' is not known; remove it."
            case _:
                said = first["msg"].removeprefix("Value error, ")
                message = f"The field '{param}' is wrong: {said[:1].lower()}{said[1:].rstrip('.')}."
        raise invalid_request(message, param=param[:64]) from error


def add_error_handlers(app: FastAPI) -> None:
    """Let every error of an application be answered in the one shape."""
    app.add_exception_handler(LorekeeperError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)


async def _on_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, LorekeeperError):
        raise error
    if error.status >= 500:
        _log.warning(
            "%s failed: %s: %s", request.scope.get("lorekeeper.request_id"), error.code, error, exc_info=error.__cause__
        )
    retryable = error.retryable and error.status in {429, 503}
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if retryable else None
    return json_response(build_error(error), error.status, headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case 404:
            message = "There is no such route; GET /openapi.json lists those that exist."
        case 405:
            allowed = (error.headers or {}).get("Allow", "another method")
            message = f"This route does not take {request.method[:16]}; use {allowed}."
        case _:
            message = "The request cannot be answered; correct it and send it again."
    code = _CODES.get(error.status_code, "InvalidRequest")
    body = build_error(QueryError(message, code=code, status=error.status_code))
    return json_response(body, error.status_code, dict(error.headers or {}))


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"


def name_field(location: Sequence[int | str]) -> str:
    """Return a field's name as a person writes it: messages[0].content."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{part}" if name else part
    return name
