"""Monthly partitions of the engine's large tables, by the time in execution ids.

A partition holds the executions that started in one month (UTC), so that retention drops it whole.
Partitions are made ahead of their month. What starts in a month that has none goes to the default partition;
such a month stays there for good, because moving its rows would stop everybody, and the next month gets its
own again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg

from linkflow import telemetry
from linkflow.adapters.sql.database import Database, PooledConnection, driver_errors
from linkflow.domain.values import execution_id

AHEAD = 2
"""Months after this one that partitions are made for."""

LOCK = 6_020_402
"""The advisory lock under which partitions are made."""

TABLES = {
    "executions": "WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)",
    "history_events": "",
    "visibility": "WITH (fillfactor = 80)",
    "execution_logs": "",
}
COMPRESSED = {"history_events": "data", "visibility": "nodes"}

log = telemetry.logger("partitions")


def months(now: float) -> Iterator[tuple[str, str, str]]:
    """Name this month and the next ones, each with its first id and the first id after it."""
    today = datetime.fromtimestamp(now, UTC)
    first = today.year * 12 + today.month - 1
    for number in range(first, first + AHEAD + 1):
        yield f"{number // 12}_{number % 12 + 1:02d}", _first_id(number), _first_id(number + 1)


def _first_id(month: int) -> str:
    """The smallest id of a month, counted from year 0; below every real one, whatever its version bits."""
    start = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    time_bits = execution_id(int(start.timestamp() * 1000), 0, 0)[:14]
    return f"{time_bits}0000-0000-000000000000"


async def ensure_partitions(database: Database, now: float) -> int:
    """Make the partitions of this month and the next ones where they are missing; how many were made.

    Safe to repeat, and from several processes at once.

    Raises:
        Unavailable: The database does not answer.
    """
    wanted = [(table, *month) for table in TABLES for month in months(now)]
    names = [f"engine.{table}_{month}" for table, month, _, _ in wanted]
    with driver_errors():
        found = await database.pool.fetch(
            "SELECT to_regclass(name) IS NOT NULL FROM unnest($1::text[]) WITH ORDINALITY AS t(name, n) "
            "ORDER BY n",
            names,
        )
        missing = [each for each, row in zip(wanted, found, strict=True) if not row[0]]
        return sum([await _ensure(database, *each) for each in missing])


async def _ensure(database: Database, table: str, month: str, first: str, end: str) -> bool:
    name, default = f"engine.{table}_{month}", f"engine.{table}_default"
    try:
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            taken = f"SELECT EXISTS (SELECT 1 FROM {default} WHERE execution_id >= $1 AND execution_id < $2)"
            if await connection.fetchval(taken, first, end):
                return False
            await connection.execute("SET LOCAL lock_timeout = '2s'")
            await connection.execute(
                f"CREATE TABLE {name} PARTITION OF engine.{table} "
                f"FOR VALUES FROM ('{first}') TO ('{end}') {TABLES[table]}"
            )
            if table in COMPRESSED:
                await _compress(connection, name, COMPRESSED[table])
    except asyncpg.DuplicateTableError:  # somebody else made it meanwhile
        return False
    except (asyncpg.CheckViolationError, asyncpg.LockNotAvailableError) as error:
        log.info("partition not made; tried again later", table=name, reason=str(error))
        return False
    return True


async def _compress(connection: PooledConnection, name: str, column: str) -> None:
    """Compress a column with lz4 where the server can; else it keeps its own way."""
    try:
        async with connection.transaction():
            await connection.execute(f"ALTER TABLE {name} ALTER COLUMN {column} SET COMPRESSION lz4")
    except asyncpg.FeatureNotSupportedError:
        log.debug("no lz4 in this server", table=name)


class SqlPartitions:
    """Partitions of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, now: float) -> int:
        """Make what is missing; see `Partitions`."""
        return await ensure_partitions(self._database, now)
