"""The caller's side: the ports of services that run in other processes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from linkflow import telemetry
from linkflow.adapters.grpc._gen.frontend_pb2 import FrontendCall
from linkflow.adapters.grpc._gen.history_pb2 import HistoryCall
from linkflow.adapters.grpc._gen.timer_pb2 import TimerCall
from linkflow.adapters.grpc.lines import Lines, RoleLines
from linkflow.adapters.grpc.surface import (
    CONTROL_PLANE,
    DEADLINE_S,
    FRONTEND,
    HISTORY,
    VISIBILITY,
    WAIT_MARGIN_S,
)
from linkflow.adapters.grpc.wire import Wire
from linkflow.domain.errors import LinkFlowError, NodeError, Unavailable
from linkflow.domain.execution.events import Parent
from linkflow.domain.values import Json, encode_json, shard_of
from linkflow.ports.clock import IdSource
from linkflow.ports.cluster import ClusterStatus, Config
from linkflow.ports.commands import (
    ActivityReply,
    ActivityReport,
    Attempt,
    ResolveWait,
    SignalExecution,
    StartedExecution,
    StartExecution,
    Task,
    TaskId,
)
from linkflow.ports.services import PublishedWorkflow
from linkflow.ports.views import (
    WHOLE,
    DeadLetter,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRow,
    ExecutionView,
    Explanation,
    Part,
    Projected,
    RecordedEvent,
)

CLAIM_S = 20.0
LOST_S = 10.0
"""Answers later than this are of no use: the worker may have forgotten what it ran meanwhile."""

SHORT_S = 10.0

KEPT_WAKES = 10_000

log = telemetry.logger("grpc")

_RESPOND: int = HistoryCall.HISTORY_CALL_RESPOND_ACTIVITY_TASK_COMPLETED

_started = msgspec.json.Decoder(StartedExecution).decode
_replied = msgspec.json.Decoder(ActivityReply).decode
_claimed: Callable[[bytes], Task | None] = msgspec.json.Decoder(Task | None).decode


async def _carry(wire: Wire) -> None:
    await wire.run()


class FrontendClient:
    """Any Frontend that can be reached; see `ports.services.Frontend`."""

    role = FRONTEND.role
    start_call: int = FrontendCall.FRONTEND_CALL_START_WORKFLOW_EXECUTION

    def __init__(self, lines: Lines, ids: IdSource) -> None:
        """Put it together.

        Args:
            lines: To the peers.
            ids: Of executions: whoever starts one names it, so that a start that is repeated meets itself.
        """
        self._lines = lines
        self._ids = ids
        self._calls = FRONTEND.calls() if self.role == FRONTEND.role else HISTORY.calls()
        self._exchange: RoleLines = lines.to(self.role, "Exchange", _carry)

    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution."""
        mine = command.execution_id or self._ids.execution_id()
        if not command.execution_id:
            command = msgspec.structs.replace(command, execution_id=mine)
        deadline_s = DEADLINE_S + command.wait_ms / 1000
        answer = await self._exchange.call(
            self.start_call, encode_json(command), mine, shard=shard_for(mine), deadline_s=deadline_s
        )
        return _started(answer)

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait for the end."""
        deadline_s = wait_ms / 1000 + WAIT_MARGIN_S
        found: StartedExecution = await self._ask("wait", execution_id, wait_ms, deadline_s=deadline_s)
        return found

    async def signal(self, command: SignalExecution) -> None:
        """Send a message."""
        await self._ask_about("signal", command.execution_id, command)

    async def resolve(self, command: ResolveWait) -> None:
        """Decide a wait."""
        await self._ask_about("resolve", command.execution_id, command)

    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """Ask to end."""
        await self._ask("cancel", execution_id, reason, by)

    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End at once."""
        await self._ask("terminate", execution_id, reason, by)

    async def release(self, execution_id: str, by: str) -> None:
        """Let a quarantined execution try again."""
        await self._ask("release", execution_id, by)

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Read one execution."""
        found: ExecutionView = await self._ask("view", execution_id, part)
        return found

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Read events."""
        found: Sequence[RecordedEvent] = await self._ask("events", execution_id, after, limit)
        return found

    async def explain(self, execution_id: str) -> Explanation:
        """Say what it waits for."""
        found: Explanation = await self._ask("explain", execution_id)
        return found

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions that wait for an event."""
        found: Sequence[str] = await self._ask_about("awaiting", "", workspace_id, name, match, after)
        return found

    async def _ask(self, method: str, execution_id: str, *args: Any, deadline_s: float = DEADLINE_S) -> Any:
        """Call a method whose first argument is the execution."""
        return await self._ask_about(method, execution_id, execution_id, *args, deadline_s=deadline_s)

    async def _ask_about(
        self, method: str, execution_id: str, *args: Any, deadline_s: float = DEADLINE_S
    ) -> Any:
        shard = shard_for(execution_id) if execution_id else None
        return await self._lines.unary(
            self.role, self._calls[method], *args, deadline_s=deadline_s, shard=shard
        )


class HistoryClient(FrontendClient):
    """The History that an execution's shard should go to, or another one; see `ports.services.History`."""

    role = HISTORY.role
    start_call = HistoryCall.HISTORY_CALL_START_WORKFLOW_EXECUTION

    async def respond(self, reports: Sequence[ActivityReport]) -> Sequence[ActivityReply]:
        """Report how attempts ended."""
        if len(reports) == 1:
            return [await self._respond(reports[0])]
        return await asyncio.gather(*(self._respond(report) for report in reports))

    async def _respond(self, report: ActivityReport) -> ActivityReply:
        about = report.execution_id
        return _replied(
            await self._exchange.call(
                _RESPOND, encode_json(report), about, shard=shard_for(about), deadline_s=DEADLINE_S
            )
        )

    async def claim(self, task: TaskId, session: str) -> Task | None:
        """Start a queued task."""
        call = HistoryCall.HISTORY_CALL_RECORD_ACTIVITY_TASK_STARTED
        about = task.execution_id
        return _claimed(
            await self._exchange.call(
                call, encode_json((task, session)), about, shard=shard_for(about), deadline_s=CLAIM_S
            )
        )

    async def wake(self, execution_ids: Sequence[str]) -> None:
        """Fire what is due; those of one member go together."""
        groups: dict[str, list[str]] = {}
        for execution_id in execution_ids:
            ranked = self._exchange.ranked(shard_for(execution_id))
            groups.setdefault(ranked[0].member.id if ranked else "", []).append(execution_id)
        await _all(
            self._exchange.call(
                HistoryCall.HISTORY_CALL_WAKE,
                encode_json(group),
                shard=shard_for(group[0]),
                deadline_s=DEADLINE_S,
            )
            for group in groups.values()
        )

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """End attempts of dead sessions, at every member."""
        await _all(self._everywhere("sessions_lost", SHORT_S, sessions))

    async def lost_tasks(self, session: str, held: Sequence[Attempt]) -> Sequence[Task]:
        """Collect what a session should have and does not, from every member that answers."""
        found: list[Task] = []
        asked = list(self._everywhere("lost_tasks", LOST_S, session, held))
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(answer, LinkFlowError):
                log.info("a member was not asked for lost tasks", error=str(answer))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += answer
        return found

    async def child_closed(
        self, parent: Parent, child_id: str, status: str, output: Json, error: NodeError | None
    ) -> None:
        """Tell a parent about its child."""
        await self._ask_about("child_closed", parent.execution_id, parent, child_id, status, output, error)

    async def granted(self, execution_id: str, ticket: str) -> None:
        """Tell an execution that it has its ticket."""
        await self._ask("granted", execution_id, ticket)

    async def promised(self, execution_id: str, key: str, begins_at: float) -> None:
        """Tell an execution when it begins."""
        await self._ask("promised", execution_id, key, begins_at)

    async def refused(self, execution_id: str, ticket: str, reason: str) -> None:
        """Tell an execution that it gets no ticket."""
        await self._ask("refused", execution_id, ticket, reason)

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Read what the projection writes; in the order asked for."""
        groups: dict[str, list[str]] = {}
        for execution_id in execution_ids:
            ranked = self._exchange.ranked(shard_for(execution_id))
            groups.setdefault(ranked[0].member.id if ranked else "", []).append(execution_id)
        found: dict[str, Projected] = {}
        for answer in await _all(self._ask_about("projected", group[0], group) for group in groups.values()):
            found.update((each.row.execution_id, each) for each in answer)
        return [found[execution_id] for execution_id in execution_ids]

    def _everywhere(self, method: str, deadline_s: float, *args: Any) -> list[Awaitable[Any]]:
        """Ask every member."""
        call = self._calls[method]
        request = call.request(*args)
        members = [member for member in self._lines.peers.of(self.role) if self.role in member.addresses]
        if not members:
            raise Unavailable("No history service is there; try again.")
        return [self._lines.ask(member, self.role, call, request, deadline_s) for member in members]


class VisibilityClient:
    """Any Visibility that can be reached; see `ports.services.Visibility`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._calls = VISIBILITY.calls()

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List executions."""
        found: ExecutionPage = await self._ask("list", query)
        return found

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count executions by status."""
        found: Mapping[str, int] = await self._ask("count", query)
        return found

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest executions of each of some workflows."""
        found: Sequence[ExecutionRow] = await self._ask("latest", workspace_id, workflow_ids, limit)
        return found

    async def dead_letters(self, workspace_id: str, after: str = "", limit: int = 50) -> Sequence[DeadLetter]:
        """List what was given up on."""
        found: Sequence[DeadLetter] = await self._ask("dead_letters", workspace_id, after, limit)
        return found

    async def _ask(self, method: str, *args: Any) -> Any:
        return await self._lines.unary(VISIBILITY.role, self._calls[method], *args, deadline_s=SHORT_S)


class ControlPlaneClient:
    """Whoever has the control plane: secrets, versions of workflows, and how the cluster is."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._calls = CONTROL_PLANE.calls()

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """Open a credential."""
        found: Mapping[str, Json] = await self._ask("open", workspace_id, name, purpose)
        return found

    async def published(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow:
        """Find the published version of a workflow, else its draft."""
        found: PublishedWorkflow = await self._ask("published", workspace_id, workflow_id)
        return found

    async def status(self) -> ClusterStatus:
        """Say how the cluster is."""
        found: ClusterStatus = await self._ask("status")
        return found

    async def config(self) -> Config:
        """Read the newest configuration."""
        found: Config = await self._ask("config")
        return found

    async def configure(self, values: Mapping[str, str | None]) -> Config:
        """Change settings of all processes while they run."""
        found: Config = await self._ask("configure", values)
        return found

    async def _ask(self, method: str, *args: Any) -> Any:
        return await self._lines.unary(CONTROL_PLANE.role, self._calls[method], *args, deadline_s=SHORT_S)


class TimerClient:
    """The Timer that an execution's shard should go to; see `ports.services.Timer`.

    A wake-up that finds no Timer is kept for the next one; what is lost with a Timer is found in the store.
    """

    def __init__(self, lines: Lines) -> None:
        self._kept: dict[str, float] = {}
        self._exchange = lines.to("timer", "Exchange", self._carry)

    def schedule(self, execution_id: str, at: float) -> None:
        """Plan a wake-up."""
        for line in self._exchange.ranked(shard_for(execution_id)):
            if line.wire is not None:
                line.wire.note(TimerCall.TIMER_CALL_SCHEDULE, encode_json((execution_id, at)), execution_id)
                return
        if len(self._kept) < KEPT_WAKES:
            self._kept[execution_id] = min(at, self._kept.get(execution_id, at))

    async def _carry(self, wire: Wire) -> None:
        kept, self._kept = self._kept, {}
        for execution_id, at in kept.items():
            wire.note(TimerCall.TIMER_CALL_SCHEDULE, encode_json((execution_id, at)), execution_id)
        await wire.run()


def shard_for(execution_id: str) -> int:
    """Read the shard of an execution; of what is not an execution's id, anybody may say so."""
    try:
        return shard_of(execution_id)
    except ValueError:
        return 0


async def _all(calls: Any) -> Sequence[Any]:
    """Make all calls, and raise the first failure only when all have ended."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
