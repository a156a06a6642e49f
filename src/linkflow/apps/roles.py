"""Roles: what a process of `linkflow serve --roles` does, and how it reaches the others.

Any set of roles makes a process. Its services of the engine are direct calls to each other
(`apps/services.py`); those that it lacks are reached over lines to the members that have them
(`adapters/grpc`). Nothing waits for anybody at the start: a process whose peers are missing is there, says
in its log and under `/ready` for what it waits, and goes on when they come.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from linkflow import __version__
from linkflow.adapters.grpc.clients import (
    ControlPlaneClient,
    FrontendClient,
    HistoryClient,
    TimerClient,
    VisibilityClient,
)
from linkflow.adapters.grpc.dispatch import DispatchDesk
from linkflow.adapters.grpc.lines import Lines, lines
from linkflow.adapters.grpc.polling import PollClient
from linkflow.adapters.grpc.queues import QueuesClient
from linkflow.adapters.grpc.trust import Trust
from linkflow.adapters.http import GuardedHttpClient
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.sandbox import SandboxedCode
from linkflow.adapters.sql.clock import SqlClock
from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.sql.members import SqlConfigs, SqlMembers
from linkflow.adapters.sql.statements import Statements
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.adapters.vault import keep_key
from linkflow.apps.brokers import (
    Coordination,
    FreshCache,
    FreshPrepared,
    open_blobs,
    open_coordination,
    open_queue,
)
from linkflow.apps.presence import Look, lead, looks, say_what_is_missing, tell_losses
from linkflow.apps.run_time import Told, run_time_settings
from linkflow.apps.schema import require_schema
from linkflow.apps.secret_files import SIGNING_SECRET
from linkflow.apps.settings import SettingInvalid, Settings, database_urls
from linkflow.apps.wiring import ENGINE, EngineParts, Services
from linkflow.domain.values import Json
from linkflow.engine.cluster import Cluster
from linkflow.engine.recovery.service import BROKER_SWEEP_S, Among
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports import services as ports
from linkflow.ports.clock import Clock
from linkflow.ports.cluster import ROLES, Member

if TYPE_CHECKING:
    from linkflow.apps.wiring_control import ControlSide
    from linkflow.control.plane import ControlPlane

WITH_CONTROL = frozenset({"rest", "scheduler", "control-plane"})
"""Roles that need the records and keys of the control plane."""

WITH_PLANE = frozenset({"rest", "scheduler"})
"""Those of them that need its use cases, too."""


class Clients:
    """The services of other processes; see `apps.services.Reach`. What is not asked for is not connected."""

    def __init__(self, found: Lines, among: Among, ids: SystemIds) -> None:
        self.among = among
        self._lines = found
        self._ids = ids

    @cached_property
    def _frontend(self) -> FrontendClient:
        return FrontendClient(self._lines, self._ids)

    @cached_property
    def _history(self) -> HistoryClient:
        return HistoryClient(self._lines, self._ids)

    def frontend(self) -> ports.Frontend:
        """Reach the front door."""
        return self._frontend

    def history(self) -> ports.History:
        """Reach History."""
        return self._history

    def dispatch(self, gone: Callable[[Sequence[str]], Awaitable[None]]) -> ports.Dispatch:
        """Reach Matching, as History does."""
        desk = DispatchDesk(self._lines)
        desk.connect(gone)
        return desk

    def poll(self, busy: Callable[[], int]) -> ports.Poll:
        """Reach Matching, as a worker does."""
        client = PollClient(self._lines)
        client.connect(busy)
        return client

    def timer(self) -> ports.Timer:
        """Reach Timer."""
        return TimerClient(self._lines)

    def visibility(self) -> ports.Visibility:
        """Reach Visibility."""
        return VisibilityClient(self._lines)

    def control_plane(self) -> ControlPlaneClient:
        """Reach whoever has the control plane."""
        return ControlPlaneClient(self._lines)


class ControlDesk:
    """What other processes ask the control plane for: secrets, versions, and how the cluster is."""

    def __init__(self, side: "ControlSide", cluster: Cluster) -> None:
        self.open = side.broker.open
        self.published = side.executables.published
        self.status = cluster.status
        self.config = cluster.config
        self.configure = cluster.configure


@dataclass(frozen=True, kw_only=True)
class Process:
    """A running process of some roles.

    Attributes:
        cluster: What it knows of the others.
        trust: What it shows to others.
        database: Of the engine.
        parts: What it serves over gRPC, by role.
        looks: Say of a role whether it can work; raise Unavailable when not.
        plane: The control plane's use cases; None where no role needs them.
        side: The control plane's records and keys, likewise.
        directory: Finds published versions of workflows.
        visibility: Lists executions, here or elsewhere.
        told: What it was told at run time.
        missing: Names the roles that it needs and cannot reach just now.
        queues: Asks the active Matching how the task queues stand.
    """

    cluster: Cluster
    trust: Trust
    database: Database
    parts: Mapping[str, Any]
    looks: Mapping[str, Look]
    plane: "ControlPlane | None"
    side: "ControlSide | None"
    directory: ports.WorkflowDirectory
    visibility: ports.Visibility
    told: Told
    missing: Callable[[], Sequence[str]]
    queues: Callable[[], Awaitable[Sequence[ports.QueueView]]]


def trust_of(settings: Settings) -> Trust:
    """Say what this process shows to others and asks of them.

    Raises:
        SettingInvalid: Some of the three TLS files were named, and some not.
        Invalid: A file cannot be read.
    """
    secret = keep_key(settings.home / "keys", SIGNING_SECRET, given=settings.secret)
    cert, key, authority = settings.tls_cert, settings.tls_key, settings.tls_ca
    if cert is not None and key is not None and authority is not None:
        return Trust.from_files(secret, cert, key, authority, name=settings.tls_name or "")
    if cert is not None or key is not None or authority is not None:
        raise SettingInvalid(
            "LINKFLOW_TLS_CERT, LINKFLOW_TLS_KEY and LINKFLOW_TLS_CA belong together; set all three or none.",
            setting="LINKFLOW_TLS_CERT",
        )
    return Trust(secret=secret, allow_insecure=settings.insecure)


@asynccontextmanager
async def process(
    settings: Settings, roles: Set[str], *, nodes: NodeRegistry | None = None
) -> AsyncIterator[Process]:
    """Run a process of some roles for as long as the context lasts.

    Raises:
        LinkFlowError: It cannot start; the message says what to do.
    """
    ids, catalog = SystemIds(), nodes or NodeRegistry.discover()
    async with AsyncExitStack() as stack:
        database, engine_database = await _open_databases(settings, stack)
        clock = SqlClock(engine_database, SystemClock())
        await clock.set()
        await _keep_running(stack, clock.run())
        trust = replace(trust_of(settings), now=clock.now)
        told = Told(settings)
        cluster = _cluster(settings, roles, engine_database, clock, ids, told)
        await cluster.look()
        await _keep_running(stack, cluster.run())
        found = await stack.enter_async_context(lines(cluster, trust))
        leases = SqlLeases(Statements(database.pool))
        among = Among(holder=cluster.member.id, leases=leases, peers=cluster)
        clients = Clients(found, among, ids)
        shared = await _coordination(settings, stack)
        specs, blobs = SqlSpecStore(engine_database), await open_blobs(settings)
        side = None
        if not roles.isdisjoint(WITH_CONTROL):
            from linkflow.apps.wiring_control import open_control  # others start quicker without it

            side = open_control(
                settings,
                database,
                specs,
                catalog,
                clock,
                ids,
                shared=shared,
                engine_database=engine_database,
            )
        broker: ports.CredentialBroker = NOBODY
        directory: ports.WorkflowDirectory = NOBODY
        if side is not None:
            broker, directory = side.broker, side.executables
        elif not roles.isdisjoint({"history", "worker", "frontend"}):
            broker = directory = clients.control_plane()
        http, code = GuardedHttpClient(settings.outbound_allow), SandboxedCode()
        stack.push_async_callback(http.close)
        stack.push_async_callback(code.close)
        queue = await stack.enter_async_context(open_queue(settings)) if "matching" in roles else None
        here = Services(
            EngineParts(
                database=engine_database,
                nodes=catalog,
                http=http,
                code=code,
                blobs=blobs,
                broker=broker,
                specs=specs,
                directory=directory,
                bus=shared.bus,
                secret=trust.secret,
                queue=queue or MemoryTaskQueue(),
                mirror=shared.cache if settings.redis_url is not None else None,
                sweep_s=BROKER_SWEEP_S,
                slots=told.worker_slots,
                drain_s=settings.drain_s,
                clock=clock,
                ids=ids,
            ),
            roles & ENGINE,
            clients,
        )
        told.worker = here.here.get("worker")
        parts = dict(await stack.enter_async_context(here.running()))
        plane = None
        if side is not None and not roles.isdisjoint(WITH_PLANE):
            from linkflow.apps.wiring_control import EngineSide, build_control

            plane = build_control(
                side,
                EngineSide(
                    frontend=parts["frontend"] if "frontend" in parts else clients.frontend(),
                    visibility=parts["visibility"] if "visibility" in parts else clients.visibility(),
                    specs=specs,
                    letters=here.letters,
                    blobs=blobs,
                ),
            )
        if side is not None:
            parts["control-plane"] = ControlDesk(side, cluster)
        if queue is not None:
            await _keep_running(stack, lead(cluster, leases, clock))
            await _keep_running(stack, tell_losses(cluster, queue))
        await _keep_running(stack, say_what_is_missing(cluster, found, clock))
        yield Process(
            cluster=cluster,
            trust=trust,
            database=engine_database,
            parts={role: part for role, part in parts.items() if role in roles and role != "worker"},
            looks=looks(here.here, here.recovery, cluster),
            plane=plane,
            side=side,
            directory=directory,
            visibility=parts["visibility"] if "visibility" in parts else clients.visibility(),
            told=told,
            missing=found.missing,
            queues=QueuesClient(found).queues,
        )


class _Nobody:
    """Stands where no role of the process asks."""

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """Open nothing."""
        raise AssertionError("no role of this process opens credentials")

    async def published(self, workspace_id: str, workflow_id: str) -> ports.PublishedWorkflow:
        """Find nothing."""
        raise AssertionError("no role of this process looks for workflows")


NOBODY = _Nobody()


async def _open_databases(settings: Settings, stack: AsyncExitStack) -> tuple[Database, Database]:
    """Open the databases of the control plane and of the engine; the same one unless two were named."""
    urls = database_urls(settings)
    if not urls:
        raise SettingInvalid(
            "Processes with roles share a PostgreSQL: set LINKFLOW_DATABASE_URL. On one machine "
            "`linkflow up --workers N` starts one for all of them.",
            setting="LINKFLOW_DATABASE_URL",
        )
    opened: list[Database] = []
    for name, url in urls.items():
        await require_schema(name, url)
    for url in dict.fromkeys(urls.values()):
        opened.append(await Database.open(url))
        stack.push_async_callback(opened[-1].close)
    return opened[0], opened[-1]


def _cluster(
    settings: Settings,
    roles: Set[str],
    database: Database,
    clock: Clock,
    ids: SystemIds,
    told: Told,
) -> Cluster:
    member = Member(
        id=f"{socket.gethostname()}-{os.getpid()}-{ids.uuid()[:8]}",
        roles=sorted(roles, key=ROLES.index),
        state="starting",
        release=__version__,
    )
    return Cluster(
        member, SqlMembers(database), SqlConfigs(database), clock, run_time_settings(settings, told)
    )


async def _coordination(settings: Settings, stack: AsyncExitStack) -> Coordination:
    """Share what processes share; without Redis what others may change is kept for a moment only."""
    found = await stack.enter_async_context(open_coordination(settings))
    if settings.redis_url is not None:
        return found
    return replace(found, prepared=FreshPrepared(), cache=FreshCache())


async def _keep_running(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run something until the stack is left."""
    task = asyncio.ensure_future(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
