"""Schedules in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.owned import Owned
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.triggers import Schedule

SCHEDULES = Table("control.schedules", Schedule, json=("rule", "input"))
LIVE = "next_at IS NOT NULL AND NOT is_paused AND disabled_reason = ''"
_schedule = SCHEDULES.reader(Schedule)


class SqlSchedules:
    """Schedules on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._owned = Owned(statements, SCHEDULES, Schedule, "schedule")

    async def create(self, schedule: Schedule) -> None:
        """Keep a new schedule."""
        await self._sql.of(schedule.workspace_id).run(SCHEDULES.insert, *SCHEDULES.values(schedule))

    async def change(self, schedule: Schedule) -> None:
        """Replace a schedule."""
        await self._owned.change(schedule, grows=("runs",))

    async def get(self, workspace_id: str, schedule_id: str) -> Schedule:
        """Read a schedule."""
        return await self._owned.get(workspace_id, schedule_id)

    async def list(self, workspace_id: str, workflow_id: str = "") -> Sequence[Schedule]:
        """List schedules, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{SCHEDULES.select} WHERE workspace_id = $1 AND ($2 = '' OR workflow_id = $2)"
            " ORDER BY created_at DESC, id DESC LIMIT 1000",
            workspace_id,
            workflow_id,
        )
        return [_schedule(row) for row in found]

    async def delete(self, workspace_id: str, schedule_id: str) -> None:
        """Remove a schedule."""
        await self._owned.delete(workspace_id, schedule_id)

    async def due(self, now: float, limit: int) -> Sequence[Schedule]:
        """List schedules whose next time has come."""
        found = await self._sql.rows(
            f"{SCHEDULES.select} WHERE {LIVE} AND next_at <= $1 ORDER BY next_at LIMIT $2", now, limit
        )
        return [_schedule(row) for row in found]

    async def next_due_at(self) -> float | None:
        """Say when the next schedule is due."""
        found = await self._sql.row(f"SELECT min(next_at) AS at FROM control.schedules WHERE {LIVE}")
        return None if found is None else found["at"]

    async def advance(self, schedule: Schedule, expected_next_at: float | None) -> bool:
        """Move a schedule on in time."""
        done = await self._sql.of(schedule.workspace_id).run(
            """UPDATE control.schedules SET next_at = $3, last_at = $4, runs = $5, disabled_reason = $6
               WHERE id = $1 AND next_at IS NOT DISTINCT FROM $2 AND workspace_id = $7""",
            schedule.id,
            expected_next_at,
            schedule.next_at,
            schedule.last_at,
            schedule.runs,
            text_without_nul(schedule.disabled_reason),
            schedule.workspace_id,
        )
        return done == 1
