"""ExecutionState: what a history adds up to. `evolve` (in evolve.py) is the only thing that changes one.

It is a plain mutable object that `copy` duplicates, because a state is folded forward on every record
and a deep immutable structure would cost more than the decisions themselves.
"""

from collections.abc import Iterator
from enum import StrEnum

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.events import (
    CancelRequested,
    Event,
    FailureDecided,
    SignalReceived,
    WorkflowExecutionStarted,
)
from linkflow.domain.execution.parts import Loop, NodeState, NodeStatus, Scope, Slot, Spending, Wait
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph

__all__ = [
    "CLOSED_STATUS",
    "ROOT",
    "TERMINAL",
    "ExecutionState",
    "Loop",
    "NodeState",
    "NodeStatus",
    "Scope",
    "Slot",
    "Spending",
    "Status",
    "Wait",
]

ROOT = ""
"""Id of the outermost scope."""


class Status(StrEnum):
    """Status of an execution, the words of the API."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.TIMED_OUT})


class ExecutionState:
    """Everything an execution's history says about where it stands.

    Attributes:
        version: Number of its last event; 0 before the first.
        run: Which run of the execution this is, from 1; a long history goes on in the next.
        run_event: Number of the run's first event.
        nodes: By key, every execution of a node that expressions or people can still see.
        ready: Nodes to run now: key to (rank, index, scope id).
        dead: Nodes to skip now: (index, scope id).
        flying: Keys of activities that are scheduled or started.
        retries: Keys that wait for their next attempt.
        waits: Keys that wait for something outside.
        loops: Keys of loops under way.
        children: Children that were started and not awaited, by key, with their close policy.
        mailbox: Signals that nothing waited for yet, by id, oldest first.
        seen: Ids of signals that were received, so that a repeat is harmless.
        leaves: Keys of finished nodes of the outermost scope from which nothing went on, by index.
        bases: Visits used up by loops that have ended, by scope prefix.
        responded: The responder's output.
        fault: The evaluation of a condition failed, or a bound was exceeded: to be failed next.
        slot: The instant that a start policy makes it wait for; None while none does.
        begun_at: When a start policy let it go on last, seconds since 1970; 0 where none has.
        spending: What it used of its budgets; None while it has none.
    """

    __slots__ = (
        "bases",
        "begun_at",
        "cancel",
        "children",
        "closed",
        "closed_at",
        "dead",
        "execution_id",
        "failure",
        "fault",
        "flying",
        "graph",
        "has_responded",
        "leaves",
        "loops",
        "mailbox",
        "nodes",
        "quarantine",
        "ready",
        "responded",
        "retries",
        "run",
        "run_event",
        "scopes",
        "seen",
        "slot",
        "spending",
        "started",
        "started_at",
        "ticket_since",
        "version",
        "waits",
    )

    def __init__(self, execution_id: str, graph: ExecutionGraph) -> None:
        self.execution_id = execution_id
        self.graph = graph
        self.version = 0
        self.run = 1
        self.run_event = 1
        self.started: WorkflowExecutionStarted | None = None
        self.started_at = 0.0
        self.begun_at = 0.0
        self.closed: Event | None = None
        self.closed_at = 0.0
        self.cancel: CancelRequested | None = None
        self.failure: FailureDecided | None = None
        self.quarantine = ""
        self.ticket_since = 0.0
        self.slot: Slot | None = None
        self.has_responded = False
        self.responded: Json = None
        self.fault: tuple[str, str, NodeError] | None = None
        self.nodes: dict[str, NodeState] = {}
        self.scopes: dict[str, Scope] = {}
        self.ready: dict[str, tuple[int, int, str]] = {}
        self.dead: list[tuple[int, str]] = []
        self.flying: dict[str, None] = {}
        self.retries: dict[str, None] = {}
        self.waits: dict[str, Wait] = {}
        self.loops: dict[str, Loop] = {}
        self.children: dict[str, tuple[str, str]] = {}
        self.mailbox: dict[str, SignalReceived] = {}
        self.seen: dict[str, None] = {}
        self.leaves: dict[int, str] = {}
        self.bases: dict[str, int] = {}
        self.spending: Spending | None = None

    def copy(self) -> "ExecutionState":
        """Duplicate the state, so that the copy can be folded forward alone."""
        twin = ExecutionState.__new__(ExecutionState)  # by name: twice as quick as by a list of names
        twin.execution_id = self.execution_id
        twin.graph = self.graph
        twin.version = self.version
        twin.run = self.run
        twin.run_event = self.run_event
        twin.started = self.started
        twin.started_at = self.started_at
        twin.begun_at = self.begun_at
        twin.closed = self.closed
        twin.closed_at = self.closed_at
        twin.cancel = self.cancel
        twin.failure = self.failure
        twin.quarantine = self.quarantine
        twin.ticket_since = self.ticket_since
        twin.slot = self.slot
        twin.has_responded = self.has_responded
        twin.responded = self.responded
        twin.fault = self.fault
        twin.spending = self.spending
        twin.nodes = self.nodes.copy()
        twin.ready = self.ready.copy()
        twin.dead = self.dead.copy()
        twin.flying = self.flying.copy()
        twin.retries = self.retries.copy()
        twin.waits = self.waits.copy()
        twin.children = self.children.copy()
        twin.mailbox = self.mailbox.copy()
        twin.seen = self.seen.copy()
        twin.leaves = self.leaves.copy()
        twin.bases = self.bases.copy()
        twin.scopes = {scope_id: scope.copy() for scope_id, scope in self.scopes.items()}
        twin.loops = {key: loop.copy() for key, loop in self.loops.items()}
        return twin

    @property
    def start(self) -> WorkflowExecutionStarted:
        """The first event."""
        assert self.started is not None, "an execution begins with WorkflowExecutionStarted"
        return self.started

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.closed is not None

    @property
    def is_ending(self) -> bool:
        """Whether nothing new may begin: it is over, cancelled or failing."""
        return self.closed is not None or self.cancel is not None or self.failure is not None

    @property
    def is_paused(self) -> bool:
        """Whether no further node begins until somebody decides about a budget."""
        return self.spending is not None and self.spending.pause is not None

    @property
    def deadline_at(self) -> float:
        """When it times out, seconds since 1970; 0 for never. Its own limit counts from when it begins."""
        limit_s, is_queued = self.start.limit_s, self.ticket_since or self.slot is not None
        return (
            self.begun_at + limit_s if limit_s and self.begun_at and not is_queued else self.start.deadline_at
        )

    def status(self) -> Status:
        """Say the status as people see it (semantics, section 6)."""
        if self.closed is not None:
            return CLOSED_STATUS[type(self.closed).__name__]
        if self.quarantine:
            return Status.WAITING
        if self.ticket_since or self.slot is not None:
            return Status.QUEUED
        if self.flying or ((self.retries or self.ready) and not self.is_paused):
            return Status.RUNNING
        if self.waits or self.children or self.is_paused:
            return Status.WAITING
        return Status.RUNNING

    def deadlines(self) -> Iterator[float]:
        """Iterate over every instant at which something falls due, besides attempts under way."""
        if self.cancel is not None:
            yield self.cancel.grace_until
            return
        if self.quarantine:
            return
        if self.failure is not None:
            yield self.failure.grace_until
            return
        if self.started is not None and self.deadline_at:
            yield self.deadline_at
        if self.slot is not None and self.slot.begins_at:
            yield self.slot.begins_at
        if self.spending is not None and self.spending.pause is not None:
            yield self.spending.pause.deadline_at
        else:
            yield from (self.nodes[key].retry_at for key in self.retries)
        yield from (wait.until for wait in self.waits.values())
        if self.graph.limits_starts:
            yield from (self.nodes[key].begin_by for key in self.flying if self.nodes[key].begin_by)

    def wakeup_at(self) -> float | None:
        """Say when to look again at the latest; None when it is over."""
        if self.closed is not None:
            return None
        return min(self.deadlines(), default=None)

    def awaited_events(self) -> tuple[str, ...]:
        """Name the events it waits for, as `awaited` writes them; none when it is over."""
        if not self.waits:
            return ()
        found = {awaited(wait.name, wait.match) for wait in self.waits.values() if wait.kind == "event"}
        return tuple(sorted(found))

    def latest(self, index: int, scope_id: str) -> NodeState | None:
        """Find the latest execution of a node that a scope can see: its own first, then enclosing ones."""
        while True:
            scope = self.scopes.get(scope_id)
            if scope is None:
                return None
            key = scope.latest.get(index)
            if key is not None:
                return self.nodes.get(key)
            if scope_id == ROOT:
                return None
            scope_id = scope.parent


def awaited(name: str, match: str) -> str:
    """Write an event that is waited for as one text; an empty key takes any.

    The parts are set apart by characters that cannot be typed, and never by NUL, which databases refuse.
    """
    return f"{name}\x1e{match}".replace("\x1f", " ").replace("\x00", " ")


CLOSED_STATUS = {
    "WorkflowExecutionCompleted": Status.COMPLETED,
    "WorkflowExecutionFailed": Status.FAILED,
    "WorkflowExecutionTimedOut": Status.TIMED_OUT,
    "WorkflowExecutionCancelled": Status.CANCELLED,
    "WorkflowExecutionTerminated": Status.CANCELLED,
}
