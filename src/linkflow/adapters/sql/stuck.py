"""Executions that nothing seems to move on, and trigger events that nobody starts, in PostgreSQL."""

from collections.abc import Sequence
from datetime import UTC, datetime

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.fences import pass_fence
from linkflow.ports.upkeep import Pending

_SUSPECTS = """
SELECT e.execution_id::text FROM engine.executions e
WHERE e.closed_at IS NULL AND (e.wakeup_at < $1 OR (e.status IN ('queued', 'running') AND NOT EXISTS (
    SELECT 1 FROM engine.history_events h WHERE h.execution_id = e.execution_id AND h.at >= $1)))
ORDER BY e.execution_id LIMIT $2"""

_WAKE = """
UPDATE engine.executions SET wakeup_at = least(wakeup_at, clock_timestamp())
WHERE execution_id = ANY($1::uuid[]) AND closed_at IS NULL"""

_PENDING = "SELECT count(*), min(at_ms) FROM control.trigger_events WHERE state = 'pending' AND at_ms < $1"


class SqlStuck:
    """What seems to be stuck; see `Stuck`."""

    def __init__(self, control: Database, engine: Database) -> None:
        self._control, self._engine = control, engine

    async def suspects(self, before: float, limit: int) -> Sequence[str]:
        """List executions that did not move; see `Stuck`."""
        with driver_errors():
            rows = await self._engine.pool.fetch(_SUSPECTS, datetime.fromtimestamp(before, UTC), limit)
        return [row[0] for row in rows]

    async def wake(self, execution_ids: Sequence[str], token: int) -> None:
        """Have executions woken; see `Stuck`."""
        with driver_errors():
            async with self._engine.transaction() as connection:
                await pass_fence(connection, "engine", token)
                await connection.execute(_WAKE, list(execution_ids))

    async def pending(self, before: float) -> Pending:
        """Count trigger events that nobody started; see `Stuck`."""
        with driver_errors():
            row = await self._control.pool.fetchrow(_PENDING, int(before * 1000))
        assert row is not None
        return Pending(row[0], None if row[1] is None else row[1] / 1000)
