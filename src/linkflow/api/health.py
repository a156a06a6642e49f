"""Health of one process: whether it lives, whether it can serve, what it measures.

Anybody may ask whether it lives and serves, and learns no more. Whoever watches it sees each part it needs,
and its metrics: callers on this machine (nothing that was forwarded), or, once `LINKFLOW_METRICS_TOKEN` is
set, callers that carry it as bearer token, wherever they are; then being on this machine is not enough.

`api.health_routes` serves this within the API, `health_app` in a process that has no API.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from linkflow import __version__
from linkflow.api.answers import Answer
from linkflow.api.problems import plain_problem, problem, request_id_of
from linkflow.domain.errors import Denied, LinkFlowError, Unavailable
from linkflow.domain.values import Json
from linkflow.telemetry import logger, metrics

LOG = logger("health")
LOOK_S = 3.0
"""What a part may take to answer."""

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that say that somebody else asks than who is connected."""

ALIASES: Mapping[str, str] = {
    "/healthz": "/health",
    "/up": "/health",
    "/health/live": "/health",
    "/livez": "/health",
    "/api/v1/health": "/health",
    "/readyz": "/ready",
    "/health/ready": "/ready",
    "/api/v1/ready": "/ready",
    "/api/v1/metrics": "/metrics",
}
"""Other spellings; each is answered by the same handler."""


@dataclass(frozen=True)
class Check:
    """Something a process needs.

    Attributes:
        name: What it is called: `database`, `history`.
        look: Returns what to say about it; raises a LinkFlowError when it is not there.
        is_needed: Whether the process is not ready without it.
    """

    name: str
    look: Callable[[], Awaitable[str]]
    is_needed: bool = True


class Health:
    """How this process is.

    Attributes:
        state: starting, ready or draining; only `ready` is ready.
    """

    def __init__(
        self,
        checks: Sequence[Check] = (),
        *,
        roles: Sequence[str] = (),
        token: str | None = None,
        state: Literal["starting", "ready", "draining"] = "ready",
    ) -> None:
        """Put it together.

        Args:
            checks: What the process needs.
            roles: What it does.
            token: LINKFLOW_METRICS_TOKEN.
            state: How it begins.
        """
        self.state = state
        self._checks, self._roles, self._token = list(checks), tuple(roles), token

    def watches(self, request: Request) -> bool:
        """Say whether a caller may see more than whether it lives and serves."""
        if self._token:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            return hmac.compare_digest(given.encode(), self._token.encode())
        if any(name in request.headers for name in FORWARDED):
            return False
        return request.client is not None and _is_here(request.client.host)

    async def seen(self) -> tuple[str, Mapping[str, Json]]:
        """Look at everything the process needs.

        Returns:
            Why it is not ready, empty when it is; and `{"<check>": {"ok", "needed", "detail"}}`.
        """
        found: dict[str, Json] = {}
        reason = "" if self.state == "ready" else f"LinkFlow is {self.state}."
        for check in self._checks:
            try:
                async with asyncio.timeout(LOOK_S):
                    is_ok, detail = True, await check.look()
            except TimeoutError:
                is_ok, detail = False, f"No answer within {LOOK_S:g} s."
            except LinkFlowError as error:
                is_ok, detail = False, str(error)
            except Exception:  # whatever it is, the process cannot rely on it
                LOG.exception("check.failed", check=check.name)
                is_ok, detail = False, "Looking at it failed; the log says more."
            if check.is_needed and not is_ok:
                reason = reason or detail
            found[check.name] = {"ok": is_ok, "needed": check.is_needed, "detail": detail}
        return reason, found

    def about(self) -> Mapping[str, Json]:
        """Say what this process is."""
        return {
            "state": self.state,
            "release": __version__,
            "roles": list(self._roles),
        }


def _is_here(host: str) -> bool:
    """Say whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def live(health: Health, request: Request) -> Response:
    """Answer while the process lives."""
    more = health.about() if health.watches(request) else {}
    return Answer({"status": "ok", **more}, headers={"cache-control": "no-store"})


async def ready(health: Health, request: Request) -> Response:
    """Answer 200 when it can serve, else 503."""
    reason, checks = await health.seen()
    more = {"checks": checks, **health.about()} if health.watches(request) else {}
    if not reason:
        return Answer({"status": "ready", **more}, headers={"cache-control": "no-store"})
    shown = reason if more or health.state != "ready" else "Something it needs does not answer."
    return problem(Unavailable(shown, code="not_ready", **more), request_id_of(request))


async def measured(health: Health, request: Request) -> Response:
    """Answer with the metrics, as Prometheus reads them."""
    if not health.watches(request):
        text = "Metrics are for callers on this machine, or with LINKFLOW_METRICS_TOKEN as bearer token."
        return problem(Denied(text, code="metrics.denied"), request_id_of(request))
    found, media_type = await metrics.exposed(request.headers.get("accept", ""))
    return Response(found, headers={"content-type": media_type, "cache-control": "no-store"})


HANDLERS = {"/health": live, "/ready": ready, "/metrics": measured}


def health_app(health: Health) -> ASGIApp:
    """Serve health, readiness and metrics, and nothing else: for processes that have no API."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope["path"]
        handler = HANDLERS.get(ALIASES.get(path, path))
        if handler is None:
            answer = plain_problem(404, f"There is nothing at {path}.")
        elif scope["method"] not in ("GET", "HEAD"):
            answer = plain_problem(
                405, f"{scope['method']} is not possible here.", headers={"allow": "GET, HEAD"}
            )
        else:
            try:
                answer = await handler(health, request)
            except Exception:
                LOG.exception("health.failed", path=path)
                answer = plain_problem(500, "Something went wrong on our side; the log says more.")
        await answer(scope, receive, send)

    return app
