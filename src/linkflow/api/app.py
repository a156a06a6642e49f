"""The application: routes, the one error shape, what surrounds every request."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from linkflow import __version__
from linkflow.api import (
    accounts,
    alerts,
    approvals,
    audit,
    backlogs,
    budgets,
    bulk,
    catalog,
    cluster,
    connections,
    credentials,
    elsewhere,
    exchange,
    executions,
    expressions,
    keys,
    letters,
    live,
    oauth,
    outputs,
    outside,
    plans,
    queues,
    scheduler,
    schedules,
    searches,
    shapes,
    subscriptions,
    test_runs,
    trigger_shapes,
    usage,
    webhooks,
    workflows,
    workspaces,
)
from linkflow.api.deps import on_invalid
from linkflow.api.docs import page as docs_page
from linkflow.api.edge import Edge
from linkflow.api.health import Check, Health
from linkflow.api.health_routes import router as health_routes
from linkflow.api.openapi import completed
from linkflow.api.openapi_30 import as_30
from linkflow.api.problems import on_error, on_http
from linkflow.api.site import Site
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import LinkFlowError
from linkflow.ports.cluster import ControlPlane as ClusterControl

ROUTERS = (
    health_routes,
    outside.router,
    accounts.router,
    accounts.users,
    accounts.published,
    elsewhere.router,
    oauth.router,
    oauth.clients,
    oauth.published,
    keys.router,
    workspaces.router,
    workspaces.members,
    workspaces.invitations,
    exchange.router,  # its fixed paths come before the ids of workflows
    workflows.router,
    searches.router,  # its fixed paths come before the ids of executions
    bulk.router,  # so do its own
    executions.router,
    test_runs.router,
    expressions.router,
    outputs.router,
    searches.of_workflow,
    searches.saved,
    searches.attributes,
    webhooks.router,
    webhooks.of_workflow,
    webhooks.inbox,
    subscriptions.router,
    schedules.router,
    scheduler.router,
    usage.router,
    plans.router,
    budgets.router,
    audit.router,
    queues.router,
    backlogs.router,
    cluster.router,
    credentials.router,
    credentials.types,
    connections.router,
    credentials.variables,
    catalog.router,
    alerts.router,
    approvals.router,
    approvals.links,
    letters.router,
    live.router,
)


class DescribedApp(FastAPI):
    """A FastAPI application whose OpenAPI says what is really served."""

    def openapi(self) -> dict[str, Any]:
        """Build the document once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def create_app(
    plane: ControlPlane,
    *,
    public_url: str,
    health: Health | None = None,
    task_queues: queues.Look | None = None,
    logs_access: bool = False,
    members: ClusterControl | None = None,
) -> ASGIApp:
    """Build the ASGI application.

    Args:
        plane: The use cases.
        public_url: Address at which others reach LinkFlow; it goes into links.
        health: How this process is; by default it needs the database and nothing else.
        task_queues: Says how the task queues stand; by default there is none.
        logs_access: Whether to log a line for each request.
        members: The cluster; by default this process alone.
    """
    app = _routed()
    app.state.plane = plane
    app.state.public_url = public_url
    app.state.health = health or Health([database_check(plane)])
    app.state.queues = task_queues or queues.nobody
    app.state.cluster = members or cluster.Alone(plane.clock)
    edge = Edge(
        app,
        webhook=webhooks.take,
        execute=executions.execute,
        is_https=public_url.startswith("https:"),
    )
    if logs_access:
        edge.log_access()
    return edge


def database_check(plane: ControlPlane) -> Check:
    """Look whether the database of the control plane answers."""

    async def look() -> str:
        await plane.accounts.ping()
        return "It answers."

    return Check("database", look)


@cache
def openapi_document() -> dict[str, Any]:
    """Describe the API without running it."""
    return _routed().openapi()


def _routed() -> DescribedApp:
    """Build the application with every route."""
    app = DescribedApp(
        title="LinkFlow",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(LinkFlowError, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route(
        "/api/v1/workflows/{workflow_id}/execute",
        executions.execute,
        methods=["POST"],
        tags=["executions"],
        summary="Start a workflow",
        status_code=202,
        responses={200: {"model": shapes.Started}, 202: {"model": shapes.Started}},
        openapi_extra={"requestBody": executions.START_BODY, "parameters": executions.START_PARAMETERS},
    )
    app.add_api_route(
        "/webhooks/{webhook_id}",
        webhooks.take,
        methods=["POST"],
        tags=["webhooks"],
        summary="Take a call from outside",
        status_code=202,
        responses={202: {"model": trigger_shapes.Accepted}},
        openapi_extra={"parameters": webhooks.TAKE_PARAMETERS},
    )

    async def docs(request: Request) -> Response:
        return docs_page(app.openapi())

    async def older(request: Request) -> Response:
        return JSONResponse(as_30(app.openapi()))

    app.add_route("/docs", docs)
    app.add_route("/api/openapi-3.0.json", older)
    app.router.routes.append(Site())  # it comes last: what nothing else answers
    return app
