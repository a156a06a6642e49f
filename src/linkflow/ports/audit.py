"""The audit log, to be read; `Ledger.audit` writes it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.audit import AuditHead, AuditLine


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines; what is left empty does not matter.

    Attributes:
        action: Exactly, or with a dot at its end all that begin so (`workflow.`).
        since: Seconds since 1970, included.
        until: Seconds since 1970, not included.
        before: Only lines with a lower number; 0 for from the newest.
    """

    workspace_id: str
    action: str = ""
    resource: str = ""
    actor_id: str = ""
    since: float | None = None
    until: float | None = None
    before: int = 0
    limit: int = 50


class AuditLog(Protocol):
    """The lines of the audit log."""

    async def list(self, query: AuditQuery) -> Sequence[AuditLine]:
        """List lines, newest first."""
        ...

    async def chain(self, workspace_id: str, after: int, limit: int) -> Sequence[AuditLine]:
        """List chained lines with higher numbers, oldest first."""
        ...

    async def head(self, workspace_id: str) -> AuditHead:
        """Say where the chain of a workspace ends."""
        ...

    async def ends(self, workspace_ids: Sequence[str]) -> Mapping[str, int]:
        """Say which numbers the newest lines of many workspaces have; without a line, left out."""
        ...
