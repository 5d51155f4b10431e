"""The route that only this machine's `lorekeeper ingest` may use: it asks a running server to sync."""

import hmac
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response

    from lorekeeper_cli.sync import Syncer

__all__ = ["SYNC_PATH", "add_sync_route"]

SYNC_PATH = "/local/v1/sync"
MAX_BODY_BYTES = 64 * 1024


def add_sync_route(app: "FastAPI", syncer: "Syncer", token: str) -> None:
    """Add the route; whoever can read the token file in the home, which is its owner, may use it."""
    from starlette.responses import Response

    expected = f"Bearer {token}".encode()

    async def sync(request: "Request") -> "Response":
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
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
        reports = await syncer.sync(confirm_deletion=confirm)
        return Response(orjson.dumps({"pipelines": reports}), media_type="application/json")

    app.router.add_route(SYNC_PATH, sync, methods=["POST"], include_in_schema=False)


def _refuse(status: int, code: str, message: str) -> "Response":
    from starlette.responses import Response

    error = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return Response(orjson.dumps(error), status_code=status, media_type="application/json")
