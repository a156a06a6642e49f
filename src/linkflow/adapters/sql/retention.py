"""Executions that were kept long enough, in PostgreSQL: whole months are dropped, not row by row.

A month is dropped in one transaction: what stays is copied, the partitions are dropped, and the copies go
back through the parent tables, into the default partition, because their month is gone. Nobody can write
meanwhile, so nothing that was acknowledged is lost; that takes milliseconds, because who stays was found out
before. Where many stay, and in the default partition, rows are deleted page by page, which nobody waits for.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from linkflow import telemetry
from linkflow.adapters.sql.database import Connection, Database, driver_errors
from linkflow.adapters.sql.fences import pass_fence
from linkflow.adapters.sql.partitions import TABLES
from linkflow.domain.values import execution_id
from linkflow.ports.retention import ClosedExecution, Counted

PARENTS = ", ".join(f"ONLY engine.{table}" for table in TABLES)
PAGE = 10_000
CARRIED = 5_000
"""A month in which more executions stay is not dropped; it is deleted from until there are fewer."""
log = telemetry.logger("retention")

_CAN_GO = """e.closed_at < $1
    AND NOT EXISTS (SELECT 1 FROM engine.outbox o WHERE o.execution_id = e.execution_id)
    AND NOT EXISTS (SELECT 1 FROM engine.dead_letters l WHERE l.execution_id = e.execution_id::text)"""

_MONTHS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'engine.executions'::regclass AND c.relname ~ '^executions_[0-9]{4}_[0-9]{2}$'
ORDER BY 1"""

_EVENTS = """
SELECT execution_id::text, first_event, extract(epoch FROM at)::float8, data FROM engine.history_events
WHERE execution_id = ANY($1::uuid[]) ORDER BY execution_id, first_event"""

_HEADS = """
SELECT e.execution_id::text, e.workspace_id::text, e.workflow_id, e.workflow_version, e.status,
    extract(epoch FROM e.started_at)::float8 AS started_at,
    extract(epoch FROM e.closed_at)::float8 AS closed_at
FROM {table} e WHERE {can_go}
    AND NOT EXISTS (SELECT 1 FROM engine.archived a WHERE a.execution_id = e.execution_id)
ORDER BY e.execution_id LIMIT $2"""


class SqlRetention:
    """Executions that were kept long enough; see `ExecutionRetention`."""

    def __init__(self, database: Database, carried: int = CARRIED) -> None:
        """Keep to a database.

        Args:
            database: With the schema engine.
            carried: How many executions at most are carried out of a month that is dropped.
        """
        self._database, self._carried = database, carried

    async def months(self, before: float) -> Sequence[str]:
        """List months that ended before an instant; see `ExecutionRetention`."""
        limit = datetime.fromtimestamp(before, UTC)
        with driver_errors():
            rows = await self._database.pool.fetch(_MONTHS)
        names = [row[0].removeprefix("executions_") for row in rows]
        return [name for name in names if _end(name) <= limit]

    async def count(self, month: str, before: float) -> Counted:
        """Count what can go and what stays; see `ExecutionRetention`."""
        with driver_errors():
            row = await self._database.pool.fetchrow(
                f"SELECT count(*) FILTER (WHERE {_CAN_GO}), count(*) FROM {_heads(month)} e",
                datetime.fromtimestamp(before, UTC),
            )
        assert row is not None
        return Counted(row[0], row[1] - row[0])

    async def closed(self, month: str, before: float, limit: int) -> Sequence[ClosedExecution]:
        """Read executions that can go; see `ExecutionRetention`."""
        with driver_errors():
            heads = await self._database.pool.fetch(
                _HEADS.format(table=_heads(month), can_go=_CAN_GO),
                datetime.fromtimestamp(before, UTC),
                limit,
            )
            events = await self._database.pool.fetch(_EVENTS, [head[0] for head in heads])
        records: dict[str, list[object]] = {head[0]: [] for head in heads}
        for row in events:
            records[row[0]].append({"first": row[1], "at": row[2], "events": msgspec.Raw(row[3])})
        return [ClosedExecution(**dict(head), records=records[head[0]]) for head in heads]

    async def archived(self, execution_ids: Sequence[str], token: int) -> None:
        """Note what is in the archive; see `ExecutionRetention`."""
        with driver_errors():
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                await connection.execute(
                    "INSERT INTO engine.archived SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
                    list(execution_ids),
                )

    async def skip_archive(self, month: str, before: float, token: int) -> None:
        """Note what can go as archived; see `ExecutionRetention`."""
        with driver_errors():
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                await connection.execute(
                    f"INSERT INTO engine.archived SELECT e.execution_id FROM {_heads(month)} e "
                    f"WHERE {_CAN_GO} ON CONFLICT DO NOTHING",
                    datetime.fromtimestamp(before, UTC),
                )

    async def drop(self, month: str, before: float, token: int) -> Counted | None:
        """Delete what can go; see `ExecutionRetention`."""
        try:
            with driver_errors():
                return await (self._drop_month if month else self._delete)(month, before, token)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            log.info("month not dropped; tried again later", month=month, reason=str(error))
            return None

    async def _drop_month(self, month: str, before: float, token: int) -> Counted | None:
        """Drop the partitions of a month; what stays goes back through the parents.

        Who stays is found out before anybody has to wait: what may go now may go in a minute, too. A child of
        an old execution that came into the month meanwhile shows by the count; then it is tried again later.
        """
        connection = await self._database.held()
        try:
            async with connection.transaction(isolation="repeatable_read"):
                everybody = await connection.fetchval(f"SELECT count(*) FROM {_heads(month)}")
                await connection.execute(
                    f"CREATE TEMP TABLE staying AS SELECT e.execution_id FROM {_heads(month)} e "
                    "LEFT JOIN engine.archived a USING (execution_id) WHERE a.execution_id IS NULL "
                    f"OR ({_CAN_GO.replace('$1', _instant(before))}) IS NOT TRUE"
                )
            await connection.execute("ANALYZE staying")
            staying = await connection.fetchval("SELECT count(*) FROM staying")
            if staying > self._carried:
                return await self._delete(month, before, token)
            async with connection.transaction():
                await pass_fence(connection, "engine", token)
                await connection.execute("SET LOCAL lock_timeout = '2s'")
                await connection.execute(f"LOCK TABLE {PARENTS} IN ACCESS EXCLUSIVE MODE")
                if everybody != await connection.fetchval(f"SELECT count(*) FROM {_heads(month)}"):
                    log.info("month not dropped; somebody came into it", month=month)
                    return None
                for table in TABLES:
                    await _drop(connection, table, month)
            await connection.execute(
                "DELETE FROM engine.archived a WHERE NOT EXISTS "
                "(SELECT 1 FROM engine.executions e WHERE e.execution_id = a.execution_id)"
            )
        finally:
            await self._database.release(connection)
        return Counted(everybody - staying, staying)

    async def _delete(self, month: str, before: float, token: int) -> Counted:
        """Delete rows of the default partition, a page at a time."""
        deleted = 0
        while True:
            async with self._database.transaction() as connection:
                await pass_fence(connection, "engine", token)
                rows = await connection.fetch(
                    f"SELECT e.execution_id FROM {_heads(month)} e JOIN engine.archived USING (execution_id) "
                    f"WHERE {_CAN_GO} LIMIT $2",
                    datetime.fromtimestamp(before, UTC),
                    PAGE,
                )
                ids = [row[0] for row in rows]
                for table in (*TABLES, "archived"):
                    await connection.execute(
                        f"DELETE FROM engine.{table} WHERE execution_id = ANY($1::uuid[])", ids
                    )
            deleted += len(ids)
            if len(ids) < PAGE:
                break
        return Counted(deleted, (await self.count(month, before)).staying)

    async def hide(self, before: float, token: int, *, is_dry: bool, workspace_id: str = "") -> int:
        """Take executions out of every list; see `ExecutionRetention`."""
        where = "execution_id < $1 AND closed_at < $2 AND deleted_at IS NULL"
        arguments: tuple[Any, ...] = (
            f"{execution_id(int(before * 1000), 0, 0)[:14]}0000-0000-000000000000",
            datetime.fromtimestamp(before, UTC),
        )
        if workspace_id:
            where, arguments = f"{where} AND workspace_id = $3", (*arguments, workspace_id)
        with driver_errors():
            if is_dry:
                count = await self._database.pool.fetchval(
                    f"SELECT count(*) FROM engine.visibility WHERE {where}", *arguments
                )
                return int(count)
            hidden = 0
            while True:
                async with self._database.transaction() as connection:
                    await pass_fence(connection, "engine", token)
                    done = await connection.execute(
                        "UPDATE engine.visibility SET deleted_at = clock_timestamp() WHERE execution_id IN "
                        f"(SELECT execution_id FROM engine.visibility WHERE {where} "
                        f"ORDER BY execution_id LIMIT {PAGE}) AND execution_id < $1",
                        *arguments,
                    )
                count = int(done.rpartition(" ")[2])
                hidden += count
                if count < PAGE:
                    return hidden


async def _drop(connection: Connection, table: str, month: str) -> None:
    """Drop one partition; rows whose execution stays go back through the parent."""
    name = f"engine.{table}_{month}"
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
        return
    await connection.execute(
        f"CREATE TEMP TABLE staying_{table} ON COMMIT DROP AS SELECT t.* FROM {name} t "
        "JOIN staying USING (execution_id)"
    )
    await connection.execute(f"DROP TABLE {name}")
    await connection.execute(f"INSERT INTO engine.{table} SELECT * FROM staying_{table}")


def _heads(month: str) -> str:
    """Name the partition of heads of a month."""
    return f"engine.executions_{month or 'default'}"


def _instant(seconds: float) -> str:
    """Write an instant into a statement that takes no parameters."""
    return f"to_timestamp({seconds!r})"


def _end(month: str) -> datetime:
    """Say when a month such as `2026_11` is over."""
    year, number = int(month[:4]), int(month[5:])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
