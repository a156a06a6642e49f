"""Errors as problem+json: one shape for everything that goes wrong, on every route.

`{"type", "title", "status", "detail", "code", "kind", "request_id", …facts}`

Source:
    RFC 9457.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from linkflow.domain.errors import (
    Conflict,
    Denied,
    Invalid,
    LinkFlowError,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from linkflow.domain.plan import LimitReached, WorkspaceLocked
from linkflow.domain.values import Json, encode_json
from linkflow.ports.edge import BadGateway, GatewayTimeout, RequestSlow

MEDIA_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[LinkFlowError], int], ...] = (
    (PayloadTooLarge, 413),
    (Invalid, 400),
    (Unauthenticated, 401),
    (Denied, 403),
    (LimitReached, 402),
    (WorkspaceLocked, 423),
    (NotFound, 404),
    (Conflict, 409),
    (RateLimited, 429),
    (RequestSlow, 408),
    (BadGateway, 502),
    (GatewayTimeout, 504),
    (Unavailable, 503),
)
"""The most special class comes first."""

CODES: Mapping[int, str] = {
    400: "invalid",
    401: "access.unauthenticated",
    403: "access.denied",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload.too_large",
    415: "media_type.unsupported",
}


def status_of(error: LinkFlowError) -> int:
    """Say the HTTP status of an error."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def body_of(
    status: int, code: str, detail: str, *, kind: str = "permanent", request_id: str = "", **facts: Json
) -> Json:
    """Build the JSON of a problem; facts never hide its own members."""
    return facts | {
        "type": f"urn:linkflow:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "kind": kind,
        "request_id": request_id,
    }


def problem(error: LinkFlowError, request_id: str = "") -> Response:
    """Answer an error of ours."""
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    retry_after_s = getattr(error, "retry_after_s", None)
    if status in (429, 503):
        headers["retry-after"] = str(max(1, round(retry_after_s or 1)))
    found = body_of(
        status, error.code, str(error), kind=str(error.kind), request_id=request_id, **dict(error.details)
    )
    return Response(encode_json(found), status, headers, MEDIA_TYPE)


def plain_problem(
    status: int,
    detail: str = "",
    request_id: str = "",
    headers: Mapping[str, str] | None = None,
    **facts: Json,
) -> Response:
    """Answer an error that has a status and nothing else."""
    code = CODES.get(status, "internal" if status >= 500 else "refused")
    kind = "validation" if status == 400 else "permanent"
    found = body_of(
        status, code, detail or HTTPStatus(status).phrase, kind=kind, request_id=request_id, **facts
    )
    return Response(encode_json(found), status, headers, MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    """Read the id that the edge gave the request."""
    return str(request.scope.get("linkflow.request_id", ""))


async def on_error(request: Request, error: Exception) -> Response:
    """Answer an error of ours that a route raised."""
    assert isinstance(error, LinkFlowError)
    return problem(error, request_id_of(request))


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown routes, wrong methods, broken bodies."""
    assert isinstance(error, HTTPException)
    details = {
        404: f"There is nothing at {request.scope['path']}.",
        405: f"{request.method} is not possible here.",
    }
    detail = details.get(error.status_code) or str(error.detail)
    return plain_problem(error.status_code, detail, request_id_of(request), error.headers)
