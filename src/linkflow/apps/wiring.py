"""The engine put together in one process: every service, local calls, its own tasks.

async with engine(parts) as running:
    await running.frontend.start(...)
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import (
    SqlDeadLetters,
    SqlLateResults,
    SqlSessions,
    SqlSpecStore,
    SqlTickets,
)
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.partitions import ensure_partitions, keep_partitions
from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.adapters.system import SystemClock, SystemIds
from linkflow.engine.frontend import Frontend
from linkflow.engine.history.callbacks import Callbacks
from linkflow.engine.history.outbox import Outbox
from linkflow.engine.history.service import History
from linkflow.engine.history.tickets import Tickets
from linkflow.engine.load import Load
from linkflow.engine.matching.service import Matching
from linkflow.engine.recovery import SWEEP_S, Recovery
from linkflow.engine.timer import Timer
from linkflow.engine.visibility.mirror import MirroredVisibility
from linkflow.engine.visibility.projector import Projector
from linkflow.engine.visibility.service import Visibility
from linkflow.engine.worker.activity import Activities
from linkflow.engine.worker.service import SLOTS, Worker
from linkflow.nodes.registry import NodeRegistry
from linkflow.ports.coordination import Cache, EventBus
from linkflow.ports.outbound import BlobStore, CodeRunner, HttpClient
from linkflow.ports.queue import TaskQueue
from linkflow.ports.services import CredentialBroker, WorkflowDirectory

DRAIN_S = 10.0
"""How long attempts under way may go on when the process is asked to stop."""


@dataclass(frozen=True, kw_only=True)
class EngineParts:
    """What the engine needs from the rest of the process.

    Attributes:
        sweep_s: How often every open execution is looked at.
        slots: Attempts that the worker runs at once.
        mirror: Told how executions ended, for others to see; None for nobody.
    """

    database: Database
    nodes: NodeRegistry
    http: HttpClient
    code: CodeRunner
    blobs: BlobStore
    broker: CredentialBroker
    specs: SqlSpecStore
    directory: WorkflowDirectory
    bus: EventBus
    secret: str
    queue: TaskQueue = field(default_factory=MemoryTaskQueue)
    sweep_s: float = SWEEP_S
    slots: int = SLOTS
    mirror: Cache | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    ids: SystemIds = field(default_factory=SystemIds)


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


@asynccontextmanager
async def engine(parts: EngineParts) -> AsyncIterator[Engine]:
    """Run every service of the engine for as long as the context lasts."""
    clock, database = parts.clock, parts.database
    load = Load(clock)
    store, letters = SqlHistoryStore(database, load.committed), SqlDeadLetters(database)
    sessions, visibility_store = SqlSessions(database), SqlVisibilityStore(database)
    matching, timer = Matching(parts.queue), Timer(store, clock)
    projector = Projector(
        visibility_store if parts.mirror is None else MirroredVisibility(visibility_store, parts.mirror),
        clock,
        lambda workspace_id: parts.bus.publish(f"executions:{workspace_id}"),
    )
    outbox = Outbox(
        store=store,
        directory=parts.directory,
        callbacks=Callbacks(parts.http, parts.secret, clock),
        letters=letters,
        tickets=Tickets(SqlTickets(database)),
        clock=clock,
        project=projector.add,
    )
    history = History(
        store=store,
        specs=parts.specs,
        late=SqlLateResults(database),
        blobs=parts.blobs,
        catalog=parts.nodes,
        matching=matching,
        timer=timer,
        clock=clock,
        ids=parts.ids,
        deliver=outbox.deliver,
        changed=lambda execution_id: parts.bus.publish(f"execution:{execution_id}"),
    )
    for service in (matching, timer, projector, outbox):
        service.connect(history)
    session = f"embedded-{parts.ids.uuid()}"
    worker = Worker(
        session=session,
        history=history,
        matching=matching,
        sessions=sessions,
        activities=Activities(
            nodes=parts.nodes,
            http=parts.http,
            code=parts.code,
            blobs=parts.blobs,
            broker=parts.broker,
            clock=clock,
        ),
        clock=clock,
        slots=parts.slots,
    )
    recovery = Recovery(
        store=store,
        sessions=sessions,
        history=history,
        clock=clock,
        session=session,
        lost=parts.queue.lost,
        sweep_s=parts.sweep_s,
    )
    await ensure_partitions(database, clock.now())
    async with store.running(), asyncio.TaskGroup() as group:
        history.own_tasks(group)
        upkeep = keep_partitions(database, clock)
        runs = (matching.run(), timer.run(), projector.run(), outbox.run(), worker.run(), load.run(), upkeep)
        tasks: Sequence[asyncio.Task[None]] = [group.create_task(run) for run in runs]
        await worker.ready.wait()
        tasks = [*tasks, group.create_task(recovery.run(), name="recovery")]
        try:
            yield Engine(
                frontend=Frontend(history, lambda: history.backlog, load.reason),
                visibility=Visibility(visibility_store, letters),
                letters=letters,
                store=store,
                history=history,
                matching=matching,
                worker=worker,
                recovery=recovery,
            )
        finally:
            await worker.drain(DRAIN_S)
            history.stop()
            for task in tasks:
                task.cancel()
