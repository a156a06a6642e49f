"""The engine put together: the services of one process, direct calls between them, tasks of their own.

async with engine(parts) as running:
    await running.frontend.start(...)

`engine` is all of it in one process that has the database to itself. `services` is what a process of some
roles has, beside others (`apps/roles.py`); what it lacks it reaches through `Reach`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlDeadLetters, SqlLateResults, SqlSessions, SqlSpecStore
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.partitions import ensure_partitions
from linkflow.adapters.sql.slots import SqlSlots
from linkflow.adapters.sql.tickets import SqlTickets
from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.engine.frontend import Frontend
from linkflow.engine.history.callbacks import Callbacks
from linkflow.engine.history.outbox import Outbox
from linkflow.engine.history.service import History
from linkflow.engine.history.slots import Slots
from linkflow.engine.history.tickets import Tickets
from linkflow.engine.load import Load
from linkflow.engine.matching.service import Matching
from linkflow.engine.ranges import Ranges
from linkflow.engine.recovery.service import SWEEP_S, Among, Recovery
from linkflow.engine.timer import Timer
from linkflow.engine.visibility.mirror import MirroredVisibility
from linkflow.engine.visibility.projector import Claims, Projector
from linkflow.engine.visibility.service import Visibility
from linkflow.engine.worker.activity import Activities
from linkflow.engine.worker.service import SLOTS, Worker
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports import services as ports
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Cache, EventBus
from linkflow.ports.outbound import BlobStore, CodeRunner, HttpClient
from linkflow.ports.queue import TaskQueue

ENGINE = frozenset({"frontend", "history", "matching", "worker", "timer", "visibility"})
"""Roles that are services of the engine."""


@dataclass(frozen=True, kw_only=True)
class EngineParts:
    """What the engine needs from the rest of the process.

    Attributes:
        sweep_s: How often every open execution is looked at.
        slots: Attempts that the worker runs at once.
        drain_s: How long attempts under way may go on when the process is asked to stop.
        mirror: Told how executions ended, for others to see; None for nobody.
    """

    database: Database
    nodes: NodeRegistry
    http: HttpClient
    code: CodeRunner
    blobs: BlobStore
    broker: ports.CredentialBroker
    specs: SqlSpecStore
    directory: ports.WorkflowDirectory
    bus: EventBus
    secret: str
    queue: TaskQueue = field(default_factory=MemoryTaskQueue)
    sweep_s: float = SWEEP_S
    slots: int = SLOTS
    drain_s: float = 10.0
    mirror: Cache | None = None
    clock: Clock = field(default_factory=SystemClock)
    ids: SystemIds = field(default_factory=SystemIds)


class Reach(Protocol):
    """The services of other processes; each is asked for only where this process lacks it."""

    among: Among

    def history(self) -> ports.History:
        """Reach History."""
        ...

    def dispatch(self, gone: Callable[[Sequence[str]], Awaitable[None]]) -> ports.Dispatch:
        """Reach Matching, as History does; `gone` is told of worker sessions that are over."""
        ...

    def poll(self, busy: Callable[[], int]) -> ports.Poll:
        """Reach Matching, as a worker does; `busy` counts the attempts in hand."""
        ...

    def timer(self) -> ports.Timer:
        """Reach Timer."""
        ...


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A running engine."""

    frontend: Frontend
    visibility: Visibility
    letters: SqlDeadLetters
    store: SqlHistoryStore
    history: History
    matching: Matching
    worker: Worker
    recovery: Recovery


class Services:
    """The engine's services of one process.

    Attributes:
        here: The services by role.
        store: Histories; also read where History is elsewhere.
        letters: Dead letters.
        recovery: Beside History.
    """

    def __init__(self, parts: EngineParts, roles: Set[str], reach: Reach | None) -> None:
        """Put it together.

        Args:
            parts: What the engine needs.
            roles: Some of `ENGINE`; all of them when there is nobody else. One Matching of the cluster is
                active: History and the worker use the one beside them only when all three are together.
            reach: The others; None when the store is ours alone.
        """
        self._parts, self._roles, self._reach = parts, roles, reach
        self._is_whole = roles >= {"history", "matching", "worker"}
        self._load = Load(parts.clock)
        self.store = SqlHistoryStore(parts.database, self._load.committed)
        self.letters = SqlDeadLetters(parts.database)
        self.here: dict[str, Any] = {}
        self.recovery: Recovery | None = None
        self._sessions = SqlSessions(parts.database)
        self._session = f"{reach.among.holder if reach is not None else 'embedded'}-{parts.ids.uuid()}"
        self._runs: list[Coroutine[Any, Any, None]] = [self._load.run()]
        self._connected: list[Any] = []
        self._projector = self._make_projector()
        for role, add in (
            ("matching", self._add_matching),
            ("timer", self._add_timer),
            ("visibility", self._add_visibility),
            ("history", self._add_history),
        ):
            if role in roles:
                add()
        is_needed = bool(self._connected) or not roles.isdisjoint({"frontend", "worker"})
        if is_needed:
            history = self.here.get("history") or self._others.history()
            for service in self._connected:
                service.connect(history)
            if "worker" in roles:
                self._add_worker(history)
            if "frontend" in roles:
                self._add_frontend(history)

    @property
    def _others(self) -> Reach:
        assert self._reach is not None, "who is alone has every role"
        return self._reach

    def _make_projector(self) -> Projector:
        parts, store = self._parts, SqlVisibilityStore(self._parts.database)
        return Projector(
            store if parts.mirror is None else MirroredVisibility(store, parts.mirror),
            parts.clock,
            lambda workspace_id: parts.bus.publish(f"executions:{workspace_id}"),
        )

    def _add(self, role: str, service: Any) -> None:
        self.here[role] = service
        self._runs.append(service.run())
        self._connected.append(service)

    def _add_matching(self) -> None:
        self._add("matching", Matching(self._parts.queue))

    def _add_timer(self) -> None:
        ranges = None
        if self._reach is not None:
            among = self._reach.among
            ranges = Ranges(
                "timer",
                among.leases,
                self._parts.clock,
                among.holder,
                sharers=lambda: len(among.peers.of("timer")),
            )
        self._add("timer", Timer(self.store, self._parts.clock, ranges))

    def _add_visibility(self) -> None:
        self.here["visibility"] = Visibility(SqlVisibilityStore(self._parts.database), self.letters)
        self._connected.append(self._projector)
        self._runs.append(self._projector.run())
        if "history" not in self._roles:
            self._runs.append(Claims(self.store, self._projector, self._parts.clock).run())

    def _add_history(self) -> None:
        parts, is_shared = self._parts, self._reach is not None
        tickets, slots = SqlTickets(parts.database), SqlSlots(parts.database)
        outbox = Outbox(
            store=self.store,
            directory=parts.directory,
            callbacks=Callbacks(parts.http, parts.secret, parts.clock),
            letters=self.letters,
            tickets=Tickets(tickets),
            slots=Slots(slots, parts.clock),
            clock=parts.clock,
            project=self._projector.add if "visibility" in self._roles else None,
            is_shared=is_shared,
        )
        dispatch = (
            self.here["matching"]
            if self._is_whole
            else self._others.dispatch(lambda sessions: self.here["history"].sessions_lost(sessions))
        )
        history = History(
            store=self.store,
            specs=parts.specs,
            late=SqlLateResults(parts.database),
            blobs=parts.blobs,
            catalog=parts.nodes,
            matching=dispatch,
            timer=self.here["timer"] if "timer" in self._roles else self._others.timer(),
            clock=parts.clock,
            ids=parts.ids,
            deliver=outbox.deliver,
            changed=lambda execution_id: parts.bus.publish(f"execution:{execution_id}"),
            is_shared=is_shared,
        )
        self.here["history"] = history
        self._connected.append(outbox)
        self._runs.append(outbox.run())
        self.recovery = Recovery(
            store=self.store,
            sessions=self._sessions,
            tickets=tickets,
            slots=slots,
            history=history,
            publish=dispatch.add,
            clock=parts.clock,
            session=self._session,
            lost=parts.queue.lost if "matching" in self._roles else None,
            sweep_s=parts.sweep_s,
            among=self._reach.among if self._reach is not None else None,
            everywhere=self._reach.history().sessions_lost if self._reach is not None else None,
        )

    def _add_worker(self, history: ports.History) -> None:
        parts = self._parts
        worker = Worker(
            session=self._session,
            history=history,
            matching=self.here["matching"]
            if self._is_whole
            else self._others.poll(lambda: self.here["worker"].busy()),
            sessions=self._sessions,
            activities=Activities(
                nodes=parts.nodes,
                http=parts.http,
                code=parts.code,
                blobs=parts.blobs,
                broker=parts.broker,
                clock=parts.clock,
            ),
            clock=parts.clock,
            slots=parts.slots,
        )
        self.here["worker"] = worker
        self._runs.append(worker.run())

    def _add_frontend(self, history: ports.History) -> None:
        local: History | None = self.here.get("history")
        backlog = (lambda: local.backlog) if local is not None else (lambda: 0)
        self.here["frontend"] = Frontend(history, backlog, self._load.reason)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Mapping[str, Any]]:
        """Run for as long as the context lasts; at its end the worker ends its attempts first."""
        history: History | None = self.here.get("history")
        worker: Worker | None = self.here.get("worker")
        async with AsyncExitStack() as stack:
            if history is not None:
                await ensure_partitions(self._parts.database, self._parts.clock.now())
                await stack.enter_async_context(self.store.running())
            group = await stack.enter_async_context(asyncio.TaskGroup())
            if history is not None:
                history.own_tasks(group)
            tasks = [group.create_task(run) for run in self._runs]
            if worker is not None and self._reach is None:
                await worker.ready.wait()
            if self.recovery is not None:
                tasks.append(group.create_task(self.recovery.run(), name="recovery"))
            try:
                yield self.here
            finally:
                if worker is not None:
                    await worker.drain(self._parts.drain_s)
                if history is not None:
                    history.stop()
                for task in tasks:
                    task.cancel()


@asynccontextmanager
async def engine(parts: EngineParts) -> AsyncIterator[Engine]:
    """Run every service of the engine, alone on its store, for as long as the context lasts."""
    whole = Services(parts, ENGINE, None)
    assert whole.recovery is not None, "it comes with History"
    async with whole.running() as here:
        shown = {role: service for role, service in here.items() if role != "timer"}
        yield Engine(**shown, letters=whole.letters, store=whole.store, recovery=whole.recovery)
