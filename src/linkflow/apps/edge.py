"""The edge as a process: the public door in front of the processes that serve the API.

It needs the database, for calls of webhooks, and the addresses of those processes; no engine.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import uvicorn

from linkflow.adapters.edge.proxy import EdgeProxy
from linkflow.adapters.edge.server import Certificate, GuardedHttp
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.api.door import Door
from linkflow.api.health import Health
from linkflow.apps.brokers import FreshCache, FreshPrepared, open_coordination
from linkflow.apps.settings import SettingInvalid, Settings
from linkflow.apps.wiring_control import ControlSide, open_control
from linkflow.control.activation import Activation
from linkflow.control.actor import Audit
from linkflow.control.arming import Arming
from linkflow.control.intake import Intake
from linkflow.control.webhooks import Webhooks
from linkflow.domain.errors import Unavailable
from linkflow.domain.forwarding import Trust
from linkflow.engine.edge import Balance
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports.cluster import Peers
from linkflow.telemetry import metrics

PORT = 8081
GRACE_S = 20
BACKLOG = 2_048


@dataclass(frozen=True, kw_only=True)
class RunningEdge:
    """An edge that takes connections.

    Attributes:
        port: Where.
        door: Its ASGI application.
        certificate: What it shows; None without TLS.
    """

    port: int
    door: Door
    certificate: Certificate | None


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """Take no signals."""
        yield


@asynccontextmanager
async def edge(
    settings: Settings,
    peers: Peers | None = None,
    *,
    side: ControlSide | None = None,
    port: int = PORT,
) -> AsyncIterator[RunningEdge]:
    """Run the edge for as long as the context lasts; at its end what is under way is finished first.

    Args:
        settings: What a person set.
        peers: Who serves the API, unless LINKFLOW_EDGE_UPSTREAMS says so.
        side: The control plane's records and keys, where the process has them open already.
        port: Where to listen; 0 lets the system choose.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    certificate = _certificate(settings)
    async with contextlib.AsyncExitStack() as stack:
        side = side or await _open_side(settings, stack)
        intake = Intake(side.records, side.bus, side.clock)
        balance = Balance(lambda: _upstreams(settings, peers), time.monotonic)
        proxy = await stack.enter_async_context(
            EdgeProxy(
                balance, body_bytes=settings.edge_body_mb * 1024 * 1024, timeout_s=settings.edge_timeout_s
            )
        )
        door = Door(
            proxy,
            webhooks=_webhooks(side, intake),
            trust=Trust(settings.edge_trusted_proxies),
            rates=side.shared.limits,
            per_minute=settings.edge_requests_per_minute,
            counts=balance.counts,
            health=Health(roles=["edge"], token=settings.metrics_token),
        )
        listener = stack.enter_context(_bind(settings.host, port))
        await proxy.probe()
        server = _server(door, certificate)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(intake.run()), group.create_task(proxy.keep_probing())]
            if certificate is not None:
                tasks.append(group.create_task(certificate.keep_fresh()))
            serving = group.create_task(server.serve(sockets=[listener]))
            try:
                stack.enter_context(metrics.reading(door.readings()))
                yield RunningEdge(port=listener.getsockname()[1], door=door, certificate=certificate)
            finally:
                door.drain()
                server.should_exit = True
                await asyncio.wait([serving])
                for task in tasks:
                    task.cancel()


def _upstreams(settings: Settings, peers: Peers | None) -> Sequence[str]:
    """List the addresses of the processes that serve the API."""
    if settings.edge_upstreams or peers is None:
        return settings.edge_upstreams
    return [f"http://{member.addresses['rest']}" for member in peers.of("rest") if "rest" in member.addresses]


async def _open_side(settings: Settings, stack: contextlib.AsyncExitStack) -> ControlSide:
    """Open records and keys for the edge alone."""
    if settings.database_url is None:
        raise SettingInvalid(
            "The edge keeps calls of webhooks in the database that the other processes use; set "
            "LINKFLOW_DATABASE_URL.",
            setting="LINKFLOW_DATABASE_URL",
        )
    database = await Database.open(settings.database_url)
    stack.push_async_callback(database.close)
    shared = await stack.enter_async_context(open_coordination(settings))
    if settings.redis_url is None:
        shared = replace(shared, prepared=FreshPrepared(), cache=FreshCache())
    return open_control(
        settings,
        database,
        SqlSpecStore(database),
        NodeRegistry.discover(),
        SystemClock(),
        SystemIds(),
        shared=shared,
    )


def _webhooks(side: ControlSide, intake: Intake) -> Webhooks:
    """Build the use cases of webhooks over an inbox that starts nothing."""
    records, prepared, bus, clock, ids = side.records, side.shared.prepared, side.bus, side.clock, side.ids
    return Webhooks(
        records,
        Activation(side.catalog, side.box, prepared, bus, clock, ids),
        Arming(records, side.executables, side.broker, side.box, prepared, ids),
        intake,
        Audit(clock, ids),
        prepared,
        clock,
        ids,
        side.plans,
    )


def _certificate(settings: Settings) -> Certificate | None:
    """Read the certificate, if there is one."""
    chain, key = settings.edge_tls_cert, settings.edge_tls_key
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        missing = "LINKFLOW_EDGE_TLS_CERT" if chain is None else "LINKFLOW_EDGE_TLS_KEY"
        raise SettingInvalid(
            f"A certificate and its key belong together; set {missing}, too.", setting=missing
        )
    try:
        return Certificate(chain, key)
    except OSError as error:  # what is wrong with a certificate is one, too
        raise SettingInvalid(
            f"The certificate {chain} with the key {key} cannot be used: {error}.",
            setting="LINKFLOW_EDGE_TLS_CERT",
        ) from error


def _bind(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises:
        Unavailable: Somebody else has it.
    """
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        raise Unavailable(
            f"Port {port} on {host} cannot be taken ({error.strerror}). Is an edge running already?",
            code="serve.port_taken",
        ) from error


def _server(door: Door, certificate: Certificate | None) -> Server:
    """Make the server."""
    config = uvicorn.Config(
        door,
        http=GuardedHttp,
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
        timeout_keep_alive=65,
    )
    config.load()
    if certificate is not None:
        config.ssl = certificate.context
    return Server(config)
