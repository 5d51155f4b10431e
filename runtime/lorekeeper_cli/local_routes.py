"""The routes that only commands of this machine may use: what a running server serves, and to let it sync."""

import hmac
from typing import TYPE_CHECKING

import orjson

from lorekeeper_runtime.errors import LorekeeperError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from lorekeeper_cli.served import Served
    from lorekeeper_cli.sync import Syncer

__all__ = ["SERVED_PATH", "SYNC_PATH", "add_local_routes"]

SERVED_PATH = "/local/v1/served"

SYNC_PATH = "/local/v1/sync"
MAX_BODY_BYTES = 64 * 1024


def add_local_routes(app: "FastAPI", syncer: "Syncer", token: str, served: "Served") -> None:
    """Add the routes; whoever can read the token file in the home, which is its owner, may use them."""
    from starlette.responses import Response

    expected = f"Bearer {token}".encode()

    def is_owner(request: "Request") -> bool:
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected)

    async def tell(request: "Request") -> "Response":
        if not is_owner(request):
            return _refuse(403, "Forbidden", "Only the owner of this home may ask for what is served.")
        return Response(orjson.dumps({"pipelines": served}), media_type="application/json")

    async def sync(request: "Request") -> "Response":
        if not is_owner(request):
            return _refuse(403, "Forbidden", "Only lorekeeper ingest of this home may ask for a sync.")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY_BYTES:
                return _refuse(413, "InvalidRequest", "The request is too large.")
        try:
            wanted = orjson.loads(bytes(body) or b"{}")
            confirm = frozenset(str(name) for name in wanted.get("confirm_deletion", []))
        except (orjson.JSONDecodeError, AttributeError, TypeError):
            return _refuse(400, "InvalidRequest", "The body must be an object with confirm_deletion, a list of names.")
        try:
            reports = await syncer.sync(confirm_deletion=confirm)
        except LorekeeperError as error:
            return _refuse(error.status, error.code, error.message)
        return Response(orjson.dumps({"pipelines": reports}), media_type="application/json")

    app.router.add_route(SERVED_PATH, tell, methods=["GET"], include_in_schema=False)
    app.router.add_route(SYNC_PATH, sync, methods=["POST"], include_in_schema=False)


def _refuse(status: int, code: str, message: str) -> "Response":
    from starlette.responses import Response

    error = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return Response(orjson.dumps(error), status_code=status, media_type="application/json")
