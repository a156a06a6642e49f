"""ExecutionState: what a history adds up to. `evolve` (in evolve.py) is the only thing that changes one.

The parts are plain mutable objects that `copy` duplicates, because a state is folded forward on every
record and a deep immutable structure would cost more than the decisions themselves.
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
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph

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


class NodeStatus(StrEnum):
    """Status of one execution of a node, the words of the API."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCESS = "success"
    ERROR = "error"
    SKIPPED = "skipped"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class NodeState:
    """One execution of a node, under its key. Replaced, never changed, so that copies may share it.

    Attributes:
        index: Node in the graph.
        scope: Id of the scope it runs in.
        attempt: Which try, from 1.
        session: Worker session that may run the attempt; empty while it waits for one.
        at: When it was scheduled or opened; what `now()` means for every attempt.
        started_at: When the current attempt was given to a worker.
        retry_at: When the next attempt follows, 0 when none is due.
    """

    __slots__ = (
        "at",
        "attempt",
        "error",
        "index",
        "output",
        "retry_at",
        "scope",
        "session",
        "started_at",
        "status",
    )

    def __init__(
        self,
        index: int,
        scope: str,
        status: NodeStatus,
        at: float,
        *,
        attempt: int = 1,
        session: str = "",
        started_at: float = 0.0,
        retry_at: float = 0.0,
        output: Json = None,
        error: NodeError | None = None,
    ) -> None:
        self.index = index
        self.scope = scope
        self.status = status
        self.at = at
        self.attempt = attempt
        self.session = session
        self.started_at = started_at
        self.retry_at = retry_at
        self.output = output
        self.error = error


class Scope:
    """The outermost scope, or one iteration of a loop: the place where edges are resolved once per visit.

    Attributes:
        id: `""`, or `"<loop node id>#<path>"`.
        path: Iteration numbers of the enclosing loops, `"2.7"`.
        loop: Key of the loop node, empty for the outermost.
        iteration: From 1; 0 for the outermost.
        open: Nodes that are ready or under way.
        arrived: Per node the indexes of taken and of dead edges so far.
        visits: Per node how often it began.
        latest: Per node the key of its latest finished execution seen from here.
        base: Visits that earlier runs of the loop used up, so that keys never repeat.
        last: Key that finished last.
    """

    __slots__ = (
        "arrived",
        "base",
        "id",
        "iteration",
        "last",
        "latest",
        "loop",
        "open",
        "parent",
        "path",
        "visits",
    )

    def __init__(self, id: str, parent: str, path: str, loop: str, iteration: int, base: int) -> None:  # noqa: A002  # the field's word
        self.id = id
        self.parent = parent
        self.path = path
        self.loop = loop
        self.iteration = iteration
        self.base = base
        self.open = 0
        self.last = ""
        self.arrived: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self.visits: dict[int, int] = {}
        self.latest: dict[int, str] = {}

    def copy(self) -> "Scope":
        """Duplicate what may change."""
        twin = Scope.__new__(Scope)
        twin.id, twin.parent, twin.path = self.id, self.parent, self.path
        twin.loop, twin.iteration, twin.base = self.loop, self.iteration, self.base
        twin.open, twin.last = self.open, self.last
        twin.arrived = self.arrived.copy()
        twin.visits = self.visits.copy()
        twin.latest = self.latest.copy()
        return twin


class Loop:
    """A loop node that is going over something.

    Attributes:
        items: What each iteration gets, for forEach; None otherwise.
        count: Iterations in all; for while the upper bound.
        begun: Iterations begun so far.
        running: Ids of the scopes of iterations under way, by iteration.
        results: Result of each finished iteration, by iteration.
        errors: Error of each failed iteration, by iteration.
    """

    __slots__ = ("begun", "count", "errors", "items", "mode", "parallelism", "results", "running")

    def __init__(self, mode: str, count: int, items: Json, parallelism: int) -> None:
        self.mode = mode
        self.count = count
        self.items = items
        self.parallelism = parallelism
        self.begun = 0
        self.running: dict[int, str] = {}
        self.results: dict[int, Json] = {}
        self.errors: dict[int, NodeError] = {}

    def copy(self) -> "Loop":
        """Duplicate what may change."""
        twin = Loop(self.mode, self.count, self.items, self.parallelism)
        twin.begun = self.begun
        twin.running = self.running.copy()
        twin.results = self.results.copy()
        twin.errors = self.errors.copy()
        return twin


class Wait:
    """Something outside that a node waits for. Never changed once made.

    Attributes:
        kind: delay, event, approval, webhook, session, child, person.
        until: Deadline, seconds since 1970; for a delay the instant itself.
    """

    __slots__ = ("child_id", "close_policy", "data", "kind", "match", "name", "since", "token", "until")

    def __init__(
        self,
        kind: str,
        since: float,
        until: float,
        *,
        name: str = "",
        match: str = "",
        token: str = "",
        data: Json = None,
        child_id: str = "",
        close_policy: str = "cancel",
    ) -> None:
        self.kind = kind
        self.since = since
        self.until = until
        self.name = name
        self.match = match
        self.token = token
        self.data = data
        self.child_id = child_id
        self.close_policy = close_policy


class ExecutionState:
    """Everything an execution's history says about where it stands.

    Attributes:
        version: Number of its last event; 0 before the first.
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
    """

    __slots__ = (
        "bases",
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
        "scopes",
        "seen",
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
        self.started: WorkflowExecutionStarted | None = None
        self.started_at = 0.0
        self.closed: Event | None = None
        self.closed_at = 0.0
        self.cancel: CancelRequested | None = None
        self.failure: FailureDecided | None = None
        self.quarantine = ""
        self.ticket_since = 0.0
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

    def copy(self) -> "ExecutionState":
        """Duplicate the state, so that the copy can be folded forward alone."""
        twin = ExecutionState.__new__(ExecutionState)
        for name in _SHARED:
            setattr(twin, name, getattr(self, name))
        for name in _COPIED:
            setattr(twin, name, getattr(self, name).copy())
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

    def status(self) -> Status:
        """Say the status as people see it (semantics, section 6)."""
        if self.closed is not None:
            return CLOSED_STATUS[type(self.closed).__name__]
        if self.ticket_since:
            return Status.QUEUED
        if self.flying or self.retries or self.ready:
            return Status.RUNNING
        if self.waits or self.children or self.quarantine:
            return Status.WAITING
        return Status.RUNNING

    def deadlines(self) -> Iterator[float]:
        """Iterate over every instant at which something falls due, besides attempts under way."""
        if self.started is not None and self.started.deadline_at:
            yield self.started.deadline_at
        for ending in (self.cancel, self.failure):
            if ending is not None:
                yield ending.grace_until
        for key in self.retries:
            yield self.nodes[key].retry_at
        for wait in self.waits.values():
            yield wait.until

    def wakeup_at(self) -> float | None:
        """Say when to look again at the latest; None when it is over."""
        if self.closed is not None:
            return None
        return min(self.deadlines(), default=None)

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


_COPIED = (
    "nodes",
    "ready",
    "dead",
    "flying",
    "retries",
    "waits",
    "children",
    "mailbox",
    "seen",
    "leaves",
    "bases",
)
_SHARED = tuple(
    name for name in ExecutionState.__slots__ if name not in _COPIED and name not in ("scopes", "loops")
)

CLOSED_STATUS = {
    "WorkflowExecutionCompleted": Status.COMPLETED,
    "WorkflowExecutionFailed": Status.FAILED,
    "WorkflowExecutionTimedOut": Status.TIMED_OUT,
    "WorkflowExecutionCancelled": Status.CANCELLED,
    "WorkflowExecutionTerminated": Status.CANCELLED,
}
