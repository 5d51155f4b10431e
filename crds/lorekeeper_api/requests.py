"""Requests: what a person asks a resource to do once, as the annotation `lorekeeper.dev/request: VERB[/ARG]@TOKEN`.

A request is answered in `status.lastRequest` and done once a token. A lasting wish is a field of the spec instead.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from lorekeeper_api.fields import DateTime
from lorekeeper_api.names import Kind
from lorekeeper_api.wire import Wire

__all__ = [
    "LIFETIME",
    "LastRequest",
    "Request",
    "RequestFormatError",
    "RequestResult",
    "RequestVerb",
    "format_request",
    "is_expired",
    "new_token",
    "parse_request",
    "token_time",
    "verbs_of",
]

LIFETIME = timedelta(hours=1)
"""A request older than this is never done: a restored or copied resource must not confirm a deletion again."""

_CLOCK_SKEW = timedelta(minutes=5)
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_REQUEST = re.compile(
    r"(?P<verb>[a-z-]{1,32})(?:/(?P<argument>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?))?"
    r"@(?P<token>[0-9]{8}T[0-9]{6}Z-[a-z0-9]{6,32})"
)


class RequestVerb(StrEnum):
    """What can be asked for."""

    SYNC = "sync"
    """Sync now. On a KnowledgeSource the argument names one pipeline; on a RAGPipeline it names one source."""
    RETRY = "retry"
    """Try failed documents again now. The argument is that of sync."""
    CONFIRM_DELETION = "confirm-deletion"
    """Let the held sync delete what it wanted to. The argument is that of sync."""
    APPROVE = "approve"
    """Let the planned change be embedded. The argument is the fingerprint that was planned."""
    PROMOTE = "promote"
    """Serve from the candidate revision. The argument is its fingerprint."""
    ROLLBACK = "rollback"
    """Serve from an earlier revision. The argument is its fingerprint; without it the last one that served."""
    RESTORE_TEST = "restore-test"
    """Restore the newest backup into a scratch collection and compare."""
    FORGET = "forget"
    """Erase what a Secret describes. The argument is the Secret's name: personal data stands in no annotation."""


class RequestResult(StrEnum):
    """How a request ended."""

    RUNNING = "Running"
    """It was taken up."""
    DONE = "Done"
    """It is done."""
    REFUSED = "Refused"
    """It cannot be done now; the message says why."""
    FAILED = "Failed"
    """It was tried in vain; the message says why."""
    EXPIRED = "Expired"
    """It is older than an hour or than the resource, and is never done."""
    INVALID = "Invalid"
    """It cannot be read, or the kind has no such verb."""


_NEEDS_ARGUMENT = frozenset({RequestVerb.APPROVE, RequestVerb.PROMOTE, RequestVerb.FORGET})
_TAKES_NO_ARGUMENT = frozenset({RequestVerb.RESTORE_TEST})
_SOURCE_VERBS = frozenset({RequestVerb.SYNC, RequestVerb.RETRY, RequestVerb.CONFIRM_DELETION, RequestVerb.FORGET})


class RequestFormatError(ValueError):
    """A request cannot be read; the message says how it is written."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    verb: RequestVerb
    token: str
    """Time and a random part: tells two requests apart and how old each is."""
    argument: str = ""


class LastRequest(Wire):
    """Answer to the last request."""

    token: Annotated[str, Field(max_length=64)]
    """Token of the request; it is never done a second time."""

    verb: Annotated[str, Field(max_length=32)]
    """What was asked for."""

    result: RequestResult
    """How it ended."""

    message: Annotated[str, Field(max_length=1024)] = ""
    """A sentence for people."""

    time: DateTime
    """When this was answered."""


def verbs_of(kind: Kind) -> frozenset[RequestVerb]:
    """Return what can be asked of a kind of resource."""
    return frozenset(RequestVerb) if kind is Kind.PIPELINE else _SOURCE_VERBS


def new_token(now: datetime, random: str) -> str:
    """Return a token.

    Args:
        now: The time, with its zone.
        random: 6 to 32 lower-case letters and digits from a random source.
    """
    return f"{now.astimezone(UTC).strftime(_TIME_FORMAT)}-{random}"


def token_time(token: str) -> datetime:
    """Return the time of a token.

    Raises:
        RequestFormatError: The token carries no time.
    """
    try:
        return datetime.strptime(token.partition("-")[0], _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise RequestFormatError("The token of a request begins with a time such as 20260314T150926Z.") from error


def parse_request(text: str) -> Request:
    """Read the annotation.

    Raises:
        RequestFormatError: It is not VERB[/ARG]@TOKEN, or the verb is unknown or wants another argument.
    """
    match = _REQUEST.fullmatch(text)
    if match is None:
        raise RequestFormatError(
            "A request is written VERB[/ARG]@TOKEN, for example sync@20260314T150926Z-k3v9x2; use `lorekeeper` to "
            "write one."
        )
    try:
        verb = RequestVerb(match["verb"])
    except ValueError as error:
        raise RequestFormatError(f"The verb of a request is one of {', '.join(RequestVerb)}.") from error
    argument = match["argument"] or ""
    if verb in _NEEDS_ARGUMENT and not argument:
        raise RequestFormatError(f"The request {verb} needs an argument: {verb}/ARG@TOKEN.")
    if verb in _TAKES_NO_ARGUMENT and argument:
        raise RequestFormatError(f"The request {verb} takes no argument: {verb}@TOKEN.")
    token_time(match["token"])
    return Request(verb, match["token"], argument)


def format_request(request: Request) -> str:
    """Return the annotation that `parse_request` reads."""
    return f"{request.verb}{'/' if request.argument else ''}{request.argument}@{request.token}"


def is_expired(request: Request, *, now: datetime, created: datetime) -> bool:
    """Whether a request must not be done any more.

    Args:
        request: What was asked for.
        now: The time, with its zone.
        created: When the resource was created.
    """
    asked = token_time(request.token)
    # A token from far ahead would stay fresh for as long as it is ahead.
    return asked < now - LIFETIME or asked < created or asked > now + _CLOCK_SKEW
