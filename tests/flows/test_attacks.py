"""Attacks that others were hurt by, tried here; `docs/architecture/threat-model.md` lists them."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from linkflow.api.app import create_app, openapi_document
from linkflow.api.permissions import NEEDED
from linkflow.telemetry import logger
from linkflow.testing.control import OWNER, Client, Stage

EVIL = "https://evil.example"


async def test_every_answer_has_its_security_headers(stage: Stage) -> None:
    """No sniffing, no frames, no referrer; answers to programs load nothing and are not kept by caches."""
    for path in ("/api/v1/auth/me", "/api/v1/workflows", "/health", "/nowhere", "/docs"):
        found = (await stage.client.get(path)).headers
        assert ("nosniff", "DENY", "no-referrer", "same-origin") == (
            found["x-content-type-options"],
            found["x-frame-options"],
            found["referrer-policy"],
            found["cross-origin-resource-policy"],
        ), path
        assert "default-src 'none'" in found["content-security-policy"] or path == "/docs", path
    me = (await stage.client.get("/api/v1/auth/me")).headers

    assert "no-store" == me["cache-control"]


async def test_https_is_said_to_stay(stage: Stage) -> None:
    """Where others come by https, browsers are told to come by nothing else."""
    app = create_app(stage.plane, public_url="https://linkflow.example")
    secure = await Client(app).get("/health")
    plain = await stage.stranger.get("/health")

    assert "strict-transport-security" in secure.headers
    assert "strict-transport-security" not in plain.headers


async def test_no_other_origin_may_read(stage: Stage) -> None:
    """CORS is off: neither an answer nor a preflight names another origin."""
    plain = await stage.client.call("GET", "/api/v1/auth/me", headers={"origin": EVIL})
    preflight = await stage.client.call(
        "OPTIONS",
        "/api/v1/workflows",
        headers={"origin": EVIL, "access-control-request-method": "POST"},
    )
    told = {name for found in (plain, preflight) for name in found.headers if "access-control" in name}

    assert set() == told


async def test_a_cookie_signs_nobody_in(stage: Stage) -> None:
    """CSRF: whoever makes a browser send a request sends its cookies, and those are worth nothing."""
    token = stage.client.token
    for name in ("session", "token", "access_token", "authorization", "linkflow_connection"):
        found = await stage.stranger.get("/api/v1/auth/me", cookie=f"{name}={token}")
        assert 401 == found.status, name


async def test_a_form_of_another_page_changes_nothing(stage: Stage) -> None:
    """CSRF: what a form can send is no JSON, and without a token it is refused whatever it is."""
    body = b"name=Mine&spec=%7B%7D"
    found = await stage.client.call(
        "POST",
        "/api/v1/workflows",
        raw=body,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert found.status in (400, 415, 422)


@pytest.mark.parametrize(
    "header", ["host", "x-forwarded-host", "forwarded", "x-original-url", "x-rewrite-url"]
)
async def test_the_host_header_goes_into_no_link(stage: Stage, header: str) -> None:
    """Links in answers and letters lead to the public address, whatever a caller says it is called."""
    value = "host=evil.example" if header == "forwarded" else "evil.example"
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    made = await stage.client.call(
        "POST",
        "/api/v1/webhooks",
        {"workflow_id": workflow_id},
        headers={header: value},
    )
    invited = await stage.client.call(
        "POST", "/api/v1/invitations", {"email": "new@example.com"}, headers={header: value}
    )
    documents = [
        (await stage.stranger.call("GET", path, headers={header: value})).body
        for path in ("/.well-known/oauth-authorization-server", "/api/openapi.json")
    ]

    assert (201, 201) == (made.status, invited.status), (made.body, invited.body)
    assert not any(b"evil.example" in said for said in (made.body, invited.body, *documents))


@pytest.mark.parametrize("header", ["x-original-url", "x-rewrite-url", "x-http-method-override"])
async def test_headers_choose_no_route(stage: Stage, header: str) -> None:
    """What is authorised is the request itself, not what a header says it was."""
    value = "DELETE" if "method" in header else "/health"
    found = await stage.stranger.call("GET", "/api/v1/workflows", headers={header: value})

    assert 401 == found.status


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1//workflows",
        "/api/v1/./workflows",
        "/api/v1/x/../workflows",
        "/api/v1/%2e%2e/v1/workflows",
        "/api/v1/workflows/",
        "/API/V1/workflows",
        "/api/v1/workspaces/x/../../workflows",
        "/v1/workflows;/health",
    ],
)
async def test_no_spelling_of_a_path_passes_the_guard(stage: Stage, path: str) -> None:
    """However a path is spelled, nobody gets in without a token."""
    found = await stage.stranger.get(path)

    assert found.status in (400, 401, 404, 405), (path, found.status)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "....//....//etc/passwd",
        "/etc/passwd",
        "..\\..\\etc\\passwd",
        "assets/../../__init__.py",
        ".env",
    ],
)
@pytest.mark.parametrize("base", ["/", "/assets/", "/api/v1/templates/", "/api/v1/nodes/", "/docs/"])
async def test_no_path_leads_out_of_its_folder(stage: Stage, base: str, name: str) -> None:
    """Path traversal: files, templates and nodes are found by name, never by a way to them."""
    found = await stage.client.get(base + name)

    assert b"root:" not in found.body
    assert b'"""' not in found.body
    assert found.status in (200, 400, 404, 503)
    assert found.status != 200 or b"<!doctype html>" in found.body.lower()


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Nest JSON."""
    return (opening * depth + closing * depth).encode()


BOMBS = {
    "deep lists": nested(200_000),
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in a spec": b'{"name":"x","spec":' + nested(50_000) + b"}",
    "a long number": b'{"name":' + b"9" * 1_000_000 + b"}",
    "infinity": b'{"name": 1e999999}',
    "NaN": b'{"name": NaN}',
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(200_000)) + b"}",
    "half a character": b'{"name": "\\ud800"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "NUL": b'{"name": "a\\u0000b"}',
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_bombs_of_json_are_refused(stage: Stage, bomb: str) -> None:
    """A body that is deep, endless or no JSON is refused in words, on a route and on a webhook."""
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    webhook = (await stage.client.get("/api/v1/webhooks")).json["data"][0]["id"]
    route = await stage.client.call("POST", "/api/v1/workflows", raw=BOMBS[bomb])
    hook = await stage.stranger.call("POST", f"/webhooks/{webhook}", raw=BOMBS[bomb])

    assert 400 <= route.status < 500, route.body[:200]
    assert hook.status < 500, hook.body[:200]


async def test_too_much_is_refused_before_it_is_read(stage: Stage) -> None:
    """A body over the limit is 413, whether its length is said or not."""
    big = b" " * (10 * 1024 * 1024 + 1)
    said = await stage.client.call("POST", "/api/v1/workflows", raw=big)
    unsaid = await stage.client.call("POST", "/api/v1/workflows", raw=big, headers={"content-length": ""})

    assert (413, 413) == (said.status, unsaid.status)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nx: y", "a\x00b", "ä" * 10, "a" * 10_000])
async def test_headers_of_a_caller_come_back_clean(stage: Stage, value: str) -> None:
    """Header injection: an id of a request that is none is replaced, an odd key is refused."""
    found = await stage.client.call(
        "POST",
        "/api/v1/variables",
        {"key": "K", "value": 1},
        headers={"x-request-id": value, "idempotency-key": value},
    )

    assert value not in found.headers.values()
    assert found.status in (200, 201, 400)
    assert "set-cookie" not in found.headers


async def test_a_page_of_a_workflow_is_not_of_our_origin(stage: Stage) -> None:
    """Stored XSS: a workflow may answer its callers with a page, but it runs in an origin of its own."""
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    webhook = (await stage.client.get("/api/v1/webhooks")).json["data"][0]["id"]
    found = await stage.stranger.post(f"/webhooks/{webhook}", {"a": 1})

    assert found.headers["content-security-policy"].startswith("sandbox")
    assert "allow-same-origin" not in found.headers["content-security-policy"]


MARK = "<script>alert(1)</script>"


async def test_pages_say_what_they_are_given_as_text(stage: Stage) -> None:
    """XSS: whatever stands in an address comes back escaped, or not at all."""
    shown = []
    for path, methods in openapi_document()["paths"].items():
        if "get" in methods and NEEDED.get(("GET", path)) == "open":
            filled = path
            for part in ("token", "user_id", "provider", "invitation_id", "webhook_id"):
                filled = filled.replace("{" + part + "}", MARK.replace("/", ""))
            query = f"error={MARK}&code={MARK}&state={MARK}&client_id={MARK}&redirect_uri={MARK}&token={MARK}"
            shown.append(await stage.stranger.get(f"{filled}?{query}", accept="text/html"))
    pages = [each for each in shown if "html" in each.headers.get("content-type", "")]

    assert pages
    assert not any(b"<script>alert" in each.body for each in pages)


@pytest.mark.parametrize(
    "target",
    [
        EVIL,
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example",
    ],
)
async def test_no_redirect_leads_elsewhere(stage: Stage, target: str) -> None:
    """Open redirects: no parameter sends a browser to another place."""
    for path in ("/oauth/authorize", "/api/v1/auth/oauth/oidc", "/api/v1/auth/reset-password"):
        query = "&".join(
            f"{name}={target}" for name in ("redirect_uri", "next", "return_to", "redirect", "url")
        )
        found = await stage.stranger.get(f"{path}?client_id=x&response_type=code&{query}")
        assert "evil" not in found.headers.get("location", ""), path
        assert found.status < 500


async def test_nobody_learns_who_has_an_account(stage: Stage) -> None:
    """User enumeration: known and unknown addresses get the same answers, byte by byte."""
    for path, body in (
        ("/api/v1/auth/login", {"password": "wrong password"}),
        ("/api/v1/auth/forgot-password", {}),
        ("/api/v1/auth/resend-verification-email", {}),
    ):
        known = await stage.stranger.post(path, {"email": OWNER, **body})
        unknown = await stage.stranger.post(path, {"email": "nobody@example.com", **body})
        parts = [
            {k: v for k, v in (each.json or {}).items() if k != "request_id"} if each.body else {}
            for each in (known, unknown)
        ]
        assert (known.status, parts[0]) == (unknown.status, parts[1]), path


async def test_a_line_of_the_log_is_one_line(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Log injection: a line break in an address or an id begins no line of its own."""
    logger("attack").warning("seen", path='/x\n{"event": "forged"}\r\nforged', user="a\u2028b")
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if line.strip()]

    assert not any(line.lstrip().startswith(('{"event": "forged"', "forged")) for line in lines)


@pytest.mark.parametrize("origin", [EVIL, "null", "http://linkflow.test.evil.example", "file://"])
async def test_a_socket_of_another_page_is_closed(stage: Stage, origin: str) -> None:
    """Cross-site WebSocket hijacking: another page's socket is told why and closed, token or not."""
    said: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    heard.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
        "path": "/api/v1/ws", "raw_path": b"/api/v1/ws", "root_path": "", "subprotocols": [],
        "query_string": f"token={stage.client.token}".encode(), "client": ("203.0.113.7", 1),
        "headers": [(b"host", b"linkflow.test"), (b"origin", origin.encode())], "server": ("test", 80),
    }  # fmt: skip
    await stage.app(scope, heard.get, said.put)
    kinds = [said.get_nowait() for _ in range(said.qsize())]

    assert 4403 == kinds[-1]["code"]
    assert not any('"t":"hello"' in each.get("text", "") for each in kinds)


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2Rldi9udWxsIn0.e30.AAAA",
        "lfk_",
        "' OR 1=1 --",
        "a" * 20_000,
        "..",
    ],
)
async def test_forged_tokens_open_nothing(stage: Stage, token: str) -> None:
    """Tokens without a signature, with a path for a key, too long or of another kind are 401."""
    found = await stage.stranger.get("/api/v1/auth/me", authorization=f"Bearer {token}")

    assert 401 == found.status


@pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE control.users; --", "%", "\\", "$1", 'a"b'])
async def test_text_is_never_a_statement(stage: Stage, text: str) -> None:
    """SQL injection: what is searched for is data."""
    await stage.workflow()
    for path in (
        "workflows?search=",
        "audit-logs?action=",
        "executions/search?q=",
        "dead-letters?reason=",
        "webhooks?workflow_id=",
    ):
        found = await stage.client.get(f"/api/v1/{path}{quote(text)}")
        assert found.status < 500, (path, found.body)
        assert text == "%" or not (found.status == 200 and found.json.get("data")), path


async def test_an_error_says_nothing_of_the_inside(stage: Stage, tmp_path: Path) -> None:
    """An error shows no path, no statement and no trace."""
    answers = [
        await stage.client.get("/api/v1/workflows/nope"),
        await stage.client.call("POST", "/api/v1/workflows", raw=b"{"),
        await stage.client.get("/api/v1/executions?after=x"),
        await stage.stranger.get("/api/v1/auth/me"),
    ]
    said = json.dumps([each.json for each in answers])

    assert not any(word in said for word in ("Traceback", "asyncpg", "SELECT", str(tmp_path), "/src/"))
