"""Notifications on their way out: e-mail, Slack, webhooks, and how each went."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from linkflow.ports.sending import Room


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one receiver.

    Attributes:
        id: Follows from what happened, so that it is kept once; goes along as Message-ID and `webhook-id`.
        source: What it comes from, `alert:<id>` or `approval:<id>`.
        subject: What it is about, such as `workflow:<id>`.
        kind: email, slack or webhook.
        receiver: Whom it goes to, as people may see it.
        sealed: What is sent and where, sealed.
        state: pending, sent or failed.
        due_at: When it is tried next; None when it is over.
        attempts: Tries so far.
        error: Why the last try failed; empty when it did not.
    """

    id: str
    workspace_id: str
    source: str
    subject: str
    kind: str
    receiver: str
    title: str
    sealed: bytes
    at: float
    is_test: bool = False
    state: str = "pending"
    due_at: float | None = None
    attempts: int = 0
    error: str = ""

    @property
    def place(self) -> str:
        """Where it goes: what is slow there holds nothing that goes elsewhere."""
        return self.receiver if self.kind == "email" else f"{self.workspace_id} {self.kind} {self.receiver}"


class Notifications(Protocol):
    """Messages and how they went."""

    async def add(self, notification: Notification) -> bool:
        """Keep a message; False when it is known already."""
        ...

    async def list(self, workspace_id: str, source: str, after: str, limit: int) -> Sequence[Notification]:
        """List messages, newest first; of sources that begin so, after the id of the page before."""
        ...

    async def claim(self, now: float, until: float, room: Room, *, is_mail: bool) -> Sequence[Notification]:
        """Take messages that are due, e-mails or all others; nobody else gets them before `until`."""
        ...

    async def settle(self, notification: Notification) -> None:
        """Write how a message stands after a try."""
        ...
