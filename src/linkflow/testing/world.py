"""A world for one engine: stores that survive it, a network that fails, crashes, clients and a receiver.

The engine's services are the real ones over in-memory stores. A *life* is one process: when it is killed,
every call that it makes from then on ends it, so that nothing of it is tidied up. Whatever the world sees
that must never happen is a violation.
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.domain.errors import LinkFlowError, NotFound, Unavailable
from linkflow.domain.execution.events import (
    ActivityTaskCompleted,
    ActivityTaskLookUp,
    ActivityTaskStarted,
    Event,
)
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import WorkflowSpec, canonical_spec, content_hash
from linkflow.engine.frontend import Frontend
from linkflow.engine.history.outbox import Outbox
from linkflow.engine.history.service import History
from linkflow.engine.history.slots import Slots
from linkflow.engine.history.tickets import Tickets
from linkflow.engine.matching.service import Matching
from linkflow.engine.recovery.service import Recovery
from linkflow.engine.timer import Timer
from linkflow.engine.visibility.projector import Projector
from linkflow.engine.worker.activity import Activities
from linkflow.engine.worker.service import Worker
from linkflow.ports.services import (
    PublishedWorkflow,
    SignalExecution,
    StartExecution,
)
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import catalog
from linkflow.testing.fakes import MemoryBlobStore, RefusingCode
from linkflow.testing.memory_history import MemoryVisibilityStore
from linkflow.testing.memory_slots import MemorySlots
from linkflow.testing.memory_stores import (
    MemoryDeadLetters,
    MemoryLateResults,
    MemorySessions,
    MemorySpecStore,
    MemoryTickets,
)
from linkflow.testing.network import Link, Witness
from linkflow.testing.outside import Faults, Ids, OpenStore, Receiver
from linkflow.testing.virtual import VirtualClock

WORKSPACE = "workspace"

T = TypeVar("T")


class Life:
    """One process of the engine, from its start to its death."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.is_alive = True
        self.died = asyncio.Event()
        self._make()
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._ended)

    def _make(self) -> None:
        world, clock = self.world, VirtualClock()
        store: Any = Link(world.store, self, fails=True)
        visibility: Any = Link(world.visibility, self, fails=True)
        letters: Any = Link(world.letters, self, fails=True)
        sessions: Any = Link(world.sessions, self, fails=False)
        tickets: Any = Link(world.tickets, self, fails=False)
        slots: Any = Link(world.slots, self, fails=False)
        specs: Any = Link(world.specs, self, fails=False)
        late: Any = Link(world.late, self, fails=False)
        http: Any = Link(world.receiver, self, fails=False)
        self.matching, self.timer = Matching(MemoryTaskQueue()), Timer(store, clock)
        self.projector = Projector(visibility, clock, lambda workspace: None)
        self.outbox = Outbox(
            store=store,
            directory=world,
            callbacks=world,
            letters=letters,
            tickets=Tickets(tickets),
            slots=Slots(slots, clock),
            clock=clock,
            project=self.projector.add,
        )
        self.history = History(
            store=store,
            specs=specs,
            late=late,
            blobs=world.blobs,
            catalog=catalog(),
            matching=self.matching,
            timer=self.timer,
            clock=clock,
            ids=world.ids,
            deliver=self.outbox.deliver,
            changed=lambda execution: None,
        )
        history: Any = Witness(self.history, self)
        for service in (self.matching, self.timer, self.projector, self.outbox):
            service.connect(history)
        session = f"session-{world.ids.uuid()}"
        self.frontend = Frontend(self.history, lambda: 0)
        self.worker = Worker(
            session=session,
            history=history,
            matching=self.matching,
            sessions=sessions,
            activities=Activities(
                nodes=catalog(),
                http=http,
                code=RefusingCode(),
                blobs=world.blobs,
                broker=world,
                clock=clock,
            ),
            clock=clock,
            slots=world.rng.choice((1, 2, 256)),
        )
        self.recovery = Recovery(
            store=store,
            sessions=sessions,
            tickets=tickets,
            slots=slots,
            history=history,
            publish=self.matching.add,
            clock=clock,
            session=session,
        )

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self.history.own_tasks(group)
            for service in (self.matching, self.timer, self.projector, self.outbox, self.worker):
                group.create_task(service.run())
            await self.worker.ready.wait()
            group.create_task(self.recovery.run())

    def _ended(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if self.is_alive:
            self.world.violated(f"the engine stopped by itself: {error!r}")
        self.died.set()

    def kill(self) -> None:
        """End it as kill -9 does: nothing it does from now on has an effect."""
        self.is_alive = False
        self._task.cancel()
        self.died.set()

    def require_alive(self) -> None:
        """End the caller when the life is over."""
        if not self.is_alive:
            raise asyncio.CancelledError

    async def answer(self, call: Coroutine[Any, Any, T]) -> T:
        """Call the engine from outside.

        Raises:
            Unavailable: The process died before it answered.
        """
        if not self.is_alive:
            call.close()
            raise Unavailable("Nobody listens.")
        calling = asyncio.ensure_future(call)
        dying = asyncio.ensure_future(self.died.wait())
        await asyncio.wait({calling, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not calling.done() or calling.cancelled() or (self.died.is_set() and calling.exception()):
            calling.cancel()
            raise Unavailable("The connection broke.")
        return calling.result()


@dataclass
class World:
    """Everything outside of the engine, and what it did wrong."""

    rng: random.Random
    faults: Faults = field(default_factory=Faults)
    store: OpenStore = field(default_factory=OpenStore)

    def __post_init__(self) -> None:
        self.violations: list[str] = []
        self.ids: Any = Ids(self.rng)
        self.visibility = MemoryVisibilityStore(self.store)
        self.specs = MemorySpecStore()
        self.sessions = MemorySessions(VirtualClock())
        self.tickets = MemoryTickets(self.store.is_over)
        self.slots = MemorySlots(self.store.is_over)
        self.letters = MemoryDeadLetters()
        self.late = MemoryLateResults(VirtualClock())
        self.blobs = MemoryBlobStore()
        self.receiver = Receiver(self)
        self.graphs: dict[str, ExecutionGraph] = {}
        self.workflows: dict[str, str] = {}
        self.started: dict[str, str] = {}
        self.life = Life(self)

    # -- what the engine asks of the world

    async def published(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow:
        """Find a workflow."""
        if workflow_id not in self.workflows:
            raise NotFound("There is no such workflow.")
        return PublishedWorkflow(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            workflow_version=1,
            spec_hash=self.workflows[workflow_id],
        )

    async def send(self, url: str, event: str, body: Json) -> None:
        """Take a callback in."""

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """There are no credentials."""
        raise NotFound("There is no such credential.")

    # -- what must never happen

    def violated(self, what: str) -> None:
        """Note what must never happen."""
        self.violations.append(what)

    def records(self, execution: str) -> list[Recorded]:
        """What is durable of an execution."""
        return self.store.recorded(execution)

    def events(self, execution: str) -> list[Event]:
        """The durable history of an execution."""
        return [event for record in self.records(execution) for event in record.events]

    def require_started(self, execution: str, key: str, attempt: int) -> None:
        """An effect begins only after its start is durable."""
        durable = any(
            isinstance(event, ActivityTaskStarted) and (event.key, event.attempt) == (key, attempt)
            for event in self.events(execution)
        )
        if not durable:
            self.violated(f"the effect {execution}:{key} attempt {attempt} began before it was durable")

    def state(self, execution: str) -> ExecutionState | None:
        """Fold what is durable; a history that cannot be folded is a violation."""
        records = self.records(execution)
        graph = self.graphs[records[0].events[0].spec_hash] if records else None  # type: ignore[attr-defined]  # the first event
        if graph is None:
            return None
        try:
            return fold(execution, graph, records)
        except (LookupError, AssertionError) as error:
            self.violated(f"the history of {execution} cannot be folded: {error!r}")
            return None

    # -- what clients do

    async def publish(self, workflow_id: str, spec: WorkflowSpec) -> str:
        """Store a workflow under an id."""
        spec_hash = content_hash(spec)
        self.graphs[spec_hash] = ExecutionGraph(spec, catalog())
        await self.specs.put(WORKSPACE, spec_hash, canonical_spec(spec))
        self.workflows[workflow_id] = spec_hash
        return spec_hash

    async def start(self, workflow_id: str, request_id: str, trigger_input: Json) -> str:
        """Start an execution under an idempotency key, as often as it takes; its id."""
        command = StartExecution(
            workspace_id=WORKSPACE,
            workflow_id=workflow_id,
            spec_hash=self.workflows[workflow_id],
            input=trigger_input,
            request_id=request_id,
        )
        while True:
            life = self.life
            try:
                answer = await life.answer(life.frontend.start(command))
            except LinkFlowError:
                await asyncio.sleep(self.rng.choice((0.01, 0.5)))
                continue
            if not self.records(answer.execution_id):
                self.violated(f"the start of {answer.execution_id} was acknowledged and is not durable")
            if self.started.setdefault(request_id, answer.execution_id) != answer.execution_id:
                self.violated(f"the request {request_id} started two executions")
            return answer.execution_id

    async def signal_waits(self, every_s: float) -> None:
        """Send every wait for an event its event, more than once, for ever."""
        while True:
            await asyncio.sleep(every_s)
            for execution in self.store.known():
                state = self.state(execution)
                for key, wait in (state.waits if state else {}).items():
                    if wait.kind == "event":
                        signal = SignalExecution(execution_id=execution, id=f"{key}!", name=wait.name)
                        for _ in range(self.rng.choice((1, 1, 2))):
                            with suppress(LinkFlowError):
                                await self.life.answer(self.life.frontend.signal(signal))

    async def crash(self, pause_s: float, overlap_s: float = 0.0) -> None:
        """Kill the engine and start another, after a pause or, as a zombie's successor, before."""
        old = self.life
        if overlap_s:
            self.life = Life(self)
            await asyncio.sleep(overlap_s)
            old.kill()
            return
        old.kill()
        await asyncio.sleep(pause_s)
        self.life = Life(self)

    async def until_closed(self, executions: list[str], patience_s: float) -> None:
        """Wait until executions are over; those that are not in time are stuck."""
        waited_s = 0.0
        left = list(executions)
        while left and waited_s < patience_s:
            await asyncio.sleep(5.0)
            waited_s += 5.0
            left = [each for each in left if (state := self.state(each)) is None or not state.is_closed]
        for each in left:
            state = self.state(each)
            self.violated(f"{each} is stuck as {state.status() if state else 'unknown'}")

    def effect_attempt(self, execution: str, key: str, attempt: int) -> int:
        """The attempt at the effect that an attempt is, or looks up."""
        for event in self.events(execution):
            if isinstance(event, ActivityTaskLookUp) and (event.key, event.attempt) == (key, attempt):
                return attempt - event.look_up
        return attempt

    def completed(self, execution: str) -> set[tuple[str, int]]:
        """Attempts that the durable history says went well."""
        return {
            (event.key, event.attempt)
            for event in self.events(execution)
            if isinstance(event, ActivityTaskCompleted)
        }
