"""TaskQueue on Redis Streams.

A stream per workspace and priority, read through a consumer group; workspaces take turns inside Redis, so the
order is fair over all members (`script.STEP` has the keys).

    publish ─► known? ─► XADD ─► ready ─► [take: XREADGROUP] ─► pending of one member ─► done: XACK, XDEL
                                               ▲                        │
                                               └──── that member fell silent for DEAD_S

What fails and what happens then. Redis is wiped: its epoch is another one, seen at the next step or beat,
and `lost` returns. Redis is away: calls raise `Unavailable`, and `lost` returns once it is back, because
nobody can know what became of the calls that broke. A member dies: its pending tasks wait again after DEAD_S.
The queue is full: tasks are left out; History publishes them again. A nudge is lost: the beat looks every
BEAT_S.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from uuid import uuid4

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from linkflow import telemetry
from linkflow.adapters.redis.connection import TIMEOUT_S, connect
from linkflow.adapters.redis.script import STEP
from linkflow.domain.errors import Unavailable
from linkflow.ports.commands import TaskId

BEAT_S = 1.0
DEAD_S = 10.0
"""A member that was not heard of for so long is dead; what it had taken waits again."""

MOST = 100_000
"""Tasks that wait in one task queue; those beyond are left to History."""

AT_ONCE = 500
"""Tasks of one step, so that Redis answers others in between."""

DEAD_LETTERS = 10_000

log = telemetry.logger("redis")


class _Batch:
    """Tasks that are published together.

    Attributes:
        done: Set when they are; made by whoever came second.
    """

    def __init__(self) -> None:
        self.tasks: list[TaskId] = []
        self.done: asyncio.Future[None] | None = None
        self.is_driven = False


class RedisTaskQueue:
    """A member of the task queues kept in one Redis; make it with `running`."""

    def __init__(self, redis: "Redis", *, prefix: str = "linkflow", dead_s: float = DEAD_S) -> None:
        self._redis = redis
        self._prefix = prefix
        self._dead_s = dead_s
        self._member = uuid4().hex
        self._step = redis.register_script(STEP)
        self._depths: dict[str, int] = {}
        self._epochs: dict[str, bytes] = {}
        self._taken: dict[TaskId, list[tuple[bytes, bytes]]] = {}
        self._finished: dict[str, list[tuple[bytes, bytes]]] = {}
        self._batches: dict[str, _Batch] = {}
        self._publishing = asyncio.Lock()
        self._is_doubtful = False
        self._arrived, self._lost = asyncio.Event(), asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, url: str, *, prefix: str = "linkflow", dead_s: float = DEAD_S
    ) -> AsyncIterator[Self]:
        """Be a member for as long as the context lasts.

        Raises:
            Unavailable: Redis does not answer.
        """
        redis = connect(url)
        queue = cls(redis, prefix=prefix, dead_s=dead_s)
        try:
            await queue._do("default")
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(queue._beat()), group.create_task(queue._listen())]
                try:
                    yield queue
                finally:
                    for task in tasks:
                        task.cancel()
            with suppress(Unavailable):
                await queue._give_back()
        finally:
            await redis.aclose()

    def __len__(self) -> int:
        """Count queued tasks, as of the last step."""
        return sum(self._depths.values())

    async def publish(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks; those of calls that come together go together."""
        by_queue: dict[str, list[TaskId]] = {}
        for task in tasks:
            by_queue.setdefault(task.queue, []).append(task)
        for name, found in by_queue.items():
            await self._publish(name, found)

    async def _publish(self, name: str, tasks: Sequence[TaskId]) -> None:
        batch = self._batches.setdefault(name, _Batch())
        batch.tasks += tasks
        if batch.is_driven:
            if batch.done is None:
                batch.done = asyncio.get_running_loop().create_future()
            await asyncio.shield(batch.done)
            return
        batch.is_driven = True
        failure: Unavailable | None = Unavailable("The publisher was stopped.")
        try:
            async with self._publishing:
                del self._batches[name]
                for start in range(0, len(batch.tasks), AT_ONCE):
                    await self._do(name, publish=batch.tasks[start : start + AT_ONCE])
            failure = None
        except Unavailable as error:
            failure = error
            raise
        finally:
            if self._batches.get(name) is batch:
                del self._batches[name]
            if batch.done is not None and failure is None:
                batch.done.set_result(None)
            elif batch.done is not None and failure is not None:
                batch.done.set_exception(failure)

    async def take(self, queues: Sequence[str], count: int) -> Sequence[TaskId]:
        """Take tasks, workspaces in turn; see the port."""
        found: list[TaskId] = []
        for name in queues:
            if len(found) < count:
                found += await self._do(name, take=min(AT_ONCE, count - len(found)))
        return found

    async def done(self, tasks: Sequence[TaskId]) -> None:
        """Note what is dealt with; the next step tells Redis, which needs not know at once."""
        for task in tasks:
            places = self._taken.pop(task, None)
            if places:
                self._finished.setdefault(task.queue, []).extend(places)

    async def arrived(self) -> None:
        """Wait for tasks of others; see the port."""
        await self._arrived.wait()
        self._arrived.clear()

    async def lost(self) -> None:
        """Wait for a loss; see the port."""
        await self._lost.wait()
        self._lost.clear()

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks by queue, as of the last step."""
        return dict(self._depths)

    # ------------------------------------------------------------ steps

    async def _do(self, name: str, *, publish: Sequence[TaskId] = (), take: int = 0) -> list[TaskId]:
        """Do one step of a task queue.

        Raises:
            Unavailable: Redis does not answer; once it does, `lost` returns.
        """
        finished = self._finished.pop(name, [])
        args: list[Any] = [uuid4().hex, self._member, MOST, take, len(finished), self._dead_s]
        for stream, entry in finished:
            args += (stream, entry)
        for task in publish:
            args += (task.workspace_id, task.priority, msgspec.json.encode(task))
        try:
            epoch, depth, refused, rows = await self._step([f"{self._prefix}:jobs:{{{name}}}"], args)
        except BaseException as error:  # it may not have heard what is done, which is said again
            self._finished[name] = finished + self._finished.get(name, [])
            if not isinstance(error, RedisError | OSError):
                raise
            self._is_doubtful = True
            raise Unavailable(f"Redis did not answer: {error}") from error
        self._depths[name] = depth
        if refused:
            log.warning("the task queue is full; History publishes again", queue=name, left_out=refused)
        if self._epochs.setdefault(name, epoch) != epoch or self._is_doubtful:
            log.warning("tasks may be lost; they are published again", queue=name)
            self._epochs[name], self._is_doubtful = epoch, False
            self._lost.set()
        return [task for row in rows for task in await self._decoded(name, row)]

    async def _decoded(self, name: str, row: Sequence[bytes]) -> Sequence[TaskId]:
        """Read a task; what cannot be read is kept for people."""
        stream, entry, payload = row
        try:
            task = msgspec.json.decode(payload, type=TaskId)
        except msgspec.DecodeError as error:
            log.error("a task cannot be read", queue=name, error=str(error))
            self._finished.setdefault(name, []).append((stream, entry))
            with suppress(RedisError, OSError):
                letters = f"{self._prefix}:jobs:dlq"
                await self._redis.xadd(letters, {"payload": payload}, maxlen=DEAD_LETTERS)
            return []
        self._taken.setdefault(task, []).append((stream, entry))
        return [task]

    # ------------------------------------------------------------ in the background

    async def _beat(self) -> None:
        """Show that this member lives, and look for what no nudge told."""
        while True:
            await asyncio.sleep(BEAT_S)
            for name in list(self._depths):
                try:
                    await self._do(name)
                except Unavailable as error:
                    log.warning("no beat", queue=name, error=str(error))
                except Exception:  # a bug must not end the process
                    log.exception("no beat", queue=name)
            if len(self):
                self._arrived.set()

    async def _listen(self) -> None:
        """Hear of tasks that others publish."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.psubscribe(f"{self._prefix}:jobs:{{*}}:ready")
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=TIMEOUT_S)
                        if message is not None:
                            self._arrived.set()
            except (RedisError, OSError) as error:
                log.warning("no nudges from Redis; it is looked every second", error=str(error))
                await asyncio.sleep(BEAT_S)

    async def _give_back(self) -> None:
        """Tell Redis what is done, and leave what was taken to the others at once."""
        for name in list(self._depths):
            held = [task for task in self._taken if task.queue == name]
            for task in held:
                self._finished.setdefault(name, []).extend(self._taken.pop(task))
            await self._do(name, publish=held)
