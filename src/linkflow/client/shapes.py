"""What LinkFlow answers; members that are not named here are left out, so newer servers are understood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

OVER = frozenset({"completed", "failed", "cancelled", "timed_out"})
"""Statuses of an execution that goes on no more."""


class Failure(msgspec.Struct, frozen=True):
    """Why something failed: a stable code, how to react to its kind, and words."""

    code: str
    kind: str
    message: str
    details: dict[str, Any] = {}


class Started(msgspec.Struct, frozen=True):
    """A start that is durable; result and error once it is over."""

    execution_id: str
    status: str
    result: Any = None
    error: Failure | None = None


class Node(msgspec.Struct, frozen=True):
    """How a node of an execution stands."""

    key: str
    type: str
    status: str
    attempt: int
    error: Failure | None = None
    waits_for: str | None = None


class Execution(msgspec.Struct, frozen=True):
    """An execution as it stands; lists leave out `input`, `result` and `nodes`."""

    id: str
    workflow_id: str
    status: str
    version: int
    started_at: datetime
    closed_at: datetime | None = None
    duration_ms: int | None = None
    error: Failure | None = None
    error_key: str | None = None
    input: Any = None
    result: Any = None
    nodes: Sequence[Node] = ()

    @property
    def is_over(self) -> bool:
        """Whether it goes on no more."""
        return self.status in OVER


class ExecutionPage(msgspec.Struct, frozen=True):
    """Executions, newest first; `next` is where the next page begins, None at the end."""

    data: Sequence[Execution]
    next: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One event of an execution's history, numbered from 1."""

    number: int
    type: str
    at: datetime
    data: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True):
    """Events, oldest first."""

    data: Sequence[Event]
    next: int | None = None


class Import(msgspec.Struct, frozen=True):
    """What became of one uploaded workflow; `id` is None when it could not be read, and `error` says why."""

    id: str | None
    name: str
    error: str | None = None
    notes: Sequence[dict[str, Any]] = ()
    problems: Sequence[dict[str, Any]] = ()


class Imports(msgspec.Struct, frozen=True):
    """What became of every uploaded workflow."""

    workflows: Sequence[Import]


class Nothing(msgspec.Struct, frozen=True):
    """An answer that says no more than that it was done."""
