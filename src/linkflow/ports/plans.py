"""Which plan each workspace is on, and what it has."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a workspace.

    Attributes:
        plan: Name of a plan; empty for the installation's own.
        is_locked: Nothing starts in it.
        limits: What was agreed on besides the plan, by meter.
    """

    workspace_id: str
    plan: str = ""
    is_locked: bool = False
    limits: Mapping[str, int] = {}
    changed_at: float = 0.0


class UsageAlert(msgspec.Struct, frozen=True):
    """An alert: a meter reached so many percent of its limit in a month, such as 2026-01."""

    workspace_id: str
    meter: str
    period: str
    percent: int


class WorkspacePlans(Protocol):
    """Plans of workspaces, counts of what they have, and which alerts went out."""

    async def get(self, workspace_id: str) -> Subscribed:
        """Read a workspace's plan; the installation's own when nobody said."""
        ...

    async def put(self, subscribed: Subscribed) -> None:
        """Set a workspace's plan.

        Raises:
            NotFound: No such workspace.
        """
        ...

    async def counts(self, workspace_id: str) -> Mapping[str, int]:
        """Count what is there, by meter."""
        ...

    async def workspaces(self) -> Sequence[str]:
        """List the ids of all workspaces."""
        ...

    async def alerted(self, alert: UsageAlert) -> bool:
        """Note that an alert goes out; False when it went out before."""
        ...
