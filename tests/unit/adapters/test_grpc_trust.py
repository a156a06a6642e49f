"""Services answer only to those who prove that they belong here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc  # type: ignore[import-untyped]

from linkflow.adapters.grpc.clients import FrontendClient
from linkflow.adapters.grpc.failures import LineCut
from linkflow.adapters.grpc.lines import Lines, lines
from linkflow.adapters.grpc.servers import serving
from linkflow.adapters.grpc.surface import FRONTEND
from linkflow.adapters.grpc.trust import TOKEN, TOKEN_S, InsecureRefused, Trust, is_near
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.domain.errors import Invalid, LinkFlowError, NotFound, Unauthenticated
from linkflow.testing.certificates import Authority
from linkflow.testing.engine import FakeEngine
from linkflow.testing.split import KnownPeers, member

NOW = 1_900_000_000.0


def at(seconds: float, secret: str = "s") -> Trust:
    return Trust(secret=secret, now=lambda: seconds)


def with_tls(authority: Authority, trusted: Authority | None = None) -> Trust:
    """Show a certificate of one authority, and trust another's, or the same's."""
    signed = authority.sign()
    return Trust(
        secret="s",
        certificate=signed.certificate,
        key=signed.key,
        authority=(trusted or authority).certificate,
    )


@asynccontextmanager
async def reached(server: Trust, client: Trust) -> AsyncIterator[tuple[Lines, str]]:
    """Serve a Frontend with one trust, and reach it with another."""
    engine = FakeEngine(SystemClock(), SystemIds())
    async with (
        serving("127.0.0.1:0", {"frontend": engine}, server) as bound,
        lines(KnownPeers(member("frontend", bound.address)), client) as found,
    ):
        yield found, bound.address


async def view(found: Lines, address: str) -> Any:
    """Ask for an execution that is not there, once."""
    call = FRONTEND.calls()["view"]
    return await found.ask(member("frontend", address), "frontend", call, call.request("nothing"), 5.0)


async def outcome(server: Trust, client: Trust) -> type[LinkFlowError]:
    """Say how a call ends: NotFound when it got through."""
    async with reached(server, client) as (found, address):
        with pytest.raises(LinkFlowError) as raised:
            await view(found, address)
    return type(raised.value)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (at(NOW), NotFound),
        (at(NOW - TOKEN_S + 1), NotFound),
        (at(NOW + TOKEN_S - 1), NotFound),
        (at(NOW - TOKEN_S - 1), Unauthenticated),
        (at(NOW + TOKEN_S + 1), Unauthenticated),
        (at(NOW, "another secret"), Unauthenticated),
    ],
    ids=["fresh", "clock behind", "clock ahead", "stale", "from the future", "other secret"],
)
async def test_a_call_needs_a_token(client: Trust, expected: type[LinkFlowError]) -> None:
    """B13: a call gets through with a token of the same secret that is newer than five minutes."""
    assert expected is await outcome(at(NOW), client)


@pytest.mark.parametrize("token", ["", "v1", "v1.1900000000.", "v2.1900000000.ab", "v1.x.ab"])
async def test_what_is_no_token_is_refused(token: str) -> None:
    """B13: garbage in the place of a token is refused, on calls and on streams."""
    async with reached(at(NOW), at(NOW)) as (_, address), grpc.aio.insecure_channel(address) as channel:
        codes = []
        metadata = ((TOKEN, token),)
        unary: Any = channel.unary_unary(FRONTEND.calls()["view"].path)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(b"", metadata=metadata)
        codes.append(refused.value.code())
        stream: Any = channel.stream_stream(FRONTEND.path("Exchange"))(metadata=metadata)
        codes.append(await stream.code())

    assert [grpc.StatusCode.UNAUTHENTICATED] * 2 == codes


async def test_mutual_tls_lets_members_through() -> None:
    """B13: members whose certificates one authority signed reach each other."""
    authority = Authority()

    assert NotFound is await outcome(with_tls(authority), with_tls(authority))


@pytest.mark.parametrize("who", ["server", "client", "nobody shows one"])
async def test_a_wrong_authority_is_refused(who: str) -> None:
    """B13: a certificate of another authority is refused on either side, and so is none at all."""
    ours, other = Authority(), Authority("another")
    server, client = with_tls(ours), with_tls(ours)
    if who == "server":
        server = with_tls(other, trusted=ours)
    elif who == "client":
        client = with_tls(other, trusted=ours)
    else:
        client = Trust(secret="s")

    assert LineCut is await outcome(server, client)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "192.0.2.1:7234", "history.example:7234", "[::]:0"])
async def test_beyond_this_machine_only_with_tls(address: str) -> None:
    """B13: without TLS nobody listens or calls beyond this machine, unless insecure was said."""
    with pytest.raises(InsecureRefused, match="LINKFLOW_TLS_CERT"):
        Trust(secret="s").channel(address)
    with pytest.raises(InsecureRefused):
        async with serving(address, {}, Trust(secret="s")):
            raise AssertionError
    await Trust(secret="s", allow_insecure=True).channel(address).close()


def test_near_addresses() -> None:
    """Loopback addresses and Unix sockets are on this machine."""
    near = ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:/run/linkflow.sock"]

    assert [True] * 5 == [is_near(address) for address in near]


def test_missing_files_are_named(tmp_path: Path) -> None:
    """A TLS file that is not there is named in the message."""
    with pytest.raises(Invalid, match=r"cert\.pem"):
        Trust.from_files("s", tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")


async def test_a_unix_socket_serves(tmp_path: Path) -> None:
    """A service answers on a Unix socket, too."""
    engine = FakeEngine(SystemClock(), SystemIds())
    address = f"unix:{tmp_path}/frontend.sock"
    async with (
        serving(address, {"frontend": engine}, at(NOW)) as bound,
        lines(KnownPeers(member("frontend", address)), at(NOW)) as found,
    ):
        with pytest.raises(NotFound):
            await FrontendClient(found, SystemIds()).view("nothing")

    assert address == bound.address


async def test_probes_need_no_token() -> None:
    """A probe asks for health without a token, and hears when a service drains."""
    engine = FakeEngine(SystemClock(), SystemIds())
    async with (
        serving("127.0.0.1:0", {"frontend": engine}, at(NOW)) as bound,
        grpc.aio.insecure_channel(bound.address) as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service=FRONTEND.full_name)
        serves = (await health.Check(asked)).status
        await bound.say(is_serving=False)
        drains = (await health.Check(asked)).status

    assert (1, 2) == (serves, drains)


async def test_services_can_be_listed() -> None:
    """Who has a token can ask a server for its services and their shape."""
    async with reached(at(NOW), at(NOW)) as (_, address), grpc.aio.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        stream: Any = stub.ServerReflectionInfo(iter([asked]), metadata=((TOKEN, at(NOW).token()),))
        answer = await stream.read()
        names = {each.name for each in answer.list_services_response.service}

    assert {FRONTEND.full_name, "grpc.health.v1.Health"} <= names
