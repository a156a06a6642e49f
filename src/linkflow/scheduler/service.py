"""The housekeeper: one process at a time holds the lease and does the duties.

        follower ──lease free──▶ leader ──duties──▶ leader
            ▲                      │ renewal fails, or the lease is somebody else's
            └──────────────────────┘ duties are cancelled before the lease ends

What fails and what happens then: the leader dies: the lease ends by itself and another follows within
`TTL_S`. The leader is paused: it steps down by its own clock before the lease ends; should a fire of it still
come late, the nominal time in its request id keeps it from counting twice.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from linkflow.domain.errors import Unavailable
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Leases
from linkflow.telemetry import logger, metrics

LOG = logger("scheduler")
LEASE = "scheduler"
TTL_S = 5.0
RENEW_S = 1.5


class Duty(Protocol):
    """Something the leader does."""

    async def run(self) -> None:
        """Work until cancelled."""
        ...


class Scheduler:
    """Holds the lease and runs the duties.

    Attributes:
        is_leader: Whether this process does the duties now.
    """

    def __init__(self, leases: Leases, duties: Sequence[Duty], clock: Clock, holder: str) -> None:
        self._leases, self._duties, self._clock, self._holder = leases, duties, clock, holder
        self.is_leader = False

    async def run(self) -> None:
        """Lead whenever the lease is free, until cancelled."""
        with metrics.reading({"linkflow_scheduler_is_leader": lambda: self.is_leader}):
            while True:
                if await self._renew():
                    await self._lead()
                await self._clock.sleep(RENEW_S)

    async def _renew(self) -> bool:
        """Take or keep the lease."""
        try:
            return await self._leases.acquire(LEASE, self._holder, TTL_S) is not None
        except Unavailable:
            return False

    async def _lead(self) -> None:
        """Do the duties while the lease holds; they are over before it is."""
        LOG.debug("leader", holder=self._holder)
        self.is_leader = True
        duties = [asyncio.ensure_future(duty.run()) for duty in self._duties]
        try:
            held_until = self._clock.monotonic() + TTL_S
            while self._clock.monotonic() + RENEW_S < held_until:
                await self._clock.sleep(RENEW_S)
                asked_at = self._clock.monotonic()
                if await self._renew():
                    held_until = asked_at + TTL_S
                else:
                    LOG.warning("lease.lost", holder=self._holder)
                    break
        finally:
            self.is_leader = False
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
