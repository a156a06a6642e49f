"""Health of the process, as routes of the API."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from linkflow.api.deps import StrictRoute
from linkflow.api.health import live, measured, ready

router = APIRouter(route_class=StrictRoute)


@router.get("/health", tags=["health"], summary="Is the process alive")
async def health_route(request: Request) -> Response:
    """Answer while the process lives; whoever watches it learns its release and roles."""
    return await live(request.app.state.health, request)


@router.get("/ready", tags=["health"], summary="Can it serve")
async def ready_route(request: Request) -> Response:
    """Answer 200 once it can serve, 503 while it starts, drains or misses what it needs."""
    return await ready(request.app.state.health, request)


@router.get("/metrics", tags=["health"], summary="What it measures, for Prometheus")
async def metrics_route(request: Request) -> Response:
    """Answer with the metrics: to callers on this machine, and to those with LINKFLOW_METRICS_TOKEN."""
    return await measured(request.app.state.health, request)
