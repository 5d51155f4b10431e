"""Which names a service on the loopback address answers to.

A web page can let its own name point to 127.0.0.1 and so ask a service there from the browser of whoever reads it, with
the browser taking the answers for the page's own. Such a request carries the page's name as its host.
"""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from lorekeeper_runtime.query.errors import host_not_allowed
from lorekeeper_runtime.query.problems import build_error, json_response

__all__ = ["LOOPBACK_HOSTS", "HostMiddleware"]

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class HostMiddleware:
    """Refuses requests to a host that is not one of ours.

    Args:
        app: What answers the others.
        hosts: Host names without ports, in lower case.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or _read_host(scope) in self._hosts:
            await self._app(scope, receive, send)
            return
        error = host_not_allowed()
        await json_response(build_error(error), error.status)(scope, receive, send)


def _read_host(scope: Scope) -> str:
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    bare = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return bare.lower()
