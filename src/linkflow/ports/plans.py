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


class WorkspaceBudget(msgspec.Struct, frozen=True, kw_only=True):
    """How much a workspace may use in a period, or each of its executions whose workflow does not say.

    Attributes:
        period: One of `domain.budget.PERIODS`.
        limits: By meter; empty when there is no budget any more.
        on_exceeded: pause or fail: what happens to what is running.
        changed_by: The person's address.
    """

    workspace_id: str
    period: str
    limits: Mapping[str, int]
    on_exceeded: str = "pause"
    changed_by: str = ""
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

    async def budgets(self, workspace_id: str) -> Sequence[WorkspaceBudget]:
        """List a workspace's budgets, by period."""
        ...

    async def put_budget(self, budget: WorkspaceBudget) -> None:
        """Set a workspace's budget of a period."""
        ...

    async def was_used_up(self, workspace_id: str, period: str) -> bool:
        """Say whether any budget of a period, such as 2026-01-31 or 2026-01, was used up."""
        ...

    async def budgeted(self) -> Sequence[str]:
        """List the ids of workspaces that have, or had, a budget of a day or a month."""
        ...
