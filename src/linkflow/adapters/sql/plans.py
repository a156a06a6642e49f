"""Plans of workspaces in PostgreSQL."""

from collections.abc import Mapping, Sequence

import asyncpg

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import NotFound
from linkflow.ports.plans import Subscribed, UsageAlert, WorkspaceBudget

PLANS = Table("control.workspace_plans", Subscribed, json=("limits",))
_subscribed = PLANS.reader(Subscribed)

BUDGETS = Table("control.budgets", WorkspaceBudget, json=("limits",))
_budget = BUDGETS.reader(WorkspaceBudget)

ALERTS = Table("control.usage_alerts", UsageAlert)
COUNTED = """
SELECT
    (SELECT count(*) FROM control.workflows WHERE workspace_id = $1 AND deleted_at IS NULL) AS workflows,
    (SELECT count(*) FROM control.workflows WHERE workspace_id = $1 AND is_active AND deleted_at IS NULL)
        AS active_workflows,
    (SELECT count(*) FROM control.members WHERE workspace_id = $1) AS members,
    (SELECT count(*) FROM control.webhooks WHERE workspace_id = $1) AS webhooks,
    (SELECT count(*) FROM control.schedules WHERE workspace_id = $1) AS schedules,
    (SELECT count(*) FROM control.credentials WHERE workspace_id = $1) AS credentials,
    (SELECT count(*) FROM control.variables WHERE workspace_id = $1) AS variables
"""


class SqlWorkspacePlans:
    """Plans on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def get(self, workspace_id: str) -> Subscribed:
        """Read a workspace's plan."""
        found = await self._sql.of(workspace_id).row(f"{PLANS.select} WHERE workspace_id = $1", workspace_id)
        return Subscribed(workspace_id=workspace_id) if found is None else _subscribed(found)

    async def put(self, subscribed: Subscribed) -> None:
        """Set a workspace's plan."""
        try:
            await self._sql.of(subscribed.workspace_id).run(
                f"{PLANS.insert} ON CONFLICT (workspace_id) DO UPDATE SET plan = excluded.plan,"
                " is_locked = excluded.is_locked, limits = excluded.limits, changed_at = excluded.changed_at",
                *PLANS.values(subscribed),
            )
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("There is no such workspace.", workspace=subscribed.workspace_id) from error

    async def counts(self, workspace_id: str) -> Mapping[str, int]:
        """Count what is there."""
        found = await self._sql.of(workspace_id).row(COUNTED, workspace_id)
        return {} if found is None else dict(found)

    async def workspaces(self) -> Sequence[str]:
        """List the ids of all workspaces."""
        found = await self._sql.rows("SELECT id FROM control.workspaces WHERE deleted_at IS NULL ORDER BY id")
        return [row["id"] for row in found]

    async def alerted(self, alert: UsageAlert) -> bool:
        """Note an alert."""
        done = await self._sql.of(alert.workspace_id).run(
            f"{ALERTS.insert} ON CONFLICT DO NOTHING", *ALERTS.values(alert)
        )
        return done == 1

    async def budgets(self, workspace_id: str) -> Sequence[WorkspaceBudget]:
        """List budgets."""
        found = await self._sql.of(workspace_id).rows(
            f"{BUDGETS.select} WHERE workspace_id = $1 ORDER BY period", workspace_id
        )
        return [_budget(row) for row in found]

    async def put_budget(self, budget: WorkspaceBudget) -> None:
        """Set a budget."""
        await self._sql.of(budget.workspace_id).run(
            f"{BUDGETS.insert} ON CONFLICT (workspace_id, period) DO UPDATE SET limits = excluded.limits,"
            " on_exceeded = excluded.on_exceeded, changed_by = excluded.changed_by,"
            " changed_at = excluded.changed_at",
            *BUDGETS.values(budget),
        )

    async def was_used_up(self, workspace_id: str, period: str) -> bool:
        """Say whether a budget of a period was used up."""
        found = await self._sql.of(workspace_id).row(
            "SELECT 1 FROM control.usage_alerts WHERE workspace_id = $1 AND period = $2 AND percent = 100"
            " AND starts_with(meter, 'budget.') LIMIT 1",
            workspace_id,
            period,
        )
        return found is not None

    async def budgeted(self) -> Sequence[str]:
        """List workspaces with a budget of a period."""
        found = await self._sql.rows(
            "SELECT DISTINCT workspace_id FROM control.budgets WHERE period <> 'execution' ORDER BY 1"
        )
        return [row["workspace_id"] for row in found]
