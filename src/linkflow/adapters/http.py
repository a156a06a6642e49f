"""HttpClient over aiohttp: guarded addresses, limits of size and time, no memory between calls.

Redirects are followed here and not by aiohttp, so that each hop is checked like a first request and
secrets stay with the host they were meant for.
"""

import asyncio
import re
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from linkflow.domain.address import Guard
from linkflow.domain.errors import ActivityError, Kind
from linkflow.ports.outbound import HttpRequest, HttpResponse
from linkflow.telemetry import tracing

AGENT = "LinkFlow/1 (+workflow)"
REDIRECTS = 10
IDLE_S = 3.5
"""A pooled connection older than this is not used again: servers commonly close theirs after 5 s."""

CONNECT_S = 10.0
CONNECTIONS = 500
BLOCKED = "the guard refuses this address"
"""One text for every address: the errors of several addresses are joined by their text."""

_REDIRECTED = frozenset({301, 302, 303, 307, 308})
_SECRET_HEADERS = re.compile(r"auth|cookie|key|token|secret|password|signature|credential", re.IGNORECASE)
"""Names of headers that may carry a secret, whatever a server calls them."""

_BODY_HEADERS = frozenset({"content-type", "content-length", "content-encoding", "transfer-encoding"})


class GuardedHttpClient:
    """Send requests to public addresses, and to what the allow-list names.

    Args:
        allow: As `Guard`.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._guard = Guard(allow)
        self._guarded: aiohttp.ClientSession | None = None
        self._named: aiohttp.ClientSession | None = None

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and read the whole response (see the port)."""
        started = time.perf_counter()
        stage = _Stage()
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request, started, stage)
        except TimeoutError:
            raise ActivityError(
                f"No answer from {_host(request.url)} within {request.timeout_s:g} s.",
                code="http.timeout",
                kind=Kind.TRANSIENT,
                not_started=not stage.is_connected,
            ) from None

    async def close(self) -> None:
        """Close pooled connections."""
        for session in (self._guarded, self._named):
            if session is not None:
                await session.close()
        self._guarded = self._named = None

    async def _follow(self, request: HttpRequest, started: float, stage: "_Stage") -> HttpResponse:
        for _ in range(REDIRECTS + 1):
            response, location = await self._once(request, started, stage)
            if location is None or not request.follow_redirects:
                return response
            request = _redirected(request, response, location)
        raise ActivityError(
            f"{_host(request.url)} redirects more than {REDIRECTS} times.", code="http.redirects"
        )

    async def _once(
        self, request: HttpRequest, started: float, stage: "_Stage"
    ) -> tuple[HttpResponse, str | None]:
        url = _target(request)
        if not tracing.is_on():
            return await self._answered(request, url, started, stage)
        with tracing.span(f"{request.method} {url.host}", kind="client") as span:
            if span.headers and not any(name.lower() == "traceparent" for name in request.headers):
                headers = {**request.headers, **span.headers}
                request = msgspec.structs.replace(request, headers=headers)
            response, location = await self._answered(request, url, started, stage)
            span.error = f"answered with {response.status}" if response.status >= 500 else ""
            return response, location

    async def _answered(
        self, request: HttpRequest, url: URL, started: float, stage: "_Stage"
    ) -> tuple[HttpResponse, str | None]:
        session = self._session(url)
        try:
            async with session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                ssl=request.verify_tls,
                trace_request_ctx=stage,
            ) as answer:
                body = await _read(answer, request.max_bytes)
                response = HttpResponse(
                    status=answer.status,
                    reason=answer.reason or "",
                    headers=_headers(answer.headers),
                    body=body,
                    url=str(answer.url),
                    duration_ms=(time.perf_counter() - started) * 1000,
                )
                location = answer.headers.get("Location") if answer.status in _REDIRECTED else None
                return response, location
        except aiohttp.ClientError as error:
            raise _translated(error, request.url, stage) from error
        except (ValueError, UnicodeError) as error:  # what aiohttp says of methods, headers and URLs
            raise ActivityError(
                f"The request cannot be sent: {str(error)[:120]}", code="http.url", kind=Kind.VALIDATION
            ) from error

    def _session(self, url: URL) -> aiohttp.ClientSession:
        if self._guard.allows_name(url.host or "", url.port or 0):
            if self._named is None:
                self._named = _open(socket_factory=None)
            return self._named
        if self._guarded is None:
            self._guarded = _open(socket_factory=self._socket)
        return self._guarded

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        if not self._guard.allows_address(place[0], place[1]):
            raise OSError(BLOCKED)
        return socket.socket(family, kind, protocol)


class _Stage:
    """How far a request came: whether anything may have been sent."""

    __slots__ = ("is_connected",)

    def __init__(self) -> None:
        self.is_connected = False


async def _on_connected(_: object, context: Any, __: object) -> None:
    context.trace_request_ctx.is_connected = True


def _open(socket_factory: Any) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_on_connected)
    trace.on_connection_reuseconn.append(_on_connected)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS,
            limit_per_host=100,
            keepalive_timeout=IDLE_S,
            ttl_dns_cache=10,
            socket_factory=socket_factory,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        headers={"User-Agent": AGENT},
        trace_configs=[trace],
        raise_for_status=False,
        trust_env=False,
        auto_decompress=True,
        max_line_size=16_384,
        max_field_size=32_768,
    )


def _target(request: HttpRequest) -> URL:
    try:
        url = URL(request.url)
        if request.query:
            url = url.extend_query(list(request.query))
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("it is not an absolute http or https URL")
        return url.with_fragment(None)
    except (ValueError, UnicodeError) as error:
        raise ActivityError(
            f"{request.url[:80]!r} cannot be called: {error}", code="http.url", kind=Kind.VALIDATION
        ) from error


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Read the body, decompressed, refusing it as soon as it is too long."""
    declared = answer.content_length
    if declared is not None and declared > most:
        answer.close()
        raise _too_large(most)
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > most:
            answer.close()
            raise _too_large(most)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(most: int) -> ActivityError:
    return ActivityError(
        f"The answer is longer than {most} bytes.",
        code="http.response_too_large",
        kind=Kind.PERMANENT,
        limit=most,
    )


def _headers(headers: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _redirected(request: HttpRequest, response: HttpResponse, location: str) -> HttpRequest:
    """Build the next request (RFC 9110, 15.4): 303 and a redirected POST become GET; secrets stay at home."""
    here = URL(response.url)
    try:
        target = here.join(URL(location))
        is_elsewhere = target.origin() != here.origin()
    except ValueError as error:
        raise ActivityError(
            f"The redirect to {location[:80]!r} leads to no http URL.", code="http.url", kind=Kind.VALIDATION
        ) from error
    headers = dict(request.headers)
    method, body = request.method, request.body
    if response.status == 303 or (response.status in (301, 302) and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
        headers = {name: value for name, value in headers.items() if name.lower() not in _BODY_HEADERS}
    if is_elsewhere:
        headers = {name: value for name, value in headers.items() if not _SECRET_HEADERS.search(name)}
    return msgspec.structs.replace(
        request, method=method, url=str(target), headers=headers, body=body, query=()
    )


def _translated(error: aiohttp.ClientError, url: str, stage: _Stage) -> ActivityError:
    cause: BaseException | None = error
    while cause is not None:
        if BLOCKED in str(cause):
            return ActivityError(
                f"{_host(url)} is not a public address; LINKFLOW_OUTBOUND_ALLOW can name it.",
                code="http.blocked",
                kind=Kind.VALIDATION,
                not_started=True,
            )
        cause = cause.__cause__ or getattr(cause, "os_error", None)
    if isinstance(error, aiohttp.InvalidURL):
        return ActivityError(f"{url[:80]!r} is not a URL.", code="http.url", kind=Kind.VALIDATION)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return ActivityError(
            f"The certificate of {_host(url)} is not valid.",
            code="http.tls",
            kind=Kind.PERMANENT,
            not_started=True,
        )
    if not stage.is_connected or isinstance(error, aiohttp.ClientConnectorError):
        return ActivityError(
            f"No connection to {_host(url)}: {_reason(error)}.",
            code="http.connect",
            kind=Kind.TRANSIENT,
            not_started=True,
        )
    return ActivityError(
        f"The connection to {_host(url)} broke: {_reason(error)}.",
        code="http.connection_lost",
        kind=Kind.TRANSIENT,
    )


def _reason(error: aiohttp.ClientError) -> str:
    cause = getattr(error, "os_error", None)
    text = (cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)) or type(
        error
    ).__name__
    return text[:120]


def _host(url: str) -> str:
    return (urlsplit(url).netloc.rpartition("@")[2] or url)[:80]
