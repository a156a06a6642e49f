"""Subscriptions of others to what happens here, the messages to them, and which executions they follow."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.ports.sending import Room


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody outside who is told of events.

    Attributes:
        url: Where messages go.
        events: Names and patterns.
        workflow_id: Only executions of this workflow; empty for all.
        sealed: The secrets that sign, JSON `[[secret, good until or null]]`, newest first.
        disabled_reason: Why it was switched off; empty when a person did, or it is on.
        audit_number: Up to which line of the audit log it was told.
    """

    id: str
    workspace_id: str
    url: str
    events: Sequence[str]
    description: str = ""
    workflow_id: str = ""
    sealed: bytes = b""
    is_active: bool = True
    disabled_reason: str = ""
    audit_number: int = 0
    created_by: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one subscription.

    Attributes:
        id: Goes along as `webhook-id`.
        event: What happened.
        body: The exact bytes that are sent.
        state: pending, delivered or failed.
        due_at: When it is tried next; None when it is over.
        attempts: Tries so far.
        status: HTTP status of the last answer; 0 for none.
        error: Why the last try failed; empty when it did not.
        duration_ms: Of the last try.
    """

    id: str
    workspace_id: str
    subscription_id: str
    event: str
    body: bytes
    at: float
    state: str = "pending"
    due_at: float | None = None
    attempts: int = 0
    status: int = 0
    error: str = ""
    duration_ms: int = 0

    @property
    def place(self) -> str:
        """Where it goes: what is slow there holds nothing that goes elsewhere."""
        return self.subscription_id


class Subscriptions(Protocol):
    """Subscriptions and the messages to them."""

    async def create(self, subscription: Subscription) -> None:
        """Keep a new subscription."""
        ...

    async def change(self, subscription: Subscription) -> None:
        """Replace a subscription; up to where it was told never moves back.

        Raises:
            NotFound: It was removed; nothing was written.
        """
        ...

    async def get(self, workspace_id: str, subscription_id: str) -> Subscription:
        """Read a subscription.

        Raises:
            NotFound: No such subscription in this workspace.
        """
        ...

    async def list(self, workspace_id: str) -> Sequence[Subscription]:
        """List subscriptions, newest first."""
        ...

    async def delete(self, workspace_id: str, subscription_id: str) -> None:
        """Remove a subscription with its messages. Safe to repeat."""
        ...

    async def active(self) -> Sequence[Subscription]:
        """List the active subscriptions of every workspace."""
        ...

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Keep messages; those that are known already are left as they are."""
        ...

    async def told(self, workspace_id: str, subscription_id: str, audit_number: int) -> None:
        """Note up to which line of the audit log a subscription was told."""
        ...

    async def deliveries(
        self, workspace_id: str, subscription_id: str, state: str, before: float | None, limit: int
    ) -> Sequence[Delivery]:
        """List messages, newest first; of a state if one is named, and older than an instant."""
        ...

    async def delivery(self, workspace_id: str, delivery_id: str) -> Delivery:
        """Read a message.

        Raises:
            NotFound: No such message in this workspace.
        """
        ...

    async def claim(self, now: float, until: float, room: Room) -> Sequence[Delivery]:
        """Take messages of active subscriptions that are due; nobody else gets them before `until`."""
        ...

    async def settle(self, delivery: Delivery) -> None:
        """Write how a message stands after a try."""
        ...

    async def disable(self, workspace_id: str, subscription_id: str, reason: str, at: float) -> bool:
        """Switch a subscription off; False when it was off already."""
        ...


class FollowedExecution(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an execution of a workspace that somebody follows.

    Attributes:
        what: started or closed.
        status: As it stands now.
        error_code: Of what failed; empty for nothing.
        error_text: The same in words.
    """

    execution_id: str
    what: str
    workspace_id: str
    workflow_id: str
    status: str
    trigger_kind: str
    mode: str
    started_at: float
    closed_at: float | None = None
    error_code: str = ""
    error_text: str = ""


class FollowedExecutions(Protocol):
    """Starts and ends of executions in workspaces that are followed, kept until they are settled."""

    async def follow(self, workspace_ids: Sequence[str]) -> None:
        """Keep what happens in these workspaces from now on. Safe to repeat; each time gives a new mark."""
        ...

    async def followed(self) -> Mapping[str, str]:
        """Say which workspaces are followed: `{"<workspace>": mark}`."""
        ...

    async def unfollow(self, marks: Mapping[str, str]) -> None:
        """Keep no more of what happens in workspaces; one that was followed again since its mark stays."""
        ...

    async def pending(self, limit: int) -> Sequence[FollowedExecution]:
        """List what happened and was not settled, oldest execution first."""
        ...

    async def settle(self, followed: Sequence[FollowedExecution]) -> None:
        """Forget what happened. Safe to repeat."""
        ...
