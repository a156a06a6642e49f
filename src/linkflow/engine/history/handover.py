"""What a durable record sets free: activities go to workers, stops too, others to a queue.

A started activity goes with the reply that its worker waits for (eager continuation), else it is delivered.
The worker's credit was taken when the record was decided; whoever gets the frame gives it back.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence

import msgspec

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError, Unavailable, node_error
from linkflow.domain.execution import news as n
from linkflow.domain.execution.effects import stops
from linkflow.domain.execution.events import ActivityTaskScheduled
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Completion
from linkflow.engine.history.opened import OpenedBlobs
from linkflow.engine.history.tasks import task_for, task_id
from linkflow.ports.clock import Clock
from linkflow.ports.services import Dispatch, Task, TaskId

BLOB_TRIES = 5
BLOB_PAUSE_S = 0.2

log = telemetry.logger("history")

Place = tuple[str, str]
"""An execution and the worker session that reports on it."""

Spawn = Callable[[Coroutine[None, None, None]], None]
Tell = Callable[[str, n.News], Awaitable[object]]


class Handover:
    """Gives what may begin to whom it was started for."""

    def __init__(
        self, matching: Dispatch, opened: OpenedBlobs, clock: Clock, *, tell: Tell, spawn: Spawn
    ) -> None:
        self._matching = matching
        self._opened = opened
        self._clock = clock
        self._tell = tell
        self._spawn = spawn
        self._expected: dict[Place, list[Task]] = {}

    # ------------------------------------------------------------ replies

    def expect(self, place: Place) -> list[Task]:
        """Say that a worker waits for a reply that may carry its next task."""
        return self._expected.setdefault(place, [])

    def settle(self, place: Place, expected: list[Task]) -> Task | None:
        """Take the task that goes with the reply, if there is one."""
        if self._expected.get(place) is expected:
            del self._expected[place]
        return expected.pop() if expected else None

    def deliver(self, task: Task) -> None:
        """Give a started task to its worker; when that is gone, the attempt is ended."""
        if not self._matching.deliver(task):
            self._spawn(self._worker_gone(task))

    async def _worker_gone(self, task: Task) -> None:
        await self._tell(task.execution_id, n.SessionsLost([task.session]))

    # ------------------------------------------------------------ after a commit

    def hand_out(self, before: ExecutionState, turn: Turn) -> None:
        """Give out the activities that a record scheduled, and ask workers to stop what it cancelled."""
        state = turn.state
        queued: dict[str, TaskId] = {}
        handed: set[str] = set()
        for event in turn.events:
            # A start without its scheduling was claimed: whoever claimed it delivers it.
            if not isinstance(event, ActivityTaskScheduled) or event.key not in state.flying:
                continue
            if not state.nodes[event.key].session:
                queued[event.key] = task_id(state, event.key)
            elif event.key not in handed:
                handed.add(event.key)
                self._hand_over(state, event.key)
        if queued:
            self._spawn(self._queue(list(queued.values())))
        for stop in stops(before, turn.events):
            self._matching.cancel(stop.session, state.execution_id, stop.key)

    async def _queue(self, tasks: Sequence[TaskId]) -> None:
        await self._matching.add(tasks)

    def _hand_over(self, state: ExecutionState, key: str) -> None:
        try:
            task = task_for(state, key, self._opened.values)
        except NeedsBlobs:
            self._spawn(self._deliver_later(state, key))
            return
        expected = self._expected.get((state.execution_id, task.session))
        if expected is not None and not expected:
            expected.append(task)
        else:
            self.deliver(task)

    async def _deliver_later(self, state: ExecutionState, key: str) -> None:
        task = await self.frame(state, key)
        if task is None:
            self._matching.release([state.nodes[key].session])
        else:
            self.deliver(task)

    async def frame(self, state: ExecutionState, key: str) -> Task | None:
        """Build the frame of a started attempt, with the large values it needs at hand.

        Returns:
            The frame; None when a value cannot be had: then the attempt has failed.
        """
        tries = 0
        while True:
            try:
                try:
                    return task_for(state, key, self._opened.values)
                except NeedsBlobs as needed:
                    await self._opened.fetch(state.start.workspace_id, needed.sha256)
            except LinkFlowError as error:
                tries += 1
                if isinstance(error, Unavailable) and tries < BLOB_TRIES:
                    await self._clock.sleep(BLOB_PAUSE_S * tries)
                    continue
                log.warning("value not at hand", execution_id=state.execution_id, key=key, error=str(error))
                node = state.nodes[key]
                completion = Completion(error=msgspec.structs.replace(node_error(error), not_started=True))
                await self._tell(state.execution_id, n.Report(key, node.attempt, node.session, completion))
                return None
