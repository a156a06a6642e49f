"""Coordination within one process."""

from linkflow.adapters.memory import MemoryEventBus, MemoryPrepared


async def test_nudges_that_come_together_are_one() -> None:
    """E6: a listener is woken once for nudges that came since it last looked, and then waits again."""
    bus = MemoryEventBus()
    with bus.subscribe("a") as ear:
        bus.publish("a")
        bus.publish("a")
        bus.publish("b")
        found = [await ear.nudged(1.0), await ear.nudged(0.0)]

    assert [True, False] == found


async def test_a_listener_that_left_hears_nothing() -> None:
    """Leaving the block ends the subscription, and a nudge without listeners does nothing."""
    bus = MemoryEventBus()
    with bus.subscribe("a") as ear:
        pass
    bus.publish("a")

    assert not await ear.nudged(0.0)


def test_what_is_prepared_is_bounded() -> None:
    """Beyond its bound a process forgets what was written first."""
    cache = MemoryPrepared(most=2)
    for key in "abc":
        cache.put(key, key, 60.0)

    assert ([None, "b", "c"], {"entries": 2}) == ([cache.get(key) for key in "abc"], cache.sizes())


def test_what_is_prepared_ends() -> None:
    """A value that is too old is not there, and neither is one that was dropped."""
    cache = MemoryPrepared()
    cache.put("old", 1, -1.0)
    cache.put("dropped", 1, 60.0)
    cache.drop("dropped")

    assert [None, None] == [cache.get("old"), cache.get("dropped")]
