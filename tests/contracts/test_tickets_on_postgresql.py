"""Tickets on PostgreSQL: what a hot line may cost everything else."""

import asyncio

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.lines import MOST
from linkflow.adapters.sql.tickets import SqlTickets
from linkflow.adapters.system import SystemClock
from linkflow.domain.errors import Unavailable
from linkflow.testing.history_suites import new_id

HELD = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
)
PATIENCE_S, LOOK_S = 20.0, 0.01


async def waiting(database: Database, count: int) -> None:
    """Wait until so many connections wait for a line."""
    async with asyncio.timeout(PATIENCE_S):
        while await database.pool.fetchval(WAITING) != count:
            await SystemClock().sleep(LOOK_S)


async def test_a_hot_line_holds_one_connection(database: Database) -> None:
    """While another process has the line, many questions wait on one connection; all are answered."""
    store = SqlTickets(database)
    ids = [new_id() for _ in range(2 * MOST + 10)]
    async with database.transaction() as connection:
        await connection.execute(HELD, "t")
        asking = [asyncio.create_task(store.acquire("t", 3, each)) for each in ids]
        await waiting(database, 1)
        waits = await database.pool.fetchval(WAITING)
    told = [holder for each in await asyncio.gather(*asking) for holder in each]

    assert (1, ids[:3]) == (waits, told)
    assert set(ids) == set(await store.asked("t"))


async def test_lines_do_not_wait_for_each_other(database: Database) -> None:
    """While one ticket's line is held elsewhere, another ticket is given out."""
    store, mine, other = SqlTickets(database), new_id(), new_id()
    async with database.transaction() as connection:
        await connection.execute(HELD, "t")
        asking = asyncio.create_task(store.acquire("t", 1, mine))
        await waiting(database, 1)
        found = await store.acquire("u", 1, other)

    assert ([other], [mine]) == (list(found), list(await asking))


async def test_whoever_goes_away_keeps_nobody_waiting(database: Database) -> None:
    """A caller that is cancelled while it asks for all takes none of the others with it."""
    store, ids = SqlTickets(database), [new_id() for _ in range(5)]
    async with database.transaction() as connection:
        await connection.execute(HELD, "t")
        asking = [asyncio.create_task(store.acquire("t", 2, each)) for each in ids]
        await waiting(database, 1)
        asking[0].cancel()
        asking[3].cancel()
        await asyncio.wait([asking[0], asking[3]])
    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [ids[1:2], ids[2:3], []] == [answers[n] for n in (1, 2, 4)]


async def test_repeated_questions_of_one_execution(database: Database) -> None:
    """An execution that asks twice at the same moment, and gives back at once, gets each answer."""
    store, a, b = SqlTickets(database), new_id(), new_id()
    first, second, back, other = await asyncio.gather(
        store.acquire("t", 1, a), store.acquire("t", 1, a), store.release("t", a), store.acquire("t", 1, b)
    )

    assert ([a], [a], [b]) == (list(first), list(second), [*back, *other])


async def test_a_line_without_a_database_says_so(database: Database) -> None:
    """When the database is away, each question is told; nothing is asked again behind the caller's back."""
    store = SqlTickets(database)
    await database.close()
    answers = await asyncio.gather(
        *(store.acquire("t", 1, new_id()) for _ in range(3)), return_exceptions=True
    )

    assert [Unavailable] * 3 == [Unavailable if isinstance(each, Unavailable) else each for each in answers]
