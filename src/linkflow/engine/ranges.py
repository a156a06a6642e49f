"""Work shared out by shards: who of several members looks after which part of them.

The 4,096 shards are cut into ranges; each is a lease. A member takes what is free up to its share, gives
back what is more than that when others come, and lets go of what it could not renew before it ends, by its
own clock. A range whose holder died is somebody else's within `TTL_S` and a look.

The leases divide work; nothing is safe because of them. A wake-up that two members send is one event.
"""

import asyncio
from collections.abc import Callable, Sequence
from zlib import crc32

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import SHARDS
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Lease, Leases

PARTS = 8
TTL_S = 4.0
LOOK_S = 1.0
"""How often leases are renewed, and free ones looked for."""

log = telemetry.logger("ranges")


class Ranges:
    """The ranges of shards that this member has.

    Attributes:
        gained: Set whenever there is a new one; whoever works on them clears it.
    """

    def __init__(
        self, name: str, leases: Leases, clock: Clock, holder: str, sharers: Callable[[], int]
    ) -> None:
        """Put it together.

        Args:
            name: Of the duty that is shared, such as `timer`.
            leases: Between members.
            clock: Times everything.
            holder: This member.
            sharers: How many members share the duty just now, this one included.
        """
        self.gained = asyncio.Event()
        self._name = name
        self._leases = leases
        self._clock = clock
        self._holder = holder
        self._sharers = sharers
        self._held: dict[int, tuple[Lease, float]] = {}

    @property
    def held(self) -> Sequence[tuple[int, int]]:
        """The ranges that are ours just now: first shard, and the first one that is not."""
        now, size = self._clock.monotonic(), SHARDS // PARTS
        return [(part * size, (part + 1) * size) for part, (_, until) in self._held.items() if now < until]

    async def run(self) -> None:
        """Take, renew and give back for ever; what is held is given back at the end."""
        try:
            while True:
                try:
                    await self.look()
                except LinkFlowError as error:
                    log.warning("leases not renewed; tried again", duty=self._name, error=str(error))
                await self._clock.sleep(LOOK_S)
        finally:
            await self._let_go(list(self._held))

    async def look(self) -> None:
        """Renew what is held, take what is free up to our share, give back what is more.

        Raises:
            Unavailable: The leases cannot be reached.
        """
        share = -(-PARTS // max(1, self._sharers()))
        await self._let_go(list(self._held)[share:])
        ours = list(self._held)
        for part in ours:
            await self._take(part)
        start = crc32(self._holder.encode())  # a place of our own, so that members seldom meet
        for part in ((start + step) % PARTS for step in range(PARTS)):
            if part not in ours and len(self._held) < share:
                await self._take(part)

    async def _take(self, part: int) -> None:
        asked_at = self._clock.monotonic()
        lease = await self._leases.acquire(f"{self._name}:{part}", self._holder, TTL_S)
        if lease is None:
            self._held.pop(part, None)
            return
        before = self._held.get(part)
        self._held[part] = lease, asked_at + TTL_S
        if before is None or before[0].token != lease.token:
            self.gained.set()

    async def _let_go(self, parts: Sequence[int]) -> None:
        for part in parts:
            lease, _ = self._held.pop(part)
            try:
                await self._leases.release(lease)
            except LinkFlowError as error:
                log.warning("lease not given back; it ends by itself", duty=self._name, error=str(error))
