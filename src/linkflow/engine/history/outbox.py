"""Committed messages leave: to the projector, to other executions, to whoever asked to be called.

A message is a row written with its events. In the common case it is handed over in memory right after the
commit and its row is deleted once it was delivered; after a crash the rows that are left are delivered
again. Receivers deduplicate: by execution id, by event number, by version.

    committed ──► queue in memory ──► deliver ──► acknowledge (delete the row)
         └──────► row in engine.outbox ──► sweep (older than a while) ──┘
"""

import asyncio
from collections.abc import Sequence

import msgspec

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError, NodeError, NotFound, Invalid
from linkflow.domain.execution.events import Parent
from linkflow.engine.history.tickets import Tickets
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import CallbackSender
from linkflow.ports.services import DeadLetter, History, StartExecution, WorkflowDirectory
from linkflow.ports.stores import DeadLetters, HistoryStore, Message

SWEEP_S = 5.0
"""How often rows that were left behind are looked for."""

STALE_S = 15.0
"""A message older than this and still there was left behind."""

BATCH = 500

CALLBACK_PATIENCE_S = 24 * 3600.0
"""A callback that was not delivered for so long becomes a dead letter."""

log = telemetry.logger("outbox")


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
        clock: Clock,
        project: "asyncio.Queue[Message]",
    ) -> None:
        self._store = store
        self._directory = directory
        self._callbacks = callbacks
        self._letters = letters
        self._tickets = tickets
        self._clock = clock
        self._project = project
        self._history: History | None = None
        self._queue: asyncio.Queue[Message] = asyncio.Queue()
        self._under_way: set[tuple[str, int, str, str]] = set()

    def connect(self, history: History) -> None:
        """Say which History messages between executions go to."""
        self._history = history
        self._tickets.connect(history)

    @property
    def history(self) -> History:
        """The History that messages go to."""
        assert self._history is not None, "connect comes first"
        return self._history

    def deliver(self, messages: Sequence[Message]) -> None:
        """Take over messages whose record is durable."""
        for message in messages:
            if message.kind == "project":
                self._project.put_nowait(message)
                continue
            identity = (message.execution_id, message.number, message.kind, message.to)
            if identity not in self._under_way:
                self._under_way.add(identity)
                self._queue.put_nowait(message)

    async def run(self) -> None:
        """Deliver for ever, and look for what was left behind."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep(), name="outbox sweep")
            while True:
                message = await self._queue.get()
                group.create_task(self._deliver(message))

    async def sweep_once(self) -> int:
        """Deliver again what was left behind; how many messages there were."""
        messages = await self._store.messages(BATCH, self._clock.now() - STALE_S)
        self.deliver(messages)
        return len(messages)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sweep_once()
            except LinkFlowError as error:
                log.warning("sweep failed; it is tried again", error=str(error))
            await self._clock.sleep(SWEEP_S)

    async def _deliver(self, message: Message) -> None:
        """Deliver one message until it is; failing that it stays in its row for the sweep."""
        try:
            await self._hand_over(message)
            await self._store.acknowledge([message])
        except LinkFlowError as error:
            log.warning(
                "message not delivered",
                kind=message.kind,
                execution_id=message.execution_id,
                error=str(error),
            )
        finally:
            self._under_way.discard((message.execution_id, message.number, message.kind, message.to))

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
        except (NotFound, Invalid) as error:
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
        event = "node" if "node_id" in message.body else "execution"
        try:
            await self._callbacks.send(message.to, event, message.body)
        except LinkFlowError as error:
            started_at = (await self.history.view(message.execution_id)).started_at
            if self._clock.now() - started_at < CALLBACK_PATIENCE_S:
                raise
            await self._keep(message, "callback", str(error))

    async def _dead_letter(self, message: Message) -> None:
        await self._keep(message, "task", message.body["error"]["message"])

    async def _keep(self, message: Message, kind: str, reason: str) -> None:
        view = await self.history.view(message.execution_id)
        letter = DeadLetter(
            id=f"{message.execution_id}:{message.number}:{message.kind}",
            workspace_id=view.workspace_id,
            kind=kind,
            execution_id=message.execution_id,
            reason=reason,
            at=self._clock.now(),
            body={**message.body, "to": message.to, "workflow_id": view.workflow_id},
        )
        await self._letters.add(letter)
