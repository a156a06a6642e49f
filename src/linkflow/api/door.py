"""The public door: what the edge does before a request goes to the API.

It says who calls, gives the request its id, holds callers to their rate, and keeps calls of webhooks by
itself, so that they are answered while the API is away. Everything else goes on.
"""

import secrets
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linkflow.api.answers import Answer
from linkflow.api.edge import HEADERS, REQUEST_ID, Edge, is_inbound
from linkflow.api.health import Health, measured
from linkflow.api.problems import plain_problem, problem
from linkflow.api.webhooks import called, take_call
from linkflow.control.webhooks import Webhooks
from linkflow.domain.errors import LinkFlowError, Overloaded, RateLimited
from linkflow.domain.forwarding import Trust
from linkflow.ports.coordination import RateLimits
from linkflow.ports.edge import SocketRefused
from linkflow.telemetry import logger, metrics

UNDER_WAY = 4_096
"""Requests at once, WebSockets included; the next ones are refused at once."""
MINUTE_S = 60.0
BURSTS = 6
"""A caller may use this part of its minute at once."""
LOG = logger("edge")
_requests = metrics.counters("linkflow_edge_requests_total")
HEALTH = ("/health", "/healthz", "/up", "/health/live")
READY = ("/ready", "/readyz", "/health/ready")


class Door:
    """Stands in front of `proxy`.

    Args:
        proxy: Passes requests on to the API; raises the errors of `ports.edge`.
        webhooks: Keeps calls; None when everything goes to the API.
        trust: Whose word on who calls is taken.
        rates: Counts requests.
        per_minute: How many requests one caller may send, 0 for any number.
        counts: Says `{"known", "ready", "under_way"}` of the upstreams.
        health: Says who may see the metrics of this process.
    """

    def __init__(
        self,
        proxy: ASGIApp,
        *,
        webhooks: Webhooks | None,
        trust: Trust,
        rates: RateLimits,
        per_minute: int,
        counts: Callable[[], Mapping[str, int]],
        health: Health,
    ) -> None:
        self._watched = health
        self._proxy, self._webhooks, self._trust = proxy, webhooks, trust
        self._rates, self.per_minute, self._counts = rates, per_minute, counts
        self._intake = Edge(proxy, webhook=self._take)
        self._under_way = 0
        self._is_draining = False

    def readings(self) -> Mapping[str, Callable[[], metrics.Reading]]:
        """Say how its gauges are read."""

        def upstreams() -> metrics.Reading:
            return {(state,): float(count) for state, count in self._counts().items() if state != "under_way"}

        return {
            "linkflow_edge_requests_under_way": lambda: float(self._under_way),
            "linkflow_edge_upstreams": upstreams,
        }

    def drain(self) -> None:
        """Say from now on that this door is not ready; what is under way goes on, and so does the rest."""
        self._is_draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            return
        watched = _Watched(send)
        request_id = self._name(scope)
        self._under_way += 1
        try:
            await self._enter(scope, receive, watched)
            _requests["passed"].inc()
        except LinkFlowError as error:
            _requests["limited" if isinstance(error, RateLimited) else "refused"].inc()
            await self._say(scope, receive, watched, problem(error, request_id), error)
        except Exception:
            _requests["failed"].inc()
            LOG.exception("request.failed", request_id=request_id, path=scope["path"])
            answer = plain_problem(500, "Something went wrong on our side; the log says more.", request_id)
            await self._say(scope, receive, watched, answer)
        finally:
            self._under_way -= 1

    def _name(self, scope: Scope) -> str:
        """Say who calls, and under which id the request goes on."""
        headers = dict(scope["headers"])
        peer = scope.get("client")
        caller = self._trust.caller(peer[0] if peer else "", scope["scheme"], headers)
        request_id: bytes = headers.get(b"x-request-id", b"")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(8).encode()
            kept = [header for header in scope["headers"] if header[0] != b"x-request-id"]
            scope["headers"] = [*kept, (b"x-request-id", request_id)]
        scope["linkflow.caller"] = caller
        scope["linkflow.request_id"] = request_id.decode()
        if peer:
            scope["client"] = (caller.address, peer[1])
        return request_id.decode()

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in."""
        path: str = scope["path"]
        if scope["type"] == "http" and (path in HEALTH or path in READY):
            await self._health(path in READY)(scope, receive, send)
            return
        if scope["type"] == "http" and path == "/metrics":
            await (await measured(self._watched, Request(scope)))(scope, receive, send)
            return
        if self._under_way > UNDER_WAY:
            raise Overloaded("Too many requests are under way here; try again in a moment.")
        await self._hold_to_rate(scope["linkflow.caller"].network)
        if self._webhooks is not None and is_inbound(scope):
            webhook_id = called(scope)[0]
            if not await self._webhooks.is_waited_for(webhook_id):
                await self._intake(scope, receive, send)
                return
        await self._proxy(scope, receive, send)

    async def _take(self, request: Request) -> Response:
        """Keep a call."""
        assert self._webhooks is not None
        return await take_call(self._webhooks, request)

    async def _hold_to_rate(self, network: str) -> None:
        """Refuse a caller that sends too much.

        Raises:
            RateLimited: Say when to come back.
        """
        if not self.per_minute:
            return
        burst = max(1, self.per_minute // BURSTS)
        taken = await self._rates.take(f"edge:{network}", self.per_minute, MINUTE_S, burst)
        if not taken.allowed:
            raise RateLimited(
                f"Too many requests from your address; {self.per_minute} a minute are possible here.",
                retry_after_s=taken.retry_after_s,
            )

    def _health(self, is_ready_asked: bool) -> Response:
        """Answer for this door; the API's own health is behind it, and calls of webhooks do without."""
        if not is_ready_asked:
            return Answer({"status": "ok", "role": "edge"})
        status = "draining" if self._is_draining else "ready"
        return Answer(
            {"status": status, "role": "edge", "upstreams": dict(self._counts())},
            503 if self._is_draining else 200,
        )

    async def _say(
        self,
        scope: Scope,
        receive: Receive,
        send: "_Watched",
        answer: Response,
        error: LinkFlowError | None = None,
    ) -> None:
        """Answer with what went wrong; nothing can be said once an answer has begun."""
        if send.has_begun:
            return
        if scope["type"] == "websocket":
            if isinstance(error, SocketRefused):
                answer = plain_problem(error.status, str(error), scope["linkflow.request_id"])
            await answer(scope, receive, send)
            return
        request_id = scope["linkflow.request_id"].encode()
        answer.raw_headers.extend([(b"x-request-id", request_id), *HEADERS])
        await answer(scope, receive, send)


class _Watched:
    """Sends, and remembers whether an answer has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        self.has_begun = True
        await self._send(message)
