"""Ranges of shards: every shard has somebody who looks after it, soon again after a death."""

from linkflow.domain.values import SHARDS
from linkflow.engine.ranges import LOOK_S, PARTS, TTL_S, Ranges
from linkflow.testing.fakes import FixedClock
from linkflow.testing.memory_upkeep import MemoryLeases


def covered(*members: Ranges) -> list[int]:
    """Count how many shards each member has."""
    return [sum(end - start for start, end in each.held) for each in members]


async def test_members_share_and_take_over() -> None:
    """One member has all shards, two have half each, and what a dead one had is taken within 5 seconds."""
    clock = FixedClock()
    leases, there = MemoryLeases(clock), ["a"]
    one, two = (Ranges("timer", leases, clock, name, lambda: len(there)) for name in "ab")
    await one.look()
    alone = covered(one)
    there.append("b")
    for member in (one, two, one):
        await member.look()
    both = covered(one, two)
    there.remove("a")
    await clock.turn(TTL_S + LOOK_S)
    await two.look()

    assert ([SHARDS], [SHARDS // 2] * 2, SHARDS) == (alone, both, covered(two)[0])
    assert TTL_S + LOOK_S <= 5.0


async def test_what_cannot_be_renewed_is_let_go() -> None:
    """A member that could not renew in time has nothing left, by its own clock, before another takes it."""
    clock = FixedClock()
    one = Ranges("timer", MemoryLeases(clock), clock, "a", lambda: 1)
    await one.look()
    await clock.turn(TTL_S)

    assert [] == list(one.held)


async def test_new_ranges_are_told() -> None:
    """Whoever works on ranges is told when there is a new one, and not when one was only renewed."""
    clock = FixedClock()
    one = Ranges("timer", MemoryLeases(clock), clock, "a", lambda: 1)
    await one.look()
    first = one.gained.is_set()
    one.gained.clear()
    await clock.turn(LOOK_S)
    await one.look()

    assert (True, False, PARTS) == (first, one.gained.is_set(), len(one.held))
