"""Usage in PostgreSQL; the days are counted where rows of executions are written (`visibility.py`)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.fences import pass_fence
from linkflow.ports.usage import Usage

_DAYS = """
SELECT day, started, closed, failed, nodes, node_ms FROM engine.usage_days
WHERE workspace_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day"""

_MONTHS = """
WITH live AS (
    SELECT date_trunc('month', day)::date AS day, sum(started) AS started, sum(closed) AS closed,
        sum(failed) AS failed, sum(nodes) AS nodes, sum(node_ms) AS node_ms
    FROM engine.usage_days WHERE workspace_id = $1 GROUP BY 1
)
SELECT * FROM live WHERE day BETWEEN $2 AND $3
UNION ALL
SELECT month, started, closed, failed, nodes, node_ms FROM engine.usage_months
WHERE workspace_id = $1 AND month BETWEEN $2 AND $3 AND month NOT IN (SELECT day FROM live)
ORDER BY 1"""

_ROLL_UP = """
INSERT INTO engine.usage_months AS m (workspace_id, month, started, closed, failed, nodes, node_ms)
SELECT workspace_id, date_trunc('month', day)::date, sum(started), sum(closed), sum(failed), sum(nodes),
    sum(node_ms)
FROM engine.usage_days GROUP BY 1, 2
ON CONFLICT (workspace_id, month) DO UPDATE SET started = excluded.started, closed = excluded.closed,
    failed = excluded.failed, nodes = excluded.nodes, node_ms = excluded.node_ms
WHERE (m.started, m.closed, m.failed, m.nodes, m.node_ms) IS DISTINCT FROM
    (excluded.started, excluded.closed, excluded.failed, excluded.nodes, excluded.node_ms)
RETURNING 1"""

_FORGET = """
DELETE FROM engine.usage_days d USING engine.usage_months m
WHERE m.workspace_id = d.workspace_id AND m.month = date_trunc('month', d.day)::date
    AND d.day < date_trunc('month', now() - interval '400 days')::date"""


class SqlUsage:
    """Usage on tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List days; see `UsageStore`."""
        return await self._listed(_DAYS, workspace_id, first, last)

    async def months(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List months; see `UsageStore`."""
        return await self._listed(_MONTHS, workspace_id, first, last)

    async def _listed(self, statement: str, *arguments: Any) -> Sequence[Usage]:
        with driver_errors():
            rows = await self._database.pool.fetch(statement, *arguments)
        return [Usage(day=row[0], **{name: int(row[name]) for name in _COUNTS}) for row in rows]

    async def roll_up(self, token: int) -> int:
        """Write months and forget days of months long past; see `UsageStore`.

        A month's days go together and after its sum, so a sum never shrinks.
        """
        with driver_errors():
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                changed = len(await connection.fetch(_ROLL_UP))
                await connection.execute(_FORGET)
        return changed


_COUNTS = ("started", "closed", "failed", "nodes", "node_ms")
