"""The application: all routes, one shape of errors, an id for every request."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.responses import Response

from lorekeeper_runtime.query.chat import ChatRequest, TextPart
from lorekeeper_runtime.query.hosts import HostMiddleware
from lorekeeper_runtime.query.metrics import QueryMetrics
from lorekeeper_runtime.query.middleware import RequestMiddleware
from lorekeeper_runtime.query.native import make_native_router
from lorekeeper_runtime.query.openai import make_openai_router
from lorekeeper_runtime.query.openapi import API_VERSION, build_openapi
from lorekeeper_runtime.query.operations import make_operations_router
from lorekeeper_runtime.query.pipeline import Pipeline
from lorekeeper_runtime.query.problems import add_error_handlers, json_response
from lorekeeper_runtime.query.readiness import PipelineReadiness, ReadinessProbe
from lorekeeper_runtime.query.service import QueryService
from lorekeeper_runtime.query.shapes import QueryRequest, RetrieveRequest

__all__ = ["create_app", "render_openapi"]

_DESCRIPTION = (
    "Questions answered from declared sources, with citations. Bodies are JSON in snake_case, as in the OpenAI API; "
    "every error has the shape of ErrorBody and a stable code."
)
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own records whole exceptions and can be switched on by the environment: neither is for a service whose
errors may hold other people's text."""

_BODIES: list[type[BaseModel]] = [ChatRequest, TextPart, QueryRequest, RetrieveRequest]


def create_app(
    pipelines: Mapping[str, Pipeline],
    *,
    ready: ReadinessProbe | None = None,
    version: str,
    hosts: Collection[str] | None = None,
) -> FastAPI:
    """Make the query service.

    Args:
        pipelines: By the name that clients use. Whoever opened them closes them.
        ready: What /readyz asks; the pipelines' own dependencies when None.
        version: Version of the software, for /healthz.
        hosts: Host names that requests may be addressed to, without ports; any when None.
    """
    metrics = QueryMetrics()
    service = QueryService(pipelines, metrics)
    # FastAPI's pages for people load their scripts from a CDN, which this service must not need.
    app = FastAPI(
        title="Lorekeeper",
        version=API_VERSION,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=_NO_TELEMETRY,
    )
    app.include_router(make_native_router(service))
    app.include_router(make_openai_router(service))
    app.include_router(make_operations_router(metrics, ready or PipelineReadiness(pipelines.values()), version))
    add_error_handlers(app)
    if hosts is not None:
        app.add_middleware(HostMiddleware, hosts=hosts)
    app.add_middleware(RequestMiddleware, metrics=metrics)

    @app.get("/openapi.json", include_in_schema=False, response_model=None)
    async def read_openapi() -> Response:
        """Return the OpenAPI document."""
        return json_response(render_openapi(app))

    return app


def render_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application; it is built once."""
    if app.openapi_schema is None:
        app.openapi_schema = build_openapi(app, _BODIES)
    return app.openapi_schema
