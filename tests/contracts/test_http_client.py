"""The guarded HTTP client, against a real server on loopback."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec
import pytest
from aiohttp import web

from linkflow.adapters.http import GuardedHttpClient
from linkflow.domain.errors import ActivityError, Kind
from linkflow.ports.outbound import HttpRequest, HttpResponse


@dataclass
class Server:
    """A server that remembers what reached it."""

    port: int = 0
    seen: list[str] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Address a path under any name of this machine."""
        return f"http://{host}:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer by path."""
        assert request.transport is not None
        self.seen.append(request.path)
        self.connections.add(id(request.transport))
        known = {
            "/echo": _echo,
            "/slow": self._slow,
            "/drop": _drop,
            "/big": _big,
            "/stream": _stream,
            "/bomb": _bomb,
            "/cookie": _cookie,
            "/to": _to,
            "/round": _round,
        }
        return await known.get(request.path, _ok)(request)

    async def _slow(self, request: web.Request) -> web.StreamResponse:
        await self.release.wait()
        return web.Response()


async def _ok(request: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


async def _echo(request: web.Request) -> web.StreamResponse:
    return web.json_response(
        {
            "method": request.method,
            "query": list(request.query.items()),
            "body": await request.text(),
            "headers": dict(request.headers),
        }
    )


async def _drop(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _big(request: web.Request) -> web.StreamResponse:
    return web.Response(body=b"x" * 100_000)


async def _stream(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse()
    await stream.prepare(request)
    for _ in range(100):
        await stream.write(b"x" * 10_000)
    return stream


async def _bomb(request: web.Request) -> web.StreamResponse:
    return web.Response(body=gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"})


async def _cookie(request: web.Request) -> web.StreamResponse:
    found = web.Response(text=request.headers.get("Cookie", "none"))
    found.set_cookie("a", "b")
    return found


async def _to(request: web.Request) -> web.StreamResponse:
    status = int(request.query.get("status", "302"))
    return web.Response(status=status, headers={"Location": request.query["location"]})


async def _round(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/round"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", found.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # 127.0.0.1 as well as ::1
    listener.bind(("::", 0))
    found.port = listener.getsockname()[1]
    await web.SockSite(runner, listener).start()
    yield found
    found.release.set()
    await runner.cleanup()


@pytest.fixture
async def client_for() -> AsyncIterator[Callable[..., GuardedHttpClient]]:
    made: list[GuardedHttpClient] = []

    def make(*allow: str) -> GuardedHttpClient:
        made.append(GuardedHttpClient(allow))
        return made[-1]

    yield make
    for client in made:
        await client.close()


Make = Callable[..., GuardedHttpClient]


def get(url: str, **fields: object) -> HttpRequest:
    return msgspec.structs.replace(HttpRequest(method="GET", url=url, timeout_s=10.0), **fields)


async def refused(client: GuardedHttpClient, request: HttpRequest) -> ActivityError:
    with pytest.raises(ActivityError) as raised:
        await client.send(request)
    return raised.value


def json_of(response: HttpResponse) -> dict[str, object]:
    found: dict[str, object] = msgspec.json.decode(response.body)
    return found


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "[::]",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "0",
    ],
)
async def test_loopback_is_refused_however_it_is_written(server: Server, client_for: Make, host: str) -> None:
    """No spelling of a loopback address reaches a server there."""
    error = await refused(client_for(), get(server.url(host=host)))

    refusals = {"http.blocked", "http.url", "http.connect"}  # not every machine resolves every spelling
    assert (True, []) == (error.code in refusals, server.seen)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "[::]"])
async def test_a_refusal_says_how_to_allow(server: Server, client_for: Make, host: str) -> None:
    """A refused address is a validation error that names the setting; nothing was sent."""
    error = await refused(client_for(), get(server.url(host=host)))

    assert ("http.blocked", Kind.VALIDATION, True) == (error.code, error.error.kind, error.error.not_started)
    assert "LINKFLOW_OUTBOUND_ALLOW" in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://10.0.0.1/",
        "http://192.168.1.1:8080/",
        "http://172.31.255.255/",
        "http://100.64.0.1/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fec0::1]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/",
        "http://168.63.129.16/",
    ],
)
async def test_special_addresses_are_refused(client_for: Make, url: str) -> None:
    """Private, link-local, metadata, translated and multicast addresses are refused at once."""
    assert "http.blocked" == (await refused(client_for(), get(url))).code


@pytest.mark.parametrize("target", ["127.0.0.1", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_redirect_to_loopback_is_refused(server: Server, client_for: Make, target: str) -> None:
    """A redirect from an allowed host to one that is not is refused, and the second request is never sent."""
    client = client_for(f"localhost:{server.port}")
    location = server.url("/echo", target)

    error = await refused(client, get(server.url("/to", "localhost"), query=[("location", location)]))

    assert ("http.blocked", ["/to"]) == (error.code, server.seen)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "mailto:a@b", "http://[::1"]
)
async def test_redirect_to_something_else_is_refused(server: Server, client_for: Make, location: str) -> None:
    """A redirect to anything but http and https is refused."""
    client = client_for("127.0.0.1")

    error = await refused(client, get(server.url("/to"), query=[("location", location)]))

    assert "http.url" == error.code


@pytest.mark.parametrize(
    ("allow", "host", "is_allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.1:{port}", "127.0.0.1", True),
        ("127.0.0.1:1", "127.0.0.1", False),
        ("127.0.0.1", "[::ffff:127.0.0.1]", True),
        ("localhost", "localhost", True),
        ("localhost:{port}", "LOCALHOST", True),
        ("localhost:1", "localhost", False),
        ("localhost", "127.0.0.1", False),
        ("::1", "[::1]", True),
        ("[::1]:{port}", "[::1]", True),
        ("*", "127.0.0.1", True),
        ("10.0.0.0/8", "127.0.0.1", False),
    ],
)
async def test_allow_list(server: Server, client_for: Make, allow: str, host: str, is_allowed: bool) -> None:
    """The allow-list names hosts, addresses and networks, each with a port or without."""
    client = client_for(allow.format(port=server.port))

    try:
        found = str((await client.send(get(server.url(host=host)))).status)
    except ActivityError as error:
        found = error.code

    assert ("200" if is_allowed else "http.blocked") == found


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "host:99999", "a/b"])
def test_a_wrong_allow_list_is_refused(entry: str) -> None:
    """An allow-list that cannot be understood is refused at start."""
    with pytest.raises(ValueError, match=entry.partition("/")[0]):
        GuardedHttpClient([entry])


async def test_request_reaches_the_server(server: Server, client_for: Make) -> None:
    """Method, query, headers and body arrive as they were given."""
    request = HttpRequest(
        method="PATCH", url=server.url("/echo?a=1"), query=[("b", "x y&z")], headers={"X-A": "b"}, body=b"hi"
    )

    response = await client_for("127.0.0.1").send(request)

    shown = json_of(response)
    assert ("PATCH", [["a", "1"], ["b", "x y&z"]], "hi") == (shown["method"], shown["query"], shown["body"])
    assert isinstance(shown["headers"], dict)
    assert "b" == shown["headers"]["X-A"]
    assert response.headers["content-type"].startswith("application/json")


async def test_connections_are_used_again(server: Server, client_for: Make) -> None:
    """Requests one after another share a connection."""
    client = client_for("127.0.0.1")

    for _ in range(5):
        await client.send(get(server.url()))

    assert 1 == len(server.connections)


async def test_cookies_are_forgotten(server: Server, client_for: Make) -> None:
    """A cookie that one answer sets is not sent with the next request."""
    client = client_for("127.0.0.1")

    found = [(await client.send(get(server.url("/cookie")))).body for _ in range(2)]

    assert [b"none", b"none"] == found


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        (302, "POST", "GET"),
        (301, "POST", "GET"),
        (303, "PUT", "GET"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
        (302, "GET", "GET"),
    ],
)
async def test_redirects(server: Server, client_for: Make, status: int, method: str, becomes: str) -> None:
    """Redirects change the method as RFC 9110 says, and drop the body with it."""
    url = server.url(f"/to?status={status}&location=/echo")

    response = await client_for("127.0.0.1").send(
        HttpRequest(method=method, url=url, body=b"hi", timeout_s=5)
    )

    shown = json_of(response)
    assert (becomes, "hi" if becomes == method else "") == (shown["method"], shown["body"])
    assert server.url("/echo") == response.url


async def test_redirect_not_followed(server: Server, client_for: Make) -> None:
    """Without following, the redirect itself is the answer."""
    response = await client_for("127.0.0.1").send(
        get(server.url("/to?location=/echo"), follow_redirects=False)
    )

    assert (302, "/echo") == (response.status, response.headers["location"])


async def test_secrets_stay_with_their_host(server: Server, client_for: Make) -> None:
    """A redirect to another origin does not take the sign-in along."""
    client = client_for("127.0.0.1", "localhost")
    headers = {"Authorization": "Bearer s", "X-Acme-Key": "k", "X-Keep": "1"}
    elsewhere = server.url("/echo", "localhost")

    away = json_of(
        await client.send(get(server.url("/to"), query=[("location", elsewhere)], headers=headers))
    )
    near = json_of(await client.send(get(server.url("/to"), query=[("location", "/echo")], headers=headers)))

    assert isinstance(away["headers"], dict)
    assert isinstance(near["headers"], dict)
    assert [None, None, "1"] == [away["headers"].get(name) for name in headers]
    assert ["Bearer s", "k", "1"] == [near["headers"].get(name) for name in headers]


async def test_redirects_end(server: Server, client_for: Make) -> None:
    """A circle of redirects is an error."""
    assert "http.redirects" == (await refused(client_for("127.0.0.1"), get(server.url("/round")))).code


@pytest.mark.parametrize("path", ["/big", "/stream", "/bomb"])
async def test_size_limit(server: Server, client_for: Make, path: str) -> None:
    """An answer beyond the limit is refused, declared, streamed or decompressed."""
    error = await refused(client_for("127.0.0.1"), get(server.url(path), max_bytes=50_000))

    assert ("http.response_too_large", Kind.PERMANENT) == (error.code, error.error.kind)


async def test_timeout_after_sending(server: Server, client_for: Make) -> None:
    """A server that does not answer in time: the request may have had its effect."""
    error = await refused(client_for("127.0.0.1"), get(server.url("/slow"), timeout_s=0.2))

    assert ("http.timeout", Kind.TRANSIENT, False) == (error.code, error.error.kind, error.error.not_started)


async def test_lost_connection(server: Server, client_for: Make) -> None:
    """A connection that breaks after sending: the request may have had its effect."""
    error = await refused(
        client_for("127.0.0.1"), HttpRequest(method="POST", url=server.url("/drop"), body=b"x")
    )

    assert ("http.connection_lost", Kind.TRANSIENT, False) == (
        error.code,
        error.error.kind,
        error.error.not_started,
    )


async def test_refused_connection(client_for: Make) -> None:
    """Where nothing listens, certainly nothing was done."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        error = await refused(client_for("127.0.0.1"), get(url))

    assert ("http.connect", Kind.TRANSIENT, True) == (error.code, error.error.kind, error.error.not_started)


async def test_unknown_name(client_for: Make) -> None:
    """A name that does not resolve: certainly nothing was done."""
    error = await refused(client_for(), get("http://no-such-host.invalid/"))

    assert ("http.connect", True) == (error.code, error.error.not_started)


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "nonsense", "http://[::1/", "http://x:99999/"])
async def test_wrong_urls(client_for: Make, url: str) -> None:
    """What is no http URL is a validation error."""
    error = await refused(client_for(), get(url))

    assert ("http.url", Kind.VALIDATION) == (error.code, error.error.kind)
