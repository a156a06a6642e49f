"""One LinkFlow process: start everything, serve, stop in order.

Order of the stop: no new requests, requests under way end, attempts under way end, then the database.
"""

import asyncio
import contextlib
import dataclasses
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from linkflow.api.behind import Behind
from linkflow.api.health import Health
from linkflow.apps.local_access import LocalAccess, keep_access
from linkflow.apps.settings import Settings, database_urls, secrets_of
from linkflow.domain.errors import Unavailable
from linkflow.domain.forwarding import Trust
from linkflow.nodes.registry import NodeRegistry
from linkflow.telemetry import set_up

if TYPE_CHECKING:
    from linkflow.adapters.embedded import EmbeddedPostgres
    from linkflow.apps.installation import Installation
    from linkflow.control.accounts import Owner
    from linkflow.control.sign_ins import SignIns

GRACE_S = 15
RENEW_S = 12 * 3600.0
BACKLOG = 2_048
COLLECT_AFTER = (50_000, 20, 50)
"""Objects made and not freed before the young are looked at; then how often before the older, and all."""


def http_config(app: ASGIApp, proxies: Sequence[str] = ()) -> uvicorn.Config:
    """Say how HTTP is served.

    Args:
        app: What answers.
        proxies: Addresses and networks of those who may say on whose behalf they call.
    """
    return uvicorn.Config(
        Behind(app, Trust(proxies)) if proxies else app,
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
        timeout_keep_alive=65,
        proxy_headers=False,
    )


class Server(uvicorn.Server):
    """A server that leaves signals to `serve`, so that the engine is stopped after it and in order.

    Attributes:
        accepts: Set once it takes connections.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepts = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections."""
        await super().startup(sockets)
        self.accepts.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


def bind(settings: Settings) -> socket.socket:
    """Take the port before anything is started.

    Raises:
        Unavailable: Somebody else has it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Port {settings.port} on {settings.host} cannot be taken ({error.strerror}). "
            "Is LinkFlow running already? Else choose another: LINKFLOW_PORT=8001.",
            code="serve.port_taken",
        ) from error
    return listener


async def serve(
    settings: Settings,
    say: Callable[[str], None],
    ready: Callable[["Installation", str], None],
    *,
    nodes: NodeRegistry | None = None,
) -> None:
    """Run LinkFlow until it is asked to stop (SIGINT, SIGTERM; a second time at once).

    Args:
        settings: What a person set.
        say: Told what takes time, one line each.
        ready: Told once it can serve, with its address.
        nodes: The catalogue; by default the built-in nodes and those of installed packages.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    listener = bind(settings)
    settings = dataclasses.replace(settings, port=listener.getsockname()[1])
    url = settings.public_url or f"http://{settings.host}:{settings.port}"
    with contextlib.closing(listener):
        postgres = await _started_database(settings, say)
        from linkflow.apps.installation import installation

        async with (
            installation(settings, say, nodes=nodes, postgres=postgres) as running,
            access(settings, running.plane.sign_ins, running.owner),
        ):
            server = Server(http_config(running.app, settings.trusted_proxies))
            _stop_on_signals(server, running.health)
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            accepts = asyncio.ensure_future(server.accepts.wait())
            await asyncio.wait((serving, accepts), return_when=asyncio.FIRST_COMPLETED)
            accepts.cancel()
            if server.started:
                collect_rarely()
                ready(running, url)
            await serving


async def _started_database(settings: Settings, say: Callable[[str], None]) -> "EmbeddedPostgres | None":
    """Start the embedded database, and read LinkFlow's own code meanwhile: either takes about a second.

    Returns:
        The server; None where another database is named.
    """
    if database_urls(settings):
        return None
    from linkflow.adapters.embedded import EmbeddedPostgres

    needed = ["linkflow.apps.installation"]
    if not (settings.home / "postgres" / "data").exists():
        needed.append("linkflow.adapters.sql.migrations.alembic")  # there is a schema to make
    starting = asyncio.ensure_future(EmbeddedPostgres.start(settings.home, say=say))
    try:
        for name in needed:
            await asyncio.to_thread(import_module, name)
        return await asyncio.shield(starting)
    except BaseException:
        with contextlib.suppress(Exception):
            await (await starting).stop()
        raise


def collect_rarely() -> None:
    """Let the garbage collector leave alone what lives long.

    By default it walks through every object each few hundred executions, for 90 ms with 2,000 executions in
    memory. What was made before the start never becomes garbage, and the rest is mostly freed by counting.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@contextlib.asynccontextmanager
async def access(settings: Settings, sign_ins: "SignIns", owner: "Owner") -> AsyncIterator[None]:
    """Keep a token for the command line of this machine, and renew it while the process runs."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104  compared only

    from linkflow.control.sign_ins import TOKEN_S

    async def leave_word() -> None:
        token = await sign_ins.issue(owner.user, lasts_s=TOKEN_S)
        url = f"http://{host}:{settings.port}"
        keep_access(settings.home, LocalAccess(url=url, token=token.access_token, pid=os.getpid()))

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await leave_word()

    await leave_word()  # whoever sees that LinkFlow is ready may use the command line at once
    renewing = asyncio.ensure_future(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


def _stop_on_signals(server: Server, health: Health) -> None:
    """Let the first signal stop the server in peace, and the second at once."""

    def stop() -> None:
        health.state = "draining"
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def run(settings: Settings, say: Callable[[str], None], ready: Callable[["Installation", str], None]) -> None:
    """Run LinkFlow in this thread, on the fast event loop where there is one."""
    set_up(settings.log_level, as_json=not sys.stdout.isatty(), secrets=secrets_of(settings))
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(settings, say, ready))
