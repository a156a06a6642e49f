"""A whole LinkFlow in one process: database, engine, control plane, application.

Order of the database: `LINKFLOW_DATABASE_URL`, else an embedded PostgreSQL below `LINKFLOW_HOME`. With
`LINKFLOW_ENGINE_DATABASE_URL` event histories are in a database of their own; nothing joins across.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.http import GuardedHttpClient
from linkflow.adapters.sandbox import SandboxedCode
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.sql.schema import migrate
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.api.app import create_app, database_check
from linkflow.api.health import Health
from linkflow.apps.brokers import open_blobs, open_coordination, open_queue, sweep_s
from linkflow.apps.observability import observed
from linkflow.apps.schema import require_schema
from linkflow.apps.settings import Settings, database_urls
from linkflow.apps.wiring import Engine, EngineParts, engine
from linkflow.apps.wiring_control import (
    EngineSide,
    background,
    build_control,
    ensure_owner,
    open_control,
)
from linkflow.control.accounts import Owner
from linkflow.control.plane import ControlPlane
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports.services import QueueView


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A running LinkFlow.

    Attributes:
        database: Of the control plane.
        engine_database: Of the engine; the same one unless another was named.
        owner: With the password when it was made just now.
    """

    app: ASGIApp
    health: Health
    plane: ControlPlane
    engine: Engine
    database: Database
    engine_database: Database
    postgres: EmbeddedPostgres | None
    owner: Owner


@asynccontextmanager
async def installation(
    settings: Settings,
    say: Callable[[str], None],
    *,
    nodes: NodeRegistry | None = None,
    postgres: EmbeddedPostgres | None = None,
) -> AsyncIterator[Installation]:
    """Run everything for as long as the context lasts.

    Args:
        settings: What a person set.
        say: Told what takes time, one line each.
        nodes: The catalogue; by default the built-in nodes and those of installed packages.
        postgres: The embedded server, where it was started already; it is stopped at the end.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    clock, ids = SystemClock(), SystemIds()
    async with AsyncExitStack() as stack:
        urls = dict(database_urls(settings))
        if not urls:
            postgres = postgres or await EmbeddedPostgres.start(settings.home, say=say)
            keeping = await stack.enter_async_context(asyncio.TaskGroup())
            stack.push_async_callback(postgres.stop)
            keeping.create_task(postgres.keep(say), name="embedded PostgreSQL")
            urls = {"LINKFLOW_DATABASE_URL": postgres.dsn}
            await migrate(postgres.dsn, say)
        else:
            for name, url in urls.items():
                await require_schema(name, url)
        databases: list[Database] = []
        for url in dict.fromkeys(urls.values()):
            databases.append(await Database.open(url))
            stack.push_async_callback(databases[-1].close)
        database, engine_database = databases[0], databases[-1]
        http, code = GuardedHttpClient(settings.outbound_allow), SandboxedCode()
        stack.push_async_callback(http.close)
        stack.push_async_callback(code.close)
        nodes = nodes or NodeRegistry.discover()
        blobs, specs = await open_blobs(settings), SqlSpecStore(engine_database)
        queue = await stack.enter_async_context(open_queue(settings))
        shared = await stack.enter_async_context(open_coordination(settings))
        side = open_control(
            settings, database, specs, nodes, clock, ids, shared=shared, engine_database=engine_database
        )
        running = await stack.enter_async_context(
            engine(
                EngineParts(
                    database=engine_database,
                    nodes=nodes,
                    http=http,
                    code=code,
                    blobs=blobs,
                    broker=side.broker,
                    specs=specs,
                    directory=side.executables,
                    bus=side.bus,
                    secret=side.secret,
                    queue=queue,
                    mirror=shared.cache if settings.redis_url is not None else None,
                    sweep_s=sweep_s(settings),
                    slots=settings.worker_slots,
                    drain_s=settings.drain_s,
                    clock=clock,
                    ids=ids,
                )
            )
        )
        plane = build_control(
            side,
            EngineSide(
                frontend=running.frontend,
                visibility=running.visibility,
                specs=specs,
                letters=running.letters,
                blobs=blobs,
            ),
        )
        owner = await ensure_owner(settings, plane)
        await stack.enter_async_context(background(side, plane))
        await stack.enter_async_context(observed(settings))
        health = Health([database_check(plane)], roles=["all"], token=settings.metrics_token)

        async def task_queues() -> Sequence[QueueView]:
            return running.matching.queues()

        app = create_app(
            plane,
            public_url=settings.public_url or f"http://{settings.host}:{settings.port}",
            health=health,
            task_queues=task_queues,
            logs_access=settings.access_log,
        )
        yield Installation(
            app=app,
            health=health,
            plane=plane,
            engine=running,
            database=database,
            engine_database=engine_database,
            postgres=postgres,
            owner=owner,
        )
