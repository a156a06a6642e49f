"""Matching: tasks that are ready meet workers that have room.

A start or a completion that finds a free credit never comes here as a task: History reserves the credit,
records the start and delivers the frame. What finds none waits in the `TaskQueue` as an id, and is started
durably (`History.claim`) when a worker has room; the queue may lose or double it without harm.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError
from linkflow.ports.queue import TaskQueue
from linkflow.ports.services import History, QueueView, Task, TaskId
from linkflow.telemetry import metrics

AGED = 50_000
"""Queued tasks whose age is known; of more, only the older ones' is."""

log = telemetry.logger("matching")
_actions = metrics.counters("linkflow_queue_tasks_total")
_queued, _taken, _delivered = _actions["queued"], _actions["taken"], _actions["delivered"]


class _Session:
    """A connected worker session.

    Attributes:
        slots: Tasks it may have at once; 0 while it drains.
        taken: Credits that are not back.
        inbox: Frames delivered and not yet polled.
        stops: Attempts it was asked to stop.
    """

    def __init__(self, queues: Sequence[str], slots: int) -> None:
        self.queues = tuple(queues)
        self.slots = slots
        self.taken = 0
        self.inbox: list[Task] = []
        self.stops: list[tuple[str, str]] = []
        self.arrived = asyncio.Event()

    @property
    def credits(self) -> int:
        """Tasks it may still be given."""
        return max(0, self.slots - self.taken)


class Matching:
    """Brings tasks to workers; see `ports.services.Matching`."""

    def __init__(self, queue: TaskQueue, now: Callable[[], float] = time.monotonic) -> None:
        """Put it together; `now` says how old queued tasks are, seconds from any beginning."""
        self._clock = now
        self._since: dict[TaskId, float] = {}
        self._queue = queue
        self._sessions: dict[str, _Session] = {}
        self._history: History | None = None
        self._room = asyncio.Event()

    def connect(self, history: History) -> None:
        """Say which History starts queued tasks."""
        self._history = history

    def reserve(self, queue: str, count: int, first: str = "") -> Sequence[str]:
        """Take credits; see the port."""
        if len(self._sessions) == 1:
            session, state = next(iter(self._sessions.items()))
            taken = min(count, state.credits) if queue in state.queues and not len(self._queue) else 0
            state.taken += taken
            return [session] * taken
        return self._reserve_spread(queue, count, first)

    def _reserve_spread(self, queue: str, count: int, first: str) -> Sequence[str]:
        found: list[str] = []
        wanted = self._sessions.get(first)
        if wanted is not None and wanted.credits and queue in wanted.queues and not len(self._queue):
            wanted.taken += 1
            found.append(first)
        while len(found) < count and not len(self._queue):
            free = [item for item in self._sessions.items() if queue in item[1].queues and item[1].credits]
            if not free:
                break
            session, state = max(free, key=lambda item: item[1].credits)
            state.taken += 1
            found.append(session)
        return found

    def release(self, sessions: Sequence[str]) -> None:
        """Give credits back; see the port."""
        for session in set(sessions):
            state = self._sessions.get(session)
            if state is not None:
                given = sessions.count(session)
                state.taken = max(0, state.taken - given)  # a report that came twice gives none
                if not state.slots:
                    state.arrived.set()
        if sessions and len(self._queue):
            self._room.set()

    def deliver(self, task: Task) -> bool:
        """Hand a frame over; see the port."""
        state = self._sessions.get(task.session)
        if state is None:
            return False
        _delivered.inc()
        state.inbox.append(task)
        state.arrived.set()
        return True

    async def add(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks; see the port."""
        await self._queue.publish(tasks)
        if len(self._since) < AGED:
            now = self._clock()
            for task in tasks:
                self._since.setdefault(task, now)
        _queued.inc(len(tasks))
        self._room.set()

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Wait for frames; see the port."""
        state = self._sessions.get(session)
        if state is None:
            state = self._sessions[session] = _Session(queues, slots)
            self._room.set()
        if not state.inbox and not state.stops:
            try:
                async with asyncio.timeout(wait_s):
                    await state.arrived.wait()
            except TimeoutError:
                return []
        state.arrived.clear()
        tasks, state.inbox = state.inbox, []
        return tasks

    def drain(self, session: str) -> None:
        """Start nothing further on a session; see the port."""
        state = self._sessions.get(session)
        if state is not None:
            state.slots = 0
            state.arrived.set()

    def resize(self, session: str, slots: int) -> None:
        """Change how many tasks a session may have at once; see the port."""
        state = self._sessions.get(session)
        if state is not None and state.slots:
            state.slots = slots
            self._room.set()

    def is_idle(self, session: str) -> bool:
        """Say whether every credit is back; see the port."""
        state = self._sessions.get(session)
        return state is None or not state.taken

    def in_use(self, session: str) -> int:
        """Count the credits that are not back; see the port."""
        state = self._sessions.get(session)
        return state.taken if state is not None else 0

    def recount(self, session: str, in_use: int) -> None:
        """Set how many credits are not back; see the port."""
        state = self._sessions.get(session)
        if state is not None:
            state.taken = max(0, in_use)
            state.arrived.set()
            self._room.set()

    def leave(self, session: str) -> None:
        """Deregister; see the port."""
        self._sessions.pop(session, None)

    def cancel(self, session: str, execution_id: str, key: str) -> None:
        """Ask to stop an attempt; see the port."""
        state = self._sessions.get(session)
        if state is not None:
            state.stops.append((execution_id, key))
            state.arrived.set()

    def cancelled(self, session: str) -> Sequence[tuple[str, str]]:
        """Take what is to be stopped; see the port."""
        state = self._sessions.get(session)
        if state is None:
            return []
        stops, state.stops = state.stops, []
        return stops

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks; see the port."""
        return self._queue.depth()

    def queues(self) -> Sequence[QueueView]:
        """Say how every queue stands that has tasks or workers, by name; ages are those of this member."""
        depth, now = self._queue.depth(), self._clock()
        if not len(self._queue):
            self._since.clear()  # what others took, or was lost
        oldest: dict[str, float] = {}
        for task, since in self._since.items():
            oldest[task.queue] = max(oldest.get(task.queue, 0.0), now - since)
        found = []
        polled = {each for state in self._sessions.values() for each in state.queues}
        for name in sorted(depth.keys() | polled):
            polling = [state for state in self._sessions.values() if name in state.queues]
            found.append(
                QueueView(
                    name=name,
                    depth=depth.get(name, 0),
                    oldest_s=oldest.get(name, 0.0) if depth.get(name) else 0.0,
                    in_flight=sum(state.taken for state in polling),
                    credits=sum(state.credits for state in polling),
                    workers=len(polling),
                )
            )
        return found

    def _depths(self) -> Mapping[tuple[str, ...], float]:
        """Count queued tasks by queue, 0 for one that workers poll and that is empty."""
        depths: dict[tuple[str, ...], float] = {}
        for session in self._sessions.values():
            depths |= {(queue,): 0.0 for queue in session.queues}
        return depths | {(queue,): float(count) for queue, count in self.depth().items()}

    async def run(self) -> None:
        """Start queued tasks on workers with room, for ever."""
        readers: Mapping[str, Callable[[], metrics.Reading]] = {
            "linkflow_task_queue_depth": self._depths,
            "linkflow_workers_connected": lambda: len(self._sessions),
            "linkflow_worker_credits": lambda: sum(each.credits for each in self._sessions.values()),
        }
        with metrics.reading(readers):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(), name="queue arrivals")
                while True:
                    await self._room.wait()
                    self._room.clear()
                    for session in list(self._sessions):
                        await self._fill(session, group)

    async def _fill(self, session: str, group: asyncio.TaskGroup) -> None:
        """Start as many queued tasks on a session as it has room for."""
        state = self._sessions.get(session)
        if state is None or not state.credits or not len(self._queue):
            return
        wanted = state.credits
        state.taken += wanted  # nobody else may use them while a broker is asked
        tasks: Sequence[TaskId] = ()
        try:
            tasks = await self._queue.take(state.queues, wanted)
            _taken.inc(len(tasks))
            for task in tasks:
                self._since.pop(task, None)
        except LinkFlowError as error:
            log.warning("queue not readable; History publishes again", error=str(error))
        finally:
            state.taken -= wanted - len(tasks)
        if self._sessions.get(session) is not state:
            await self._put_back(tasks)
            return
        for task in tasks:
            group.create_task(self._start(task, session))

    async def _listen(self) -> None:
        """Look into the queue again whenever another member may have published."""
        while True:
            await self._queue.arrived()
            self._room.set()

    async def _put_back(self, tasks: Sequence[TaskId]) -> None:
        """Queue taken tasks again; a queue that does not answer tells a loss, and History publishes them."""
        try:
            await self._queue.done(tasks)
            await self.add(tasks)
        except LinkFlowError as error:
            log.warning("not queued again; History publishes again", error=str(error))

    async def _start(self, task: TaskId, session: str) -> None:
        """Start a task on a session; whatever goes wrong, the credit comes back and the task is not lost."""
        assert self._history is not None, "connect comes first"
        try:
            frame = await self._history.claim(task, session)
            await self._queue.done([task])
            if frame is None:
                self.release([session])
            elif not self.deliver(frame):
                # A worker that lives asks for it again; one that died loses its lease.
                log.info("worker away", execution_id=task.execution_id, key=task.key, session=session)
        except LinkFlowError as error:
            log.warning("not started; queued again", execution_id=task.execution_id, error=str(error))
            self.release([session])
            await self._put_back([task])
        except Exception:  # a bug must not stop the other tasks; the auditor queues this one again
            log.exception("not started", execution_id=task.execution_id, key=task.key)
            await self._queue.done([task])
            self.release([session])
