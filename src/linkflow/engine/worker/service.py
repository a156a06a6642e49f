"""Worker: polls Matching, runs attempts, reports to History; one session lease for all of them.

A worker whose lease cannot be renewed stops taking tasks before the lease ends, so that whoever buries its
session can be sure that no effect begins afterwards.
"""

import asyncio
from collections.abc import Sequence

from linkflow import telemetry
from linkflow.domain.errors import Kind, LinkFlowError, NodeError
from linkflow.domain.node import Completion
from linkflow.engine.worker.activity import Activities
from linkflow.ports.clock import Clock
from linkflow.ports.services import ActivityReply, ActivityReport, History, Matching, Task
from linkflow.ports.stores import Sessions

SLOTS = 256
"""Attempts that run at once."""

LEASE_S = 10.0
RENEW_S = 2.0
POLL_S = 30.0

EAGER_TASKS = 64
EAGER_S = 1.0
"""After so many tasks, or so long, a worker lets others have a turn."""

REPORT_TRIES = 60

_CANCELLED = Completion(error=NodeError("node.cancelled", Kind.PERMANENT, "The attempt was cancelled."))

log = telemetry.logger("worker")


class Worker:
    """Runs activities."""

    def __init__(
        self,
        *,
        session: str,
        history: History,
        matching: Matching,
        sessions: Sessions,
        activities: Activities,
        clock: Clock,
        queues: Sequence[str] = ("default",),
        slots: int = SLOTS,
    ) -> None:
        self.session = session
        self._history = history
        self._matching = matching
        self._sessions = sessions
        self._activities = activities
        self._clock = clock
        self._queues = tuple(queues)
        self._slots = slots
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._handed: set[tuple[str, str]] = set()
        self._alive_until = 0.0
        self._is_draining = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Take tasks until drained."""
        await self._renew_once()
        async with asyncio.TaskGroup() as group:
            renewal = group.create_task(self._renew(), name="worker lease")
            try:
                await self._poll(group)
            finally:
                self._matching.leave(self.session)
                renewal.cancel()

    async def _poll(self, group: asyncio.TaskGroup) -> None:
        await self._matching.poll(self.session, self._queues, self._slots, 0.0)
        self.ready.set()
        while not self._is_draining:
            tasks = await self._matching.poll(self.session, self._queues, self._slots, POLL_S)
            for task in tasks:
                self._handed.add((task.execution_id, task.key))
                group.create_task(self._work(task))
            for place in self._matching.cancelled(self.session):
                self._stop(place)

    def _stop(self, place: tuple[str, str]) -> None:
        """Stop an attempt: one that runs is cancelled, one that was only handed over does not begin."""
        running = self._running.get(place)
        if running is not None:
            running.cancel("cancelled by the execution")
        else:
            self._handed.discard(place)

    async def drain(self, grace_s: float) -> None:
        """Take no further task and wait for those under way, at most `grace_s`."""
        self._is_draining = True
        self._matching.cancel(self.session, "", "")  # wakes the poll
        if self._working:
            await asyncio.wait(list(self._working), timeout=grace_s)

    # ------------------------------------------------------------ one task after the other

    async def _work(self, task: Task) -> None:
        """Run a task, and those that replies bring, until there is none."""
        began = self._clock.monotonic()
        me = asyncio.current_task()
        assert me is not None
        self._working.add(me)
        done = 0
        current: Task | None = task
        try:
            while current is not None:
                # Only the attempt itself may be cancelled, never its report.
                place = (current.execution_id, current.key)
                self._running[place] = me
                try:
                    is_wanted = done > 0 or place in self._handed
                    completion = await self._attempt(current) if is_wanted else _CANCELLED
                finally:
                    self._running.pop(place, None)
                    self._handed.discard(place)
                done += 1
                is_early = done < EAGER_TASKS and self._clock.monotonic() - began < EAGER_S
                more = is_early and not self._is_draining
                current = (await self._report(current, completion, wants_more=more)).task
        finally:
            self._working.discard(me)

    async def _attempt(self, task: Task) -> Completion:
        if self._clock.monotonic() >= self._alive_until:
            error = NodeError(
                "node.worker_lost", Kind.TRANSIENT, "The worker's lease had ended.", not_started=True
            )
            return Completion(error=error)
        try:
            return await self._activities.run(task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self._is_draining or me is None:
                raise
            me.uncancel()
            return _CANCELLED

    async def _report(self, task: Task, completion: Completion, *, wants_more: bool) -> ActivityReply:
        """Report until it is durable or refused. Only the first try offers the credit for a next task."""
        report = ActivityReport(
            execution_id=task.execution_id,
            key=task.key,
            attempt=task.attempt,
            session=self.session,
            completion=completion,
            wants_more=wants_more,
        )
        for attempt in range(REPORT_TRIES):
            try:
                reply = (await self._history.respond([report]))[0]
            except LinkFlowError as error:
                if error.kind is not Kind.TRANSIENT:
                    log.warning(
                        "report refused", execution_id=task.execution_id, key=task.key, error=str(error)
                    )
                    break
                await self._clock.sleep(min(2.0, 0.05 * 2 ** min(attempt, 6)))
            else:
                if not wants_more:
                    self._matching.release([self.session])
                return reply
        log.error(
            "report given up; the backstop ends the attempt", execution_id=task.execution_id, key=task.key
        )
        if not wants_more:
            self._matching.release([self.session])
        return ActivityReply(accepted=False)

    # ------------------------------------------------------------ the lease

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep(RENEW_S)
            try:
                await self._renew_once()
            except LinkFlowError as error:
                log.warning("the session lease could not be renewed", session=self.session, error=str(error))

    async def _renew_once(self) -> None:
        asked_at = self._clock.monotonic()
        await self._sessions.renew(self.session, LEASE_S)
        self._alive_until = asked_at + LEASE_S - RENEW_S
