"""Whole engines in virtual time, under faults and crashes (`make simulate` runs many more seeds)."""

import pytest

from linkflow.testing.simulation import Simulation

CHUNK = 25


@pytest.mark.timeout(120)
@pytest.mark.parametrize("first", range(0, 8 * CHUNK, CHUNK))
def test_no_seed_violates_a_promise(first: int) -> None:
    """Whatever crashes, fails or comes twice, no promise of the engine is broken.

    Nothing acknowledged is lost, no effect begins before its cause
    is durable, effects of class once happen at most once, and every execution ends as the rules say.
    """
    violated = {seed: found for seed in range(first, first + CHUNK) if (found := Simulation(seed).run())}

    assert {} == violated


def test_a_seed_repeats_to_the_last_event() -> None:
    """The same seed lives the same life, event for event."""

    def life(seed: int) -> list[str]:
        simulation = Simulation(seed)
        simulation.run()
        world = simulation.world
        return [f"{each} {event}" for each in world.store.known() for event in world.events(each)]

    assert life(7) == life(7)
