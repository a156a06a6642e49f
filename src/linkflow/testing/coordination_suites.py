"""Contract suites of what processes share: Cache and RateLimits."""

import asyncio
from collections.abc import Awaitable, Callable

from linkflow.ports.coordination import Cache, RateLimits

LONG_S = 600.0
SHORT_S = 0.05
PATIENCE_S = 10.0


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait, under a generous limit, until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110  the clock is the server's, nobody can turn it
            await asyncio.sleep(SHORT_S / 5)


class CacheSuite:
    """What every Cache must do; provide the fixture `cache`."""

    async def test_values_come_back(self, cache: Cache) -> None:
        """A value is read as it was kept until another one is; nobody's change of it is seen by others."""
        value = {"n": [1, 2.5, None, True, "ü\u0000"], "o": {}}
        await cache.put("a", "before", LONG_S)
        await cache.put("a", value, LONG_S)
        value["n"] = []

        assert await cache.get("a") == {"n": [1, 2.5, None, True, "ü\u0000"], "o": {}}
        assert await cache.get("b") is None

    async def test_values_end(self, cache: Cache) -> None:
        """L9: a value is forgotten when its time is over."""
        await cache.put("a", 1, SHORT_S)

        async def is_gone() -> bool:
            return await cache.get("a") is None

        await until(is_gone)
        assert await cache.put_if_absent("a", 2, LONG_S)

    async def test_many_at_once(self, cache: Cache) -> None:
        """Values that are kept together are read one by one."""
        await cache.put_all({f"n{number}": number for number in range(300)}, LONG_S)
        await cache.put_all({}, LONG_S)

        assert [await cache.get(f"n{number}") for number in range(301)] == [*range(300), None]

    async def test_one_is_first(self, cache: Cache) -> None:
        """D26: of many who keep a value at the same moment one is first, and its value stays."""
        firsts = await asyncio.gather(*(cache.put_if_absent("a", number, LONG_S) for number in range(20)))

        assert (1, firsts.index(True)) == (firsts.count(True), await cache.get("a"))

    async def test_one_drops(self, cache: Cache) -> None:
        """Of many who drop a value at the same moment one hears that it was there."""
        await cache.put("a", 1, LONG_S)
        dropped = await asyncio.gather(*(cache.drop("a") for _ in range(20)))

        assert (dropped.count(True), await cache.get("a")) == (1, None)

    async def test_nothing_is_a_value(self, cache: Cache) -> None:
        """A kept null reads as nothing and still holds its place."""
        await cache.put("a", None, LONG_S)

        assert (await cache.get("a"), await cache.put_if_absent("a", 1, LONG_S)) == (None, False)

    async def test_counters_count(self, cache: Cache) -> None:
        """K7: no adding is lost, each hears another total, and a counter reads as its value."""
        totals = await asyncio.gather(*(cache.add("a", 2, LONG_S) for _ in range(50)))

        assert [*range(2, 101, 2)] == sorted(totals)
        assert (await cache.get("a"), await cache.add("a", -3, LONG_S)) == (100, 97)

    async def test_counters_end(self, cache: Cache) -> None:
        """A counter ends when its first adding said, however often it is added to."""
        await cache.add("a", 1, SHORT_S)

        async def began_anew() -> bool:
            return await cache.add("a", 1, LONG_S) == 1

        await until(began_anew)
        assert await cache.add("a", 1, SHORT_S) == 2


class RateLimitsSuite:
    """What every RateLimits must do; provide the fixture `limits`."""

    async def test_a_burst_and_no_more(self, limits: RateLimits) -> None:
        """Of many who take at the same moment as many get it as the burst allows; the others hear when."""
        taken = await asyncio.gather(*(limits.take("a", 10, LONG_S, 3) for _ in range(10)))
        refused = [each for each in taken if not each.allowed]

        assert sorted(each.remaining for each in taken if each.allowed) == [0, 1, 2]
        assert all(0 < each.retry_after_s <= 60.0 and each.remaining == 0 for each in refused)
        assert all(120.0 < each.reset_s <= 180.0 for each in refused)

    async def test_what_was_refused_costs_nothing(self, limits: RateLimits) -> None:
        """Asking in vain does not make anybody wait longer."""
        await limits.take("a", 1, LONG_S, 1)
        waits = [(await limits.take("a", 1, LONG_S, 1)).retry_after_s for _ in range(3)]

        assert (waits, True) == (sorted(waits, reverse=True), waits[-1] > LONG_S / 2)

    async def test_time_gives_back(self, limits: RateLimits) -> None:
        """What was taken comes back evenly over the period."""
        await limits.take("a", 1, SHORT_S, 1)

        async def is_allowed() -> bool:
            return (await limits.take("a", 1, SHORT_S, 1)).allowed

        await until(is_allowed)

    async def test_costs(self, limits: RateLimits) -> None:
        """A cost takes several at once or none; a cost of 0 only looks."""
        first = await limits.take("a", 60, LONG_S, 5, cost=4)
        second = await limits.take("a", 60, LONG_S, 5, cost=2)
        look = await limits.take("a", 60, LONG_S, 5, cost=0)
        third = await limits.take("a", 60, LONG_S, 5)

        assert [(each.allowed, each.remaining) for each in (first, second, look, third)] == [
            (True, 1),
            (False, 1),
            (True, 1),
            (True, 0),
        ]
        assert (first.retry_after_s, 0.0 < second.retry_after_s <= 10.0) == (0.0, True)

    async def test_keys_are_apart(self, limits: RateLimits) -> None:
        """One key's limit is not another's."""
        taken = [await limits.take(key, 1, LONG_S, 1) for key in ("a", "b", "a")]

        assert [each.allowed for each in taken] == [True, True, False]
