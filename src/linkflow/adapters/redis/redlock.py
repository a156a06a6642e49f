"""Redlock: leases that most of several Redis servers grant, and the seeds' lock made of them (D24, D25).

    acquire ─► every server, at once ─► most agree? ─► lease, which ends by the earliest of their clocks
                                            │ no
                                            ▼
                                    given back wherever it was got

Nothing in LinkFlow is safe because of these leases: a server that forgets (no disk, a failover, FLUSHALL) may
grant a lease twice and begin its tokens anew, so tokens fence nothing. What must be safe is decided by the
version check of an execution; who leads and how many executions of a workflow run at once are in PostgreSQL.
Redlock is for what only saves work when it holds: nodes and scripts of yours that several processes run.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from linkflow.domain.errors import Conflict, Unavailable
from linkflow.ports.coordination import Lease, Leases

TTL_S = 300.0
RETRY_S = 5.0

ACQUIRE = """
local now = redis.call('TIME')
local holder = redis.call('HGET', KEYS[1], 'holder')
local expires = tonumber(redis.call('HGET', KEYS[1], 'expires') or '0')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local token = tonumber(redis.call('HGET', KEYS[1], 'token') or '0')
if expires > at and holder ~= ARGV[1] then return {0, token, '0'} end
if expires <= at then token = token + 1 end
token = math.max(token, tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token, 'expires', string.format('%.6f', at + ARGV[2]))
return {1, token, string.format('%.6f', at + ARGV[2])}
"""
"""KEYS: the lease. ARGV: holder, seconds, least token. Returns whether it was got, its token, its end."""

RELEASE = """
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] and redis.call('HGET', KEYS[1], 'holder') == ARGV[2] then
  redis.call('HSET', KEYS[1], 'expires', '0')
end
"""
"""KEYS: the lease. ARGV: token, holder."""


class RedisLeases:
    """Leases that are held when most of the Redis servers say so.

    Servers remember the greatest token they saw, and two majorities share one: tokens grow until one forgets.
    """

    def __init__(self, servers: Sequence["Redis"], *, prefix: str = "linkflow") -> None:
        self._prefix = prefix
        self._most = len(servers) // 2 + 1
        self._acquire = [server.register_script(ACQUIRE) for server in servers]
        self._release = [server.register_script(RELEASE) for server in servers]

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease at most of the servers; see the port.

        Raises:
            Unavailable: Most servers do not answer.
        """
        got = await self._ask(name, holder, ttl_s, 0)
        token = max((each[0] for each in got), default=0)
        if len(got) >= self._most and any(each[0] != token for each in got):
            got = await self._ask(name, holder, ttl_s, token)
            token = max((each[0] for each in got), default=0)
        lease = Lease(name, holder, token, min((each[1] for each in got), default=0.0))
        if len(got) >= self._most:
            return lease
        for each in {each[0] for each in got}:
            await self.release(Lease(name, holder, each, 0.0))
        return None

    async def release(self, lease: Lease) -> None:
        """Give a lease back at every server that answers; see the port."""
        keys: list[str] = [self._key(lease.name)]
        args: list[str | float] = [lease.token, lease.holder]
        calls = (release(keys, args) for release in self._release)
        await asyncio.gather(*calls, return_exceptions=True)

    async def _ask(self, name: str, holder: str, ttl_s: float, least: int) -> list[tuple[int, float]]:
        """Ask every server; token and end at those that agreed."""
        keys: list[str] = [self._key(name)]
        args: list[str | float] = [holder, max(0.0, ttl_s), least]
        calls = (acquire(keys, args) for acquire in self._acquire)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        failed = [each for each in answers if isinstance(each, BaseException)]
        if len(answers) - len(failed) < self._most:
            raise Unavailable(f"Most Redis servers did not answer: {failed[0]}") from failed[0]
        agreed = [each for each in answers if not isinstance(each, BaseException) and each[0]]
        return [(int(token), math.floor(float(end) * 1e6) / 1e6) for _, token, end in agreed]

    def _key(self, name: str) -> str:
        return f"{self._prefix}:lease:{name}"


class LeaseLost(Conflict):
    """A lease could not be renewed; somebody else may hold it by now."""

    code = "lease.lost"


class RedLock:
    """The seeds' lock: a lease that is waited for, renewed for as long as it is needed, and given back.

    Args:
        leases: What grants it.
        ttl_s: How long it outlives a holder that died.
        retry_s: Pause before it is asked for again while somebody else has it.
    """

    def __init__(self, leases: Leases, *, ttl_s: float = TTL_S, retry_s: float = RETRY_S) -> None:
        self._leases, self._ttl_s, self._retry_s = leases, ttl_s, retry_s

    @asynccontextmanager
    async def held(self, name: str, holder: str) -> AsyncIterator[Lease]:
        """Hold a lease until the block is left; wait for it first.

        Raises:
            Unavailable: Most servers do not answer.
            LeaseLost: It was lost in the middle; the block was cancelled.
        """
        while (lease := await self._leases.acquire(name, holder, self._ttl_s)) is None:  # noqa: ASYNC110
            await asyncio.sleep(self._retry_s)
        try:
            async with asyncio.TaskGroup() as group:
                renewing = group.create_task(self._renew(lease))
                yield lease
                renewing.cancel()
        except ExceptionGroup as ended:
            raise ended.exceptions[0] from ended
        finally:
            await self._leases.release(lease)

    async def _renew(self, lease: Lease) -> None:
        """Renew a lease three times in its life, until cancelled.

        Raises:
            LeaseLost: Somebody else has it, or nobody answered until it ended.
        """
        missed = 0
        while missed < 3:
            await asyncio.sleep(self._ttl_s / 4)
            try:
                renewed = await self._leases.acquire(lease.name, lease.holder, self._ttl_s)
            except Unavailable:
                missed += 1
                continue
            if renewed is None or renewed.token != lease.token:
                break
            missed = 0
        raise LeaseLost(f"The lease {lease.name!r} was lost in the middle of the work.")
