"""Usage in PostgreSQL.

Days are counted where rows of executions are written (`visibility.py`); what nodes report, and what the
engine counts for budgets, is added by `count_used` from messages that executions leave with their events.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from linkflow.adapters.sql.database import Database, PooledConnection, driver_errors
from linkflow.adapters.sql.fences import pass_fence
from linkflow.domain.values import decode_json
from linkflow.ports.stores import Message
from linkflow.ports.usage import GAUGES, Usage

_TAKEN = """
DELETE FROM engine.outbox o USING unnest($1::uuid[], $2::int[]) AS m(execution_id, number)
WHERE o.execution_id = m.execution_id AND o.number = m.number AND o.kind = 'usage'
RETURNING extract(epoch FROM o.at)::float8, o.data"""

_ADD = """
INSERT INTO engine.usage_meters AS u (workspace_id, day, meter, amount)
SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[], $4::bigint[])
ON CONFLICT (workspace_id, day, meter) DO UPDATE SET amount = u.amount + excluded.amount"""

_SET = _ADD.replace("u.amount + excluded.amount", "excluded.amount")

_AMOUNT = "CASE WHEN meter = ANY($4::text[]) THEN max(amount) ELSE sum(amount) END"

_DAYS = f"""
WITH used AS (
    SELECT day, json_object_agg(meter, amount)::text AS meters FROM (
        SELECT day, meter, {_AMOUNT} AS amount FROM engine.usage_meters
        WHERE workspace_id = $1 AND day BETWEEN $2 AND $3 GROUP BY day, meter
    ) AS each GROUP BY day
), counted AS (
    SELECT * FROM engine.usage_days WHERE workspace_id = $1 AND day BETWEEN $2 AND $3
)
SELECT day, coalesce(started, 0) AS started, coalesce(closed, 0) AS closed, coalesce(failed, 0) AS failed,
    coalesce(nodes, 0) AS nodes, coalesce(node_ms, 0) AS node_ms, meters
FROM counted FULL JOIN used USING (day) ORDER BY day"""

_MONTHS = f"""
WITH live AS (
    SELECT date_trunc('month', day)::date AS day, sum(started) AS started, sum(closed) AS closed,
        sum(failed) AS failed, sum(nodes) AS nodes, sum(node_ms) AS node_ms
    FROM engine.usage_days WHERE workspace_id = $1 GROUP BY 1
), counted AS (
    SELECT * FROM live WHERE day BETWEEN $2 AND $3
    UNION ALL
    SELECT month, started, closed, failed, nodes, node_ms FROM engine.usage_months
    WHERE workspace_id = $1 AND month BETWEEN $2 AND $3 AND month NOT IN (SELECT day FROM live)
), used AS (
    SELECT day, json_object_agg(meter, amount)::text AS meters FROM (
        SELECT date_trunc('month', day)::date AS day, meter, {_AMOUNT} AS amount FROM engine.usage_meters
        WHERE workspace_id = $1 AND date_trunc('month', day)::date BETWEEN $2 AND $3 GROUP BY 1, meter
    ) AS each GROUP BY day
)
SELECT day, coalesce(started, 0) AS started, coalesce(closed, 0) AS closed, coalesce(failed, 0) AS failed,
    coalesce(nodes, 0) AS nodes, coalesce(node_ms, 0) AS node_ms, meters
FROM counted FULL JOIN used USING (day) ORDER BY day"""

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

_FOLD = """
WITH old AS (
    DELETE FROM engine.usage_meters
    WHERE day < date_trunc('month', now() - interval '400 days')::date
        AND day <> date_trunc('month', day)::date
    RETURNING workspace_id, date_trunc('month', day)::date AS month, meter, amount
)
INSERT INTO engine.usage_meters AS u (workspace_id, day, meter, amount)
SELECT workspace_id, month, meter, CASE WHEN meter = ANY($1::text[]) THEN max(amount) ELSE sum(amount) END
FROM old GROUP BY 1, 2, 3
ON CONFLICT (workspace_id, day, meter) DO UPDATE SET amount =
    CASE WHEN u.meter = ANY($1::text[]) THEN greatest(u.amount, excluded.amount)
    ELSE u.amount + excluded.amount END"""
"""Amounts of months long past move to the first day of their month; the month's sum stays as it was."""


async def count_used(connection: PooledConnection, messages: Sequence[Message]) -> None:
    """Add what messages say was used to its day; within a transaction. What is gone was counted before."""
    named = sorted({(message.execution_id, message.number) for message in messages})
    rows = await connection.fetch(_TAKEN, [each[0] for each in named], [each[1] for each in named])
    total: dict[tuple[str, date, str], int] = {}
    for at, data in rows:
        body, day = decode_json(data), datetime.fromtimestamp(at, UTC).date()
        for meter, amount in body["used"].items():
            line = body["workspace_id"], day, meter
            total[line] = total.get(line, 0) + amount
    if total:
        await connection.execute(_ADD, *zip(*((*line, total[line]) for line in sorted(total)), strict=True))


class SqlUsage:
    """Usage on tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def days(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List days; see `UsageStore`."""
        return await self._listed(_DAYS, workspace_id, first, last, GAUGES)

    async def months(self, workspace_id: str, first: date, last: date) -> Sequence[Usage]:
        """List months; see `UsageStore`."""
        return await self._listed(_MONTHS, workspace_id, first, last, GAUGES)

    async def _listed(self, statement: str, *arguments: Any) -> Sequence[Usage]:
        with driver_errors():
            rows = await self._database.pool.fetch(statement, *arguments)
        return [
            Usage(
                day=row["day"],
                **{name: int(row[name]) for name in _COUNTS},
                meters=decode_json(row["meters"].encode()) if row["meters"] else {},
            )
            for row in rows
        ]

    async def measured(self, token: int, day: date, amounts: Mapping[tuple[str, str], int]) -> None:
        """Set gauges; see `UsageStore`."""
        lines = sorted(amounts)
        with driver_errors():
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                await connection.execute(
                    _SET,
                    [workspace_id for workspace_id, _ in lines],
                    [day] * len(lines),
                    [meter for _, meter in lines],
                    [amounts[line] for line in lines],
                )

    async def roll_up(self, token: int) -> int:
        """Write months and forget days of months long past; see `UsageStore`.

        A month's days go together and after its sum, so a sum never shrinks.
        """
        with driver_errors():
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                changed = len(await connection.fetch(_ROLL_UP))
                await connection.execute(_FORGET)
                await connection.execute(_FOLD, GAUGES)
        return changed


_COUNTS = ("started", "closed", "failed", "nodes", "node_ms")
