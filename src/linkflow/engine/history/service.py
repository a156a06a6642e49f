"""History: the owner of truth. Starts executions, takes in what happens to them, answers questions."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from linkflow import telemetry
from linkflow.domain.errors import AlreadyStarted, LinkFlowError, NodeError, NotFound, Unavailable
from linkflow.domain.execution import news as n
from linkflow.domain.execution.events import Parent
from linkflow.domain.execution.state import ExecutionState, NodeStatus, awaited
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json
from linkflow.engine.history.driver import Driver
from linkflow.engine.history.ends import Ends
from linkflow.engine.history.entries import Entry
from linkflow.engine.history.graphs import Graphs
from linkflow.engine.history.handover import Handover
from linkflow.engine.history.lost import leave_to_others, lost_tasks
from linkflow.engine.history.reading import Reader
from linkflow.engine.history.recovering import Alive, Recovering
from linkflow.engine.history.starting import started_event
from linkflow.engine.history.tasks import is_overdue
from linkflow.engine.history.wakeups import Wakeups
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.outbound import BlobStore
from linkflow.ports.services import (
    ActivityReply,
    ActivityReport,
    Attempt,
    Dispatch,
    ExecutionView,
    Explanation,
    Projected,
    RecordedEvent,
    ResolveWait,
    SignalExecution,
    StartedExecution,
    StartExecution,
    Task,
    TaskId,
    Timer,
)
from linkflow.ports.stores import HistoryStore, LateResults, Message, SpecStore
from linkflow.ports.views import WHOLE, Part

EARLY_S = 0.5
"""How far a timer's clock may be ahead: a wake-up that comes so early waits here."""

log = telemetry.logger("history")


class History:
    """The event history of executions; see `ports.services.History`."""

    def __init__(
        self,
        *,
        store: HistoryStore,
        specs: SpecStore,
        late: LateResults,
        blobs: BlobStore,
        catalog: Catalog,
        matching: Dispatch,
        timer: Timer,
        clock: Clock,
        ids: IdSource,
        deliver: Callable[[Sequence[Message]], None],
        changed: Callable[[str], None],
        is_shared: bool = False,
    ) -> None:
        """Put it together; `is_shared`: other members write to the same store."""
        self._is_shared = is_shared
        self._store = store
        self._late = late
        self._blobs = blobs
        self._matching = matching
        self._timer = timer
        self._clock = clock
        self._ids = ids
        self._deliver = deliver
        self._changed = changed
        self._graphs = Graphs(specs, catalog)
        self._driver = Driver(
            store=store,
            graphs=self._graphs,
            blobs=blobs,
            matching=matching,
            clock=clock,
            committed=self._on_committed,
            is_shared=is_shared,
        )
        self._handover = Handover(
            matching, self._driver.opened, clock, tell=self._tell_if_there, spawn=self._spawn
        )
        self._wakeups = Wakeups(self._driver.entries, timer, clock)
        self._reader = Reader(self._driver.entries, store, self._graphs, late, clock, is_shared=is_shared)
        self._recovering = Recovering(
            entries=self._driver.entries,
            store=store,
            graphs=self._graphs,
            clock=clock,
            tell=self._tell_if_there,
            deliver=deliver,
            plan=self._wakeups.plan_of,
        )
        self._ends = Ends(self._driver.entries, self._reader, clock, is_shared=is_shared)
        self._background: asyncio.TaskGroup | None = None

    def own_tasks(self, group: asyncio.TaskGroup) -> None:
        """Say which task group owns what History does in the background."""
        self._background = group
        self._driver.own_tasks(group)

    def stop(self) -> None:
        """Take no further news; what is being committed still is."""
        self._driver.stop()

    @property
    def backlog(self) -> int:
        """How many executions are being decided, committed or tried again right now."""
        return self._driver.driving

    # ------------------------------------------------------------ starting and waiting

    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution; see `Frontend`."""
        graph = await self._graphs.get(command.workspace_id, command.spec_hash)
        execution_id = command.execution_id or self._ids.execution_id()
        begin = n.Begin(await started_event(command, graph, self._blobs, self._clock.now(), self._ids.seed()))
        try:
            is_new = await self._driver.tell(execution_id, begin)
        except AlreadyStarted as earlier:
            execution_id, is_new = earlier.execution_id, False
        return await self._ends.wait(execution_id, command.wait_ms, is_new=is_new)

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait for the end; see `Frontend`."""
        return await self._ends.wait(execution_id, wait_ms, is_new=False)

    # ------------------------------------------------------------ what people do

    async def signal(self, command: SignalExecution) -> None:
        """Send a message; see `Frontend`."""
        news = n.Signal(command.id, command.name, command.match, command.data)
        await self._driver.tell(command.execution_id, news)

    async def resolve(self, command: ResolveWait) -> None:
        """Decide a wait; see `Frontend`."""
        news = n.Resolve(
            command.key, command.token, command.action, command.data, command.by, command.comment
        )
        await self._driver.tell(command.execution_id, news)

    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """Ask to end; see `Frontend`."""
        await self._driver.tell(execution_id, n.Cancel(reason, by))

    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End at once; see `Frontend`."""
        await self._driver.tell(execution_id, n.Terminate(reason, by))

    async def release(self, execution_id: str, by: str) -> None:
        """End a quarantine; see `Frontend`."""
        await self._driver.tell(execution_id, n.Release(by))

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Read one execution; see `Frontend`."""
        return await self._reader.view(execution_id, part)

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Read events; see `Frontend`."""
        return await self._reader.events(execution_id, after, limit)

    async def explain(self, execution_id: str) -> Explanation:
        """Say what it waits for; see `Frontend`."""
        return await self._reader.explain(execution_id)

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions that wait for an event; see `Frontend`."""
        return await self._reader.awaiting(workspace_id, {awaited(name, match), awaited(name, "")}, after)

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Read what the projection writes; see `ports.services.History`.

        An execution that is over need not be kept in memory after that.
        """
        found = await self._reader.projected(execution_ids)
        for item in found:
            if item.row.closed_at is not None:
                self._driver.entries.drop(item.row.execution_id)
        return found

    # ------------------------------------------------------------ what workers and services do

    async def respond(self, reports: Sequence[ActivityReport]) -> Sequence[ActivityReply]:
        """Take in reports; see `ports.services.History`."""
        if len(reports) == 1:
            return [await self._respond(reports[0])]
        return await asyncio.gather(*(self._respond(report) for report in reports))

    async def _respond(self, report: ActivityReport) -> ActivityReply:
        news = n.Report(report.key, report.attempt, report.session, report.completion)
        place = (report.execution_id, report.session)
        if not report.wants_more:
            is_accepted = await self._told(report, news)
            return ActivityReply(accepted=is_accepted)
        # The credit of this very task is free now: what follows may use it, and comes with the reply.
        expected = self._handover.expect(place)
        self._matching.release([report.session])
        try:
            is_accepted = await self._told(report, news)
        except BaseException:
            task = self._handover.settle(place, expected)
            if task is not None:
                self._handover.deliver(task)
            raise
        return ActivityReply(accepted=is_accepted, task=self._handover.settle(place, expected))

    async def _told(self, report: ActivityReport, news: n.Report) -> bool:
        """Tell a report; what was not wanted any more is noted, so that nothing happens unseen."""
        try:
            if await self._driver.tell(report.execution_id, news):
                return True
        except NotFound:
            return False
        node = (await self._reader.state(report.execution_id)).nodes.get(report.key)
        is_repeat = node is not None and node.attempt == report.attempt and node.status is NodeStatus.SUCCESS
        if not is_repeat:
            reason = "the attempt was not wanted any more"
            await self._late.note(report.execution_id, report.key, report.attempt, reason)
        return False

    async def claim(self, task: TaskId, session: str) -> Task | None:
        """Start a queued task; see `ports.services.History`."""
        news = n.Claim(task.key, task.attempt, session, task.begins)
        try:
            is_wanted = await self._driver.tell(task.execution_id, news)
        except NotFound:
            return None
        if not is_wanted:
            return None
        state = self._reader.remembered(task.execution_id)  # as new as the claim at least
        if state is None:
            state = await self._reader.state(task.execution_id)
        node = state.nodes.get(task.key)
        if node is None or node.session != session or node.attempt != task.attempt:
            return None
        return await self._handover.frame(state, task.key)

    async def wake(self, execution_ids: Sequence[str]) -> None:
        """Fire what is due; see `ports.services.History`."""
        for execution_id in execution_ids:
            entry = self._driver.entries.find(execution_id)
            if entry is not None:
                entry.wake_at = 0.0
        await asyncio.gather(*(self._wake(execution_id) for execution_id in execution_ids))

    async def _wake(self, execution_id: str) -> None:
        """Fire what is due; what is due in a moment then: the timer's clock may be a little ahead of ours."""
        await self._nudge(execution_id, n.Wake())
        entry = self._driver.entries.find(execution_id)
        due = entry.state.wakeup_at() if entry is not None and entry.state is not None else None
        early_s = due - self._clock.now() if due is not None else 0.0
        if 0.0 < early_s < EARLY_S:
            await self._clock.sleep(early_s)
            await self._nudge(execution_id, n.Wake())

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """End attempts of dead sessions; see `ports.services.History`."""
        await self._recovering.sessions_lost(sessions)

    async def lost_tasks(self, session: str, held: Sequence[Attempt]) -> Sequence[Task]:
        """Collect what a session was given and does not hold; see `ports.services.History`."""
        now = self._clock.now()
        return await lost_tasks(self._driver.entries, self._reader, self._handover, session, held, now)

    async def child_closed(
        self, parent: Parent, child_id: str, status: str, output: Json, error: NodeError | None
    ) -> None:
        """Tell a parent about its child; see `ports.services.History`."""
        news = n.ChildEnded(parent.key, child_id, status, output, error)
        await self._tell_if_there(parent.execution_id, news)

    async def granted(self, execution_id: str, ticket: str) -> None:
        """Tell an execution that it has its ticket; see `ports.services.History`."""
        await self._tell_if_there(execution_id, n.Granted(ticket))

    async def promised(self, execution_id: str, key: str, begins_at: float) -> None:
        """Tell an execution when it begins; see `ports.services.History`."""
        await self._tell_if_there(execution_id, n.Promised(key, begins_at))

    async def refused(self, execution_id: str, ticket: str, reason: str) -> None:
        """Tell an execution that it gets no ticket; see `ports.services.History`."""
        await self._tell_if_there(execution_id, n.Refused(ticket, reason))

    async def recover(self, execution_ids: Sequence[str], alive: Alive) -> Sequence[TaskId]:
        """Give open executions their drivers back, and say what waits for a worker; see `Recovering`.

        Raises:
            Unavailable: The store does not answer; try again.
        """
        return await self._recovering.recover(execution_ids, alive)

    async def bury(self, alive: Alive) -> int:
        """End attempts in memory whose worker session was buried; how many executions had some."""
        return await self._recovering.bury(alive)

    async def audit(self) -> int:
        """Look at every execution in memory: give up overdue attempts, plan wake-ups that come near.

        Returns:
            How many executions had to be moved on.
        """
        moved = 0
        if self._is_shared:
            await leave_to_others(self._driver.entries, self._store)
        now = self._clock.now()
        for entry in self._driver.entries:
            state = entry.state
            if state is None or state.is_closed or entry.is_driven:
                continue
            overdue = any(is_overdue(state, key, now) for key in state.flying)
            due = state.wakeup_at()
            if overdue or (due is not None and due <= now):
                moved += 1
                await self._nudge(entry.execution_id, n.Wake())
            else:
                self._wakeups.plan(entry, state)
        return moved

    def plan_again(self) -> None:
        """Tell the timer every wake-up that comes near once more: the one that knew them may be gone."""
        self._wakeups.plan_again()

    def remind(self, execution_id: str, at: float) -> None:
        """Tell the timer of the wake-up of an execution that need not be in memory."""
        self._timer.schedule(execution_id, at)

    async def _tell_if_there(self, execution_id: str, news: n.News) -> None:
        """Tell something that may have become pointless meanwhile.

        Raises:
            Unavailable: The store does not answer; try again.
        """
        try:
            await self._driver.tell(execution_id, news)
        except Unavailable:
            raise
        except LinkFlowError as error:
            log.warning("news refused", execution_id=execution_id, news=type(news).__name__, error=str(error))

    async def _nudge(self, execution_id: str, news: n.News) -> None:
        """Tell something that is told again when it fails."""
        try:
            await self._tell_if_there(execution_id, news)
        except Unavailable as error:
            log.warning("not told; it is told again", execution_id=execution_id, error=str(error))

    # ------------------------------------------------------------ after a commit

    def _on_committed(
        self, entry: Entry, before: ExecutionState, turn: Turn, messages: Sequence[Message]
    ) -> None:
        """Let out what waited for durability: tasks, messages, wake-ups, those who wait."""
        state = turn.state
        self._handover.hand_out(before, turn)
        if messages:
            self._deliver(messages)
        if state.is_closed or state.has_responded:
            entry.hear()
        if not state.is_closed:
            self._wakeups.plan(entry, state)
        self._changed(entry.execution_id)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        assert self._background is not None, "own_tasks comes first"
        self._background.create_task(_quietly(work))


async def _quietly(work: Coroutine[None, None, None]) -> None:
    try:
        await work
    except LinkFlowError as error:
        log.warning("work after a commit failed; the auditor does it again", error=str(error))
    except Exception:  # a bug must not take the other executions down
        log.exception("work after a commit failed; the auditor does it again")
