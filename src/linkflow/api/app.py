"""The application: routes, the one error shape, what surrounds every request."""

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from linkflow import __version__
from linkflow.api import accounts, executions, workflows
from linkflow.api.edge import Edge
from linkflow.api.problems import on_error, on_http, on_invalid
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import LinkFlowError

ROUTERS = (accounts.router, workflows.router, executions.router)


def create_app(plane: ControlPlane, *, public_url: str) -> ASGIApp:
    """Build the ASGI application.

    Args:
        plane: The use cases.
        public_url: Address at which others reach LinkFlow; it goes into links.
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
    app.add_exception_handler(LinkFlowError, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    for router in ROUTERS:
        app.include_router(router)
    return Edge(app, webhook=executions.execute, execute=executions.execute)
