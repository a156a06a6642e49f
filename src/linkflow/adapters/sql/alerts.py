"""Alert rules in PostgreSQL, and what time-based ones look at."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.owned import Owned
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.alerts import Alert, AlertWindow, IdleExecution
from linkflow.ports.plans import UsageAlert

ALERTS = Table("control.alerts", Alert)
WINDOWS = Table("control.alert_windows", AlertWindow)
STEPS = Table("control.usage_alerts", UsageAlert)
_alert = ALERTS.reader(Alert)
_window = WINDOWS.reader(AlertWindow)
_step = STEPS.reader(UsageAlert)

_OPEN = "closed_at IS NULL AND workspace_id = $1 AND ($2::text[] = '{}' OR workflow_id = ANY($2))"
_IDLE = f"""
SELECT e.execution_id::text, e.workflow_id, e.status, extract(epoch FROM e.moved_at)::float8 AS since FROM (
    SELECT execution_id, workflow_id, status,
        (SELECT max(h.at) FROM engine.history_events h WHERE h.execution_id = x.execution_id) AS moved_at
    FROM engine.executions x WHERE {_OPEN}
) AS e WHERE e.moved_at < $3 ORDER BY e.moved_at LIMIT $4"""
_LONG = f"""
SELECT execution_id::text, workflow_id, status, extract(epoch FROM started_at)::float8 AS since
FROM engine.visibility WHERE {_OPEN} AND deleted_at IS NULL AND started_at < $3
ORDER BY started_at LIMIT $4"""
_P95 = """
SELECT count(*) AS runs,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - started_at))::float8 AS p95_s
FROM engine.visibility
WHERE workspace_id = $1 AND workflow_id = $2 AND closed_at > $3 AND status = 'completed'"""


class SqlAlerts:
    """Rules on tables; see `Alerts`."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._owned = Owned(statements, ALERTS, Alert, "alert")

    async def create(self, alert: Alert) -> None:
        """Keep a new rule; see `Alerts`."""
        await self._sql.of(alert.workspace_id).run(ALERTS.insert, *ALERTS.values(alert))

    async def change(self, alert: Alert) -> None:
        """Replace a rule; see `Alerts`."""
        await self._owned.change(alert, grows=("audit_number",))

    async def get(self, workspace_id: str, alert_id: str) -> Alert:
        """Read a rule; see `Alerts`."""
        return await self._owned.get(workspace_id, alert_id)

    async def list(self, workspace_id: str) -> Sequence[Alert]:
        """List rules; see `Alerts`."""
        found = await self._sql.of(workspace_id).rows(
            f"{ALERTS.select} WHERE workspace_id = $1 ORDER BY created_at DESC, id LIMIT 1000", workspace_id
        )
        return [_alert(row) for row in found]

    async def delete(self, workspace_id: str, alert_id: str) -> None:
        """Remove a rule; see `Alerts`."""
        await self._owned.delete(workspace_id, alert_id)

    async def active(self, workspace_id: str = "") -> Sequence[Alert]:
        """List active rules; see `Alerts`."""
        found = await self._sql.rows(
            f"{ALERTS.select} WHERE is_active AND $1 IN ('', workspace_id) LIMIT 100000", workspace_id
        )
        return [_alert(row) for row in found]

    async def told(self, workspace_id: str, alert_id: str, audit_number: int) -> None:
        """Note up to where a rule was told; see `Alerts`."""
        await self._sql.of(workspace_id).run(
            "UPDATE control.alerts SET audit_number = greatest(audit_number, $3)"
            " WHERE workspace_id = $1 AND id = $2",
            workspace_id,
            alert_id,
            audit_number,
        )

    async def happened(self, workspace_id: str, alert_id: str, happening: str, at: float) -> bool:
        """Note what a rule heard of; see `Alerts`."""
        done = await self._sql.of(workspace_id).run(
            "INSERT INTO control.alert_happenings (workspace_id, alert_id, happening, at)"
            " SELECT $1, id, $3, $4 FROM control.alerts WHERE workspace_id = $1 AND id = $2"
            " ON CONFLICT DO NOTHING",
            workspace_id,
            alert_id,
            happening,
            at,
        )
        return done == 1

    async def unheard(self, workspace_id: str, alert_id: str, happenings: Sequence[str]) -> Set[str]:
        """Say what a rule did not hear of; see `Alerts`."""
        found = await self._sql.of(workspace_id).rows(
            "SELECT happening FROM control.alert_happenings"
            " WHERE workspace_id = $1 AND alert_id = $2 AND happening = ANY ($3::text[])",
            workspace_id,
            alert_id,
            list(happenings),
        )
        return set(happenings) - {row["happening"] for row in found}

    async def window(self, window: AlertWindow) -> AlertWindow | None:
        """Open a cool-down; see `Alerts`."""
        there = self._sql.of(window.workspace_id)
        if await there.run(f"{WINDOWS.insert} ON CONFLICT DO NOTHING", *WINDOWS.values(window)):
            return None
        found = await there.row(
            f"{WINDOWS.select} WHERE workspace_id = $1 AND alert_id = $2 AND subject = $3 FOR UPDATE",
            window.workspace_id,
            window.alert_id,
            window.subject,
        )
        return None if found is None else _window(found)

    async def put_window(self, window: AlertWindow) -> None:
        """Change a cool-down; see `Alerts`."""
        await self._sql.of(window.workspace_id).run(
            "UPDATE control.alert_windows SET since = $4, until = $5, missed = $6, title = $7"
            " WHERE workspace_id = $1 AND alert_id = $2 AND subject = $3",
            *WINDOWS.values(window),
        )

    async def ended(self, now: float, limit: int) -> Sequence[AlertWindow]:
        """List cool-downs that are over; see `Alerts`."""
        found = await self._sql.rows(
            f"{WINDOWS.select} WHERE missed > 0 AND until <= $1 ORDER BY until LIMIT $2", now, limit
        )
        return [_window(row) for row in found]

    async def usage_steps(self, workspace_id: str, month: str) -> Sequence[UsageAlert]:
        """List the steps that were reached; see `Alerts`."""
        found = await self._sql.of(workspace_id).rows(
            f"{STEPS.select} WHERE workspace_id = $1 AND starts_with(period, $2)"
            " ORDER BY period, meter, percent LIMIT 1000",
            workspace_id,
            month,
        )
        return [_step(row) for row in found]


class SqlAlertSources:
    """What time-based rules look at; see `AlertSources`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def idle(
        self, workspace_id: str, workflow_ids: Sequence[str], before: float, limit: int
    ) -> Sequence[IdleExecution]:
        """List what nothing moved; see `AlertSources`."""
        return await self._open(_IDLE, workspace_id, workflow_ids, before, limit)

    async def long(
        self, workspace_id: str, workflow_ids: Sequence[str], before: float, limit: int
    ) -> Sequence[IdleExecution]:
        """List what runs for long; see `AlertSources`."""
        return await self._open(_LONG, workspace_id, workflow_ids, before, limit)

    async def _open(
        self, statement: str, workspace_id: str, workflow_ids: Sequence[str], before: float, limit: int
    ) -> Sequence[IdleExecution]:
        """List open executions."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                statement, workspace_id, list(workflow_ids), datetime.fromtimestamp(before, UTC), limit
            )
        return [IdleExecution(*row) for row in rows]

    async def p95_s(self, workspace_id: str, workflow_id: str, since: float, least: int) -> float | None:
        """Say a percentile; see `AlertSources`."""
        with driver_errors():
            row = await self._database.pool.fetchrow(
                _P95, workspace_id, workflow_id, datetime.fromtimestamp(since, UTC)
            )
        return None if row is None or row["runs"] < least else row["p95_s"]
