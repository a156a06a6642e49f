"""What every Leases must do."""

from collections.abc import AsyncIterator

import pytest_asyncio

from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.statements import Statements


@pytest_asyncio.fixture
async def leases(database_dsn: str) -> AsyncIterator[SqlLeases]:
    """Open leases on a database of the test's own."""
    database = await Database.open(database_dsn, pool_size=2)
    yield SqlLeases(Statements(database.pool))
    await database.close()


async def test_one_holder_at_a_time(leases: SqlLeases) -> None:
    """C13r: while one process holds the lease, another does not get it."""
    first = await leases.acquire("scheduler", "a", 60.0)
    second = await leases.acquire("scheduler", "b", 60.0)

    assert (True, None) == (first is not None, second)


async def test_renewing_keeps_the_token(leases: SqlLeases) -> None:
    """A holder that renews in time keeps its fencing token."""
    first = await leases.acquire("scheduler", "a", 60.0)
    again = await leases.acquire("scheduler", "a", 60.0)

    assert first is not None
    assert again is not None
    assert first.token == again.token


async def test_every_new_holder_has_a_greater_token(leases: SqlLeases) -> None:
    """A lease that ended goes to the next one with a greater token, also back to the one before."""
    tokens = []
    for holder in ("a", "b", "a", "a"):
        lease = await leases.acquire("scheduler", holder, 0.0)
        assert lease is not None
        tokens.append(lease.token)

    assert [1, 2, 3, 4] == tokens


async def test_giving_back_is_for_the_holder_only(leases: SqlLeases) -> None:
    """A lease given back is free at once; giving back an old one does nothing to the new holder."""
    old = await leases.acquire("scheduler", "a", 0.0)
    new = await leases.acquire("scheduler", "b", 60.0)
    assert old is not None
    assert new is not None
    await leases.release(old)
    held = await leases.acquire("scheduler", "c", 60.0)
    await leases.release(new)
    free = await leases.acquire("scheduler", "c", 60.0)

    assert (None, 3) == (held, free and free.token)
