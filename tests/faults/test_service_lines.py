"""Lines between services are cut, fall silent, and their members die: nothing is lost, nothing runs twice."""

import asyncio
import random
from collections import Counter

import pytest

from linkflow.domain.errors import LinkFlowError
from linkflow.ports.services import StartedExecution
from linkflow.testing.builders import spec
from linkflow.testing.split import Place, Split, command, split

pytestmark = pytest.mark.timeout(90)

JOBS = 150
PATIENCE_S = 60.0


async def ended(cluster: Split, job: str, request_id: str) -> StartedExecution:
    """Start a job, as often as it takes, and wait until it is over, as often as that takes."""
    while True:
        try:
            found: StartedExecution = await cluster.frontend.start(
                command(job, request_id=request_id, wait_ms=5_000)
            )
            while found.status not in ("completed", "failed", "cancelled"):
                found = await cluster.frontend.wait(found.execution_id, 5_000)
        except LinkFlowError as error:
            assert error.kind == "transient", error
        else:
            return found


async def all_ended(cluster: Split, job: str) -> list[StartedExecution]:
    """Start many jobs at once, and wait for all."""
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*(ended(cluster, job, f"r{number}") for number in range(JOBS)))


async def met(place: Place, count: int) -> None:
    """Wait until so many effects have begun."""
    await place.effects.until(lambda: len(place.effects.met) >= count)


async def test_cut_lines_lose_nothing_and_repeat_nothing() -> None:
    """While lines are cut again and again, every job completes, and each `once` effect happens once."""
    place, rng = Place(), random.Random(3)
    job = await place.publish(
        spec("t -> a -> b -> c", "t -> d -> c", a="test.send", b="test.post", d="test.post")
    )
    async with split(place, slots=16) as cluster:

        async def cut() -> None:
            for step in range(1, 40):
                await met(place, step * 4 * JOBS // 45)
                rng.choice(list(cluster.proxies.values())).cut()

        cutting = asyncio.ensure_future(cut())
        found = await all_ended(cluster, job)
        await cutting
    cuts = sum(proxy.cuts for proxy in cluster.proxies.values())

    assert cuts >= 39
    assert Counter(completed=JOBS) == Counter(each.status for each in found)
    assert (JOBS, 4 * JOBS) == (len({each.execution_id for each in found}), len(place.effects.met))
    assert {1} == set(place.effects.met.values())


async def test_a_silent_member_is_left_for_another() -> None:
    """A History that answers nothing any more, though its connection stands, is not waited for."""
    place = Place()
    job = await place.publish(spec("t -> a -> b", b="test.post"))
    async with split(place) as cluster:
        cluster.proxies["history-1"].hold()
        found = await all_ended(cluster, job)
        cluster.proxies["history-1"].let_go()

    assert Counter(completed=JOBS) == Counter(each.status for each in found)
    assert (2 * JOBS, {1}) == (len(place.effects.met), set(place.effects.met.values()))
