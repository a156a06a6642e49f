"""Alert rules, what they were told of, and what time-based ones look at."""

from collections.abc import Sequence, Set
from typing import Protocol

import msgspec

from linkflow.domain.alert import Rule
from linkflow.ports.plans import UsageAlert


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a workspace and where it tells.

    Attributes:
        sealed: The channels, sealed: addresses of webhooks are secrets.
        cooldown_s: How long one subject is told of once; the rest is counted.
        audit_number: Up to which line of the audit log it was told.
    """

    id: str
    workspace_id: str
    name: str
    kind: str
    workflow_ids: Sequence[str]
    over_s: float | None
    times_p95: float | None
    percent: int | None
    cooldown_s: float
    sealed: bytes
    is_active: bool
    audit_number: int
    created_by: str
    created_at: float
    updated_at: float

    @property
    def rule(self) -> Rule:
        """What it is about."""
        return Rule(
            kind=self.kind,
            workflow_ids=self.workflow_ids,
            over_s=self.over_s,
            times_p95=self.times_p95,
            percent=self.percent,
        )


class AlertWindow(msgspec.Struct, frozen=True):
    """The cool-down of a rule for one subject.

    Attributes:
        since: When it was told of, seconds since 1970.
        until: When it may be told of again.
        missed: What happened meanwhile and was only counted.
        title: Of what was missed last.
    """

    workspace_id: str
    alert_id: str
    subject: str
    since: float
    until: float
    missed: int
    title: str


class Alerts(Protocol):
    """Rules and what they were told of."""

    async def create(self, alert: Alert) -> None:
        """Keep a new rule."""
        ...

    async def change(self, alert: Alert) -> None:
        """Replace a rule; up to where it was told never moves back.

        Raises:
            NotFound: It was removed; nothing was written.
        """
        ...

    async def get(self, workspace_id: str, alert_id: str) -> Alert:
        """Read a rule.

        Raises:
            NotFound: No such rule in this workspace.
        """
        ...

    async def list(self, workspace_id: str) -> Sequence[Alert]:
        """List rules, newest first."""
        ...

    async def delete(self, workspace_id: str, alert_id: str) -> None:
        """Remove a rule with what it was told of. Safe to repeat."""
        ...

    async def active(self, workspace_id: str = "") -> Sequence[Alert]:
        """List the active rules of a workspace; of every one without."""
        ...

    async def told(self, workspace_id: str, alert_id: str, audit_number: int) -> None:
        """Note up to which line of the audit log a rule was told."""
        ...

    async def happened(self, workspace_id: str, alert_id: str, happening: str, at: float) -> bool:
        """Note that a rule heard of something; False when it had."""
        ...

    async def unheard(self, workspace_id: str, alert_id: str, happenings: Sequence[str]) -> Set[str]:
        """Say which of these happenings a rule did not hear of."""
        ...

    async def window(self, window: AlertWindow) -> AlertWindow | None:
        """Open a cool-down: None when there was none, else the one there is, locked until the end."""
        ...

    async def put_window(self, window: AlertWindow) -> None:
        """Change a cool-down."""
        ...

    async def ended(self, now: float, limit: int) -> Sequence[AlertWindow]:
        """List cool-downs that are over and missed something."""
        ...

    async def usage_steps(self, workspace_id: str, month: str) -> Sequence[UsageAlert]:
        """List the steps of plans and budgets that were reached in a month, such as 2026-01."""
        ...


class IdleExecution(msgspec.Struct, frozen=True):
    """An open execution and when something moved it last, seconds since 1970."""

    execution_id: str
    workflow_id: str
    status: str
    since: float


class AlertSources(Protocol):
    """What time-based rules look at, beside the rows of executions."""

    async def idle(
        self, workspace_id: str, workflow_ids: Sequence[str], before: float, limit: int
    ) -> Sequence[IdleExecution]:
        """List open executions that nothing moved since an instant; of some workflows, or of all."""
        ...

    async def long(
        self, workspace_id: str, workflow_ids: Sequence[str], before: float, limit: int
    ) -> Sequence[IdleExecution]:
        """List open executions that started before an instant; `since` is their start."""
        ...

    async def p95_s(self, workspace_id: str, workflow_id: str, since: float, least: int) -> float | None:
        """Say what 95 of 100 completed executions took at most, seconds; None for too few."""
        ...
