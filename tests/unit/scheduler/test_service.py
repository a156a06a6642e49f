"""Who leads the scheduler, and what becomes of a leader that was paused, cut off or stopped."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from linkflow.adapters.memory import MemoryEventBus
from linkflow.domain.errors import Unavailable
from linkflow.domain.values import Json
from linkflow.ports.coordination import Lease
from linkflow.ports.upkeep import DutyRun, Fenced, Turn
from linkflow.scheduler.duties import AGAIN_S, FIRST_S, Duties
from linkflow.scheduler.service import Scheduler
from linkflow.testing.fakes import FixedClock, SequenceIds
from linkflow.testing.memory_upkeep import MemoryDutyRuns, MemoryLeases

STANDBY_S = 5.0
HOUR_S = 3600.0


class Sweeping:
    """A duty that notes the tokens it worked under; it fails while `failure` is set."""

    name = "partitions"

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.failure: Exception | None = None

    async def do(self, turn: Turn) -> Json:
        """Work."""
        self.tokens.append(turn.token)
        if self.failure is not None:
            raise self.failure
        return {"swept": len(self.tokens)}


class CutOff:
    """Leases that do not answer one process while it is cut off."""

    def __init__(self, leases: MemoryLeases) -> None:
        self._leases = leases
        self.is_cut_off = False

    async def acquire(self, name: str, holder: str, ttl_s: float) -> Lease | None:
        """Take or renew a lease."""
        if self.is_cut_off:
            raise Unavailable
        return await self._leases.acquire(name, holder, ttl_s)

    async def release(self, lease: Lease) -> None:
        """Give a lease back."""
        if self.is_cut_off:
            raise Unavailable
        await self._leases.release(lease)


class House:
    """Two schedulers over one journal and one place of leases, each with a clock of its own.

    Attributes:
        clock: Of the place of leases.
    """

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.leases = MemoryLeases(self.clock)
        self.runs = MemoryDutyRuns(self.leases)
        self.clocks = [FixedClock(), FixedClock()]
        self.lines = [CutOff(self.leases), CutOff(self.leases)]
        self.sweeps = [Sweeping(), Sweeping()]
        self.duties = [
            Duties([sweep], self.runs, MemoryEventBus(), clock, SequenceIds(), holder)
            for sweep, clock, holder in zip(self.sweeps, self.clocks, "ab", strict=True)
        ]
        self.schedulers = [
            Scheduler(line, self.runs, [], duties, clock, holder)
            for line, duties, clock, holder in zip(self.lines, self.duties, self.clocks, "ab", strict=True)
        ]

    @asynccontextmanager
    async def running(self, *which: int) -> AsyncIterator[list["asyncio.Task[None]"]]:
        """Run schedulers until the block is left."""
        tasks = [asyncio.create_task(self.schedulers[each].run()) for each in which]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def turn_until(self, holds: Callable[[], bool], *which: int) -> float:
        """Turn the lease's clock and those of some schedulers until something holds; how far, seconds."""
        began_at = self.clock.now()
        while not holds():
            assert self.clock.now() - began_at < 60, "it never holds"
            for clock in (self.clock, *(self.clocks[each] for each in which)):
                await clock.turn(0.25)
            for _ in range(10):
                await asyncio.sleep(0)
        return self.clock.now() - began_at

    def leads(self, which: int) -> Callable[[], bool]:
        """Say whether one of them leads."""
        return lambda: self.schedulers[which].is_leader


async def test_one_leads() -> None:
    """C13r: of two schedulers one leads, however long both run."""
    house = House()
    async with house.running(0, 1):
        await house.turn_until(house.leads(0), 0, 1)
        until = house.clock.now() + 20
        await house.turn_until(lambda: house.clock.now() >= until, 0, 1)

        assert [True, False] == [each.is_leader for each in house.schedulers]


async def test_a_leader_that_stops_is_followed_at_once() -> None:
    """A leader that is stopped in order gives the lease back: the other one leads at its next look."""
    house = House()
    async with house.running(0) as first:
        await house.turn_until(house.leads(0), 0)
        async with house.running(1):
            await house.turn_until(lambda: house.clocks[1].sleepers > 0, 1)
            first[0].cancel()
            passed_s = await house.turn_until(house.leads(1), 1)

            assert passed_s <= 1.25


async def test_a_leader_that_is_gone_is_followed() -> None:
    """C13r: a leader that is cut off is followed within five seconds, and two never lead at once."""
    house = House()
    async with house.running(0, 1):
        await house.turn_until(house.leads(0), 0, 1)
        house.lines[0].is_cut_off = True
        both = False

        def follows() -> bool:
            nonlocal both
            both = both or all(each.is_leader for each in house.schedulers)
            return house.schedulers[1].is_leader

        passed_s = await house.turn_until(follows, 0, 1)

        assert (True, False) == (passed_s <= STANDBY_S, both)


async def test_a_paused_leader_writes_nothing() -> None:
    """C13r: a leader that was paused while another took over has every write of its duties refused."""
    house = House()
    async with house.running(0, 1):
        await house.turn_until(house.leads(0), 0, 1)
        await house.turn_until(house.leads(1), 1)  # the first one's clock stands still
        still_leads = house.schedulers[0].is_leader
        late = DutyRun(id="late", duty="partitions", token=1, holder="a")
        with pytest.raises(Fenced):
            await house.duties[0].do(late)
        await house.turn_until(lambda: not house.schedulers[0].is_leader, 0, 1)

        assert (True, [], {}) == (still_leads, house.sweeps[0].tokens, house.runs.kept)


async def test_a_duty_has_its_time() -> None:
    """A duty runs a minute after the first start and then once in its own time, whoever leads."""
    house = House()
    clock, duties = house.clocks[0], house.duties[0]
    at_once = list(await duties.due(1))
    await clock.turn(FIRST_S)
    for run in await duties.due(1):
        await duties.do(run)
    soon = list(await duties.due(1))
    await clock.turn(12 * HOUR_S)
    [later] = await duties.due(2)

    assert ([], [], "partitions", 2, [1]) == (
        at_once,
        soon,
        later.duty,
        later.token,
        house.sweeps[0].tokens,
    )


async def test_what_is_asked_for_runs_now() -> None:
    """A run that somebody asks for begins at the next look, keeps who asked, and says what came of it."""
    house = House()
    await house.runs.ask(DutyRun(id="mine", duty="partitions", asked_by="ada", asked_at=1.0))
    [run] = await house.duties[0].due(7)
    await house.duties[0].do(run)
    found = await house.runs.get("mine")

    assert ("done", "ada", "a", 7, {"swept": 1}) == (
        found.outcome,
        found.asked_by,
        found.holder,
        found.token,
        found.result,
    )


@pytest.mark.parametrize("failure", [Unavailable("The store is away."), ValueError("a bug")])
async def test_a_duty_that_failed_is_tried_again(failure: Exception) -> None:
    """A duty that fails says why, ends nothing else, and is tried again before its own time."""
    house = House()
    clock, duties, sweep = house.clocks[0], house.duties[0], house.sweeps[0]
    sweep.failure = failure
    await clock.turn(0)
    await duties.due(1)
    await clock.turn(FIRST_S)
    [first] = [await duties.do(run) for run in await duties.due(1)]
    sweep.failure = None
    await clock.turn(AGAIN_S)
    [second] = [await duties.do(run) for run in await duties.due(1)]

    assert ("failed", True, "done") == (first.outcome, bool(first.error), second.outcome)


async def test_a_run_that_was_cut_off_is_done_again() -> None:
    """A run that its leader never ended is done again by the next one."""
    house = House()
    clock, duties = house.clocks[0], house.duties[0]
    cut_off = DutyRun(
        id="cut", duty="partitions", outcome="running", token=1, began_at=clock.now(), holder="b"
    )
    await house.runs.begin(cut_off)
    await clock.turn(AGAIN_S)

    assert ["partitions"] == [run.duty for run in await duties.due(2)]
