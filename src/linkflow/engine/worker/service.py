"""Worker: polls Matching, runs attempts, reports to History; one session lease for all of them.

No effect begins while the lease is not certain to hold: an attempt waits until it is renewed, and does not
begin at all when the session was buried meanwhile, because somebody has ended its attempts by then. What
arrives later asks History first. So whoever buries a session can be sure that nothing begins afterwards.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from linkflow import telemetry
from linkflow.domain.errors import Kind, LinkFlowError, NodeError
from linkflow.domain.node import Completion
from linkflow.engine.worker.activity import Activities
from linkflow.engine.worker.company import Company
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Sessions
from linkflow.ports.services import (
    ActivityReply,
    ActivityReport,
    Attempt,
    History,
    Poll,
    Task,
    TaskId,
    WorkerState,
)
from linkflow.telemetry import metrics

SLOTS = 256
"""Attempts that run at once."""

LEASE_S = 8.0
RENEW_S = 2.0
"""A session is dead 10 s after its worker: then a member of History has looked for those that ended."""

RETRY_S = 0.5
DRAIN_LOOK_S = 0.02
POLL_S = 30.0

EAGER_TASKS = 64
EAGER_S = 1.0
"""After so many tasks, or so long, a worker lets others have a turn."""

REPORT_TRIES = 60

REMEMBERED = 10_000
REMEMBERED_S = 60.0
"""A worker remembers the last attempts, and all of the last minute: one handed over twice runs once."""

CATCH_UP_S = 3.0
"""How often a worker asks for tasks that were started for it and never arrived."""

_CANCELLED = Completion(error=NodeError("node.cancelled", Kind.PERMANENT, "The attempt was cancelled."))
_LOST = Completion(
    error=NodeError("node.worker_lost", Kind.TRANSIENT, "The worker's lease had ended.", not_started=True)
)

log = telemetry.logger("worker")


class Worker:
    """Runs activities."""

    def __init__(
        self,
        *,
        session: str,
        history: History,
        matching: Poll,
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
        self._met: OrderedDict[Attempt, float] = OrderedDict()
        self._held: set[Attempt] = set()
        self._busy = 0
        self._alive_until = 0.0
        self._burials = 0
        self._doubtful_until = 0.0
        self._renewed = asyncio.Event()
        self._is_draining = False
        self._company = Company(clock)
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Take tasks until drained."""
        await self._open_session()
        async with asyncio.TaskGroup() as group:
            renewal = group.create_task(self._renew(), name="worker lease")
            catching_up = group.create_task(self._catch_up(group), name="lost tasks")
            try:
                with metrics.reading({"linkflow_worker_slots": self._used}):
                    await self._poll(group)
            finally:
                self._matching.leave(self.session)
                renewal.cancel()
                catching_up.cancel()

    def resize(self, slots: int) -> None:
        """Run another number of attempts at once from now on; those under way go on."""
        self._slots = slots
        self._matching.resize(self.session, slots)

    def busy(self) -> int:
        """Count the credits that attempts in hand take up."""
        return self._busy

    async def describe(self) -> WorkerState:
        """Say how it is; see `ports.services.WorkerControl`."""
        return WorkerState(
            session=self.session, slots=self._slots, busy=self._busy, is_draining=self._is_draining
        )

    def _used(self) -> Mapping[tuple[str, ...], float]:
        return {("running",): len(self._working), ("most",): self._slots}

    async def _poll(self, group: asyncio.TaskGroup) -> None:
        await self._matching.poll(self.session, self._queues, self._slots, 0.0)
        self.ready.set()
        while not (self._is_draining and self._matching.is_idle(self.session)):
            tasks = await self._matching.poll(self.session, self._queues, self._slots, POLL_S)
            for task in tasks:
                self._take(group, task)
            for place in self._matching.cancelled(self.session):
                self._stop(place)

    def _take(self, group: asyncio.TaskGroup, task: Task) -> None:
        """Begin to work on a task, unless it was handed over before."""
        if not self._is_new(task):
            log.warning("handed over twice", execution_id=task.execution_id, key=task.key)
            self._matching.release([self.session])
            return
        self._begin(group, task)

    def _begin(self, group: asyncio.TaskGroup, task: Task) -> None:
        self._busy += 1
        self._handed.add((task.execution_id, task.key))
        working = group.create_task(self._work(task))
        self._working.add(working)
        working.add_done_callback(self._working.discard)

    def _is_new(self, task: Task) -> bool:
        """Remember a task; whether it was never handed over before."""
        attempt = Attempt(task.execution_id, task.key, task.attempt)
        if attempt in self._met or attempt in self._held:
            return False
        now = self._clock.monotonic()
        self._met[attempt] = now
        self._held.add(attempt)
        while len(self._met) > REMEMBERED and next(iter(self._met.values())) < now - REMEMBERED_S:
            self._met.popitem(last=False)
        return True

    async def _catch_up(self, group: asyncio.TaskGroup) -> None:
        """Ask again and again for what was started for this session and never arrived."""
        while True:
            await self._clock.sleep(CATCH_UP_S)
            try:
                tasks = await self._history.lost_tasks(self.session, list(self._held))
            except LinkFlowError as error:
                log.warning("not asked for lost tasks; asked again", error=str(error))
                continue
            for task in tasks:
                if self._is_new(task):
                    log.warning("arrived late", execution_id=task.execution_id, key=task.key)
                    self._begin(group, task)

    def _stop(self, place: tuple[str, str]) -> None:
        """Stop an attempt: one that runs is cancelled, one that was only handed over does not begin."""
        running = self._running.pop(place, None)
        if running is not None:
            running.cancel("cancelled by the execution")
        else:
            self._handed.discard(place)

    async def drain(self, grace_s: float) -> None:
        """Take no further task and wait for those started, at most `grace_s`; the rest is cut off."""
        self._is_draining = True
        self._matching.drain(self.session)
        deadline = self._clock.monotonic() + grace_s
        while not self._matching.is_idle(self.session) and self._clock.monotonic() < deadline:
            await self._clock.sleep(DRAIN_LOOK_S)

    # ------------------------------------------------------------ one task after the other

    async def _work(self, task: Task) -> None:
        """Run a task, and those that replies bring, until there is none."""
        began = self._clock.monotonic()
        done = 0
        current: Task | None = task
        while current is not None:
            place = (current.execution_id, current.key)
            is_wanted = done > 0 or place in self._handed
            self._handed.discard(place)
            completion = await self._attempt(current, place) if is_wanted else _CANCELLED
            done += 1
            is_early = done < EAGER_TASKS and self._clock.monotonic() - began < EAGER_S
            has_room = self._busy <= self._slots
            wants_more = is_early and has_room and not self._is_draining
            reply = await self._report(current, completion, wants_more=wants_more)
            current = reply.task
            if current is not None:
                if self._is_new(current):
                    self._busy += 1
                else:  # it came on another way while the reply was late
                    current = None

    async def _attempt(self, task: Task, place: tuple[str, str]) -> Completion:
        """Run one attempt under the lease; only this may be cancelled, never a report."""
        me = asyncio.current_task()
        assert me is not None
        self._running[place] = me
        burials = self._burials
        try:
            if task.is_suspect:
                return await self._company.alone(
                    lambda is_alone: self._begin_attempt(task, burials, begins=is_alone)
                )
            async with self._company.together():
                return await self._begin_attempt(task, burials)
        except asyncio.CancelledError:
            if place in self._running:  # not by the execution: the process is ending
                raise
            me.uncancel()
            return _CANCELLED
        finally:
            self._running.pop(place, None)

    async def _begin_attempt(self, task: Task, burials: int, *, begins: bool = False) -> Completion:
        """Run one attempt as soon as the lease is certain to hold, unless it ended meanwhile."""
        while self._clock.monotonic() >= self._alive_until:
            self._renewed.clear()
            await self._renewed.wait()
        if self._burials != burials or not await self._is_current(task, begins=begins):
            return _LOST
        return await self._activities.run(task)

    async def _is_current(self, task: Task, *, begins: bool) -> bool:
        """Say whether an attempt is still ours: after a burial, one may arrive that was ended meanwhile.

        Of a suspect that runs alone History is told at the same time that it begins.
        """
        if not begins and self._clock.monotonic() >= self._doubtful_until:
            return True
        known = TaskId(
            task.execution_id,
            task.key,
            task.attempt,
            task.queue,
            task.workspace_id,
            task.priority,
            begins=begins,
        )
        try:
            return await self._history.claim(known, self.session) is not None
        except LinkFlowError as error:
            log.warning(
                "not begun; not known to be current", execution_id=task.execution_id, error=str(error)
            )
            return False

    async def _report(self, task: Task, completion: Completion, *, wants_more: bool) -> ActivityReply:
        """Report until it is durable or refused. Only the first try offers the credit for a next task.

        What was given up or refused stays held, so that it is not handed over again: it has run.
        """
        if wants_more:
            self._busy -= 1
        for attempt in range(REPORT_TRIES):
            report = ActivityReport(
                execution_id=task.execution_id,
                key=task.key,
                attempt=task.attempt,
                session=self.session,
                completion=completion,
                wants_more=wants_more and not attempt,
            )
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
                self._held.discard(Attempt(task.execution_id, task.key, task.attempt))
                if not wants_more:
                    self._give_back()
                return reply
        else:
            log.error("report given up", execution_id=task.execution_id, key=task.key)
        if not wants_more:
            self._give_back()
        return ActivityReply(accepted=False)

    def _give_back(self) -> None:
        """Give a credit back, unless more came than there is room for: a member that died gave it twice."""
        has_room = self._busy <= self._slots
        self._busy -= 1
        if has_room:
            self._matching.release([self.session])

    # ------------------------------------------------------------ the lease

    async def _open_session(self) -> None:
        while True:
            try:
                await self._renew_once()
            except LinkFlowError as error:
                log.warning("no session yet; tried again", session=self.session, error=str(error))
                await self._clock.sleep(RETRY_S)
            else:
                self._burials, self._doubtful_until = 0, 0.0
                return

    async def _renew(self) -> None:
        while True:
            try:
                await self._clock.sleep(RENEW_S)
                await self._renew_once()
            except LinkFlowError as error:
                log.warning("the session lease could not be renewed", session=self.session, error=str(error))

    async def _renew_once(self) -> None:
        asked_at = self._clock.monotonic()
        if not await self._sessions.renew(self.session, LEASE_S):
            self._burials += 1
            self._doubtful_until = self._clock.monotonic() + REMEMBERED_S
        self._alive_until = asked_at + LEASE_S - RENEW_S
        self._renewed.set()
