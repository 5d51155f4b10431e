"""One connection: its body is read within bounds, and when it closes, all work for it stops."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from lorekeeper_runtime.query.errors import invalid_request
from lorekeeper_runtime.query.unicode import explain_refusal

__all__ = ["BODY_BYTES", "ConnectionScope", "EventStream", "read_json"]

BODY_BYTES = 1024 * 1024
"""Largest body of a request, in bytes."""
BODY_SECONDS = 30.0
"""Longest time that a client may take to send a body."""


async def read_json(request: Request, *, seconds: float = BODY_SECONDS) -> dict[str, Any]:
    """Read the body of a request as a JSON object.

    Raises:
        QueryError: InvalidRequest, UnsupportedMediaType, RequestTooLarge or RequestTimeout.
        ClientDisconnect: The client left before it had sent everything.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise invalid_request(
            "The body must be JSON; send it with the header Content-Type: application/json.",
            code="UnsupportedMediaType",
            status=415,
        )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                body += part
                if len(body) > BODY_BYTES:
                    raise _too_large()
    except TimeoutError as error:
        raise invalid_request(
            f"The body did not arrive within {seconds:g} seconds; send the request again.",
            code="RequestTimeout",
            status=408,
        ) from error
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise explain_refusal(bytes(body)) from error
    if not isinstance(value, dict):
        raise invalid_request("The body must be a JSON object, in braces.")
    return value


def _too_large() -> Exception:
    return invalid_request(
        f"The body is larger than {BODY_BYTES} bytes; send a shorter one.", code="RequestTooLarge", status=413
    )


class ConnectionScope:
    """Cancels what runs inside it as soon as the client closes the connection.

    The request's body must have been read before. On the way out the cancellation becomes ClientDisconnect; one that
    came from elsewhere, for example from the server stopping, passes as it is.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection scope needs a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watcher.cancel()
        if self._gone and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise ClientDisconnect from error

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()


class EventStream(Response):
    """Server-sent events. All work for them, also what comes before the first one, runs in the connection's scope.

    Args:
        make_events: Called once; the generator yields bytes of whole events. An error that it raises before the first
            is answered like that of any other route; later ones it turns into events itself.
    """

    media_type = "text/event-stream"

    def __init__(self, make_events: Callable[[], AsyncGenerator[bytes]]) -> None:
        self._make_events = make_events
        self.status_code = 200
        self.background = None
        # Without this header nginx collects the events of an answer before it passes them on.
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events one by one."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async with ConnectionScope(receive), aclosing(self._make_events()) as events:
                started = False
                async for event in events:
                    if not started:
                        await send(start)
                        started = True
                    await send({"type": "http.response.body", "body": event, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ClientDisconnect:
            return  # nobody is left to tell
