"""The outermost layer: request ids, aliases of paths, body limit, security headers, the two hot routes.

It is plain ASGI, because it runs for every request and the webhook route has 200 µs in all.
"""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from linkflow.api import health, measures, rates
from linkflow.api.problems import plain_problem, problem
from linkflow.domain.errors import LinkFlowError
from linkflow.telemetry import about, logger, tracing

Handler = Callable[[Request], Awaitable[Response]]

BODY_BYTES = 10 * 1024 * 1024
TOO_LARGE = f"A request body has at most {BODY_BYTES // 1024 // 1024} MB."
LOG = logger("api")
PREFIX = "/api/v1"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
PROGRAM_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""For answers to programs: a browser that shows one loads and runs nothing."""

STRANGER_POLICY = (b"content-security-policy", b"sandbox allow-forms allow-popups allow-scripts")
"""For what a workflow answers its callers: a page of its own has no part in the origin of the editor."""

HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
OUTSIDE = ("/api/openapi.json", "/api/openapi-3.0.json", "/api/docs")
"""Below /api, and not aliases of anything below /api/v1."""

ALIASES: Mapping[str, str] = {
    **health.ALIASES,
    "/api/docs": "/docs",
    f"{PREFIX}/user": f"{PREFIX}/auth/me",
    f"{PREFIX}/users/me": f"{PREFIX}/auth/me",
    f"{PREFIX}/user/password": f"{PREFIX}/auth/change-password",
    f"{PREFIX}/leave": f"{PREFIX}/members/leave",
    f"{PREFIX}/node-types": f"{PREFIX}/nodes",
    f"{PREFIX}/env-vars": f"{PREFIX}/variables",
}
"""Other spellings of whole paths; each is answered by the same handler."""

SPELLINGS = (
    (re.compile(rf"{PREFIX}/node-types/(.+)"), rf"{PREFIX}/nodes/\1"),
    (re.compile(rf"{PREFIX}/(verify-email/[^/]+/[^/]+)"), rf"{PREFIX}/auth/\1"),
    (re.compile(rf"{PREFIX}/env-vars/(.+)"), rf"{PREFIX}/variables/\1"),
    (re.compile(rf"{PREFIX}/(workflows/[^/]+/versions/[^/]+)/rollback"), rf"{PREFIX}/\1/restore"),
)
WORKSPACE = re.compile(rf"{PREFIX}/workspaces/([^/]+)(/.+)")
EXECUTE = re.compile(rf"{PREFIX}/workflows/[^/]+/execute")
INBOUND = re.compile(rf"{PREFIX}(/webhooks/[0-9a-f-]{{36}})")


def canonical_path(path: str) -> tuple[str, str]:
    """Say which path answers a path, and which workspace it names (empty for none)."""
    if path.startswith("/v1/"):
        path = f"/api{path}"
    elif path.startswith("/api/") and not path.startswith((f"{PREFIX}/", *OUTSIDE)):
        path = PREFIX + path[4:]
    workspace = ""
    if path.startswith(f"{PREFIX}/workspaces/") and (found := WORKSPACE.fullmatch(path)):
        workspace, path = found[1], PREFIX + found[2]
    if path in ALIASES:
        return ALIASES[path], workspace
    for pattern, canonical in SPELLINGS:
        if found := pattern.fullmatch(path):
            return found.expand(canonical), workspace
    return path, workspace


def is_inbound(scope: Scope) -> bool:
    """Say whether a request calls a webhook, under any spelling of its path."""
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    if path.startswith("/webhooks/"):
        return True
    return scope["method"] == "POST" and INBOUND.fullmatch(canonical_path(path)[0]) is not None


class Edge:
    """Wraps the application.

    Args:
        app: Everything but the hot routes.
        webhook: Answers `/webhooks/{id}`.
        execute: Answers `POST /api/v1/workflows/{id}/execute`; by default the application does.
        is_https: Others reach LinkFlow by https only.
    """

    def __init__(
        self, app: ASGIApp, *, webhook: Handler, execute: Handler | None = None, is_https: bool = False
    ) -> None:
        self._app, self._webhook, self._execute = app, webhook, execute
        self._headers = (*HEADERS, HTTPS_ONLY) if is_https else HEADERS

    _logs_access = False

    def log_access(self) -> None:
        """Write a line to the log for each request from now on."""
        self._logs_access = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        path: str = scope["path"]
        given = dict(scope["headers"])
        request_id = given.get(b"x-request-id", b"")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(8).encode()
        scope["linkflow.request_id"] = request_id.decode()
        about(request_id=scope["linkflow.request_id"])
        if not path.startswith("/webhooks/"):
            path, scope["linkflow.workspace"] = canonical_path(path)
            if scope["type"] == "http" and scope["method"] == "POST" and (found := INBOUND.fullmatch(path)):
                path = found[1]
            if path != scope["path"]:
                scope["path"] = path
                scope["raw_path"] = path.encode()
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        began, asked = time.perf_counter(), scope["path"]
        try:
            await self._answer(
                scope, _limited(receive, given), _finished(send, request_id, scope, self._headers)
            )
        finally:
            took_s, status = time.perf_counter() - began, scope.get("linkflow.status", 499)
            measures.answered(scope, status, took_s)
            if tracing.is_on():
                measures.trace(scope, given.get(b"traceparent", b""), status, took_s)
            if self._logs_access:
                measures.log(scope, asked, status, took_s)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        request_id = scope["linkflow.request_id"]
        try:
            if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
                response = plain_problem(400, "The address holds a NUL character.", request_id)
                await response(scope, receive, send)
                return
            hot = self._hot(scope)
            if hot is None:
                await self._app(scope, receive, watched)
                return
            response = await hot(Request(scope, receive))
        except LinkFlowError as error:
            response = problem(error, request_id)
        except HTTPException as error:
            response = plain_problem(error.status_code, error.detail, request_id)
        except Exception:
            LOG.exception("request.failed", request_id=request_id, path=scope["path"])
            response = plain_problem(500, "Something went wrong on our side; the log says more.", request_id)
        if not has_begun:
            await response(scope, receive, send)

    def _hot(self, scope: Scope) -> Handler | None:
        """Find the handler of a hot route."""
        path: str = scope["path"]
        if path.startswith("/webhooks/"):
            scope["linkflow.route"] = measures.WEBHOOK
            return self._webhook
        if scope["method"] == "POST" and path.endswith("/execute") and EXECUTE.fullmatch(path):
            scope["linkflow.route"] = measures.EXECUTE
            return self._execute
        return None


def _finished(send: Send, request_id: bytes, scope: Scope, more: Sequence[tuple[bytes, bytes]]) -> Send:
    """Add the headers that every answer has, and note its status."""

    async def finished(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message["headers"], (b"x-request-id", request_id), *more]
            if scope["path"].startswith("/webhooks/"):
                headers.append(STRANGER_POLICY)
            elif not any(name == b"content-security-policy" for name, _ in headers):
                headers.append(PROGRAM_POLICY)
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
            message["headers"] = [*headers, *scope.get(rates.HEADERS, ())]
            scope["linkflow.status"] = message["status"]
        await send(message)

    return finished


def _limited(receive: Receive, given: Mapping[bytes, bytes]) -> Receive:
    """Refuse a body that is larger than the limit, before it is all read."""
    declared: Any = given.get(b"content-length", b"")
    if declared.isdigit() and int(declared) <= BODY_BYTES:
        return receive
    read = 0

    async def limited() -> Message:
        nonlocal read
        if declared.isdigit():
            raise HTTPException(413, TOO_LARGE)
        message = await receive()
        read += len(message.get("body", b""))
        if read > BODY_BYTES:
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited
