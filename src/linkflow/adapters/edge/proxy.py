"""The sockets of the edge: requests and WebSockets passed to upstreams, bytes as they come.

A request is tried again elsewhere only when nothing of it was sent (nobody took the connection), or when it
may be repeated and is held whole. A body up to HELD_BYTES is held; a longer one flows through, once.
When the caller leaves, the request to the upstream is broken off, so that a stream nobody reads ends.
"""

import asyncio
import sys

import aiohttp
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send
from yarl import URL

from linkflow import telemetry
from linkflow.adapters.edge.body import Body, Left, Watch
from linkflow.adapters.edge.frames import pump
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.forwarding import may_repeat, passed_back, passed_on
from linkflow.ports.edge import (
    BadGateway,
    GatewayTimeout,
    NoUpstream,
    Outcome,
    Routing,
    SocketRefused,
)

WHOLE_BYTES = 256 * 1024
"""An answer up to this size is read whole and sent with one write."""
CONNECT_S = 3.0
KEPT_S = 30.0
"""A pooled connection older than this is not used again; the API closes its own after 65 s."""
PROBE_EVERY_S = 2.0
PROBE_S = 2.0
FRAME_BYTES = 4 * 1024 * 1024
OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
HANDSHAKE = frozenset(
    (b"sec-websocket-key", b"sec-websocket-version", b"sec-websocket-extensions", b"sec-websocket-protocol")
)
_UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)

log = telemetry.logger("edge")


class EdgeProxy:
    """An ASGI application that passes everything on. Use it as a context; it holds connections.

    What surrounds it puts `linkflow.caller` and `linkflow.request_id` into the scope, and answers with the
    errors that it raises before an answer has begun.

    Args:
        routing: Which upstream.
        body_bytes: Largest body of a request.
        timeout_s: How long an upstream may be silent.
    """

    def __init__(self, routing: Routing, *, body_bytes: int, timeout_s: float) -> None:
        self._routing = routing
        self._body_bytes, self._timeout_s = body_bytes, timeout_s
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "EdgeProxy":
        """Open the pool of connections."""
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=OWN_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._timeout_s),
            max_line_size=64 * 1024,
            max_field_size=64 * 1024,
            read_bufsize=256 * 1024,
        )
        self._http._retry_connection = False  # whether to repeat a request is decided here
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        assert self._http is not None
        await self._http.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request or WebSocket on.

        Raises:
            NoUpstream: Nobody is there to take it.
            BadGateway: It broke before the answer began.
            GatewayTimeout: No answer came in time.
            PayloadTooLarge: The body is larger than the limit.
            RequestSlow: The body did not come in time.
            SocketRefused: The upstream does not open this WebSocket.
        """
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._request(scope, receive, send)

    async def probe(self) -> None:
        """Ask every upstream whether it is ready."""
        async with asyncio.TaskGroup() as group:
            for address in self._routing.addresses():
                group.create_task(self._probe(address))

    async def keep_probing(self) -> None:
        """Ask again and again."""
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            await self.probe()

    async def _probe(self, address: str) -> None:
        assert self._http is not None
        is_ready = False
        try:
            async with asyncio.timeout(PROBE_S), self._http.get(f"{address}/ready") as answer:
                is_ready = answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        self._routing.probed(address, is_ready=is_ready)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and the answer back; when the caller leaves, stop."""
        body = Body(scope, receive, self._body_bytes)
        await body.hold()
        watch = Watch(receive)
        body.at_end(watch.begin)
        try:
            address, answer = await self._ask(scope, body)
            outcome = Outcome.ABANDONED
            try:
                await _pass_back(scope, answer, send, watch)
                outcome = Outcome.ANSWERED
            except (aiohttp.ClientError, OSError) as error:
                outcome = Outcome.BROKEN
                log.warning("answer broke off", upstream=address, error=str(error) or type(error).__name__)
                if not watch.has_answered:
                    raise BadGateway from error
            finally:
                self._routing.done(address, outcome)
                answer.close()  # keeps the connection when all of the answer was read
        except asyncio.CancelledError:
            if not watch.has_left:
                raise
        except Left:
            pass
        finally:
            watch.end()

    async def _ask(self, scope: Scope, body: "Body") -> tuple[str, aiohttp.ClientResponse]:
        """Send a request to one upstream after the other until one answers."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        has_key = any(name == b"idempotency-key" and value for name, value in headers)
        is_repeatable = may_repeat(scope["method"], has_key=has_key)
        sent = _multi(passed_on(headers, scope["linkflow.caller"], scope["linkflow.request_id"]))
        tried: set[str] = set()
        error: LinkFlowError = self._nobody()
        while (address := self._routing.choose(tried)) is not None:
            tried.add(address)
            try:
                return address, await self._send(scope, address, sent, body)
            except _UNREACHABLE:
                error = self._nobody()
                if body.is_begun:
                    raise error from None
            except TimeoutError as silent:
                raise body.refusal or GatewayTimeout(
                    f"The API was silent for {self._timeout_s:g} s; it may still be at work."
                ) from silent
            except (aiohttp.ClientError, OSError) as broken:
                error = body.refusal or BadGateway()
                if body.refusal or body.is_begun or not is_repeatable:
                    raise error from broken
        raise error

    async def _send(
        self, scope: Scope, address: str, headers: "CIMultiDict[str]", body: "Body"
    ) -> aiohttp.ClientResponse:
        """Send a request to one upstream, and say how that went unless it answers."""
        assert self._http is not None
        outcome = Outcome.ABANDONED
        try:
            return await self._http.request(
                scope["method"],
                _target(address, scope),
                headers=headers,
                data=body.data(),
                allow_redirects=False,
            )
        except _UNREACHABLE:
            outcome = Outcome.UNREACHABLE
            raise
        except (aiohttp.ClientError, OSError) as error:
            if body.refusal is None:
                outcome = Outcome.BROKEN
                log.warning("request broke off", upstream=address, error=str(error) or type(error).__name__)
            raise
        finally:
            if sys.exc_info()[1] is not None:
                self._routing.done(address, outcome)

    def _nobody(self) -> NoUpstream:
        """Say that nobody is there."""
        known = len(self._routing.addresses())
        if not known:
            return NoUpstream("No process that serves the API is known here. Set LINKFLOW_EDGE_UPSTREAMS.")
        return NoUpstream(
            f"None of the {known} processes that serve the API is ready; try again in a moment."
        )

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a WebSocket on: frames both ways, until one side closes."""
        assert self._http is not None
        await receive()  # the caller's wish to connect
        passed = passed_on(scope["headers"], scope["linkflow.caller"], scope["linkflow.request_id"])
        headers = _multi([header for header in passed if header[0] not in HANDSHAKE])
        tried: set[str] = set()
        while (address := self._routing.choose(tried)) is not None:
            tried.add(address)
            outcome = Outcome.ABANDONED
            try:
                upstream = await self._http.ws_connect(
                    _target(address, scope),
                    protocols=scope.get("subprotocols", ()),
                    headers=headers,
                    max_msg_size=FRAME_BYTES,
                )
                outcome = Outcome.ANSWERED
                async with upstream:
                    await send({"type": "websocket.accept", "subprotocol": upstream.protocol})
                    await pump(upstream, receive, send)
                return
            except aiohttp.WSServerHandshakeError as refused:
                outcome = Outcome.ANSWERED
                raise SocketRefused(refused.status) from refused
            except _UNREACHABLE:
                outcome = Outcome.UNREACHABLE
            except (aiohttp.ClientError, OSError) as broken:
                outcome = Outcome.BROKEN
                raise BadGateway from broken
            finally:
                self._routing.done(address, outcome)
        raise self._nobody()


async def _pass_back(scope: Scope, answer: aiohttp.ClientResponse, send: Send, watch: Watch) -> None:
    """Pass an answer back: a short one at once, a longer one as it comes."""
    headers = passed_back(answer.raw_headers, scope["linkflow.request_id"])
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    length = answer.content_length
    has_none = scope["method"] == "HEAD" or answer.status in (204, 304)
    if has_none or (length is not None and length <= WHOLE_BYTES):
        whole = await answer.read()
        watch.has_answered = True
        await send(start)
    else:
        watch.has_answered = True
        await send(start)
        async for part in answer.content.iter_any():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        whole = b""
    watch.over()
    await send({"type": "http.response.body", "body": whole})


def _multi(headers: list[tuple[bytes, bytes]]) -> "CIMultiDict[str]":
    """Say headers as the client wants them."""
    return CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _target(address: str, scope: Scope) -> URL:
    """Say where a request goes; path and query byte by byte as they came."""
    query = scope["query_string"]
    path = scope.get("raw_path") or scope["path"].encode()
    whole = path + b"?" + query if query else path
    return URL(address + whole.decode("latin-1"), encoded=True)
