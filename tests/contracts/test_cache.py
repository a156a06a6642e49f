"""Cache and RateLimits: every implementation keeps the same promises, over real servers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from linkflow.adapters.memory import MemoryCache, MemoryRateLimits
from linkflow.adapters.redis.cache import RedisCache, RedisLine, RedisRateLimits
from linkflow.adapters.redis.connection import connect
from linkflow.testing.coordination_suites import LONG_S, CacheSuite, RateLimitsSuite, until
from linkflow.testing.servers import free_port, start_redis


@pytest_asyncio.fixture
async def line(redis_url: str) -> AsyncIterator[RedisLine]:
    """Reach the Redis of this run."""
    async with RedisLine.running(redis_url) as line:
        yield line


@pytest_asyncio.fixture
async def away() -> AsyncIterator[RedisLine]:
    """Reach a Redis that is not there."""
    async with RedisLine.running(f"redis://127.0.0.1:{free_port()}/0") as line:
        yield line


class TestMemoryCache(CacheSuite):
    """Values of one process."""

    @pytest.fixture
    def cache(self) -> MemoryCache:
        """An empty cache."""
        return MemoryCache()


@pytest.mark.external
class TestRedisCache(CacheSuite):
    """C17r: values in Redis."""

    @pytest.fixture
    def cache(self, line: RedisLine, queue_prefix: str) -> RedisCache:
        """An empty cache."""
        return RedisCache(line, MemoryCache(), prefix=f"{queue_prefix}:")

    async def test_a_wipe(self, cache: RedisCache, line: RedisLine) -> None:
        """L2: after a FLUSHALL values are missing, and can be kept again."""
        await cache.put("a", 1, LONG_S)
        await line.redis.flushall()

        assert (None, True) == (await cache.get("a"), await cache.put_if_absent("a", 2, LONG_S))

    async def test_the_name_is_the_key(self, line: RedisLine) -> None:
        """D40: whoever looks into Redis finds a value under its own name, as JSON, with an end."""
        await RedisCache(line, MemoryCache()).put("workflow:1", {"version": 7}, 300.0)

        assert b'{"version":7}' == await line.redis.get("workflow:1")
        assert 299_000 < await line.redis.pttl("workflow:1") <= 300_000


class TestCacheWithoutRedis(CacheSuite):
    """While Redis is away a process keeps its own values."""

    @pytest.fixture
    def cache(self, away: RedisLine) -> RedisCache:
        """An empty cache."""
        return RedisCache(away, MemoryCache())


class TestMemoryRateLimits(RateLimitsSuite):
    """Limits of one process."""

    @pytest.fixture
    def limits(self) -> MemoryRateLimits:
        """Untouched limits."""
        return MemoryRateLimits()


@pytest.mark.external
class TestRedisRateLimits(RateLimitsSuite):
    """C17r: limits in Redis."""

    @pytest.fixture
    def limits(self, line: RedisLine, queue_prefix: str) -> RedisRateLimits:
        """Untouched limits."""
        return RedisRateLimits(line, MemoryRateLimits(), prefix=f"{queue_prefix}:")

    async def test_processes_share(
        self, limits: RedisRateLimits, redis_url: str, queue_prefix: str, line: RedisLine
    ) -> None:
        """What one process takes is taken for all; a wiped Redis begins anew."""
        async with RedisLine.running(redis_url) as another:
            others = RedisRateLimits(another, MemoryRateLimits(), prefix=f"{queue_prefix}:")
            taken = [await limits.take("a", 1, LONG_S, 1), await others.take("a", 1, LONG_S, 1)]
            await line.redis.flushall()
            taken.append(await others.take("a", 1, LONG_S, 1))

        assert [True, False, True] == [each.allowed for each in taken]


class TestLimitsWithoutRedis(RateLimitsSuite):
    """While Redis is away a process counts for itself."""

    @pytest.fixture
    def limits(self, away: RedisLine) -> RedisRateLimits:
        """Untouched limits."""
        return RedisRateLimits(away, MemoryRateLimits())


@pytest.mark.external
async def test_a_redis_that_was_away() -> None:
    """L3: what was dropped while Redis was away is not read from it when it is back."""
    first = start_redis()
    async with RedisLine.running(first.url) as line, connect(first.url) as direct:
        cache = RedisCache(line, MemoryCache())
        await cache.put("workflow:1", "old", LONG_S)
        await cache.put("workflow:2", "old", LONG_S)
        await cache.put("workflow:3", "kept", LONG_S)
        first.pause()
        found = [await cache.get("workflow:3"), await cache.drop("workflow:1")]
        await cache.put("workflow:2", "new", LONG_S)
        meanwhile = await cache.get("workflow:2")
        first.resume()

        async def is_back() -> bool:
            return bool(await cache.get("workflow:3") == "kept")

        await until(is_back)
        left = await direct.keys("workflow:*")
    first.stop()

    assert ([None, False], "new", [b"workflow:3"]) == (found, meanwhile, left)


@pytest.mark.external
async def test_nobody_reads_before_what_is_owed_is_dropped(line: RedisLine, queue_prefix: str) -> None:
    """Of many who ask at the moment Redis is back, none reads what was dropped meanwhile."""
    cache = RedisCache(line, MemoryCache(), prefix=f"{queue_prefix}:")
    for _ in range(20):
        await cache.put("a", "old", LONG_S)
        line.owe(f"{queue_prefix}:a")

        assert {None} == set(await asyncio.gather(*(cache.get("a") for _ in range(8))))
