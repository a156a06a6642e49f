"""The life of a request through the edge: C6r, C8r, A17; real sockets on both sides."""

import asyncio
import dataclasses
import io
import json
import os
import ssl
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from linkflow.apps.edge import RunningEdge, edge
from linkflow.apps.settings import SettingInvalid, Settings
from linkflow.testing.control import OWNER, PASSWORD, Reply
from linkflow.testing.live import SECRET, Live, settings_of, started
from linkflow.testing.servers import free_port


class Api:
    """Something that answers like a process of the API, as the test says.

    Attributes:
        calls: Requests that came, with their bodies.
        left: Set once a caller of /endless has left.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.left = asyncio.Event()
        self.go_on = asyncio.Event()
        self.address = ""
        self.is_ready = True

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Api"]:
        """Listen until the block is left."""
        api = cls()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{rest:.*}", api.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server: Any = site._server
        api.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield api
        finally:
            await runner.cleanup()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer by the path."""
        if request.path == "/ready":
            return web.Response(status=200 if self.is_ready else 503)
        if request.path == "/socket":
            return await self._socket(request)
        if request.path == "/endless":
            return await self._endless(request)
        body = await request.read()
        self.calls.append((request.method, request.raw_path, request.headers.copy(), body))
        if request.path == "/break":
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/silent":
            await asyncio.Event().wait()
        headers = {"content-type": "text/plain", "set-cookie": "a=1", "connection": "x-hop", "x-hop": "1"}
        return web.Response(
            body=body or b"nothing", status=int(request.query.get("status", 200)), headers=headers
        )

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """Stream events until the caller leaves."""
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        try:
            await answer.write(b"data: first\n\n")
            await self.go_on.wait()
            await answer.write(b"data: second\n\n")
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return answer

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """Echo frames; `bye` closes with 4001."""
        if "refuse" in request.query:
            return web.Response(status=401)
        socket = web.WebSocketResponse(protocols=("chat",))
        await socket.prepare(request)
        async for message in socket:
            if message.data == "bye":
                await socket.close(code=4001)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(f"echo {message.data} {request.headers['X-Forwarded-For']}")
            else:
                await socket.send_bytes(message.data)
        return socket


class Outside:
    """Somebody outside, who knows the edge only."""

    def __init__(self, running: RunningEdge, http: aiohttp.ClientSession) -> None:
        self.running, self.http = running, http
        self.address = f"http://127.0.0.1:{running.port}"

    async def call(self, method: str, path: str, data: Any = None, **headers: str) -> Reply:
        """Send a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("content-type", "application/json")
        async with self.http.request(method, self.address + path, data=data, headers=named) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, await answer.read())


@pytest_asyncio.fixture
async def api() -> AsyncIterator[Api]:
    """Stand behind the edge."""
    async with Api.open() as opened:
        yield opened


@asynccontextmanager
async def door(dsn: str, home: Path, *upstreams: str, **fields: Any) -> AsyncIterator[Outside]:
    """Run an edge in front of some addresses."""
    settings = dataclasses.replace(settings_of(dsn, home), edge_upstreams=upstreams, **fields)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(edge(settings, port=0))
        http = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        yield Outside(running, http)


async def test_a_request_passes(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """Method, path, query, body and headers arrive as sent, with who called; the answer comes back."""
    async with door(database_dsn, tmp_path, api.address) as outside:
        reply = await outside.call(
            "PATCH",
            "/api/v1/a%2Fb?x=%20y&x=2&status=418",
            b'{"a":1}',
            x_forwarded_for="6.6.6.6",
            x_request_id="r-1",
        )
    method, path, headers, body = api.calls[0]

    assert (418, b'{"a":1}', "a=1", "r-1", False) == (
        reply.status,
        reply.body,
        reply.headers["set-cookie"],
        reply.headers["x-request-id"],
        "x-hop" in reply.headers,
    )
    assert ("PATCH", "/api/v1/a%2Fb?x=%20y&x=2&status=418", b'{"a":1}') == (method, path, body)
    assert ("127.0.0.1", "http", "r-1", outside.address.removeprefix("http://")) == (
        headers["X-Forwarded-For"],
        headers["X-Forwarded-Proto"],
        headers["X-Request-Id"],
        headers["Host"],
    )


async def test_large_bodies_flow(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """A large body passes in both directions, with a length or in chunks; one too large is 413 in words."""
    large = bytes(range(256)) * 12_000

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 50_000):
            yield large[start : start + 50_000]

    async with door(database_dsn, tmp_path, api.address, edge_body_mb=4) as outside:
        whole = await outside.call("POST", "/api/v1/import", io.BytesIO(large))
        chunked = await outside.call("POST", "/api/v1/import", parts())
        over = await outside.call("POST", "/api/v1/import", io.BytesIO(large * 2))

    assert ((200, large), (200, large), (413, "payload.too_large")) == (
        (whole.status, whole.body),
        (chunked.status, chunked.body),
        (over.status, over.json["code"]),
    )


async def test_streams_pass_as_they_come(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """An event stream arrives piece by piece, and ends behind the edge as soon as its reader leaves."""
    async with door(database_dsn, tmp_path, api.address) as outside:
        async with outside.http.get(f"{outside.address}/endless") as answer:
            first = await answer.content.readany()
            api.go_on.set()
            second = await answer.content.readany()
        await api.left.wait()

    assert (b"data: first\n\n", b"data: second\n\n") == (first, second)


async def test_sockets_pass(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """A WebSocket passes with its protocol, text, bytes and close code; a refused one keeps its status."""
    async with door(database_dsn, tmp_path, api.address) as outside:
        async with outside.http.ws_connect(f"{outside.address}/socket", protocols=("chat",)) as socket:
            await socket.send_str("hello")
            await socket.send_bytes(b"\0\1")
            said = [(await socket.receive()).data for _ in range(2)]
            await socket.send_str("bye")
            await socket.receive()
            ended = (socket.protocol, socket.close_code)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await outside.http.ws_connect(f"{outside.address}/socket?refuse=1")

    assert (["echo hello 127.0.0.1", b"\0\1"], ("chat", 4001), 401) == (said, ended, refused.value.status)


async def test_what_may_be_repeated_is(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """A request that broke off is sent elsewhere only if it reads or carries a key; else 502 in words."""
    async with Api.open() as other, door(database_dsn, tmp_path, api.address, other.address) as outside:
        read = await outside.call("GET", "/break")
        after_read = (len(api.calls), len(other.calls))
        keyed = await outside.call("POST", "/break", b"{}", idempotency_key="k1")
        after_keyed = (len(api.calls), len(other.calls))
        plain = await outside.call("POST", "/break", b"{}")

    assert ((1, 1), (2, 2), 5) == (after_read, after_keyed, len(api.calls) + len(other.calls))
    assert [(502, "edge.bad_gateway")] * 3 == [
        (each.status, each.json["code"]) for each in (read, keyed, plain)
    ]


async def test_one_that_is_gone_is_avoided(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """A17: while one of two processes is gone every request is served; without any it is 503, come back."""
    gone = f"http://127.0.0.1:{free_port()}"
    async with door(database_dsn, tmp_path, gone, api.address) as outside:
        served = [(await outside.call("POST", "/api/v1/x", b"{}")).status for _ in range(6)]
    async with door(database_dsn, tmp_path, gone) as outside:
        nobody = await outside.call("GET", "/api/v1/x")
        health = await outside.call("GET", "/ready")

    assert ([200] * 6, 503, "edge.no_upstream", "2") == (
        served,
        nobody.status,
        nobody.json["code"],
        nobody.headers["retry-after"],
    )
    assert {
        "status": "ready",
        "role": "edge",
        "upstreams": {"known": 1, "ready": 0, "under_way": 0},
    } == health.json


async def test_silence_is_504(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """A process that says nothing for too long is 504 in words, and the request is not sent again."""
    async with door(database_dsn, tmp_path, api.address, edge_timeout_s=1) as outside:
        silent = await outside.call("GET", "/silent")

    assert (504, "edge.timeout", 1) == (silent.status, silent.json["code"], len(api.calls))


async def test_one_address_has_a_rate(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """Who sends too much is told so, when to come back, and by the address a trusted proxy names."""
    fields: dict[str, Any] = {"edge_requests_per_minute": 6, "edge_trusted_proxies": ("127.0.0.1",)}
    async with door(database_dsn, tmp_path, api.address, **fields) as outside:
        first = await outside.call("GET", "/x", x_forwarded_for="198.51.100.1")
        again = await outside.call("GET", "/x", x_forwarded_for="198.51.100.1")
        other = await outside.call("GET", "/x", x_forwarded_for="198.51.100.2")

    assert (200, 429, 200, "198.51.100.2") == (
        first.status,
        again.status,
        other.status,
        api.calls[-1][2]["X-Forwarded-For"],
    )
    assert ("rate_limited", True) == (again.json["code"], 1 <= int(again.headers["retry-after"]) <= 10)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 40_000, b"HTTP/1.1 431"),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"HTTP/1.1 431"),
        (b"\x16\x03\x01 not http\r\n\r\n", b"HTTP/1.1 400"),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 400",
        ),
    ],
    ids=["an endless header", "an endless path", "not HTTP", "two lengths"],
)
async def test_bad_heads(database_dsn: str, tmp_path: Path, api: Api, sent: bytes, expected: bytes) -> None:
    """A head that is too large or ambiguous is refused in words, and the connection closed."""
    async with door(database_dsn, tmp_path, api.address) as outside:
        reader, writer = await asyncio.open_connection("127.0.0.1", outside.running.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()

    assert (expected, True, []) == (answer[: len(expected)], b"problem+json" in answer, api.calls)


HOOK = {
    "trigger": {
        "id": "hook",
        "type": "trigger.webhook",
        "config": {"dedup_key": "trigger.body.n", "schema": {"type": "object"}},
    },
    "nodes": [{"id": "work", "type": "data.set", "config": {"values": {"n": "{{trigger.body.n}}"}}}],
    "edges": [{"source": "hook", "target": "work"}],
}
WAITED = HOOK | {"trigger": {"id": "hook", "type": "trigger.webhook", "config": {"response_mode": "wait"}}}


@asynccontextmanager
async def served(dsn: str, home: Path) -> AsyncIterator[tuple[Process, str]]:
    """Run `linkflow serve` on a database until the block is left, kill -9 at the end: it and its address."""
    environment = os.environ | {
        "LINKFLOW_HOME": str(home),
        "LINKFLOW_PORT": "0",
        "LINKFLOW_DATABASE_URL": dsn,
        "LINKFLOW_OWNER_EMAIL": OWNER,
        "LINKFLOW_OWNER_PASSWORD": PASSWORD,
        "LINKFLOW_SECRET": SECRET,
    }
    command = (sys.executable, "-c", "from linkflow.apps.cli import main; main()", "serve")
    running = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    assert running.stderr is not None
    said = ""
    try:
        while " ready on http" not in said:
            said = (await running.stderr.readline()).decode()
            assert said, "it did not start"
        yield running, said.strip().rpartition(" ")[2]
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@pytest.mark.timeout(90)
async def test_calls_are_kept_while_everything_is_away(
    database_dsn: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """K5, A8: with API and engine killed, calls are 202 at the edge; once they are back each has run once."""
    home = tmp_path / "home"
    async with started(settings_of(database_dsn, home)) as live:
        now = await live.hook(await live.active(HOOK, "kept"))
        waited = await live.hook(await live.active(WAITED, "waited for"))
        token = live.token
    async with AsyncExitStack() as stack:
        process, address = await stack.enter_async_context(served(database_dsn, home))
        outside = await stack.enter_async_context(door(database_dsn, home, address))
        before = [await outside.call("POST", f"/webhooks/{now}", json.dumps({"n": n})) for n in range(5)]
        process.kill()
        await process.wait()
        away = [await outside.call("POST", f"/webhooks/{now}", json.dumps({"n": n})) for n in range(3, 20)]
        nobody = await outside.call("POST", f"/webhooks/{waited}", b"{}")
        ids = {reply.json["execution_id"] for reply in (*before, *away)}
        _, address = await stack.enter_async_context(served(database_dsn, home))
        found = await finished(outside.http, address, token, len(ids))

    assert ([202] * 22, 20, ids) == (
        [reply.status for reply in (*before, *away)],
        len(ids),
        {row["id"] for row in found},
    )
    assert (503, "edge.no_upstream", True) == (
        nobody.status,
        nobody.json["code"],
        "retry-after" in nobody.headers,
    )


async def finished(http: aiohttp.ClientSession, address: str, token: str, count: int) -> list[Any]:
    """Wait until so many executions are completed, told of changes by the live socket; read their list."""
    headers = {"authorization": f"Bearer {token}"}
    while True:
        async with http.get(f"{address}/api/v1/executions?limit=100", headers=headers) as answer:
            rows: list[Any] = (await answer.json())["data"]
        if sum(row["status"] == "completed" for row in rows) >= count:
            return rows
        first = rows[0]["id"] if rows else "00000000-0000-8000-8000-000000000000"
        async with http.get(f"{address}/api/v1/executions/{first}", headers=headers) as answer:
            await answer.read()


async def test_a_running_api_starts_what_the_edge_keeps(live: Live, database_dsn: str) -> None:
    """A call that the edge keeps is started by a running API; a waiting caller gets its end."""
    now = await live.hook(await live.active(HOOK, "kept"))
    waited = await live.hook(await live.active(WAITED, "waited for"))
    async with door(database_dsn, live.home, live.address) as outside:
        kept = await outside.call("POST", f"/webhooks/{now}", b'{"n": 1}')
        spelled = await outside.call("POST", f"/api/v1/webhooks/{now}", b'{"n": 2}')
        end = await outside.call("POST", f"/webhooks/{waited}", b'{"n": 3}')
        unknown = await outside.call("POST", "/webhooks/00000000-0000-4000-8000-000000000000", b"{}")
    found = [await live.ended(reply.json["execution_id"]) for reply in (kept, spelled)]

    assert ([202, 202], ["completed"] * 2, 200, "completed", 401) == (
        [kept.status, spelled.status],
        [each["status"] for each in found],
        end.status,
        end.json["status"],
        unknown.status,
    )


async def test_a_whole_linkflow_behind_the_edge(live: Live, database_dsn: str) -> None:
    """REST, errors and the live socket work through the edge as they do without it."""
    async with door(database_dsn, live.home, live.address) as outside:
        headers = {"authorization": f"Bearer {live.token}"}
        me = await outside.call("GET", "/api/v1/auth/me", authorization=headers["authorization"])
        nothing = await outside.call("GET", "/api/v1/nothing", authorization=headers["authorization"])
        ticket = (await live.post("/ws/tickets")).json["ticket"]
        async with outside.http.ws_connect(f"{outside.address}/api/v1/ws?ticket={ticket}") as socket:
            said = await socket.receive_json()

    assert (200, 404, "application/problem+json", "hello") == (
        me.status,
        nothing.status,
        nothing.headers["content-type"],
        said["t"],
    )


def certificate(folder: Path, name: str) -> None:
    """Write a certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


async def test_a_new_certificate_is_taken(database_dsn: str, tmp_path: Path, api: Api) -> None:
    """B13: TLS ends at the edge; a replaced certificate is used without a restart, a broken one is not."""
    certificate(tmp_path, "first.example")
    fields = {"edge_tls_cert": tmp_path / "cert.pem", "edge_tls_key": tmp_path / "key.pem"}
    found = []
    async with door(database_dsn, tmp_path, api.address, **fields) as outside:
        for change in ("first.example", "second.example", "broken"):
            if change == "second.example":
                certificate(tmp_path, change)
            if change == "broken":
                (tmp_path / "cert.pem").write_text("nonsense")
            assert outside.running.certificate is not None
            outside.running.certificate.reload()
            place = ("127.0.0.1", outside.running.port)
            served = await asyncio.to_thread(ssl.get_server_certificate, place)
            subject = x509.load_pem_x509_certificate(served.encode()).subject
            found.append(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        url = outside.address.replace("http:", "https:")
        async with outside.http.get(f"{url}/x", ssl=False) as answer:
            await answer.read()

    assert (["first.example", "second.example", "second.example"], "https") == (
        found,
        api.calls[0][2]["X-Forwarded-Proto"],
    )


async def test_settings_that_cannot_be(tmp_path: Path) -> None:
    """An edge without a database, or with half a certificate, says which setting is missing."""
    said = []
    for settings in (
        Settings(home=tmp_path),
        Settings(home=tmp_path, edge_tls_cert=tmp_path / "cert.pem"),
        Settings(home=tmp_path, edge_tls_cert=tmp_path / "no.pem", edge_tls_key=tmp_path / "no.pem"),
    ):
        with pytest.raises(SettingInvalid) as refused:
            await edge(settings).__aenter__()
        said.append(refused.value.details["setting"])

    assert ["LINKFLOW_DATABASE_URL", "LINKFLOW_EDGE_TLS_KEY", "LINKFLOW_EDGE_TLS_CERT"] == said
