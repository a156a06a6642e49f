"""Committed messages leave: to the projector, to other executions, to whoever asked to be called.

A message is a row written with its events. In the common case it is handed over in memory right after the
commit and its row is deleted once it was delivered; after a crash the rows that are left are delivered
again. Receivers deduplicate: by execution id, by event number, by version.

    committed ──► lane in memory ──► deliver ──► acknowledge (delete the row)
         └──────► row in engine.outbox ──► sweep (left behind, or of the last run) ──┘

Messages between executions go one after the other per sender, so that a child is never cancelled before it
was started; when one fails, those behind it wait for the sweep with it. Callbacks to the outside carry their
event number and go alone: a receiver that does not answer holds up nobody but itself, is tried again after
longer and longer pauses, and ends as a dead letter after a day.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError, NodeError, NotFound, Unavailable
from linkflow.domain.execution.events import Parent
from linkflow.engine.history.slots import Slots
from linkflow.engine.history.tickets import Tickets
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import CallbackSender
from linkflow.ports.services import DeadLetter, History, StartExecution, WorkflowDirectory
from linkflow.ports.stores import PROJECTED, DeadLetters, HistoryStore, Lane, Message
from linkflow.ports.views import HEAD
from linkflow.telemetry import metrics, tracing

SWEEP_S = 5.0
"""How often rows that were left behind are looked for."""

STALE_S = 15.0
"""A message older than this and still there was left behind."""

BATCH = 500
AGAIN_S = 0.1
"""When a sweep finds a full batch, the next follows after this."""

PATIENCE_S = 24 * 3600.0
"""What was not delivered for so long becomes a dead letter."""

QUICK_S = (0.1, 0.5, 2.0)
"""Pauses before a message between executions is tried again; after that the sweep brings it."""

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 1800.0

AT_ONCE = 8
"""Callbacks under way to one address."""

Identity = tuple[str, int, str, str]

log = telemetry.logger("outbox")
_delivered = metrics.counters("linkflow_outbox_delivered_total")
_failed = metrics.counters("linkflow_outbox_failures_total")


class Outbox:
    """Delivers what executions send; at least once, in order per execution."""

    def __init__(
        self,
        *,
        store: HistoryStore,
        directory: WorkflowDirectory,
        callbacks: CallbackSender,
        letters: DeadLetters,
        tickets: Tickets,
        slots: Slots,
        clock: Clock,
        project: Callable[[Message], None] | None,
        is_shared: bool = False,
    ) -> None:
        """Put it together.

        Args:
            store: Where messages wait.
            directory: Finds what is to be started.
            callbacks: Calls addresses.
            letters: What was given up on.
            tickets: Concurrency limits.
            slots: Rate limits and debounces.
            clock: Times everything.
            project: Takes messages to the read model; None where another process claims them.
            is_shared: Other members deliver from the same store: what was left behind is claimed.
        """
        self._is_shared = is_shared
        self._store = store
        self._directory = directory
        self._callbacks = callbacks
        self._letters = letters
        self._tickets = tickets
        self._slots = slots
        self._clock = clock
        self._project = project
        self._history: History | None = None
        self._lanes: dict[str, deque[Message]] = {}
        self._to_serve: asyncio.Queue[str] = asyncio.Queue()
        self._under_way: set[Identity] = set()
        self._addresses: dict[str, _Address] = {}
        self._began_at = clock.now()

    def connect(self, history: History) -> None:
        """Say which History messages between executions go to."""
        self._history = history
        self._tickets.connect(history)
        self._slots.connect(history)

    @property
    def history(self) -> History:
        """The History that messages go to."""
        assert self._history is not None, "connect comes first"
        return self._history

    def deliver(self, messages: Sequence[Message]) -> None:
        """Take over messages whose record is durable. Safe to repeat."""
        for message in messages:
            if message.kind in PROJECTED:
                if self._project is not None:
                    self._project(message)
                continue
            identity = _identity(message)
            if identity in self._under_way:
                continue
            self._under_way.add(identity)
            is_alone = message.kind == "callback"
            name = (
                f"{message.execution_id}:{message.number}:{message.to}" if is_alone else message.execution_id
            )
            lane = self._lanes.get(name)
            if lane is None:
                self._lanes[name] = deque([message])
                self._to_serve.put_nowait(name)
            else:
                lane.append(message)

    async def run(self) -> None:
        """Deliver for ever, and look for what was left behind."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="outbox sweep")
            while True:
                group.create_task(self._serve(await self._to_serve.get()))

    async def sweep_once(self) -> bool:
        """Deliver what was left behind, and at first what the last run left; whether there is more."""
        if self._is_shared:
            return await self._sweep_claimed()
        older_than = max(self._clock.now() - STALE_S, self._began_at)
        is_full = False
        for callbacks in (False, True):
            messages = await self._store.messages(BATCH, older_than, callbacks=callbacks)
            self.deliver(messages)
            is_full = is_full or len(messages) == BATCH
        return is_full

    async def _sweep_claimed(self) -> bool:
        """Deliver what this or another member left behind; what is under way elsewhere is younger."""
        lanes: tuple[Lane, ...] = ("executions", "callbacks")
        if self._project is not None:
            lanes = (*lanes, "projections")
        now = self._clock.now()
        is_full = False
        for lane in lanes:
            messages = await self._store.claim(BATCH, now - STALE_S, now, lane)
            self.deliver(messages)
            is_full = is_full or len(messages) == BATCH
        return is_full

    async def _sweep(self) -> None:
        while True:
            pause_s = SWEEP_S
            try:
                if await self.sweep_once():
                    pause_s = AGAIN_S
            except LinkFlowError as error:
                log.warning("sweep failed; it is tried again", error=str(error))
            except Exception:  # a bug must not end the sweeps
                log.exception("sweep failed; it is tried again")
            await self._clock.sleep(pause_s)

    async def _serve(self, name: str) -> None:
        """Deliver a lane in order; what cannot be delivered stays in its row, with all behind it."""
        lane = self._lanes[name]
        try:
            while lane and await self._deliver(lane[0]):
                self._under_way.discard(_identity(lane.popleft()))
        finally:
            del self._lanes[name]
            self._under_way.difference_update(map(_identity, lane))

    async def _deliver(self, message: Message) -> bool:
        """Deliver one message; False when it was not."""
        pauses_s = iter(() if message.kind == "callback" else QUICK_S)
        while True:
            try:
                await self._hand_over(message)
                await self._store.acknowledge([message])
            except Unavailable as error:
                _failed[message.kind].inc()
                log.warning(
                    "not delivered yet",
                    kind=message.kind,
                    execution_id=message.execution_id,
                    error=str(error),
                )
                if message.kind == "callback":
                    return await self._give_up(message, str(error))
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    return False
                await self._clock.sleep(pause_s)
            except Exception as error:  # a bug must not stop the other messages
                log.exception("not delivered", kind=message.kind, execution_id=message.execution_id)
                return await self._give_up(message, f"{type(error).__name__}: {error}")
            else:
                _delivered[message.kind].inc()
                return True

    async def _give_up(self, message: Message, reason: str) -> bool:
        """Put a message off, longer each time; after a day keep it as a dead letter instead."""
        now = self._clock.now()
        try:
            if now - message.at < PATIENCE_S:
                pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, (now - message.at) / 2))
                await self._store.postpone([message], now + pause_s - STALE_S)
                return False
            await self._keep(message, message.kind, reason)
            await self._store.acknowledge([message])
        except LinkFlowError as error:
            log.warning("not put off", execution_id=message.execution_id, error=str(error))
            return False
        return True

    async def _hand_over(self, message: Message) -> None:
        match message.kind:
            case "start":
                await self._start(message)
            case "child_closed":
                await self._child_closed(message)
            case "cancel":
                try:
                    await self.history.cancel(message.to, message.body["reason"], "parent")
                except NotFound:
                    log.info("nothing to cancel", execution_id=message.to)
            case "callback":
                await self._callback(message)
            case "ticket":
                await self._tickets.ask(message)
            case "release":
                await self._tickets.give_back(message.to, message.execution_id)
            case "slot" | "slot_back":
                await self._slots.take_in(message)
            case "dead_letter":
                await self._dead_letter(message)
            case other:
                raise AssertionError(f"no delivery for messages of kind {other}")

    async def _start(self, message: Message) -> None:
        """Start a child or an error workflow; a workflow that cannot start is told to the parent."""
        body = dict(message.body)
        try:
            target = await self._directory.published(body["workspace_id"], body["workflow_id"])
            body["workflow_id"] = target.workflow_id
            body["workflow_version"] = target.workflow_version
            body["spec_hash"] = target.spec_hash
            body["execution_id"] = message.to
            await self.history.start(msgspec.convert(body, StartExecution))
        except Unavailable:
            raise
        except LinkFlowError as error:
            if "parent" not in body:
                await self._keep(message, "start", str(error))
                return
            parent = msgspec.convert(body["parent"], Parent)
            failure = NodeError(code=error.code, kind=error.kind, message=str(error))
            await self.history.child_closed(parent, message.to, "failed", None, failure)

    async def _child_closed(self, message: Message) -> None:
        body = message.body
        error = msgspec.convert(body["error"], NodeError) if body["error"] else None
        parent = msgspec.convert(body["parent"], Parent)
        await self.history.child_closed(parent, message.execution_id, body["status"], body["output"], error)

    async def _callback(self, message: Message) -> None:
        """Call an address; those behind one that failed meanwhile need not fail one by one."""
        event = "node" if "node_id" in message.body else "execution"
        address = self._addresses.setdefault(message.to, _Address())
        asked_at = self._clock.monotonic()
        address.users += 1
        try:
            async with address.room:
                if address.failed_at >= asked_at:
                    raise Unavailable("The receiver failed to answer another call just now.")
                with tracing.span(f"callback {event}", message.execution_id, kind="producer"):
                    await self._callbacks.send(message.to, event, message.body)
        except LinkFlowError:
            address.failed_at = self._clock.monotonic()
            raise
        finally:
            address.users -= 1
            if not address.users:
                del self._addresses[message.to]

    async def _dead_letter(self, message: Message) -> None:
        await self._keep(message, message.body.get("kind", "task"), message.body["error"]["message"])

    async def _keep(self, message: Message, kind: str, reason: str) -> None:
        view = await self.history.view(message.execution_id, HEAD)
        letter = DeadLetter(
            id=f"{message.execution_id}:{message.number}:{message.kind}",
            workspace_id=view.workspace_id,
            kind=kind,
            execution_id=message.execution_id,
            reason=reason,
            at=self._clock.now(),
            body={"workflow_id": view.workflow_id, **message.body, "to": message.to},
        )
        await self._letters.add(letter)


class _Address:
    """An address that callbacks go to."""

    def __init__(self) -> None:
        self.room = asyncio.Semaphore(AT_ONCE)
        self.users = 0
        self.failed_at = -1.0


def _identity(message: Message) -> Identity:
    return message.execution_id, message.number, message.kind, message.to
