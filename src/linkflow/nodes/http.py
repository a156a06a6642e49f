"""HTTP out: one request, one answer."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

from linkflow.domain.errors import ActivityError, Invalid, Kind
from linkflow.domain.node import LOOK_UP, NOT_DONE, Completion, NodeClass, NodeSpec
from linkflow.domain.values import Json
from linkflow.nodes.fields import as_expression
from linkflow.nodes.http_answer import answer_output, failure_output, status_error
from linkflow.nodes.http_auth import AUTH_TYPES, answered, auth_type, signed
from linkflow.nodes.http_body import BODY_TYPES, encode_body, pairs
from linkflow.nodes.schema import (
    anything,
    either,
    flag,
    many,
    mapping,
    number,
    own,
    record,
    spelled,
    text,
    whole,
)
from linkflow.ports.nodes import NodeContext
from linkflow.ports.outbound import HttpRequest, HttpResponse

_SHARED = (
    "auth",
    "credential",
    "username",
    "password",
    "token",
    "headers",
    "timeout_s",
    "timeout_ms",
    "follow_redirects",
    "verify_tls",
    "response",
    "max_bytes",
)
"""What a look-up takes over from the request."""

_FAILURES = frozenset({"http.connect", "http.timeout", "http.connection_lost"})


class HttpRequestNode:
    """Send one HTTP request."""

    spec = NodeSpec(
        type="http.request",
        title="HTTP request",
        summary="Call a URL and read what it answers.",
        node_class=NodeClass.ONCE,  # what holds for one config: domain.http_class
        timeout_s=60.0,
        can_look_up=True,
        raw=("look_up.found",),
        aliases=(
            "action_http_request",
            "action_http",
            "action.http",
            "HTTP_REQUEST",
            "http",
            "http_request",
            "httpRequest",
            "n8n-nodes-base.httpRequest",
        ),
        parameters=record(
            {
                "method": text("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS.", default="GET"),
                **spelled(text("Absolute URL, http or https."), "url", "endpoint", "uri"),
                "headers": either(
                    "Object, or list of `{name, value}`.", mapping(""), many(""), {"type": "null"}
                ),
                **spelled(
                    either(
                        "Added to the URL: object, or list of `{name, value}`.",
                        mapping(""),
                        many(""),
                        {"type": "null"},
                    ),
                    "query",
                    "query_params",
                    "queryParams",
                    "params",
                ),
                **spelled(
                    anything("What is sent; its shape depends on `body_type`."), "body", "data", "payload"
                ),
                **spelled(
                    text(
                        "How the body is encoded; `auto` is text as text, everything else as JSON.",
                        default="auto",
                        choices=BODY_TYPES,
                    ),
                    "body_type",
                    "bodyType",
                    "contentType",
                ),
                **spelled(
                    either(
                        "Seconds for the whole exchange.",
                        {"type": "number", "exclusiveMinimum": 0},
                        {"type": "string"},
                    ),
                    "timeout_s",
                    "timeout",
                ),
                **spelled(number("The same in milliseconds.", least=1), "timeout_ms", "timeoutMs"),
                "auth": either(
                    "How to sign in; the fields depend on `type`, one of " + ", ".join(AUTH_TYPES) + ".",
                    mapping(""),
                    {"type": "string"},
                    {"type": "null"},
                ),
                **spelled(
                    text("Name or id of the credential that holds the sign-in."),
                    "credential",
                    "credential_id",
                    "credentialId",
                ),
                **spelled(
                    flag("Follow up to ten redirects.", default=True),
                    "follow_redirects",
                    "followRedirects",
                    "followRedirect",
                ),
                **spelled(
                    flag("Refuse certificates that do not match.", default=True),
                    "verify_tls",
                    "validateSSL",
                    "validate_ssl",
                    "verify_ssl",
                ),
                **spelled(
                    either(
                        "How the body is read: auto, json, text or base64.",
                        {"enum": ["auto", "json", "text", "base64", "binary"]},
                        {"type": "boolean"},
                    ),
                    "response",
                    "parseResponse",
                    "response_format",
                    "responseFormat",
                ),
                **spelled(
                    text(
                        "A status of 400 or more is an error of the node, or data with `ok: false`.",
                        default="error",
                        choices=("error", "data"),
                    ),
                    "on_status",
                    "onStatus",
                ),
                **spelled(
                    text(
                        "A connection that fails is an error of the node, or data with `ok: false`.",
                        default="error",
                        choices=("error", "data"),
                    ),
                    "on_failure",
                    "onFailure",
                ),
                **spelled(
                    text("Header that carries a key which is the same for every attempt."),
                    "idempotency_header",
                    "idempotencyHeader",
                ),
                **spelled(
                    either(
                        "Where to ask what became of a request whose outcome is unknown: a URL, or an "
                        "object of `url`, `query`, `headers` and `found`. 2xx: it was done, and this answer "
                        "is the output, unless the expression `found` over the `response` is false. "
                        "404: it was not done. Anything else: nobody knows.",
                        {"type": "string"},
                        record(
                            {
                                "url": text("Absolute URL, http or https."),
                                "method": text("How to ask.", default="GET", choices=("GET", "HEAD")),
                                "query": either(
                                    "Added to the URL: object, or list of `{name, value}`.",
                                    mapping(""),
                                    many(""),
                                ),
                                "headers": either(
                                    "Instead of the request's: object, or list of `{name, value}`.",
                                    mapping(""),
                                    many(""),
                                ),
                                "found": own(
                                    text(
                                        "Expression over `response`, the answer as the node's output has it: "
                                        "whether a 2xx means that it was done, `true` or `false`."
                                    )
                                ),
                            },
                            required=("url",),
                        ),
                    ),
                    LOOK_UP,
                    "lookUp",
                ),
                **spelled(
                    many("Further statuses that are worth another attempt.", whole("", least=100, most=599)),
                    "retry_on_status",
                    "retryableStatusCodes",
                ),
                **spelled(
                    whole(
                        "A longer body is an error.", default=10 * 1024 * 1024, least=1, most=10 * 1024 * 1024
                    ),
                    "max_bytes",
                    "maxBytes",
                ),
            },
            required=("url",),
        ),
        output={
            "status": 200,
            "status_code": 200,
            "statusCode": 200,
            "statusText": "OK",
            "ok": True,
            "headers": {"content-type": "application/json"},
            "body": {"id": 7},
            "json": {"id": 7},
            "url": "https://api.example.com/orders/7",
            "duration": 41.2,
            "duration_ms": 41.2,
        },
        example={
            "method": "POST",
            "url": "https://api.example.com/orders",
            "auth": {"type": "bearer", "token": "{{credential.example.token}}"},
            "body": {"id": "{{trigger.id}}"},
            "idempotency_header": "Idempotency-Key",
        },
        docs="""\
GET, HEAD, OPTIONS, PUT and DELETE may be tried again after any passing failure.
POST and PATCH are tried again only when nothing was sent, or the server refused with 429 or 503;
with `idempotency_header` they carry a key and are tried again like the others.

When such a request ends and nobody knows whether it happened (a timeout, a connection that broke, a worker
that stopped), `unknown` on the node says what follows: `fail`, `park` (a person decides), `retry`, or
`look_up`, which is the default once `look_up` in the config says where to ask.
The server is asked after 5 s and up to three times more, with the same sign-in.
What names the request must be in both: `{{execution.effect_key}}` is the same for every attempt and look-up.
A server that answers 200 with an empty list needs `found`: `{{response.body.items.length > 0}}`;
where that is false, it was not done.
Name only an address that knows a request as soon as the server has begun it:
after 404 the request is sent again, as far as `retry` allows. A person decides when no answer helps.

A status of 429 is `rate_limit` and waits as long as `Retry-After` asks, 5xx is `transient`, other statuses
from 400 are `permanent`. `status`, `status_code` and `statusCode` are one value, as are `body` and `json`
(up to 256 KB; a longer body is only `body`). A body that is neither JSON nor text is base64, and
`body_encoding` says so.

Addresses inside the network (private, loopback, link-local, metadata) are refused unless the setting
`LINKFLOW_OUTBOUND_ALLOW` names them.""",
    )

    async def run(self, context: NodeContext) -> Completion:
        """Send the request once, and a second time only for a digest challenge."""
        config = context.config
        try:
            response = await self._send(context, config)
        except ActivityError as error:
            if config.get("on_failure") == "data" and error.code in _FAILURES:
                return Completion(output=failure_output(error))
            raise
        if response.status >= 400 and config.get("on_status") != "data":
            raise status_error(response, config)
        return _completion(response, config)

    async def look_up(self, context: NodeContext) -> Completion:
        """Ask where `look_up` says what became of the request."""
        asked = context.config.get(LOOK_UP)
        asked = asked if isinstance(asked, dict) else {"url": asked}
        config = {name: context.config[name] for name in _SHARED if name in context.config} | asked
        response = await self._send(context, config)
        if response.status == 404:
            return NOT_DONE
        if not 200 <= response.status < 300:
            raise status_error(response, config)
        completion = _completion(response, config)
        return completion if _is_found(context, config.get("found"), completion.output) else NOT_DONE

    async def _send(self, context: NodeContext, config: Mapping[str, Json]) -> HttpResponse:
        """Send the request that a config says, and once more for a digest challenge."""
        request, auth = await self._request(context, config)
        response = await context.http.send(request)
        if response.status == 401 and auth and auth_type(auth) == "digest":
            nonce = hashlib.sha256(f"{context.effect_key}:{context.attempt}".encode()).hexdigest()[:16]
            challenge = response.headers.get("www-authenticate", "")
            if (again := answered(request, auth, challenge, nonce)) is not None:
                response = await context.http.send(again)
        return response

    async def _request(
        self, context: NodeContext, config: Mapping[str, Json]
    ) -> tuple[HttpRequest, Mapping[str, Json] | None]:
        boundary = f"linkflow-{hashlib.sha256(context.effect_key.encode()).hexdigest()[:24]}"
        body, content_type = encode_body(config.get("body"), config.get("body_type") or "auto", boundary)
        headers = dict(pairs(config.get("headers")))
        if content_type and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = content_type
        if name := config.get("idempotency_header"):
            headers[str(name)] = context.effect_key
        for name, value in headers.items():
            if "\n" in name + value or "\r" in name + value or not name:
                raise Invalid(f"The header {name[:40]!r} has a line break in it.", code="node.config")
        request = HttpRequest(
            method=str(config.get("method") or "GET").strip().upper(),
            url=_url(config.get("url")),
            headers=headers,
            query=pairs(config.get("query")),
            body=body,
            timeout_s=min(_timeout_s(config, context.timeout_s), context.timeout_s),
            max_bytes=int(config.get("max_bytes") or 10 * 1024 * 1024),
            follow_redirects=config.get("follow_redirects") is not False,
            verify_tls=config.get("verify_tls") is not False,
        )
        auth = await _auth(context, config)
        return (await signed(request, auth, context.http) if auth else request), auth


def _is_found(context: NodeContext, expression: Json, output: Json) -> bool:
    """Say whether an answer of a look-up means that the request was done.

    Raises:
        ActivityError: `http.look_up`: the expression gave neither true nor false, so nobody knows.
    """
    if not isinstance(expression, str) or not expression.strip():
        return True
    said = context.evaluate(as_expression(expression), response=output)
    if not isinstance(said, bool):
        raise ActivityError(
            f"look_up.found gave {said!r:.80} and not true or false; compare something in it, "
            "as in {{response.body.items.length > 0}}.",
            code="http.look_up",
            kind=Kind.PERMANENT,
        )
    return said


def _completion(response: HttpResponse, config: Mapping[str, Json]) -> Completion:
    meta = {"status": response.status, "bytes": len(response.body), "ms": round(response.duration_ms, 1)}
    return Completion(output=answer_output(response, config.get("response")), meta=meta)


async def _auth(context: NodeContext, config: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """Join what the config says of the sign-in with the credential it names."""
    auth = config.get("auth")
    if isinstance(auth, str):
        auth = {
            "type": auth,
            **{k: v for k, v in config.items() if k in ("username", "password", "token")},
        }
    name = config.get("credential")
    if isinstance(name, str) and name:
        secret = await context.secret(name)
        return {**secret, **(auth or {})}
    return auth or None


def _url(value: Json) -> str:
    url = str(value or "").strip()
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        shown = url if len(url) <= 80 else f"{url[:80]}…"
        raise Invalid(f"{shown!r} is not an absolute http or https URL.", code="http.url")
    return url


def _timeout_s(config: Mapping[str, Json], default: float) -> float:
    try:
        if config.get("timeout_ms"):
            found = float(config["timeout_ms"]) / 1000
        else:
            found = float(config.get("timeout_s") or default)
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found < float("inf"):
        raise Invalid("timeout_s must be a number of seconds above 0.", code="node.config")
    return found


HTTP = (HttpRequestNode(),)
