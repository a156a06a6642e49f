"""The application: routes, the one error shape, what surrounds every request."""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from linkflow import __version__
from linkflow.api import (
    accounts,
    catalog,
    credentials,
    exchange,
    executions,
    outside,
    schedules,
    webhooks,
    workflows,
)
from linkflow.api.edge import Edge
from linkflow.api.problems import on_error, on_http, on_invalid
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import LinkFlowError

ROUTERS = (
    outside.router,
    accounts.router,
    exchange.router,  # its fixed paths come before the ids of workflows
    workflows.router,
    executions.router,
    webhooks.router,
    webhooks.of_workflow,
    webhooks.inbox,
    schedules.router,
    credentials.router,
    credentials.variables,
    catalog.router,
)


def create_app(
    plane: ControlPlane, *, public_url: str, is_ready: Callable[[], bool] = lambda: True
) -> ASGIApp:
    """Build the ASGI application.

    Args:
        plane: The use cases.
        public_url: Address at which others reach LinkFlow; it goes into links.
        is_ready: Whether the engine runs.
    """
    app = FastAPI(
        title="LinkFlow",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.plane = plane
    app.state.public_url = public_url
    app.state.is_ready = is_ready
    app.add_exception_handler(LinkFlowError, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    for router in ROUTERS:
        app.include_router(router)
    return Edge(app, webhook=webhooks.take, execute=executions.execute)
