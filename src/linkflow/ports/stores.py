"""Where the engine keeps what must not be lost: histories, specs, projections."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from linkflow.domain.execution.events import Event
from linkflow.domain.values import SHARDS, Json
from linkflow.ports.views import (
    DeadLetter,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRow,
    LetterFilter,
    Projected,
)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The row of an execution that goes with its history.

    Attributes:
        status: As people see it.
        wakeup_at: Earliest open deadline of a parked execution, seconds since 1970; None when none
            or while something is in flight.
        closed_at: When it ended.
        awaits: Events it waits for, each as `domain.execution.state.awaited` writes it.
    """

    workspace_id: str
    workflow_id: str
    workflow_version: int
    status: str
    started_at: float
    wakeup_at: float | None = None
    closed_at: float | None = None
    awaits: Sequence[str] = ()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must leave an execution, written with its events.

    Attributes:
        kind: project, usage, start, child_closed, cancel, terminate, signal, callback, ticket, slot.
        number: Event it follows from; with kind and `to` its identity.
        to: Execution, URL or key it goes to.
        body: JSON.
        at: When its record was made, seconds since 1970.
    """

    execution_id: str
    number: int
    kind: str
    to: str = ""
    body: Json = None
    at: float = 0.0


PROJECTED = frozenset({"project", "usage"})
"""Kinds of messages that the projector takes."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One durable step of one execution.

    Attributes:
        expected: Events there must be so far; 0 starts the execution.
        events: What happened, in order.
        at: Seconds since 1970, of all of them.
        head: The execution's row from now on.
        outbox: What must leave.
        request_key: Idempotency key of a start; empty for none.
        request_until: Until when the key is remembered, seconds since 1970.
        data: The events encoded, when the caller has done so already.
    """

    execution_id: str
    expected: int
    events: Sequence[Event]
    at: float
    head: Head
    outbox: Sequence[Message] = ()
    request_key: str = ""
    request_until: float = 0.0
    data: bytes = b""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Events as loaded: the first one's number, the record's time, the events."""

    first: int
    at: float
    events: Sequence[Event]


Lane = Literal["executions", "callbacks", "projections"]
"""Messages to other executions (and what is in neither other lane), to the outside, to the read model."""


class HistoryStore(Protocol):
    """The event history of every execution; appends are atomic, versioned and coalesced."""

    async def append(self, record: Record) -> None:
        """Append one record; return when it is durable.

        Raises:
            VersionConflict: Another writer was first; nothing was written.
            AlreadyStarted: The request key belongs to another execution; nothing was written.
            StoreFull: There is no room; nothing was written.
            OutcomeUnknown: The connection broke during the commit; load and compare.
            Unavailable: The store does not answer; nothing was written.
        """
        ...

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Sequence[Recorded]:
        """Load the records after an event number, oldest first; empty when there is no such execution.

        With a limit as many records at most, each of one event or more.
        """
        ...

    async def load_run(self, execution_id: str) -> Sequence[Recorded]:
        """Load the records of the newest run, oldest first; the whole history where there is only one."""
        ...

    async def load_runs(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """Load the newest runs of many executions; those that do not exist are left out."""
        ...

    async def naming(self, sessions: Sequence[str]) -> Sequence[str]:
        """List open executions whose history names one of these worker sessions; those that wait left out."""
        ...

    async def versions(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """Count the events of executions; those that do not exist are left out."""
        ...

    async def begin_run(self, execution_id: str, first_event: int) -> None:
        """Note where a durable run begins. Safe to repeat, and to leave out: loads take longer."""
        ...

    async def find_request(self, request_key: str, now: float) -> str | None:
        """Find the execution that a request key started."""
        ...

    def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """Iterate over open executions: id, status, wakeup_at; in order of their ids."""
        ...

    async def due(
        self, now: float, limit: int, *, shards: tuple[int, int] = (0, SHARDS)
    ) -> Sequence[tuple[str, float]]:
        """List parked executions whose wake-up is at or before an instant: id and wakeup_at.

        Args:
            now: Seconds since 1970.
            limit: At most so many.
            shards: First shard, and the first one that is not wanted any more.
        """
        ...

    async def awaiting(
        self, workspace_id: str, names: Sequence[str], after: str, limit: int
    ) -> Sequence[str]:
        """List open executions that await one of these events, in order of their ids.

        Args:
            workspace_id: Tenant.
            names: Each as `domain.execution.state.awaited` writes it.
            after: Id of the last one known; empty for the first page.
            limit: At most so many.
        """
        ...

    async def messages(self, limit: int, older_than: float, *, callbacks: bool = False) -> Sequence[Message]:
        """List messages recorded (or put off to) before an instant and not acknowledged, oldest first.

        Args:
            limit: At most so many.
            older_than: Seconds since 1970.
            callbacks: Those to the outside; else all others.
        """
        ...

    async def claim(self, limit: int, older_than: float, until: float, lane: Lane) -> Sequence[Message]:
        """Take messages as `messages` lists them, and put them off, so that no other member has them too.

        A message never comes before an earlier one of its execution that another member has.

        Args:
            limit: At most so many.
            older_than: Seconds since 1970.
            until: When those not acknowledged by then come again, seconds since 1970.
            lane: Which messages.
        """
        ...

    async def postpone(self, messages: Sequence[Message], to: float) -> None:
        """Put messages off, as if they had been recorded at an instant. Safe to repeat."""
        ...

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        """Forget delivered messages. Safe to repeat."""
        ...


class SpecStore(Protocol):
    """Immutable specs by content hash; executions pin one for ever."""

    async def put(self, workspace_id: str, spec_hash: str, spec: bytes) -> None:
        """Store a spec's canonical JSON durably. Safe to repeat."""
        ...

    async def get(self, workspace_id: str, spec_hash: str) -> bytes:
        """Read a spec.

        Raises:
            NotFound: No such spec.
        """
        ...


class VisibilityStore(Protocol):
    """The read model of executions."""

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write rows and forget the messages they came from, in one transaction.

        An older version of a row never replaces a newer one. Safe to repeat.
        """
        ...

    async def meter(self, messages: Sequence[Message]) -> None:
        """Add what executions used to the usage of its day, and forget the messages, in one transaction.

        A message that was counted is gone, so it counts once. Safe to repeat.

        Args:
            messages: Of kind usage, `{"workspace_id": id, "used": {meter: amount}}`.
        """
        ...

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List rows, newest first."""
        ...

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count rows by what the query groups by, the largest groups first.

        Returns:
            `{key: rows}`; hours as `2030-01-31T09:00:00Z`, days as `2030-01-31`, durations by the upper bound
            of their class in seconds, or `inf`. What has no key is left out.

        Raises:
            Invalid: Rows cannot be counted by that.
        """
        ...

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest rows of each of some workflows; see `ports.services.Visibility`."""
        ...

    async def executions(self, after: str, limit: int) -> Sequence[str]:
        """List the ids of all executions that have a history, in order, after an id."""
        ...

    async def rewrite(self, projected: Sequence[Projected]) -> None:
        """Write rows that are gone or out of date; what is counted once per execution is not counted again.

        An older version of a row never replaces a newer one. Safe to repeat.
        """
        ...


ANY_LETTER = LetterFilter()


class DeadLetters(Protocol):
    """Work given up on, kept for people."""

    async def add(self, letter: DeadLetter) -> None:
        """Keep a letter. Safe to repeat with the same id."""
        ...

    async def list(
        self, workspace_id: str, after: str, limit: int, where: LetterFilter = ANY_LETTER
    ) -> Sequence[DeadLetter]:
        """List letters, newest first."""
        ...

    async def get(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Read a letter.

        Raises:
            NotFound: No such letter.
        """
        ...

    async def take(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Remove a letter, once what it asks for was done, or is not wanted.

        Raises:
            NotFound: No such letter.
        """
        ...

    async def resend(self, letter: DeadLetter, message: Message) -> bool:
        """Put a letter's message back among those to be delivered and remove the letter, in one step.

        The message is due at once and is tried for as long as a new one is.

        Returns:
            Whether the letter was there; nothing is sent when it was not.
        """
        ...


class LateResults(Protocol):
    """Results that came after they were wanted; `explain` shows them."""

    async def note(self, execution_id: str, key: str, attempt: int, reason: str) -> None:
        """Remember that a result was not used. Safe to repeat."""
        ...

    async def list(self, execution_id: str) -> Sequence[Json]:
        """List `{"key", "attempt", "at", "reason"}`, oldest first."""
        ...
