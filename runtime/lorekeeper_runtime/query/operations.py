"""What probes, Prometheus and the curious ask."""

from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from lorekeeper_runtime.query.metrics import QueryMetrics
from lorekeeper_runtime.query.problems import json_response
from lorekeeper_runtime.query.readiness import ReadinessProbe
from lorekeeper_runtime.query.shapes import Shape

__all__ = ["make_operations_router"]


class Health(Shape):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Dependency(Shape):
    """Something that questions need."""

    pipeline: str
    name: str
    """store, knowledge, embedder or generator."""
    ready: bool
    message: str
    """What is wrong and what to do; empty when nothing is."""


class ReadinessReport(Shape):
    """Whether questions can be answered now."""

    ready: bool
    dependencies: list[Dependency]


def make_operations_router(metrics: QueryMetrics, ready: ReadinessProbe, version: str) -> APIRouter:
    """Return the routes `GET /healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["Operations"])

    @router.get("/healthz", response_model=None, responses={200: {"model": Health}})
    async def health() -> Response:
        """Say that the process lives; nothing outside it is asked."""
        return json_response({"status": "ok", "version": version})

    @router.get(
        "/readyz",
        response_model=None,
        responses={200: {"model": ReadinessReport}, 503: {"model": ReadinessReport, "description": "Not ready."}},
    )
    async def readiness() -> Response:
        """Say whether questions can be answered now, naming each dependency."""
        states = await ready.check()
        all_ready = all(state.ready for state in states)
        dependencies: list[dict[str, Any]] = [
            {"pipeline": state.pipeline, "name": state.name, "ready": state.ready, "message": state.message}
            for state in states
        ]
        return json_response({"ready": all_ready, "dependencies": dependencies}, 200 if all_ready else 503)

    @router.get("/metrics", response_model=None, responses={200: {"content": {"text/plain": {}}}})
    async def read_metrics() -> Response:
        """Return the metrics in Prometheus' text format."""
        return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
