"""TaskQueue on RabbitMQ quorum queues.

The broker knows neither workspaces nor tasks that wait already, so a task queue is twelve quorum queues:
three bands of priority by four partitions of workspaces. A member prefetches WINDOW tasks of each into a
window in its memory, and what it takes from there is exactly fair and exactly in order of priority. Beyond
the window, workspaces of one partition come in order of arrival, and so do priorities of one band.

    publish ─► known? ─► quorum queue, confirmed ─► [first take: consume] ─► window ─► take ─► done: ack
                              ▲                                                 │
                              └────────── nobody took for IDLE_S ◄──────────────┘

What fails and what happens then. A connection or a queue is gone: calls raise `Unavailable`, the beat
connects and declares again, and `lost` returns. A queue was purged: all of them are empty while this member
remembers tasks it published; `lost` returns after EMPTY_S (also when peers took them, which costs a look and
no more). A member dies: the broker gives its tasks to others. A queue is full, or a task was published and
not taken yet: it is left out. A payload that is no task, or was given out DELIVERIES times: it goes to the
dead letter exchange, for people.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import DeliveryError, PublishError

from linkflow import telemetry
from linkflow.adapters.rabbitmq.broken import BROKEN, pass_on_a_stop, quietly
from linkflow.domain.errors import Unavailable
from linkflow.ports.commands import TaskId
from linkflow.ports.queue import TaskQueue

BANDS = {"high": range(4), "default": range(4, 7), "low": range(7, 10)}
PARTITIONS = 4
WINDOW = 64
"""Tasks of one quorum queue that a member holds."""

IDLE_S = 30.0
"""A member that took nothing for so long gives its window back."""

EMPTY_S = 3.0
DELIVERIES = 20
MOST = 100_000
"""Tasks that a member remembers to have published, and that a quorum queue holds; the rest is History's."""

DEAD_LETTERS = 10_000
BEAT_S = 1.0
FILL_S = 0.5
"""How long the first take waits for the window to fill, so that the order is right from the beginning."""

TIMEOUT_S = 5.0
log = telemetry.logger("rabbitmq")


class _Link:
    """A connection with a channel for each kind of work, so that a failed look does not stop the others."""

    def __init__(
        self,
        connection: AbstractConnection,
        publishing: AbstractChannel,
        consuming: AbstractChannel,
        looking: AbstractChannel,
    ) -> None:
        self.connection, self.publishing = connection, publishing
        self.consuming, self.looking = consuming, looking


class _Backlog:
    """The quorum queues of one task queue.

    Attributes:
        ready: Tasks that wait at the broker, by quorum queue, as of the last look.
        consumed: Quorum queues that are consumed, with the consumers' tags.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.queues: dict[str, AbstractQueue] = {}
        self.ready: dict[str, int] = {}
        self.consumed: dict[str, str] = {}
        self.took_at = time.monotonic()


class RabbitTaskQueue:
    """A member of the task queues kept in one RabbitMQ; make it with `running`."""

    def __init__(self, url: str, window: TaskQueue, *, prefix: str = "linkflow") -> None:
        self._url, self._window, self._prefix = url, window, prefix
        self._link: _Link | None = None
        self._backlogs: dict[str, _Backlog] = {}
        self._declaring = asyncio.Lock()
        self._known: set[TaskId] = set()
        self._waiting: set[TaskId] = set()
        self._held: dict[TaskId, list[AbstractIncomingMessage]] = {}
        self._empty_since: float | None = None
        self._arrived, self._lost, self._filled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, url: str, window: TaskQueue, *, prefix: str = "linkflow") -> AsyncIterator[Self]:
        """Be a member for as long as the context lasts.

        Args:
            url: amqp:// or amqps:// address.
            window: An empty queue in memory, which puts what this member holds in order.
            prefix: Of every name at the broker.

        Raises:
            Unavailable: RabbitMQ does not answer.
        """
        member = cls(url, window, prefix=prefix)
        try:
            await member._open()
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(member._beat())
                try:
                    yield member
                finally:
                    beat.cancel()
        finally:
            await member._drop()

    def __len__(self) -> int:
        """Count what is in the window, and what the broker had besides at the last look."""
        return len(self._window) + sum(sum(each.ready.values()) for each in self._backlogs.values())

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks by queue, as of the last look."""
        held = self._window.depth()
        return {
            name: sum(backlog.ready.values()) + held.get(name, 0) for name, backlog in self._backlogs.items()
        }

    async def arrived(self) -> None:
        """Wait for tasks of others; see the port."""
        await self._arrived.wait()
        self._arrived.clear()

    async def lost(self) -> None:
        """Wait for a loss; see the port."""
        await self._lost.wait()
        self._lost.clear()

    # ------------------------------------------------------------ publishing

    async def publish(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks in one batch, and wait until the broker confirms them; see the port."""
        link = self._require()
        fresh = [task for task in dict.fromkeys(tasks) if task not in self._known]
        fresh = fresh[: max(0, MOST - len(self._known))]
        self._known.update(fresh)
        for name in {task.queue for task in fresh}:
            await self._backlog(link, name)
        ends = await asyncio.gather(*(self._send(link, task) for task in fresh), return_exceptions=True)
        failed = [(task, end) for task, end in zip(fresh, ends, strict=True) if end is not None]
        self._known.difference_update(task for task, _ in failed)
        for _, error in failed:
            if not isinstance(error, DeliveryError) or isinstance(error, PublishError):
                await self._drop()
                raise Unavailable(f"RabbitMQ did not take tasks: {error}") from error
        if failed:
            log.warning("a queue is full; History publishes again", left_out=len(failed))

    async def _send(self, link: _Link, task: TaskId) -> None:
        message = aio_pika.Message(msgspec.json.encode(task), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        name = self._name(task)
        await link.publishing.default_exchange.publish(message, name, timeout=TIMEOUT_S)
        backlog = self._backlogs[task.queue]
        if name not in backlog.consumed:
            backlog.ready[name] = backlog.ready.get(name, 0) + 1

    def _name(self, task: TaskId) -> str:
        """Name the quorum queue of a task."""
        band = next((band for band, priorities in BANDS.items() if task.priority in priorities), "low")
        partition = zlib.crc32(task.workspace_id.encode()) % PARTITIONS
        return f"{self._prefix}.jobs.{task.queue}.{band}.{partition}"

    async def _backlog(self, link: _Link, name: str) -> _Backlog:
        """Find a task queue, declaring it the first time.

        Raises:
            Unavailable: The broker does not answer.
        """
        async with self._declaring:
            backlog = self._backlogs.setdefault(name, _Backlog(name))
            if backlog.queues:
                return backlog
            try:
                queues = [
                    await link.consuming.declare_queue(
                        f"{self._prefix}.jobs.{name}.{band}.{partition}",
                        durable=True,
                        arguments={
                            "x-queue-type": "quorum",
                            "x-delivery-limit": DELIVERIES,
                            "x-dead-letter-exchange": f"{self._prefix}.jobs.dead",
                            "x-max-length": MOST,
                            "x-overflow": "reject-publish",
                        },
                        timeout=TIMEOUT_S,
                    )
                    for band in BANDS
                    for partition in range(PARTITIONS)
                ]
            except BROKEN as error:
                pass_on_a_stop()
                await self._drop()
                raise Unavailable(f"RabbitMQ did not declare the queue {name}: {error}") from error
            pass_on_a_stop()
            backlog.ready = {queue.name: queue.declaration_result.message_count or 0 for queue in queues}
            backlog.queues = {queue.name: queue for queue in queues}
            return backlog

    # ------------------------------------------------------------ taking

    async def take(self, queues: Sequence[str], count: int) -> Sequence[TaskId]:
        """Take tasks from the window; the first take begins to fill it."""
        link = self._require()
        for name in queues:
            backlog = await self._backlog(link, name)
            backlog.took_at = time.monotonic()
            if not backlog.consumed:
                await self._consume(link, backlog)
        found = await self._window.take(queues, count)
        self._known.difference_update(found)
        self._waiting.difference_update(found)
        return found

    async def done(self, tasks: Sequence[TaskId]) -> None:
        """Acknowledge; what the broker does not hear of it gives out again, which does no harm."""
        for task in tasks:
            for message in self._held.pop(task, ()):
                with quietly():
                    await message.ack()

    async def _consume(self, link: _Link, backlog: _Backlog) -> None:
        """Begin to fill the window, and wait a moment until it is."""
        expected = len(self._window) + sum(min(WINDOW, ready) for ready in backlog.ready.values())

        async def came(message: AbstractIncomingMessage) -> None:
            await self._came(backlog, message)

        try:
            for name, queue in backlog.queues.items():
                backlog.consumed[name] = await queue.consume(came, timeout=TIMEOUT_S)
        except BROKEN as error:
            pass_on_a_stop()
            await self._drop()
            raise Unavailable(f"RabbitMQ gave no tasks of {backlog.name}: {error}") from error
        pass_on_a_stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(FILL_S):
                while len(self._window) < expected:
                    self._filled.clear()
                    await self._filled.wait()

    async def _came(self, backlog: _Backlog, message: AbstractIncomingMessage) -> None:
        """Put a delivered task into the window."""
        name = message.routing_key or ""
        backlog.ready[name] = max(0, backlog.ready.get(name, 0) - 1)
        try:
            task = msgspec.json.decode(message.body, type=TaskId)
        except msgspec.DecodeError as error:
            log.error("a task cannot be read", queue=backlog.name, error=str(error))
            with quietly():
                await message.reject(requeue=False)
            return
        if task in self._waiting:
            with quietly():
                await message.ack()
            return
        self._waiting.add(task)
        self._held.setdefault(task, []).append(message)
        await self._window.publish([task])
        self._filled.set()
        self._arrived.set()

    # ------------------------------------------------------------ the connection

    def _require(self) -> _Link:
        """Find the connection.

        Raises:
            Unavailable: There is none just now.
        """
        if self._link is None:
            raise Unavailable("RabbitMQ is not connected; it is tried again.")
        return self._link

    async def _open(self) -> None:
        """Connect, and declare where dead letters go.

        Raises:
            Unavailable: RabbitMQ does not answer.
        """
        try:
            connection = await aio_pika.connect(self._url, timeout=TIMEOUT_S)
            publishing = await connection.channel(publisher_confirms=True, on_return_raises=True)
            consuming = await connection.channel(publisher_confirms=False)
            await consuming.set_qos(prefetch_count=WINDOW)
            dead = await consuming.declare_exchange(
                f"{self._prefix}.jobs.dead", aio_pika.ExchangeType.FANOUT, durable=True
            )
            letters = await consuming.declare_queue(
                f"{self._prefix}.jobs.dlq",
                durable=True,
                arguments={"x-queue-type": "quorum", "x-max-length": DEAD_LETTERS},
            )
            await letters.bind(dead)
            looking = await connection.channel(publisher_confirms=False)
        except BROKEN as error:
            pass_on_a_stop()
            raise Unavailable(f"RabbitMQ did not answer: {error}") from error
        self._link = _Link(connection, publishing, consuming, looking)

    async def _drop(self) -> None:
        """Leave the connection, if there is one; the broker gives what was held here to others."""
        link, self._link = self._link, None
        self._known.clear()
        self._waiting.clear()
        self._held.clear()
        await self._window.take(list(self._backlogs), len(self._window))
        for name in self._backlogs:
            self._backlogs[name] = _Backlog(name)
        if link is not None:
            with quietly():
                await link.connection.close()

    async def _beat(self) -> None:
        """Connect again when the connection is gone, and look what waits at the broker."""
        while True:
            pass_on_a_stop()
            await asyncio.sleep(BEAT_S)
            try:
                if self._link is None:
                    await self._open()
                    log.warning("connected again; open tasks are published again")
                    self._lost.set()
                link = self._require()
                for name in list(self._backlogs):
                    await self._look(link, await self._backlog(link, name))
            except BROKEN as error:
                pass_on_a_stop()
                log.warning("RabbitMQ is away or was wiped", error=str(error))
                await self._drop()
            else:
                self._suspect()
                if len(self):
                    self._arrived.set()

    async def _look(self, link: _Link, backlog: _Backlog) -> None:
        """Count what waits at the broker, and give the window back when nobody takes from it."""
        for name in list(backlog.queues):
            queue = await link.looking.declare_queue(name, passive=True, timeout=TIMEOUT_S)
            backlog.ready[name] = queue.declaration_result.message_count or 0
        if backlog.consumed and time.monotonic() - backlog.took_at > IDLE_S:
            for name, tag in backlog.consumed.items():
                await backlog.queues[name].cancel(tag)
            backlog.consumed.clear()
            left = await self._window.take([backlog.name], len(self._window))
            self._waiting.difference_update(left)
            for message in [message for task in left for message in self._held.pop(task, ())]:
                await message.nack(requeue=True)

    def _suspect(self) -> None:
        """Tell a loss when everything is empty although tasks were published and not taken."""
        if len(self) or not self._known:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = time.monotonic()
        elif time.monotonic() - self._empty_since >= EMPTY_S:
            self._empty_since = None
            self._known.clear()
            self._lost.set()
