"""The events of nodes that take their time: loops, timers, signals, waits and children."""

from collections.abc import Sequence

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.event import Event
from linkflow.domain.values import Json


class LoopStarted(Event, frozen=True):
    """A loop node evaluated what it goes over.

    Attributes:
        mode: forEach, times or while.
        items: For forEach the (batched) items.
        count: Iterations to come; for while the upper bound.
        parallelism: Iterations at once.
    """

    key: str
    mode: str
    count: int
    items: Json = None
    parallelism: int = 1


class IterationStarted(Event, frozen=True):
    """One iteration of a loop begins: a new scope.

    Attributes:
        iteration: From 1.
        dead: Indexes of edges that leave `body` but whose condition does not hold.
    """

    key: str
    iteration: int
    dead: Sequence[int] = ()


class IterationCompleted(Event, frozen=True):
    """One iteration ended, with its result or its error."""

    key: str
    iteration: int
    output: Json = None
    error: NodeError | None = None


class TimerStarted(Event, frozen=True):
    """A delay waits for an instant, seconds since 1970."""

    key: str
    fire_at: float


class TimerFired(Event, frozen=True):
    """The instant has come; the node is done."""

    key: str
    output: Json = None
    handles: Sequence[str] = ("out",)
    dead: Sequence[int] = ()


class TimerCancelled(Event, frozen=True):
    """A delay is not needed any more."""

    key: str


class SignalReceived(Event, frozen=True):
    """A message came in and waits in the mailbox, unless a wait takes it in the same record."""

    id: str
    name: str
    match: str = ""
    data: Json = None


class SignalSent(Event, frozen=True):
    """A message leaves for another execution."""

    key: str
    execution_id: str
    id: str
    name: str
    data: Json = None


class WaitOpened(Event, frozen=True):
    """A node waits for something outside.

    Attributes:
        kind: event, approval, webhook, session.
        name: Name of the event waited for.
        match: Value the event's key must have; empty takes any.
        deadline_at: What happens at the latest then; the `timeout` handle or an error.
        token: Whoever holds it may resolve the wait.
        data: What people see: title, description, form.
    """

    key: str
    kind: str
    deadline_at: float
    name: str = ""
    match: str = ""
    token: str = ""
    data: Json = None


class WaitResolved(Event, frozen=True):
    """What was waited for came; the node is done."""

    key: str
    output: Json = None
    handles: Sequence[str] = ("out",)
    dead: Sequence[int] = ()
    by: str = ""
    signal: str = ""


class WaitTimedOut(Event, frozen=True):
    """The deadline of a wait passed; handles as in `ActivityTaskFailed` (none means it failed)."""

    key: str
    handles: Sequence[str] = ()
    output: Json = None
    dead: Sequence[int] = ()
    error: NodeError | None = None


class ChildStarted(Event, frozen=True):
    """A sub-workflow is started; its id derives from parent and key."""

    key: str
    child_id: str
    workflow_id: str
    input: Json = None
    waits: bool = True
    close_policy: str = "cancel"
    deadline_at: float = 0.0


class ChildClosed(Event, frozen=True):
    """A sub-workflow ended; handles as in `ActivityTaskFailed`."""

    key: str
    child_id: str
    status: str
    output: Json = None
    handles: Sequence[str] = ()
    dead: Sequence[int] = ()
    error: NodeError | None = None
