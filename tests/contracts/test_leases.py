"""What every Leases must do."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from linkflow.adapters.redis.connection import connect
from linkflow.adapters.redis.redlock import LeaseLost, RedisLeases, RedLock
from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.statements import Statements
from linkflow.domain.errors import Unavailable
from linkflow.ports.coordination import Leases
from linkflow.testing.fakes import FixedClock
from linkflow.testing.memory_upkeep import MemoryLeases
from linkflow.testing.servers import start_redis


@pytest_asyncio.fixture(params=["memory", "postgres", pytest.param("redis", marks=pytest.mark.external)])
async def leases(request: pytest.FixtureRequest, database_dsn: str) -> AsyncIterator[Leases]:
    """Open leases of the test's own."""
    if request.param == "memory":
        yield MemoryLeases(FixedClock())
        return
    if request.param == "redis":
        async with connect(request.getfixturevalue("redis_url")) as redis:
            yield RedisLeases([redis], prefix=request.getfixturevalue("queue_prefix"))
        return
    database = await Database.open(database_dsn, pool_size=2)
    yield SqlLeases(Statements(database.pool))
    await database.close()


async def test_one_holder_at_a_time(leases: Leases) -> None:
    """C13r: while one process holds the lease, another does not get it."""
    first = await leases.acquire("scheduler", "a", 60.0)
    second = await leases.acquire("scheduler", "b", 60.0)

    assert (True, None) == (first is not None, second)


async def test_renewing_keeps_the_token(leases: Leases) -> None:
    """A holder that renews in time keeps its fencing token."""
    first = await leases.acquire("scheduler", "a", 60.0)
    again = await leases.acquire("scheduler", "a", 60.0)

    assert first is not None
    assert again is not None
    assert first.token == again.token


async def test_every_new_holder_has_a_greater_token(leases: Leases) -> None:
    """A lease that ended goes to the next one with a greater token, also back to the one before."""
    tokens = []
    for holder in ("a", "b", "a", "a"):
        lease = await leases.acquire("scheduler", holder, 0.0)
        assert lease is not None
        tokens.append(lease.token)

    assert [1, 2, 3, 4] == tokens


async def test_giving_back_is_for_the_holder_only(leases: Leases) -> None:
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


@pytest.mark.external
async def test_redlock_needs_most_servers() -> None:
    """D24: of three Redis servers one may be gone; with two gone nobody gets a lease, and it is said."""
    servers = [start_redis() for _ in range(3)]
    clients = [connect(server.url) for server in servers]
    try:
        leases = RedisLeases(clients)
        alone = RedisLeases(clients[:1])
        ahead = [await alone.acquire("w", holder, 0.0) for holder in "xyz"]
        servers[2].stop()
        first = await leases.acquire("w", "a", 60.0)
        other = await leases.acquire("w", "b", 60.0)
        servers[1].stop()
        with pytest.raises(Unavailable):
            await leases.acquire("w", "a", 60.0)
    finally:
        for client in clients:
            await client.aclose()
        for server in servers:
            server.stop()

    assert (3, 4, None) == (ahead[-1] and ahead[-1].token, first and first.token, other)


@pytest.mark.external
async def test_the_seeds_lock(redis_url: str, queue_prefix: str) -> None:
    """D24, D25: one works at a time; a lock is renewed while it is needed; who waits gets it afterwards."""
    async with connect(redis_url) as redis:
        leases = RedisLeases([redis], prefix=queue_prefix)
        lock = RedLock(leases, ttl_s=0.4, retry_s=0.02)
        order: list[str] = []
        renewed, first_is_in = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with lock.held("workflow:1", "a") as lease:
                order.append("a begins")
                first_is_in.set()
                while (again := await leases.acquire("workflow:1", "b", 60.0)) is None:
                    key = f"{queue_prefix}:lease:workflow:1"
                    if float(await redis.hget(key, "expires") or 0) > lease.expires_at + 0.4:
                        break
                assert again is None
                renewed.set()
                order.append("a ends")

        async def second() -> None:
            await first_is_in.wait()
            async with lock.held("workflow:1", "b"):
                order.append("b begins")

        async with asyncio.timeout(10.0):
            await asyncio.gather(first(), second())

    assert (["a begins", "a ends", "b begins"], True) == (order, renewed.is_set())


@pytest.mark.external
async def test_a_lock_that_is_lost_is_told(redis_url: str, queue_prefix: str) -> None:
    """Whoever works under a lock that Redis forgot and gave to another hears of it in the middle."""
    async with connect(redis_url) as redis:
        leases = RedisLeases([redis], prefix=queue_prefix)
        with pytest.raises(LeaseLost):
            async with RedLock(leases, ttl_s=0.4).held("workflow:1", "a"):
                await redis.delete(f"{queue_prefix}:lease:workflow:1")
                await leases.acquire("workflow:1", "b", 60.0)
                await asyncio.Event().wait()
        kept = await leases.acquire("workflow:1", "b", 60.0)

    assert kept is not None
