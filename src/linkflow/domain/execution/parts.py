"""The parts of an ExecutionState: executions of nodes, scopes, loops and waits.

Plain objects with slots: those that never change once made are shared between copies of a state.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.event import BudgetExceeded
from linkflow.domain.values import Json


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
        begins: The current attempt runs, and nothing beside it.
        begin_by: Until when a worker must take the attempt, seconds since 1970; 0 when there is no limit.
        tries: Attempts at the effect so far, this one with them; look-ups are none.
        look_up: Which look-up of an unknown attempt this is, from 1; 0 when it is the effect itself.
    """

    __slots__ = (
        "at",
        "attempt",
        "begin_by",
        "begins",
        "error",
        "index",
        "look_up",
        "output",
        "retry_at",
        "scope",
        "session",
        "started_at",
        "status",
        "tries",
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
        begins: bool = False,
        begin_by: float = 0.0,
        tries: int = 0,
        look_up: int = 0,
    ) -> None:
        self.begins = begins
        self.begin_by = begin_by
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
        self.tries = tries or attempt
        self.look_up = look_up

    @property
    def effect_attempt(self) -> int:
        """The latest attempt at the effect: while it is looked up, the one that is unknown."""
        return self.attempt - self.look_up


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


class Slot(msgspec.Struct, frozen=True):
    """The instant at which a start policy lets an execution begin. Replaced, never changed.

    Attributes:
        policy: debounce or rate.
        key: Whose limit it is.
        since: When it was asked for, seconds since 1970.
        begins_at: The instant, seconds since 1970; 0 while it is not known.
    """

    policy: str
    key: str
    since: float
    begins_at: float = 0.0


class Spending(msgspec.Struct, frozen=True):
    """What an execution with a budget has used, by meter, and may use. Replaced, never changed.

    Attributes:
        pause: The budget that is used up, while somebody is to decide.
        waived: Periods of workspace budgets that no longer stop it.
    """

    limits: Mapping[str, int] = {}
    used: Mapping[str, int] = {}
    pause: BudgetExceeded | None = None
    waived: Sequence[str] = ()
