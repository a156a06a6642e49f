"""What is counted and logged of every request that was answered."""

from typing import Any

from starlette.types import Scope

from linkflow.telemetry import logger, metrics, tracing
from linkflow.telemetry.logs import said

LOG = logger("access")
WEBHOOK = "/webhooks/{webhook_id}"
EXECUTE = "/api/v1/workflows/{workflow_id}/execute"

_requests = metrics.counters("linkflow_http_requests_total")
_took = metrics.histograms("linkflow_http_request_duration_seconds")
_webhooks = metrics.counters("linkflow_webhooks_received_total")
_limited = metrics.counters("linkflow_rate_limit_hits_total")

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def route_of(scope: Scope) -> str:
    """Say which route answered, as it is declared: there are only so many."""
    known: str = scope.get("linkflow.route", "")
    found: Any = scope.get("route")
    return known or getattr(found, "path", "unmatched")


def answered(scope: Scope, status: int, took_s: float) -> None:
    """Count a request that was answered.

    Args:
        scope: Its scope, with the route that answered.
        status: The answer's; 499 when the caller went away before.
        took_s: From its head to the end of the answer.
    """
    route, method = route_of(scope), scope["method"]
    text = str(status)
    _requests[method if method in METHODS else "other", route, text].inc()
    _took[route].observe(took_s)
    if route == WEBHOOK:
        _webhooks[text].inc()
    if status == 429:
        _limited[route].inc()


def trace(scope: Scope, traceparent: bytes, status: int, took_s: float) -> None:
    """Note a request in its caller's trace, else in that of the execution it was about."""
    tracing.requested(
        scope["method"],
        route_of(scope),
        status=status,
        took_s=took_s,
        traceparent=traceparent.decode("latin-1"),
        execution_id=said("execution_id"),
    )


def log(scope: Scope, path: str, status: int, took_s: float) -> None:
    """Write the access log's line; a token within a path is not written, nor the query."""
    route = route_of(scope)
    client = scope.get("client")
    LOG.info(
        "request",
        method=scope["method"],
        path=route if "{token}" in route else path,
        status=status,
        ms=round(took_s * 1000, 1),
        client=client[0] if client else "",
    )
