"""Leases and the journal of duties in memory, by a clock that a test turns."""

from collections.abc import Mapping, Sequence

from linkflow.domain.errors import NotFound
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Lease
from linkflow.ports.upkeep import LEASE, DutyRun, Fenced


class MemoryLeases:
    """Leases in a dictionary; satisfies `Leases`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held: dict[str, Lease] = {}

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease."""
        now = self._clock.now()
        before = self.held.get(name)
        is_held = before is not None and before.expires_at > now
        if before is not None and is_held and before.holder != holder:
            return None
        token = 1 if before is None else before.token + (not is_held)
        self.held[name] = Lease(name, holder, token, now + ttl_s)
        return self.held[name]

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        held = self.held.get(lease.name)
        if held is not None and (held.holder, held.token) == (lease.holder, lease.token):
            self.held[lease.name] = Lease(held.name, held.holder, held.token, self._clock.now())


class MemoryDutyRuns:
    """The journal in a dictionary; satisfies `DutyRuns`."""

    def __init__(self, leases: MemoryLeases | None = None) -> None:
        self.kept: dict[str, DutyRun] = {}
        self._leases = leases
        self._fence = 0

    async def raise_fence(self, token: int) -> None:
        """Refuse older tokens."""
        if token < self._fence:
            raise Fenced
        self._fence = token

    async def ask(self, run: DutyRun) -> None:
        """Keep a run that is asked for."""
        self.kept[run.id] = run

    async def asked(self) -> Sequence[DutyRun]:
        """List runs that nobody has begun."""
        found = [run for run in self.kept.values() if run.outcome == "asked"]
        return sorted(found, key=lambda run: (run.asked_at, run.id))

    async def begin(self, run: DutyRun) -> bool:
        """Write that a run begins."""
        await self.raise_fence(run.token)
        if run.id in self.kept and self.kept[run.id].outcome != "asked":
            return False
        self.kept[run.id] = run
        return True

    async def end(self, run: DutyRun) -> None:
        """Write how a run ended."""
        await self.raise_fence(run.token)
        self.kept[run.id] = run

    async def get(self, run_id: str) -> DutyRun:
        """Read a run."""
        if run_id not in self.kept:
            raise NotFound("There is no such run of a duty.", id=run_id)
        return self.kept[run_id]

    async def last(self) -> Mapping[str, DutyRun]:
        """Read the newest run of each duty."""
        begun = [run for run in self.kept.values() if run.outcome != "asked" and not run.is_dry]
        return {run.duty: run for run in sorted(begun, key=lambda run: run.began_at or 0.0)}

    async def leader(self) -> Lease | None:
        """Say who leads."""
        return None if self._leases is None else self._leases.held.get(LEASE)
