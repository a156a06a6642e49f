"""How the engine's services are called: the same in one process and over a wire."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.events import Parent
from linkflow.domain.values import Json
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
from linkflow.ports.views import (
    WHOLE,
    DeadLetter,
    Driver,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRow,
    ExecutionView,
    Explanation,
    LogLine,
    NodeRun,
    Part,
    Projected,
    QueueView,
    RecordedEvent,
)

__all__ = [
    "ActivityReply",
    "ActivityReport",
    "Attempt",
    "CredentialBroker",
    "DeadLetter",
    "Dispatch",
    "Driver",
    "ExecutionPage",
    "ExecutionQuery",
    "ExecutionRow",
    "ExecutionView",
    "Explanation",
    "Frontend",
    "History",
    "LogLine",
    "Matching",
    "NodeRun",
    "Poll",
    "Projected",
    "PublishedWorkflow",
    "QueueView",
    "RecordedEvent",
    "ResolveWait",
    "SignalExecution",
    "StartExecution",
    "StartedExecution",
    "Task",
    "TaskId",
    "Timer",
    "Visibility",
    "WorkerControl",
    "WorkerState",
    "WorkflowDirectory",
]


class Frontend(Protocol):
    """The engine's front door: validate, deduplicate, limit, route."""

    async def start(self, command: StartExecution) -> StartedExecution:
        """Start an execution; return when the start is durable, or over, or `wait_ms` has passed.

        Safe to repeat with a `request_id` or `execution_id`.

        Raises:
            Invalid: The input does not match the workflow's schema; nothing was started.
            NotFound: No such spec.
            Overloaded: Try again after `retry_after_s`; nothing was started.
        """
        ...

    async def wait(self, execution_id: str, wait_ms: int) -> StartedExecution:
        """Wait until an execution is over (or has responded), at most `wait_ms`."""
        ...

    async def signal(self, command: SignalExecution) -> None:
        """Send a message to an execution. Safe to repeat.

        Raises:
            NotFound: No such execution.
            ExecutionClosed: It is over.
        """
        ...

    async def resolve(self, command: ResolveWait) -> None:
        """Decide something an execution waits for. Safe to repeat.

        Raises:
            NotFound: Nothing open under this key or token.
            ExecutionClosed: It is over.
        """
        ...

    async def cancel(self, execution_id: str, reason: str, by: str) -> None:
        """Ask an execution to end, with a grace period. Safe to repeat."""
        ...

    async def terminate(self, execution_id: str, reason: str, by: str) -> None:
        """End an execution at once. Safe to repeat."""
        ...

    async def release(self, execution_id: str, by: str) -> None:
        """Let a quarantined execution try again."""
        ...

    async def view(self, execution_id: str, part: Part = WHOLE) -> ExecutionView:
        """Read one execution, or a part of it, from its history.

        Raises:
            NotFound: No such execution.
        """
        ...

    async def events(self, execution_id: str, after: int = 0, limit: int = 1000) -> Sequence[RecordedEvent]:
        """Read events after a number, oldest first."""
        ...

    async def explain(self, execution_id: str) -> Explanation:
        """Say what an execution waits for, since when and until when."""
        ...

    async def awaiting(self, workspace_id: str, name: str, match: str, after: str = "") -> Sequence[str]:
        """List executions that wait for an event with this name and key, a page in order of their ids.

        Args:
            workspace_id: Tenant.
            name: Name of the event.
            match: The event's key; waits without a key take any.
            after: Id of the last one known; empty for the first page. An empty page is the last.
        """
        ...


class History(Frontend, Protocol):
    """The only writer of event histories. What `Frontend` promises, History does; and it serves workers."""

    async def respond(self, reports: Sequence[ActivityReport]) -> Sequence[ActivityReply]:
        """Take in how attempts ended; a reply means it is durable. Safe to repeat."""
        ...

    async def claim(self, task: TaskId, session: str) -> Task | None:
        """Start a task for a worker session, durably; None when it is not wanted any more."""
        ...

    async def wake(self, execution_ids: Sequence[str]) -> None:
        """Fire whatever is due in these executions. Safe to repeat."""
        ...

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """End every attempt that these worker sessions had started. Safe to repeat."""
        ...

    async def lost_tasks(self, session: str, held: Sequence[Attempt]) -> Sequence[Task]:
        """Collect what was started for a living worker session a while ago and the session does not hold.

        A frame or a reply that carried it was lost; the session may run it now. Safe to repeat.

        Args:
            session: Who asks.
            held: Attempts that it was given and whose reports are not acknowledged.
        """
        ...

    async def child_closed(
        self,
        parent: Parent,
        child_id: str,
        status: str,
        output: Json,
        error: NodeError | None,
    ) -> None:
        """Tell a parent that its child is over. Safe to repeat."""
        ...

    async def granted(self, execution_id: str, ticket: str) -> None:
        """Tell an execution that it has its concurrency ticket. Safe to repeat."""
        ...

    async def promised(self, execution_id: str, key: str, begins_at: float) -> None:
        """Tell an execution when a start policy lets it begin, seconds since 1970. Safe to repeat."""
        ...

    async def refused(self, execution_id: str, ticket: str, reason: str) -> None:
        """Tell an execution that it gets no ticket, or no slot of that key. Safe to repeat."""
        ...

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Read what the projection writes for executions, as they stand now."""
        ...


class Dispatch(Protocol):
    """Takes tasks from History to workers that have room.

    A worker session has credits: tasks it may still be given. A delivered task takes one until the worker
    gives it back with `release`.
    """

    def reserve(self, queue: str, count: int, first: str = "") -> Sequence[str]:
        """Take up to `count` credits: the session of each, the one with most room first.

        A credit of the session `first` comes before all: its worker waits for a reply that may carry a task.
        """
        ...

    def release(self, sessions: Sequence[str]) -> None:
        """Give credits back: those not used, or those of tasks that ended."""
        ...

    def deliver(self, task: Task) -> bool:
        """Hand a started task to the session it was started for; False when that worker is gone."""
        ...

    async def add(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks that no worker has yet. Safe to repeat: a task starts once."""
        ...

    def cancel(self, session: str, execution_id: str, key: str) -> None:
        """Ask a worker to stop an attempt."""
        ...


class Poll(Protocol):
    """Brings a worker session the tasks that were started for it."""

    async def poll(self, session: str, queues: Sequence[str], slots: int, wait_s: float) -> Sequence[Task]:
        """Wait for tasks; the first call of a session registers it with `slots` credits.

        Returns:
            Tasks started for this session; empty when `wait_s` has passed.
        """
        ...

    def release(self, sessions: Sequence[str]) -> None:
        """Give the credits of tasks back that ended, or that were not wanted."""
        ...

    def drain(self, session: str) -> None:
        """Start nothing further on a session; what was started for it is still handed over."""
        ...

    def resize(self, session: str, slots: int) -> None:
        """Change how many tasks a session may have at once; one that drains stays at none."""
        ...

    def is_idle(self, session: str) -> bool:
        """Say whether every credit of a session is back: nothing was started for it that has not ended."""
        ...

    def leave(self, session: str) -> None:
        """Deregister a session; it gets no further task."""
        ...

    def cancelled(self, session: str) -> Sequence[tuple[str, str]]:
        """Take the (execution id, key) of attempts that a worker was asked to stop since the last call."""
        ...


class Matching(Dispatch, Poll, Protocol):
    """Brings tasks that are ready to workers that have room."""

    def in_use(self, session: str) -> int:
        """Count the credits of a session that are not back."""
        ...

    def recount(self, session: str, in_use: int) -> None:
        """Set how many credits of a session are not back, when some were lost on the way."""
        ...

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks by queue."""
        ...

    def queues(self) -> Sequence[QueueView]:
        """Say how every queue stands that has tasks or workers, by name."""
        ...


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker is.

    Attributes:
        session: Ends with the process.
        slots: Attempts that it may have in hand at once.
        busy: Attempts in hand.
    """

    session: str
    slots: int
    busy: int
    is_draining: bool


class WorkerControl(Protocol):
    """How operators and upgrades reach a worker."""

    async def describe(self) -> WorkerState:
        """Say how the worker is."""
        ...

    async def drain(self, grace_s: float) -> None:
        """Start nothing further; return when what was started has ended or the time is over."""
        ...


class Timer(Protocol):
    """Wakes executions up."""

    def schedule(self, execution_id: str, at: float) -> None:
        """Wake an execution at an instant, seconds since 1970; an earlier one replaces a later."""
        ...


class Visibility(Protocol):
    """Lists and counts executions, from the projection."""

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List executions, newest first."""
        ...

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count executions by status."""
        ...

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest executions of each of some workflows.

        Args:
            workspace_id: Whose.
            workflow_ids: Which, each once.
            limit: Rows of each workflow.

        Returns:
            Newest first within a workflow; a workflow that is not there, or that never ran, has none.
        """
        ...

    async def dead_letters(self, workspace_id: str, after: str = "", limit: int = 50) -> Sequence[DeadLetter]:
        """List what was given up on, newest first."""
        ...


class PublishedWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of a workflow runs when it is started by its id."""

    workspace_id: str
    workflow_id: str
    workflow_version: int
    spec_hash: str


class WorkflowDirectory(Protocol):
    """Finds the version that a workflow's id stands for."""

    async def published(self, workspace_id: str, workflow_id: str) -> PublishedWorkflow:
        """Find the published version of a workflow, else its draft.

        Raises:
            NotFound: No such workflow in this workspace.
        """
        ...


class CredentialBroker(Protocol):
    """Opens secrets at the moment of use."""

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """Open a credential by name or id: its fields. Each opening leaves a line in the audit log.

        Args:
            workspace_id: Whose it is.
            name: Name or id; `vars` opens the secret variables.
            purpose: What it is opened for, such as `execution:<id>:<node key>`.

        Raises:
            NotFound: No such credential in this workspace.
            Denied: `credential.needs_reauth`: somebody must agree to it again, or for the first time.
        """
        ...
