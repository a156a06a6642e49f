"""Approvals as the projection shows them, and what the control plane keeps of who was asked."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from linkflow.domain.execution.approvals import Approval


class ApprovalRow(msgspec.Struct, frozen=True, kw_only=True):
    """An approval with the place it belongs to."""

    id: str
    workspace_id: str
    execution_id: str
    workflow_id: str
    approval: Approval


class ApprovalQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which approvals to list, the newest first.

    Attributes:
        statuses: Of `Approval`; empty for all.
        names: Only those that name one of these, or nobody; None for all.
        after: Id of the last one of the page before.
    """

    workspace_id: str
    statuses: Sequence[str] = ()
    names: Sequence[str] | None = None
    workflow_id: str = ""
    execution_id: str = ""
    after: str = ""
    limit: int = 50


class ApprovalBoard(Protocol):
    """What executions ask people, beside the rows of executions."""

    async def list(self, query: ApprovalQuery) -> Sequence[ApprovalRow]:
        """List approvals, the newest first."""
        ...

    async def get(self, workspace_id: str, approval_id: str) -> ApprovalRow:
        """Read an approval.

        Raises:
            NotFound: No such approval in this workspace.
        """
        ...

    async def untold(self, limit: int) -> Sequence[ApprovalRow]:
        """List open approvals of every workspace whose deciders were not told of this round."""
        ...

    async def told(self, approval_id: str, number: int) -> None:
        """Note that the deciders of a round were told. Safe to repeat."""
        ...


class ApprovalLink(msgspec.Struct, frozen=True, kw_only=True):
    """What signs the links of an approval, and when its deciders are reminded.

    Attributes:
        id: Of the approval.
        sealed: The key that signs.
        round: Up to which round deciders were told.
        remind_at: When the next reminder is due; None for none.
        remind_every_s: Pause between reminders, seconds; 0 for none.
        until: When the links end, seconds since 1970.
    """

    id: str
    workspace_id: str
    execution_id: str
    sealed: bytes
    round: int
    remind_at: float | None
    remind_every_s: float
    until: float


class ApprovalLinks(Protocol):
    """Keys of links, by approval."""

    async def add(self, link: ApprovalLink) -> bool:
        """Keep a link's key, or its next round; False when this round was there already."""
        ...

    async def get(self, approval_id: str) -> ApprovalLink | None:
        """Read a link's key: the link itself names no workspace."""
        ...

    async def to_remind(self, now: float, limit: int) -> Sequence[ApprovalLink]:
        """List whose deciders are to be reminded."""
        ...

    async def reminded(self, link: ApprovalLink, next_at: float | None) -> bool:
        """Set the next reminder; False when another process did before."""
        ...
