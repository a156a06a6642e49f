"""The housekeeper: one process at a time holds the lease and does the duties.

        follower ──lease free──▶ fence raised ──▶ leader ──duties──▶ leader
            ▲                                       │ renewal fails, or the lease is somebody else's
            └───────────────────────────────────────┘ duties are cancelled before the lease ends

What fails and what happens then: the leader dies: the lease ends by itself and another leads within
`TTL_S + RENEW_S`. The leader stops in order: it gives the lease back, another leads within `RENEW_S`. The
leader is paused: it steps down by its own clock before the lease ends; should it not notice in time, its
writes carry an older token than the stores have seen, and are refused. A fire of a schedule needs no token:
the nominal time in its request id keeps it from counting twice.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from linkflow.domain.errors import Unavailable
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Lease, Leases
from linkflow.ports.upkeep import LEASE, DutyRuns, Fenced
from linkflow.scheduler.duties import Duties
from linkflow.telemetry import logger, metrics

LOG = logger("scheduler")
TTL_S = 3.5
RENEW_S = 1.0
AGAIN_S = 1.0


class Watch(Protocol):
    """Something the leader does all the time."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


class Scheduler:
    """Holds the lease and does the duties.

    Attributes:
        is_leader: Whether this process does the duties now.
    """

    def __init__(
        self,
        leases: Leases,
        runs: DutyRuns,
        watches: Sequence[Watch],
        duties: Duties,
        clock: Clock,
        holder: str,
    ) -> None:
        self._leases, self._runs = leases, runs
        self._watches, self._duties = watches, duties
        self._clock, self._holder = clock, holder
        self.is_leader = False

    async def run(self) -> None:
        """Lead whenever the lease is free, until cancelled."""
        with metrics.reading({"linkflow_scheduler_is_leader": lambda: self.is_leader}):
            while True:
                asked_at = self._clock.monotonic()
                lease = await self._renew()
                if lease is not None:
                    await self._lead(lease, asked_at + TTL_S)
                await self._clock.sleep(RENEW_S)

    async def _renew(self) -> Lease | None:
        """Take or keep the lease."""
        try:
            return await self._leases.acquire(LEASE, self._holder, TTL_S)
        except Unavailable:
            return None

    async def _lead(self, lease: Lease, held_until: float) -> None:
        """Do the duties while the lease holds; they are over before it is."""
        try:
            await self._runs.raise_fence(lease.token)
        except (Fenced, Unavailable) as error:
            LOG.warning("not leading", holder=self._holder, error=str(error))
            return
        LOG.debug("leader", holder=self._holder, token=lease.token)
        self.is_leader = True
        works = [asyncio.ensure_future(self._watched(watch)) for watch in self._watches]
        works.append(asyncio.ensure_future(self._duties.work(lease.token)))
        try:
            await self._keep(lease, held_until, works[-1])
        finally:
            self.is_leader = False
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            await self._give_back(lease)

    async def _keep(self, lease: Lease, held_until: float, duties: "asyncio.Future[None]") -> None:
        """Renew the lease until that fails, or the duties find that another process leads."""
        while self._clock.monotonic() + RENEW_S < held_until and not duties.done():
            await self._clock.sleep(RENEW_S)
            asked_at = self._clock.monotonic()
            renewed = await self._renew()
            if renewed is None or renewed.token != lease.token:
                LOG.warning("lease.lost", holder=self._holder)
                return
            held_until = asked_at + TTL_S
        if duties.done() and not duties.cancelled():
            LOG.warning("stepping down", holder=self._holder, reason=repr(duties.exception()))

    async def _watched(self, watch: Watch) -> None:
        """Keep a watch up: a bug in it must not end it."""
        while True:
            try:
                await watch.run()
            except Exception:  # the watch goes on
                LOG.exception("watch failed; it begins again")
            await self._clock.sleep(AGAIN_S)

    async def _give_back(self, lease: Lease) -> None:
        """Let another process lead at once; whose lease it is decides the store."""
        try:
            await asyncio.shield(self._leases.release(lease))
        except Unavailable as error:
            LOG.debug("lease not given back; it ends by itself", error=str(error))
