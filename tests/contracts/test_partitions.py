"""Monthly partitions on a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.partitions import ensure_partitions
from linkflow.domain.values import execution_id
from linkflow.testing.history_suites import STARTED, record

NOVEMBER = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
TABLES = ("execution_logs", "executions", "history_events", "visibility")


async def partitions(database: Database) -> list[str]:
    """List the monthly partitions of the engine's tables."""
    rows = await database.pool.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'engine' AND c.relkind = 'r' AND c.relname NOT LIKE '%default' ORDER BY 1"
    )
    return [row[0] for row in rows]


def born_at(moment: datetime) -> str:
    """Make the id of an execution that starts at a moment."""
    return execution_id(int(moment.timestamp() * 1000), 4095, 2**62 - 1)


async def homes(database: Database, ids: list[str]) -> list[str]:
    """Start executions and say in which partition of each lies."""
    async with SqlHistoryStore(database).running() as store:
        for one in ids:
            await store.append(record(one, 0, STARTED))
    rows = await database.pool.fetch(
        "SELECT tableoid::regclass::text FROM engine.history_events ORDER BY execution_id"
    )
    return [row[0].removeprefix("engine.history_events_") for row in rows]


async def test_months_ahead(database: Database) -> None:
    """This month and the next two get a partition of each table, over the turn of the year, once."""
    made = [await ensure_partitions(database, NOVEMBER) for _ in range(2)]

    assert [12, 0] == made
    assert [
        f"{table}_{month}" for table in TABLES for month in ("2026_11", "2026_12", "2027_01")
    ] == await partitions(database)


async def test_executions_go_to_their_month(database: Database) -> None:
    """C15r: an execution is in the month of its start, to the millisecond; one of no month in the default."""
    await ensure_partitions(database, NOVEMBER)
    found = await homes(
        database,
        [
            born_at(datetime(2026, 10, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
            born_at(datetime(2026, 11, 1, tzinfo=UTC)),
            born_at(datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
            born_at(datetime(2027, 1, 1, tzinfo=UTC)),
            born_at(datetime(2027, 2, 1, tzinfo=UTC)),
        ],
    )

    assert ["default", "2026_11", "2026_12", "2027_01", "default"] == found


async def test_a_month_that_began_without_one(database: Database) -> None:
    """A month whose executions lie in the default partition stays there; the next ones get their own."""
    await homes(database, [born_at(datetime(2026, 11, 3, tzinfo=UTC))])
    await ensure_partitions(database, NOVEMBER)

    assert {"2026_12", "2027_01"} == {
        name.removeprefix("history_events_")
        for name in await partitions(database)
        if name.startswith("history_events_")
    }


async def test_several_at_once(database: Database) -> None:
    """Several processes that make partitions at the same moment make each once."""
    made = await asyncio.gather(*(ensure_partitions(database, NOVEMBER) for _ in range(3)))

    assert 12 == sum(made)


async def test_histories_are_whole_across_partitions(database: Database) -> None:
    """What the store writes and lists does not depend on the partition it lies in."""
    await ensure_partitions(database, NOVEMBER)
    ids = [born_at(datetime(2026, month, 5, tzinfo=UTC)) for month in (10, 11, 12)]
    await homes(database, ids)
    async with SqlHistoryStore(database).running() as store:
        opened = [found[0] async for found in store.open_executions()]

        assert ids == opened
        assert [1, 1, 1] == [len(await store.load(one)) for one in ids]
