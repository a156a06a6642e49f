"""What an execution is told: the inputs of `decide`. Each may be repeated without harm."""

from collections.abc import Sequence

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.events import WorkflowExecutionStarted
from linkflow.domain.node import Completion
from linkflow.domain.values import Json


class News(msgspec.Struct, frozen=True, tag=True):
    """One thing an execution is told."""


class Begin(News, frozen=True):
    """Start the execution."""

    started: WorkflowExecutionStarted


class Report(News, frozen=True):
    """An attempt ended."""

    key: str
    attempt: int
    session: str
    completion: Completion


class Claim(News, frozen=True):
    """A worker session takes a scheduled attempt; `begins` when it had it already and runs it now."""

    key: str
    attempt: int
    session: str
    begins: bool = False


class Wake(News, frozen=True):
    """Time has passed: fire whatever is due. Also: go on where the last turn stopped."""


class SessionsLost(News, frozen=True):
    """Worker sessions are dead: what they had started will never be reported.

    Attributes:
        sessions: The dead ones.
        alive: When not None, every session but these is dead.
    """

    sessions: Sequence[str] = ()
    alive: Sequence[str] | None = None


class Signal(News, frozen=True):
    """A message came in."""

    id: str
    name: str
    match: str = ""
    data: Json = None


class Resolve(News, frozen=True):
    """A decision about something that is waited for."""

    key: str = ""
    token: str = ""
    action: str = "done"
    data: Json = None
    by: str = ""
    comment: str = ""


class Cancel(News, frozen=True):
    """Somebody asks to end it, with a grace period."""

    reason: str = ""
    by: str = ""


class Terminate(News, frozen=True):
    """Somebody ends it at once."""

    reason: str = ""
    by: str = ""


class ChildEnded(News, frozen=True):
    """A sub-workflow is over."""

    key: str
    child_id: str
    status: str
    output: Json = None
    error: NodeError | None = None


class Granted(News, frozen=True):
    """The concurrency ticket is there."""

    ticket: str


class Promised(News, frozen=True):
    """A start policy lets it begin at an instant, in seconds since 1970."""

    key: str
    begins_at: float


class Refused(News, frozen=True):
    """There is no concurrency ticket or slot of that name, and the policy is not to wait for one."""

    ticket: str
    reason: str


class Quarantine(News, frozen=True):
    """Deciding failed with a bug; the execution stands still until a person acts."""

    reason: str


class Release(News, frozen=True):
    """A person lets a quarantined execution go on."""

    by: str = ""
