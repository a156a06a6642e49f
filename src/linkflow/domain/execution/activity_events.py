"""The events of nodes that run: activities with their attempts, and pure nodes."""

from collections.abc import Mapping, Sequence

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.event import Event
from linkflow.domain.values import Json

LOOKED_UP = "look-up"
"""Who resolved an unknown attempt, where the receiver was asked."""


class ActivityTaskScheduled(Event, frozen=True):
    """An activity wants a worker; until it is started, this event is the durable task."""

    key: str
    attempt: int = 1


class ActivityTaskStarted(Event, frozen=True):
    """A worker session may run this attempt now.

    Attributes:
        begins: It is running from now on, and nothing beside it: said once more, by the worker, of an attempt
            whose node may be what stops workers.
    """

    key: str
    session: str
    attempt: int = 1
    begins: bool = False


class ActivityTaskCompleted(Event, frozen=True):
    """An attempt ended well.

    Attributes:
        key: Node key.
        attempt: Which try.
        output: JSON, or a blob reference.
        handles: Output handles taken.
        dead: Indexes of edges that leave a taken handle but whose condition does not hold.
        logs: Lines the node logged.
        meta: Facts for people, `{"ms": 12}`.
    """

    key: str
    attempt: int = 1
    output: Json = None
    handles: Sequence[str] = ("out",)
    dead: Sequence[int] = ()
    logs: Sequence[Json] = ()
    meta: Mapping[str, Json] = {}


class ActivityTaskFailed(Event, frozen=True):
    """An attempt failed.

    Attributes:
        final: No further attempt follows.
        handles: Handles taken when the failure is final and caught (`error`, or `out` to go on).
        output: What those handles carry.
    """

    key: str
    error: NodeError
    attempt: int = 1
    final: bool = False
    handles: Sequence[str] = ()
    output: Json = None
    dead: Sequence[int] = ()
    logs: Sequence[Json] = ()
    meta: Mapping[str, Json] = {}


class ActivityTaskTimedOut(ActivityTaskFailed, frozen=True):
    """An attempt took, or was silent, or waited for a worker too long: a failure with such a code."""


class ActivityTaskCancelled(Event, frozen=True):
    """An activity was cancelled: by a cancel, a failure elsewhere or a merge that needs it no more."""

    key: str
    attempt: int = 1
    reason: str = ""


class ActivityTaskRetryScheduled(Event, frozen=True):
    """The next attempt follows at an instant."""

    key: str
    attempt: int
    at: float


class ActivityTaskUnknown(Event, frozen=True):
    """The effect of an attempt may or may not have happened.

    Attributes:
        policy: fail, park, retry or look_up.
        deadline_at: Until when a person may decide, when parked.
        look_up: Which look-up gave no answer, from 1; 0 when it is the attempt itself.
    """

    key: str
    attempt: int
    reason: str
    policy: str = "fail"
    deadline_at: float = 0.0
    error: NodeError | None = None
    look_up: int = 0


class ActivityTaskLookUp(Event, frozen=True):
    """The receiver is asked at an instant what became of an unknown attempt.

    Attributes:
        attempt: The number under which a worker asks; the unknown attempt is `attempt - look_up`.
        look_up: Which look-up of that attempt it is, from 1.
    """

    key: str
    attempt: int
    look_up: int
    at: float


class ActivityTaskResolved(Event, frozen=True):
    """A person or a look-up said what became of an unknown attempt: done, retry or fail."""

    key: str
    attempt: int
    action: str
    by: str = ""


class NodeCompleted(Event, frozen=True):
    """A pure or control node is done."""

    key: str
    output: Json = None
    handles: Sequence[str] = ("out",)
    dead: Sequence[int] = ()
    pinned: bool = False
    logs: Sequence[Json] = ()


class NodeFailed(Event, frozen=True):
    """A pure or control node failed for good; handles and output as in `ActivityTaskFailed`."""

    key: str
    error: NodeError
    handles: Sequence[str] = ()
    output: Json = None
    dead: Sequence[int] = ()


class NodesSkipped(Event, frozen=True):
    """Nodes whose every incoming edge is dead."""

    keys: Sequence[str]
