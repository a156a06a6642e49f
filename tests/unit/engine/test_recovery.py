"""Recovery: what is open goes on when the queue lost it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import pytest

from linkflow.domain.errors import Unavailable
from linkflow.domain.pacing import RatePolicy
from linkflow.engine.recovery.publishing import Publish
from linkflow.engine.recovery.service import (
    AGAIN_S,
    AUDIT_S,
    BROKER_SWEEP_S,
    LATE_S,
    LEAD_S,
    LEASE,
    NEAR_S,
    PAGE,
    SETTLE_S,
    Alive,
    Among,
    Recovery,
)
from linkflow.ports.services import TaskId
from linkflow.testing.broker import FakeBroker
from linkflow.testing.fakes import FixedClock
from linkflow.testing.memory_slots import MemorySlots
from linkflow.testing.memory_stores import MemorySessions, MemoryTickets
from linkflow.testing.memory_upkeep import MemoryLeases
from linkflow.testing.split import KnownPeers

PATIENCE_S = 5.0


class OpenStore:
    """A store with one running and one parked execution."""

    async def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """List them."""
        yield "runs", "running", None
        yield "waits", "waiting", 2 * NEAR_S - 1
        yield "sleeps", "waiting", 2 * NEAR_S
        yield "asks", "waiting", None

    async def naming(self, sessions: Sequence[str]) -> Sequence[str]:
        """Say that the running one names them."""
        return ["runs"]


class Recovered:
    """A History that notes which executions got their drivers back; the first `failures` times it cannot."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.lost: list[str] = []
        self.reminded: list[tuple[str, float]] = []
        self.failures = 0
        self.came = asyncio.Condition()

    async def recover(self, execution_ids: Sequence[str], alive: Alive) -> Sequence[TaskId]:
        """Note executions; each has a task that waits for a worker."""
        async with self.came:
            self.ids += execution_ids
            self.came.notify_all()
        if self.failures:
            self.failures -= 1
            raise Unavailable
        return [TaskId(each, "get", 1, "default", "w", 5) for each in execution_ids]

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """Note sessions that ended."""
        self.lost += sessions

    def remind(self, execution_id: str, at: float) -> None:
        """Note a wake-up."""
        self.reminded.append((execution_id, at))

    async def bury(self, alive: Alive) -> int:
        """Find nothing."""
        return 0

    async def audit(self) -> int:
        """Find nothing."""
        return 0

    async def times(self, count: int) -> None:
        """Wait until so many were noted."""
        async with asyncio.timeout(PATIENCE_S), self.came:
            await self.came.wait_for(lambda: len(self.ids) >= count)


async def queued(tasks: Sequence[TaskId]) -> None:
    """Queue tasks, and lose them."""


def recovery(
    broker: FakeBroker,
    history: Any,
    clock: FixedClock,
    *,
    store: Any = None,
    tickets: MemoryTickets | None = None,
    slots: MemorySlots | None = None,
    publish: Publish = queued,
) -> Recovery:
    """Put a Recovery together."""
    return Recovery(
        store=cast(Any, store or OpenStore()),
        sessions=MemorySessions(clock),
        tickets=tickets or MemoryTickets(),
        slots=slots or MemorySlots(),
        history=history,
        publish=publish,
        clock=clock,
        session="s",
        lost=broker.lost,
        sweep_s=BROKER_SWEEP_S,
    )


async def test_a_loss_is_made_good_at_once() -> None:
    """Invariant 4: when the queue tells a loss, what is open is published again at once."""
    broker, history, clock = FakeBroker(), Recovered(), FixedClock()
    running = asyncio.create_task(recovery(broker, history, clock).run())
    await history.times(1)
    await broker.lose()
    await history.times(2)
    running.cancel()

    assert (["runs", "runs"], 0.0) == (history.ids, clock.monotonic())


async def test_a_loss_is_not_forgotten_while_the_store_is_away() -> None:
    """A loss that could not be made good is tried again until it is."""
    broker, history, clock = FakeBroker(), Recovered(), FixedClock()
    running = asyncio.create_task(recovery(broker, history, clock).run())
    await history.times(1)
    history.failures = 1
    await broker.lose()
    await history.times(2)
    while len(history.ids) < 3:
        await clock.turn(AGAIN_S)
    running.cancel()

    assert ["runs"] * 3 == history.ids


async def test_a_loss_nobody_noticed_is_made_good_by_the_sweep() -> None:
    """With a broker every open execution is looked at at least every 30 seconds and an audit."""
    history, clock = Recovered(), FixedClock()
    running = asyncio.create_task(recovery(FakeBroker(), history, clock).run())
    await history.times(1)
    while len(history.ids) < 2:
        for _ in range(20):  # the last audit comes to rest
            await asyncio.sleep(0)
        await clock.turn(AUDIT_S)
    running.cancel()

    assert BROKER_SWEEP_S == 30.0
    assert clock.monotonic() <= BROKER_SWEEP_S + 2 * AUDIT_S


async def test_a_wake_up_that_comes_near_is_told_again() -> None:
    """The member that was to tell its timer may have died. One that is far away the timer finds."""
    broker, history, clock = FakeBroker(), Recovered(), FixedClock(NEAR_S)
    found = recovery(broker, history, clock)
    await found.sweep()

    assert ([("waits", 2 * NEAR_S - 1)], ["runs"]) == (history.reminded, history.ids)


class LimitedStore(OpenStore):
    """A store of executions that wait for a ticket."""

    async def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """List them."""
        for each in ("has", "first", "second", "third", "forgotten"):
            yield each, "queued", 1.0 if each == "third" else None


async def test_who_stands_in_line_behind_others_is_not_looked_at() -> None:
    """A line of thousands costs a sweep its first, whoever was not told, and whoever is not in it."""
    history, tickets = Recovered(), MemoryTickets()
    for each in ("has", "first", "second", "third"):
        await tickets.acquire("t", 1, each)
    found = recovery(FakeBroker(), history, FixedClock(), store=LimitedStore(), tickets=tickets)
    await found.sweep()

    assert (["has", "first", "forgotten"], [("third", 1.0)]) == (history.ids, history.reminded)


async def test_whose_instant_is_to_come_is_not_looked_at() -> None:
    """Whoever waits for an instant costs a sweep nothing; one whose instant has passed is looked at."""
    history, slots, clock = Recovered(), MemorySlots(), FixedClock()
    for each in ("has", "first", "second"):
        await slots.reserve(RatePolicy("k", 1, 60.0), each, clock.now() - 1.0)
    await recovery(FakeBroker(), history, clock, store=LimitedStore(), slots=slots).sweep()

    assert ["has", "third", "forgotten"] == history.ids


class FullStore(OpenStore):
    """A store with more open executions than one page holds."""

    async def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """List them."""
        for number in range(3 * PAGE):
            yield f"runs-{number}", "running", None


async def test_a_sweep_does_not_wait_for_matching() -> None:
    """While no Matching takes tasks, the other executions are looked at all the same; then all are queued."""
    history, back, got = Recovered(), asyncio.Event(), list[TaskId]()

    async def publish(tasks: Sequence[TaskId]) -> None:
        await back.wait()
        got.extend(tasks)

    found = recovery(FakeBroker(), history, FixedClock(), store=FullStore(), publish=publish)
    sweeping = asyncio.create_task(found.sweep())
    await history.times(3 * PAGE)
    before = len(got)
    back.set()

    assert (3 * PAGE, 0, 3 * PAGE) == (await sweeping, before, len(got))


async def test_what_could_not_be_queued_is_told() -> None:
    """A sweep whose tasks Matching did not take fails, after it has looked at every execution."""
    history = Recovered()

    async def publish(tasks: Sequence[TaskId]) -> None:
        raise Unavailable

    found = recovery(FakeBroker(), history, FixedClock(), store=FullStore(), publish=publish)
    with pytest.raises(Unavailable):
        await found.sweep()

    assert 3 * PAGE == len(history.ids)


class Members:
    """One of several members, and the sessions of their workers.

    Attributes:
        clock: Theirs.
        history: Of this one.
        sessions: Of workers.
        told: Sessions that every History was told of.
    """

    def __init__(self, leads: str) -> None:
        """Let a member lead."""
        self.clock, self.history = FixedClock(), Recovered()
        self.sessions = MemorySessions(self.clock)
        self.told: list[Sequence[str]] = []
        self._leads = leads

    async def run(self) -> None:
        """Be one of the members."""
        leases = MemoryLeases(self.clock)
        await leases.acquire(LEASE, self._leads, 3600.0)
        await Recovery(
            store=cast(Any, OpenStore()),
            sessions=self.sessions,
            tickets=MemoryTickets(),
            slots=MemorySlots(),
            history=cast(Any, self.history),
            publish=queued,
            clock=self.clock,
            session="",
            among=Among(holder="m1", leases=leases, peers=KnownPeers()),
            everywhere=self._everywhere,
        ).run()

    async def _everywhere(self, ended: Sequence[str]) -> None:
        self.told.append(ended)
        raise Unavailable

    async def step(self) -> None:
        """Turn the clock a little, once the duties have come to rest."""
        for _ in range(20):
            await asyncio.sleep(0)
        await self.clock.turn(LEAD_S)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Turn the clock until something is so."""
        while not is_so():
            await self.step()


@pytest.mark.parametrize(("leads", "swept"), [("m1", ["runs"]), ("m2", [])])
async def test_every_member_hears_of_a_burial(leads: str, swept: Sequence[str]) -> None:
    """Whoever leads: a session that ended is told to every History; one that is away holds nothing up."""
    members = Members(leads)
    await members.sessions.renew("w1", 2 * LEAD_S)
    running = asyncio.create_task(members.run())
    await members.until(lambda: bool(members.told))
    await members.history.times(len(swept) + 1)
    running.cancel()

    assert ([["w1"]], ["w1"], [*swept, "runs"]) == (members.told, members.history.lost, members.history.ids)


async def test_a_burial_is_not_forgotten_while_the_store_is_away() -> None:
    """Attempts that could not be ended are ended when the burial is told again."""
    members = Members("m2")
    members.history.failures = 1
    await members.sessions.renew("w1", 2 * LEAD_S)
    running = asyncio.create_task(members.run())
    await members.until(lambda: len(members.history.ids) == 2)
    running.cancel()

    assert ["runs", "runs"] == members.history.ids


async def test_what_was_started_after_a_burial_is_ended() -> None:
    """Who has not heard of a burial may start something: it is looked for again, for a while."""
    members = Members("m2")
    await members.sessions.renew("w1", 2 * LEAD_S)
    running = asyncio.create_task(members.run())
    await members.until(lambda: bool(members.history.ids))
    buried_at = members.clock.monotonic()
    looked: list[float] = []
    while members.clock.monotonic() <= buried_at + 3 * LATE_S:
        seen = len(members.history.ids)
        await members.step()
        if len(members.history.ids) > seen:
            looked.append(members.clock.monotonic() - buried_at)
    running.cancel()

    assert (True, True) == (looked[-1] >= LATE_S, looked[-1] < LATE_S + 2 * SETTLE_S)
