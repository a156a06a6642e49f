"""`linkflow up --workers N`: more cores on one machine, by the means of many machines.

This process is a whole LinkFlow and has the embedded PostgreSQL; N more processes have the role worker. They
are started again, after longer and longer pauses, when they end by themselves, and end with this one.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.schema import migrate
from linkflow.apps.serve import collect_rarely
from linkflow.apps.serve_roles import Serving, serving_roles
from linkflow.apps.settings import Settings, secrets_of
from linkflow.control.accounts import Owner
from linkflow.ports.cluster import ROLES
from linkflow.telemetry import logger, set_up

PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Before a worker that ended is started again: at first, and at most."""

STEADY_S = 60.0
"""A worker that lived so long is started again at once."""

GRACE_S = 5.0
"""What a worker may take to end beyond the time that its attempts have."""

ONE = "linkflow.apps.one_worker"
"""The module that is a worker."""

WHOLE = frozenset(ROLES) - {"edge"}

log = logger("workers")


@contextlib.asynccontextmanager
async def with_workers(settings: Settings, count: int, say: Callable[[str], None]) -> AsyncIterator[Serving]:
    """Run a whole LinkFlow and more workers for as long as the context lasts.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    async with contextlib.AsyncExitStack() as stack:
        if settings.database_url is None:
            postgres = await EmbeddedPostgres.start(settings.home, say=say)
            stack.push_async_callback(postgres.stop)
            await migrate(postgres.dsn, say)
            settings = replace(settings, database_url=postgres.dsn)
        said = dict(settings.ports)
        ports = {role: said.get(role, 0) for role in sorted(WHOLE - {"rest"})}
        settings = replace(settings, ports=tuple(ports.items()))
        running = await stack.enter_async_context(serving_roles(settings, WHOLE))
        environment = os.environ | {
            "LINKFLOW_DATABASE_URL": settings.database_url or "",
            "LINKFLOW_HOME": str(settings.home),
            "LINKFLOW_PORTS": "worker=0",
            "LINKFLOW_SECRET": running.process.trust.secret,
        }
        group = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = [
            group.create_task(_keep_one(number, environment, settings.drain_s))
            for number in range(1, count + 1)
        ]
        try:
            yield running
        finally:
            for task in tasks:
                task.cancel()


async def _keep_one(number: int, environment: Mapping[str, str], drain_s: float) -> None:
    """Keep one worker process running."""
    loop = asyncio.get_running_loop()
    pause_s = PAUSE_S
    while True:
        began_at = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", ONE, env=environment, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process, drain_s + GRACE_S)
            raise
        if loop.time() - began_at > STEADY_S:
            pause_s = PAUSE_S
        log.warning("a worker ended; it is started again", worker=number, code=code, after_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


async def _end(process: asyncio.subprocess.Process, grace_s: float) -> None:
    """Let a worker end its attempts, and cut it off when it takes too long."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(grace_s):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def run(
    settings: Settings, count: int, say: Callable[[str], None], ready: Callable[[Owner, str], None]
) -> None:
    """Run until the process is asked to stop."""
    set_up(settings.log_level, as_json=not sys.stderr.isatty(), secrets=secrets_of(settings))

    async def main() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with with_workers(settings, count, say) as running:
            collect_rarely()
            assert running.owner is not None, "a whole LinkFlow has one"
            ready(running.owner, settings.public_url or f"http://{settings.host}:{running.ports['rest']}")
            await stopping.wait()

    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
