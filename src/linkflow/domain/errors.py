"""Everything that can go wrong, as one tree.

LinkFlowError
├── Invalid            the input cannot be accepted, now or later
│   ├── PayloadTooLarge
│   └── SpecInvalid    the spec has problems; they are listed
├── Unauthenticated    who is asking is not known
├── Denied             known who, not allowed
├── NotFound           the thing named does not exist, or may not be seen
├── Conflict           someone else was first, or the thing is past that
│   ├── VersionConflict
│   ├── AlreadyStarted
│   └── ExecutionClosed
├── RateLimited        allowed, but not yet
├── Unavailable        a dependency did not answer
│   ├── Overloaded
│   ├── OutcomeUnknown the connection broke during a commit
│   └── StoreFull      there is no room left to write
└── ActivityError      a node failed; what the node says about it
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import msgspec


class Kind(StrEnum):
    """How the caller should react to an error (the four words of seed 002)."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RATE_LIMIT = "rate_limit"
    VALIDATION = "validation"


class NodeError(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong in a node, as data: recorded in the history and shown to people.

    Attributes:
        code: Stable dotted name, such as `http.status` or `node.timeout`.
        kind: How the engine should react.
        message: One sentence for people, without traces and secrets.
        details: JSON object with facts that help, such as `{"status": 503}`.
        retry_after_s: What the receiver asked for, seconds.
        not_started: The effect certainly did not begin (refused connection, failed name look-up).
        refused: The receiver answered that it did nothing (429, 503).
    """

    code: str
    kind: Kind
    message: str
    details: Mapping[str, Any] = {}
    retry_after_s: float | None = None
    not_started: bool = False
    refused: bool = False


class LinkFlowError(Exception):
    """Base of every error LinkFlow raises on purpose; it says its docstring unless told otherwise.

    Attributes:
        code: Stable dotted name, part of the public API.
        kind: How the caller should react.
        details: JSON object with facts, shown to the caller.
    """

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.PERMANENT

    def __init__(self, message: str | None = None, *, code: str | None = None, **details: Any) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])
        if code is not None:
            self.code = code  # type: ignore[misc]  # one class may serve a family of codes
        self.details = details


class Invalid(LinkFlowError):
    """The input cannot be accepted."""

    code = "invalid"
    kind = Kind.VALIDATION


class PayloadTooLarge(Invalid):
    """The input is larger than the limit."""

    code = "payload.too_large"


class SpecInvalid(Invalid):
    """The workflow has problems that must be mended first."""

    code = "workflow.invalid"


class Unauthenticated(LinkFlowError):
    """Sign in first: the token is missing, wrong or expired."""

    code = "access.unauthenticated"


class Denied(LinkFlowError):
    """You are not allowed to do this."""

    code = "access.denied"


class NotFound(LinkFlowError):
    """There is no such thing, or it may not be seen."""

    code = "not_found"


class Conflict(LinkFlowError):
    """Someone else was first."""

    code = "conflict"


class VersionConflict(Conflict):
    """Another writer appended to this execution; reload and decide again."""

    code = "execution.version_conflict"


class AlreadyStarted(Conflict):
    """This idempotency key already started an execution."""

    code = "execution.already_started"

    def __init__(self, execution_id: str) -> None:
        super().__init__(execution_id=execution_id)
        self.execution_id = execution_id


class ExecutionClosed(Conflict):
    """The execution is over; nothing can be sent to it any more."""

    code = "execution.closed"


class RateLimited(LinkFlowError):
    """Too many requests; try again later."""

    code = "rate_limited"
    kind = Kind.RATE_LIMIT

    def __init__(self, message: str | None = None, *, retry_after_s: float = 1.0, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after_s = retry_after_s


class Unavailable(LinkFlowError):
    """A part this depends on did not answer; try again."""

    code = "unavailable"
    kind = Kind.TRANSIENT


class Overloaded(Unavailable):
    """There is more work than this installation can take in; try again later."""

    code = "overloaded"
    retry_after_s = 1.0


class OutcomeUnknown(Unavailable):
    """The connection broke during a commit; load and compare."""

    code = "store.outcome_unknown"


class StoreFull(Unavailable):
    """The database's disk is full; nothing was written. Once there is room, what is under way goes on."""

    code = "store.full"


class ActivityError(LinkFlowError):
    """A node failed."""

    code = "node.failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str = "node.failed",
        kind: Kind = Kind.PERMANENT,
        retry_after_s: float | None = None,
        not_started: bool = False,
        refused: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message, code=code, **details)
        self.error = NodeError(
            code=code,
            kind=kind,
            message=str(self),
            details=details,
            retry_after_s=retry_after_s,
            not_started=not_started,
            refused=refused,
        )


def node_error(error: LinkFlowError) -> NodeError:
    """Turn an error into data for the history; never carries a trace."""
    if isinstance(error, ActivityError):
        return error.error
    return NodeError(
        code=error.code,
        kind=error.kind,
        message=str(error),
        details=error.details,
        retry_after_s=getattr(error, "retry_after_s", None),
    )
