"""PostgreSQL fails in the middle of commits: nothing is lost, doubled or left half."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.domain.errors import OutcomeUnknown, Unavailable, VersionConflict
from linkflow.testing.history_suites import SCHEDULED, STARTED, message, new_id, outcome, record

KILLS = 25
WRITERS = 40


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Connect to the test's database."""
    database = await Database.open(database_dsn, pool_size=2)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def store(database: Database) -> AsyncIterator[SqlHistoryStore]:
    """An empty store."""
    async with SqlHistoryStore(database).running() as store:
        yield store


@pytest_asyncio.fixture
async def surgeon(database_dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that kills the others."""
    connection = await asyncpg.connect(database_dsn)
    yield connection
    await connection.close()


async def kill_writers(surgeon: "asyncpg.Connection[asyncpg.Record]") -> int:
    """End every other backend of this database, in whatever it does."""
    return int(
        await surgeon.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


async def write_chain(store: SqlHistoryStore, execution: str, stop: asyncio.Event) -> tuple[int, int]:
    """Append to one execution until told to stop; after an unknown outcome, load and go on from there.

    Returns:
        Events acknowledged or found, and how many outcomes were unknown.
    """
    version = unknown = 0
    while not stop.is_set():
        event = SCHEDULED if version else STARTED
        sent = message(execution, version + 1, "release", "t")
        try:
            await store.append(record(execution, version, event, outbox=[sent]))
        except (OutcomeUnknown, VersionConflict):
            unknown += 1
            version = await loaded_version(store, execution)
        except Unavailable:
            await asyncio.sleep(0)
        else:
            version += 1
    return version, unknown


async def loaded_version(store: SqlHistoryStore, execution: str) -> int:
    """Count the events that are durable, as soon as the store answers."""
    while True:
        try:
            return sum(len(each.events) for each in await store.load(execution))
        except Unavailable:
            await asyncio.sleep(0)


async def test_backends_killed_in_the_middle(
    store: SqlHistoryStore, surgeon: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Invariant 1: backends die in mid-commit, and what was acknowledged is there, once, without gaps."""
    ids = [new_id() for _ in range(WRITERS)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        chains = [group.create_task(write_chain(store, one, stop)) for one in ids]
        for _ in range(KILLS):
            for _ in range(3):  # until it works again, and is in the middle of something
                await outcome(store, record(new_id(), 0, STARTED))
            await kill_writers(surgeon)
        stop.set()
    ends = [chain.result() for chain in chains]
    firsts = [[each.first for each in await store.load(one)] for one in ids]
    heads = await surgeon.fetch(
        "SELECT version FROM engine.executions WHERE execution_id = ANY($1::uuid[]) ORDER BY execution_id",
        ids,
    )
    sent = await surgeon.fetchval("SELECT count(*) FROM engine.outbox")

    assert sum(unknown for _, unknown in ends) > 0
    assert [list(range(1, version + 1)) for version, _ in ends] == firsts
    assert [version for version, _ in ends] == [head[0] for head in heads]
    assert sum(version for version, _ in ends) == sent


async def test_a_killed_backend_costs_one_answer(
    store: SqlHistoryStore, surgeon: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """After a lost connection the next append goes through on a new one."""
    one = new_id()
    await store.append(record(one, 0, STARTED))
    await kill_writers(surgeon)
    first = await outcome(store, record(one, 1, SCHEDULED))
    again = await outcome(store, record(one, 1, SCHEDULED))

    assert ("OutcomeUnknown", "won") == (first, again)


async def test_the_store_is_closed(database: Database) -> None:
    """What is pending when the store closes is still written; what comes later is refused in words."""
    one = new_id()
    async with SqlHistoryStore(database).running() as store:
        pending = asyncio.ensure_future(store.append(record(one, 0, STARTED)))
        await asyncio.sleep(0)
    await pending

    with pytest.raises(Unavailable):
        await store.append(record(one, 1, SCHEDULED))
