"""A process of `linkflow serve --roles`: its ports, its start and its drain.

Start, in any order of processes: the database, this process's services, its ports, then it says that it is
ready. Drain: it says so (no new calls come), the worker ends its attempts, requests end, it is off the list.

    rest          8000   the REST API and the socket of live views
    frontend      8080   gRPC; HTTP health, status and the engine's own start route on the same port
    edge          8081   the public door
    the others    below  gRPC, and HTTP health and metrics on the same port
"""

import asyncio
import contextlib
import dataclasses
import ipaddress
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from linkflow.adapters.grpc.servers import serving
from linkflow.adapters.grpc.trust import InsecureRefused, is_near
from linkflow.adapters.system import SystemIds
from linkflow.api.health import Check, Health, health_app
from linkflow.apps.engine_door import EngineDoor
from linkflow.apps.observability import observed
from linkflow.apps.one_port import OnePort
from linkflow.apps.roles import Process, process
from linkflow.apps.serve import BACKLOG, Server, access, collect_rarely, http_config
from linkflow.apps.settings import SettingInvalid, Settings, secrets_of
from linkflow.domain.errors import Unavailable
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports.cluster import ROLES
from linkflow.telemetry import logger, set_up

if TYPE_CHECKING:
    from linkflow.control.accounts import Owner

PORTS: Mapping[str, int] = {
    "rest": 8000,
    "frontend": 8080,
    "edge": 8081,
    "history": 8082,
    "matching": 8083,
    "worker": 8084,
    "timer": 8085,
    "visibility": 8086,
    "control-plane": 8087,
    "scheduler": 8088,
}
"""Seeds 001 and 003 name the first three; the others are free to choose, and fixed here."""

PRESETS: Mapping[str, frozenset[str]] = {
    "all": frozenset(ROLES),
    "api": frozenset({"rest", "frontend", "history", "matching", "visibility", "edge", "control-plane"}),
    "scheduler": frozenset({"scheduler", "timer"}),
}
"""Sets with a name (contract C9); the preset `worker` is the role itself, and `scheduler` is the preset."""

log = logger("serve")


def roles_of(text: str) -> frozenset[str]:
    """Read what `--roles` says: roles and presets, separated by commas.

    Raises:
        SettingInvalid: A name is neither.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    found: set[str] = set()
    for name in names:
        if name in PRESETS:
            found |= PRESETS[name]
        elif name in ROLES:
            found.add(name)
        else:
            raise SettingInvalid(
                f"There is no role {name!r}. Roles: {', '.join(ROLES)}; presets: {', '.join(PRESETS)}.",
                setting="--roles",
            )
    if not found:
        raise SettingInvalid("--roles names no role.", setting="--roles")
    return frozenset(found)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Serving:
    """A process that serves.

    Attributes:
        ports: Where it listens, by role.
        process: What runs in it.
        owner: Of the installation, with the password when it was made just now; None without a control plane.
    """

    ports: Mapping[str, int]
    process: Process
    owner: "Owner | None"


@contextlib.asynccontextmanager
async def serving_roles(
    settings: Settings, roles: Set[str], *, nodes: NodeRegistry | None = None
) -> AsyncIterator[Serving]:
    """Serve some roles for as long as the context lasts.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    _require_near(settings)
    async with contextlib.AsyncExitStack() as stack:
        listeners = _bind(settings, roles, stack)
        ports = {role: listener.getsockname()[1] for role, listener in listeners.items()}
        running = await stack.enter_async_context(process(settings, roles, nodes=nodes))
        await stack.enter_async_context(observed(settings, roles))
        health = Health(_checks(running), roles=sorted(roles), token=settings.metrics_token)
        where = tempfile.mkdtemp(prefix="linkflow-")
        stack.callback(_remove, Path(where))
        inner = f"unix:{where}/grpc" if not settings.tls_cert else "127.0.0.1:0"
        bound = await stack.enter_async_context(serving(inner, running.parts, running.trust))
        inside = await stack.enter_async_context(_http(_engine_app(running, health), None))
        for role, listener in listeners.items():
            if role not in ("rest", "edge"):
                await stack.enter_async_context(OnePort(bound.address, inside).listening(listener))
        owner: Owner | None = None
        if running.plane is not None and running.side is not None:
            from linkflow.apps.wiring_control import background, ensure_owner  # others start quicker without

            owner = await ensure_owner(settings, running.plane)
            await stack.enter_async_context(
                background(running.side, running.plane, roles & {"rest", "scheduler"})
            )
            if "rest" in roles:
                from linkflow.api.app import create_app  # others start quicker without it

                url = settings.public_url or f"http://{settings.host}:{ports['rest']}"
                app = create_app(
                    running.plane,
                    public_url=url,
                    health=health,
                    logs_access=settings.access_log,
                    members=running.cluster,
                    task_queues=running.queues,
                )
                await stack.enter_async_context(_http(app, listeners["rest"], settings.trusted_proxies))
                word = dataclasses.replace(settings, port=ports["rest"])
                await stack.enter_async_context(access(word, running.plane.sign_ins, owner))
        if "edge" in roles:
            from linkflow.apps.edge import edge

            opened = await stack.enter_async_context(
                edge(settings, running.cluster, side=running.side, port=_port(settings, "edge"))
            )
            ports["edge"] = opened.port
            running.told.meet(opened.door)
        addresses = {role: _address(settings, role, port, bound.address) for role, port in ports.items()}
        running.cluster.say(state="ready", addresses=addresses)
        stack.callback(_drain, running, health)  # before anything else ends
        yield Serving(ports=ports, process=running, owner=owner)


def _engine_app(running: Process, health: Health) -> ASGIApp:
    """Build what the ports of the engine's roles answer over HTTP."""
    app = health_app(health)
    if "frontend" not in running.parts:
        return app
    door = EngineDoor(
        running.parts["frontend"], running.visibility, running.directory, running.trust, SystemIds()
    )
    return door.in_front_of(app)


def _checks(running: Process) -> Sequence[Check]:
    """Say what the process needs."""

    async def peers() -> str:
        missing = running.missing()
        if missing:
            raise Unavailable(f"It waits for processes with these roles: {', '.join(missing)}.")
        return "Every role that is needed can be reached."

    async def database() -> str:
        await running.database.pool.fetchval("SELECT 1")
        return "It answers."

    roles = [Check(role, look) for role, look in running.looks.items()]
    return [Check("peers", peers), Check("database", database), *roles]


@contextlib.asynccontextmanager
async def _http(
    app: ASGIApp, listener: socket.socket | None, proxies: Sequence[str] = ()
) -> AsyncIterator[uvicorn.Server]:
    """Serve HTTP on a socket, or on connections that are handed over."""
    config = http_config(app, proxies)
    server = Server(config)
    if listener is None:
        config.load()
        yield server
        return
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await server.accepts.wait()
        yield server
    finally:
        server.should_exit = True
        await running


def _port(settings: Settings, role: str) -> int:
    """Say where a role listens."""
    said = dict(settings.ports)
    if role in said:
        return said[role]
    return settings.port if role == "rest" else PORTS[role]


def _bind(settings: Settings, roles: Set[str], stack: contextlib.AsyncExitStack) -> dict[str, socket.socket]:
    """Take the ports before anything is started; the edge takes its own.

    Raises:
        Unavailable: Somebody else has one.
    """
    found: dict[str, socket.socket] = {}
    for role in sorted(roles - {"edge"}):
        port = _port(settings, role)
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        try:
            listener = socket.create_server((settings.host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise Unavailable(
                f"Port {port} on {settings.host} for {role} cannot be taken ({error.strerror}). "
                f"Is such a process running already? Else choose another: LINKFLOW_PORTS={role}=0.",
                code="serve.port_taken",
            ) from error
        found[role] = stack.enter_context(contextlib.closing(listener))
    return found


def _require_near(settings: Settings) -> None:
    """Refuse to talk in the clear beyond this machine, unless that was wished.

    Raises:
        InsecureRefused: The address is beyond, and there is no TLS.
    """
    if settings.tls_cert is None and not settings.insecure and not is_near(f"{settings.host}:0"):
        raise InsecureRefused(
            f"{settings.host} is beyond this machine, and processes would talk in the clear: give a "
            "certificate, its key and the authority (LINKFLOW_TLS_CERT, LINKFLOW_TLS_KEY, LINKFLOW_TLS_CA), "
            "or say --insecure where the network itself is trusted."
        )


def _address(settings: Settings, role: str, port: int, inner: str) -> str:
    """Say where others reach a role; on one machine gRPC without the detour over the port."""
    if settings.advertise is None and is_near(f"{settings.host}:0"):
        return f"{settings.host}:{port}" if role in ("rest", "edge") else inner
    host = settings.advertise or settings.host
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = socket.gethostbyname(socket.gethostname())
    return f"{host}:{port}"


def _drain(running: Process, health: Health) -> None:
    """Say that no new calls should come."""
    health.state = "draining"
    running.cluster.say(state="draining")


def _remove(folder: Path) -> None:
    """Remove the folder of the socket."""
    with contextlib.suppress(OSError):
        (folder / "grpc").unlink(missing_ok=True)
        folder.rmdir()


async def serve_roles(settings: Settings, roles: Set[str], say: Callable[[str], None]) -> None:
    """Serve some roles until the process is asked to stop (SIGINT, SIGTERM).

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with serving_roles(settings, roles) as running:
        collect_rarely()
        where = ", ".join(f"{role} {port}" for role, port in sorted(running.ports.items()))
        say(f"ready on {settings.host}: {where}")
        await stopping.wait()
        say("draining")


def run_roles(settings: Settings, text: str, say: Callable[[str], None]) -> None:
    """Serve some roles in this thread, on the fast event loop where there is one."""
    roles = roles_of(text)
    set_up(settings.log_level, as_json=not sys.stderr.isatty(), secrets=secrets_of(settings))
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve_roles(settings, roles, say))
