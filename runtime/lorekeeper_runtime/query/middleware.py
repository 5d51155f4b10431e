"""Around every request: its id, its place in the log and the metrics, and an answer when nothing else has one."""

import logging
import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lorekeeper_runtime.query.metrics import QueryMetrics
from lorekeeper_runtime.query.problems import CLIENT_CLOSED_REQUEST, build_error, internal_error, json_response

__all__ = ["RequestMiddleware"]

_log = logging.getLogger("lorekeeper.query")
_access_log = logging.getLogger("lorekeeper.access")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """Gives each request an id: the client's X-Request-Id when it is harmless, else one of our own. Writes one line a
    request to the access log, without query string, body or unknown paths: they are the asker's.
    """

    def __init__(self, app: ASGIApp, metrics: QueryMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _read_request_id(scope)
        scope["lorekeeper.request_id"] = request_id
        status = CLIENT_CLOSED_REQUEST
        started = time.perf_counter()
        header = (b"x-request-id", request_id.encode())

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            _log.exception("request %s failed unexpectedly", request_id)
            if status != CLIENT_CLOSED_REQUEST:
                raise  # the answer has begun: the server breaks the connection off, so that nobody takes it for whole
            response = json_response(build_error(internal_error(request_id)), 500)
            await response(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.in_flight.dec()
            self._metrics.count_request(route, status, seconds)
            _access_log.info(
                "%s %s %d %.1f ms request=%s", scope["method"][:16], route, status, seconds * 1000, request_id
            )


def _read_request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(text):
                return str(text)
    return uuid.uuid4().hex
