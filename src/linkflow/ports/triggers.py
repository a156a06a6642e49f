"""What starts executions from outside: webhooks, schedules, and the inbox of what came in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.values import Json


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An address that takes calls from outside for one trigger of one workflow.

    Attributes:
        id: The UUID in its address.
        node_id: The trigger node.
        settings: What its node's config says: method, signature, schema, mapping, dedup key, answer mode.
        sealed: The signing secret; empty for none.
        is_active: Calls start executions; else they are kept as unclaimed.
        source: `workflow` when a trigger node registered it, `api` when a person did.
    """

    id: str
    workspace_id: str
    workflow_id: str
    node_id: str = ""
    settings: Mapping[str, Json] = {}
    sealed: bytes = b""
    is_active: bool = True
    source: str = "api"
    created_at: float = 0.0


class Webhooks(Protocol):
    """Registered webhooks."""

    async def create(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        ...

    async def change(self, webhook: Webhook) -> None:
        """Replace a webhook.

        Raises:
            NotFound: It was removed; nothing was written.
        """
        ...

    async def find(self, webhook_id: str) -> Webhook | None:
        """Find a webhook by the UUID in its address, in any workspace."""
        ...

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook:
        """Read a webhook.

        Raises:
            NotFound: No such webhook in this workspace.
        """
        ...

    async def list(self, workspace_id: str, workflow_id: str = "") -> Sequence[Webhook]:
        """List webhooks, newest first."""
        ...

    async def delete(self, workspace_id: str, webhook_id: str) -> None:
        """Remove a webhook. Safe to repeat."""
        ...


class TriggerEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One firing of a trigger, kept before anything is started.

    Attributes:
        id: UUID v4.
        kind: webhook or event.
        source_id: The webhook, or the event's name.
        at_ms: Milliseconds since 1970; part of the execution ids.
        request: `{"method", "path", "query", "headers", "ip"}` as JSON bytes.
        body: Raw bytes.
        data: What the workflow gets, as JSON bytes; empty when it is the call itself.
        dedup_key: The same key of the same source is taken once; empty for none.
        state: pending, done, refused or unclaimed.
        reason: Why it was refused or not claimed.
        starts: The executions it causes.
    """

    id: str
    workspace_id: str
    source_id: str
    at_ms: int
    kind: str = "webhook"
    request: bytes = b"{}"
    body: bytes = b""
    data: bytes = b""
    dedup_key: str = ""
    state: str = "pending"
    reason: str = ""
    starts: Sequence["Start"] = ()


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One execution that a trigger event causes; its id is known before it starts."""

    execution_id: str
    workflow_id: str
    spec_hash: str
    workflow_version: int = 0
    trigger: str = ""


class TriggerEvents(Protocol):
    """The inbox: what came in from outside, raw, with what became of it."""

    async def keep(self, event: TriggerEvent, held_s: float = 0.0) -> TriggerEvent:
        """Keep an event; return when it is durable. Concurrent calls share one statement.

        Args:
            event: What came in.
            held_s: How long nobody else is to start it, by the store's clock.

        Returns:
            The event; or the earlier one when the dedup key was taken before.
        """
        ...

    async def claim(self, limit: int, held_s: float) -> Sequence[TriggerEvent]:
        """Take events that nobody holds and whose executions were not started yet, oldest first.

        Nobody else is given them for `held_s`; of those who ask at the same moment one gets an event.
        """
        ...

    async def release(self, event_ids: Sequence[str] | None = None) -> None:
        """Let anybody claim pending events: those named, or all, whoever holds them. Safe to repeat."""
        ...

    async def started(self, event_ids: Sequence[str]) -> None:
        """Mark events as done. Safe to repeat."""
        ...

    async def refuse(self, event_id: str, reason: str) -> None:
        """Say why a pending event starts nothing after all. Safe to repeat."""
        ...

    async def get(self, workspace_id: str, event_id: str) -> TriggerEvent:
        """Read an event.

        Raises:
            NotFound: No such event in this workspace.
        """
        ...

    async def of_execution(self, workspace_id: str, execution_id: str) -> TriggerEvent | None:
        """Find the event that promised an execution and has not started it."""
        ...

    async def list(
        self, workspace_id: str, source_id: str = "", state: str = "", after: str = "", limit: int = 20
    ) -> Sequence[TriggerEvent]:
        """List events, newest first; one more than `limit` when there is a next page."""
        ...

    async def trim(self, kept: int, before_ms: int) -> int:
        """Forget unwanted events beyond the newest `kept` of each workspace, and done ones from before.

        Returns:
            How many were forgotten.
        """
        ...


class PartOfEvent(msgspec.Struct, frozen=True):
    """One of several executions that a trigger event causes: the place of its `Start` in the event."""

    workspace_id: str
    event_id: str
    place: int


class FanOut(Protocol):
    """Spreads the executions of one event over every process that can start them.

    Nothing depends on it: the event stays pending until whoever spreads has seen every execution started, and
    starts by itself what others did not. Starting twice is harmless.
    """

    async def spread(self, parts: Sequence[PartOfEvent]) -> set[int]:
        """Have parts started, by any process; return the indices of those known to be, within seconds."""
        ...

    async def serve(self, start: Callable[[PartOfEvent], Awaitable[bool]]) -> None:
        """Start what any process spreads, until cancelled; `start` says whether it did."""
        ...


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that starts executions as time passes.

    Attributes:
        rule: `{"cron": str}` or `{"interval_s": number}`, with what else the trigger's config says.
        timezone: IANA name.
        misfire: What happens to fires that were missed: skip, once or all.
        is_paused: It keeps its place and fires nothing.
        next_at: Next nominal time; None when it will not fire again.
        source: `workflow` when a trigger node registered it, `api` when a person did.
    """

    id: str
    workspace_id: str
    workflow_id: str
    name: str
    rule: Mapping[str, Json]
    node_id: str = ""
    timezone: str = "UTC"
    misfire: str = "once"
    input: Json = None
    is_paused: bool = False
    disabled_reason: str = ""
    next_at: float | None = None
    last_at: float | None = None
    runs: int = 0
    source: str = "api"
    created_at: float = 0.0


class Schedules(Protocol):
    """Schedules and their places in time."""

    async def create(self, schedule: Schedule) -> None:
        """Keep a new schedule."""
        ...

    async def change(self, schedule: Schedule) -> None:
        """Replace a schedule; its count of runs never moves back.

        Raises:
            NotFound: It was removed; nothing was written.
        """
        ...

    async def get(self, workspace_id: str, schedule_id: str) -> Schedule:
        """Read a schedule.

        Raises:
            NotFound: No such schedule in this workspace.
        """
        ...

    async def list(self, workspace_id: str, workflow_id: str = "") -> Sequence[Schedule]:
        """List schedules, newest first."""
        ...

    async def delete(self, workspace_id: str, schedule_id: str) -> None:
        """Remove a schedule. Safe to repeat."""
        ...

    async def due(self, now: float, limit: int) -> Sequence[Schedule]:
        """List schedules whose next time has come, earliest first."""
        ...

    async def next_due_at(self) -> float | None:
        """Say when the next schedule is due."""
        ...

    async def advance(self, schedule: Schedule, expected_next_at: float | None) -> bool:
        """Move a schedule on in time; False when somebody else did."""
        ...
