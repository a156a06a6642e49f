"""Rate limits and debounces hold over a restart: an instant that was promised is kept, and given once."""

from itertools import pairwise

import pytest

from linkflow.domain.execution.events import SlotPromised, SlotReached
from linkflow.domain.values import Json
from linkflow.testing.builders import node, spec
from linkflow.testing.scenes import in_a_row, live, pass_time
from linkflow.testing.world import World

NAP = node("logic.delay", seconds=30)
TWO_A_MINUTE = {"rate": {"limit": 2, "periodSeconds": 60}}
SKIP = {"rate": {"limit": 2, "periodSeconds": 60, "onExceed": "skip"}}
QUIET = {"debounce": {"seconds": 5}}
NEVER_QUIET = {"debounce": {"seconds": 5, "maxSeconds": 5}}
BOTH = {"debounce": {"seconds": 5}, "rate": {"limit": 1, "periodSeconds": 60}, "concurrency": {"limit": 1}}


@pytest.mark.parametrize("crashes", [False, True], ids=["calm", "crash"])
@pytest.mark.parametrize(
    ("settings", "at_first", "at_last"),
    [
        (TWO_A_MINUTE, ["waiting", "waiting", "queued"], ["completed"] * 3),
        (SKIP, ["waiting", "waiting", "cancelled"], ["completed", "completed", "cancelled"]),
        (QUIET, ["cancelled", "cancelled", "queued"], ["cancelled", "cancelled", "completed"]),
        (NEVER_QUIET, ["cancelled", "cancelled", "queued"], ["cancelled", "cancelled", "completed"]),
        (BOTH, ["cancelled", "cancelled", "queued"], ["cancelled", "cancelled", "completed"]),
    ],
    ids=["rate", "skip", "debounce", "bound", "all"],
)
def test_start_policies(settings: Json, at_first: list[str], at_last: list[str], crashes: bool) -> None:
    """Who begins, who waits and who is cancelled is as the policy says, also when the engine is killed."""
    seen: list[list[str]] = []

    async def scenario(world: World) -> None:
        workflow = spec("t -> nap", nap=NAP, workflow={"settings": settings})
        seen.extend(await in_a_row(world, workflow, 20.0 if crashes else None))

    world = live(scenario)

    assert ([], [at_first, at_last]) == (world.violations, seen)


@pytest.mark.parametrize("seed", range(5))
def test_promises_are_kept_whatever_happens(seed: int) -> None:
    """Ten starts at a rate of one a minute begin a minute apart, through crashes at any moment."""
    promised: list[float] = []
    late: list[float] = []

    async def scenario(world: World) -> None:
        rate = {"rate": {"limit": 1, "periodSeconds": 60}}
        await world.publish("w", spec("t -> nap", nap=NAP, workflow={"settings": rate}))
        ids = []
        for number in range(10):
            ids.append(await world.start("w", str(number), None))
            if world.rng.random() < 0.4:
                await world.crash(world.rng.choice((0.0, 2.0)))
        for _ in range(4):
            await pass_time(world.rng.random() * 100)
            await world.crash(world.rng.choice((0.0, 2.0)))
        await world.until_closed(ids, 3600.0)
        for record in [record for each in ids for record in world.records(each)]:
            for event in record.events:
                if isinstance(event, SlotPromised):
                    promised.append(event.begins_at)
                elif isinstance(event, SlotReached):
                    late.append(record.at - promised[-1])

    world = live(scenario, seed=seed)

    assert ([], 10, 10) == (world.violations, len(promised), len(late))
    spaces = [round(two - one, 3) for one, two in pairwise(sorted(promised))]
    assert [60.0] * 9 == spaces
    assert 0.0 <= min(late)
