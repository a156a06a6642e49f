"""Cache and RateLimits over Redis or Valkey, which may be away.

    call ─► owed drops ─► Redis ─► answer
              │ no answer in TIMEOUT_S
              ▼
           this process' own values, and Redis is left alone for AWAY_S

What fails and what happens then. Redis is away: values are missing and limits count per process; nothing
raises, nobody waits longer than TIMEOUT_S. It is back: values dropped meanwhile are dropped there before
anything is read. It was wiped: values are missing, limits begin anew.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from linkflow import telemetry
from linkflow.domain.errors import Unavailable
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.coordination import Cache, RateLimits, Taken

TIMEOUT_S = 0.5
AWAY_S = 1.0
CONNECTIONS = 16
OWED = 10_000

GCRA = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local till = math.max(at, tonumber(redis.call('GET', KEYS[1]) or '0'))
local after = till + cost * interval
local early = after - burst * interval - at
local allowed = 0
if early <= 0.000001 then
  allowed, early, till = 1, 0, after
  if cost > 0 then
    redis.call('SET', KEYS[1], string.format('%.6f', after), 'PX', math.ceil((after - at) * 1000) + 1)
  end
end
return {allowed, string.format('%.6f', early), string.format('%.6f', till - at)}
"""
"""KEYS: the limit. ARGV: seconds of one, burst, cost. Returns whether it was allowed, seconds until it would
be, seconds until nothing is taken. The key holds the time until which all is taken, by Redis' own clock.
"""

log = telemetry.logger("redis")


class RedisLine:
    """A Redis that may be away; make it with `running`.

    Attributes:
        redis: For making calls to hand to `ask`.
    """

    def __init__(self, redis: "Redis", monotonic: Callable[[], float] = time.monotonic) -> None:
        self.redis = redis
        self._monotonic = monotonic
        self._away_until = 0.0
        self._owed: dict[str, None] = {}

    @classmethod
    @asynccontextmanager
    async def running(cls, url: str) -> AsyncIterator["RedisLine"]:
        """Be connected, whenever Redis is there, for as long as the context lasts."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            protocol=2,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        async with Redis.from_pool(pool) as redis:
            yield cls(redis)

    def owe(self, key: str) -> None:
        """Drop a key before anything else is asked, once Redis is back."""
        if len(self._owed) >= OWED:
            log.warning("more values were dropped than can be remembered; some live until their end")
            del self._owed[next(iter(self._owed))]
        self._owed[key] = None

    async def ask(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Make a call.

        Raises:
            Unavailable: Redis does not answer, or did not a moment ago.
        """
        if self._monotonic() < self._away_until:
            raise Unavailable("Redis was away a moment ago.")
        try:
            await self._pay()
            return await call()
        except (RedisError, OSError) as error:
            log.warning("Redis is away; this process goes on by itself", error=str(error))
            self._away_until = self._monotonic() + AWAY_S
            raise Unavailable(f"Redis did not answer: {error}") from error

    async def _pay(self) -> None:
        """Drop what is owed."""
        while owed := list(self._owed):  # until it is done, nobody else reads either
            await self.redis.delete(*owed)
            for key in owed:
                self._owed.pop(key, None)


class RedisCache:
    """Values in Redis; while it is away, this process' own.

    Args:
        line: How Redis is reached.
        spare: Used while Redis is away.
        prefix: Of every key; a LinkFlow has a Redis database of its own.
    """

    def __init__(self, line: RedisLine, spare: Cache, *, prefix: str = "") -> None:
        self._line, self._spare, self._prefix = line, spare, prefix

    async def get(self, key: str) -> Json:
        """Read a value."""
        try:
            found = await self._line.ask(lambda: self._line.redis.get(self._prefix + key))
        except Unavailable:
            return await self._spare.get(key)
        return None if found is None else decode_json(found)

    async def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value."""
        try:
            await self._line.ask(lambda: self._set(key, value, ttl_s, is_new=False))
        except Unavailable:
            self._line.owe(self._prefix + key)
            await self._spare.put(key, value, ttl_s)

    async def put_all(self, values: Mapping[str, Json], ttl_s: float) -> None:
        """Keep many values."""

        async def together() -> None:
            async with self._line.redis.pipeline(transaction=False) as calls:
                for key, value in values.items():
                    calls.set(self._prefix + key, encode_json(value), px=max(1, int(ttl_s * 1000)))
                await calls.execute()

        try:
            await self._line.ask(together)
        except Unavailable:
            for key in values:
                self._line.owe(self._prefix + key)
            await self._spare.put_all(values, ttl_s)

    async def put_if_absent(self, key: str, value: Json, ttl_s: float) -> bool:
        """Keep a value where there is none."""
        try:
            return bool(await self._line.ask(lambda: self._set(key, value, ttl_s, is_new=True)))
        except Unavailable:
            return await self._spare.put_if_absent(key, value, ttl_s)

    def _set(self, key: str, value: Json, ttl_s: float, *, is_new: bool) -> Awaitable[Any]:
        name, ttl_ms = self._prefix + key, max(1, int(ttl_s * 1000))
        return self._line.redis.set(name, encode_json(value), px=ttl_ms, nx=is_new)

    async def add(self, key: str, amount: int, ttl_s: float) -> int:
        """Add to a counter."""
        name = self._prefix + key

        async def both() -> int:
            async with self._line.redis.pipeline(transaction=True) as calls:
                calls.incrby(name, amount)
                calls.pexpire(name, max(1, int(ttl_s * 1000)), nx=True)
                total, _ = await calls.execute()
                return int(total)

        try:
            return int(await self._line.ask(both))
        except Unavailable:
            return await self._spare.add(key, amount, ttl_s)

    async def drop(self, key: str) -> bool:
        """Forget a value."""
        was_spare = await self._spare.drop(key)
        try:
            return bool(await self._line.ask(lambda: self._line.redis.delete(self._prefix + key)))
        except Unavailable:
            self._line.owe(self._prefix + key)
            return was_spare


class RedisRateLimits:
    """Limits in Redis, one round trip each; while it is away, this process' own.

    Args:
        line: How Redis is reached.
        spare: Used while Redis is away.
        prefix: Before `ratelimit:` and the key.
    """

    def __init__(self, line: RedisLine, spare: RateLimits, *, prefix: str = "") -> None:
        self._line, self._spare, self._prefix = line, spare, f"{prefix}ratelimit:"
        self._take = line.redis.register_script(GCRA)

    async def take(self, key: str, limit: int, period_s: float, burst: int, cost: int = 1) -> Taken:
        """Take from a limit."""
        interval_s = period_s / limit
        keys: list[str] = [self._prefix + key]
        args: list[float] = [interval_s, burst, cost]
        try:
            allowed, retry, reset = await self._line.ask(lambda: self._take(keys, args))
        except Unavailable:
            return await self._spare.take(key, limit, period_s, burst, cost)
        left = max(0, int(burst - float(reset) / interval_s + 1e-6))
        return Taken(bool(allowed), left, float(retry), float(reset))
