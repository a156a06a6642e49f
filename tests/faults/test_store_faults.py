"""The store fails now and then, or the engine dies between any two writes: everything ends all the same."""

import asyncio

import pytest

from linkflow.domain.errors import OutcomeUnknown, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.stores import Record
from linkflow.testing.builders import node, say, spec
from linkflow.testing.outside import Faults, OpenStore
from linkflow.testing.scenes import ended, live, pass_time, started
from linkflow.testing.world import World

CHILD = spec("t -> c", c="test.pay")
MIXED = spec(
    "t -> a -> pay -> post -> nap -> l -> sub -> end",
    "t -> b -> m",
    "post -> m",
    "l.body -> each",
    a="test.get",
    pay="test.pay",
    post=node("test.post", settings={"onError": "continue"}),
    nap=node("logic.delay", seconds=20),
    l=node("logic.loop", items=[1, 2, 3], parallelism=2),
    each="test.pay",
    sub=node("flow.sub_workflow", workflow_id="child"),
    end=say("{{ node_a.output }}"),
    b="test.get",
    m=node("logic.merge"),
    workflow={"settings": {"concurrency": {"limit": 2}}},
)
PAID = ("pay", "each#1", "each#2", "each#3")


async def publish(world: World) -> None:
    """Store the workflows."""
    await world.publish("child", CHILD)
    await world.publish("mixed", MIXED)


def wrong(world: World, executions: list[str]) -> list[str]:
    """List what is not as it must be."""
    applied = world.receiver.applied
    found = list(world.violations)
    for execution in executions:
        state = world.state(execution)
        if state is None or state.status() != "completed":
            found.append(f"{execution} is {state and state.status()}")
        found += [f"{key} happened {applied.get(f'{execution}:{key}')} times" for key in PAID
                  if applied.get(f"{execution}:{key}") != 1]  # fmt: skip
    if world.store.undelivered:
        found.append(f"{world.store.undelivered} messages were never delivered")
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_a_store_that_fails_now_and_then(share: float, seed: int) -> None:
    """Store calls fail before or after they take effect, and executions end right, keyed effects once."""
    executions: list[str] = []

    async def scenario(world: World) -> None:
        await publish(world)
        executions.extend([await world.start("mixed", f"r{number}", None) for number in range(6)])
        await world.until_closed(executions, 3600.0)
        world.faults = Faults(transient=0.0)
        await pass_time(120.0)
        session = world.life.worker.session
        assert world.life.matching.is_idle(session), "a credit leaked"

    world = live(scenario, seed=seed, faults=Faults(refused=share, unanswered=share))

    assert [] == wrong(world, executions)


class Fatal(OpenStore):
    """A store under which the engine dies at one append, before or after it took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__()
        self.at, self.after, self.asked = at, after, 0
        self.world: World | None = None

    async def append(self, record: Record) -> None:
        """Append, and let the engine die at the given time."""
        self.asked += 1
        is_now = self.asked == self.at and self.world is not None
        if is_now and not self.after:
            self._kill()
        await super().append(record)
        if is_now:
            self._kill()

    def _kill(self) -> None:
        assert self.world is not None
        self.world.life.kill()
        raise asyncio.CancelledError


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 27))
def test_dying_between_any_two_writes(at: int, after: bool) -> None:
    """Invariants 3, 4: the engine dies before or after any record, and the next one goes on."""
    store = Fatal(at, after=after)
    executions: list[str] = []

    async def scenario(world: World) -> None:
        await publish(world)
        store.world = world
        starting = asyncio.ensure_future(world.start("mixed", "r", None))
        dying = asyncio.ensure_future(world.life.died.wait())
        waiting = asyncio.ensure_future(pass_time(300.0))
        await asyncio.wait({dying, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if world.life.died.is_set():
            await world.crash(1.0)
        executions.append(await starting)
        await world.until_closed(executions, 600.0)
        await pass_time(60.0)

    world = live(scenario, store=store)

    assert [] == wrong(world, executions)


class Away(OpenStore):
    """A store that can be switched off."""

    is_away = False
    has_lost_answers = False

    async def append(self, record: Record) -> None:
        """Append unless it is switched off."""
        if self.is_away:
            raise Unavailable
        await super().append(record)
        if self.has_lost_answers:
            self.has_lost_answers, self.is_away = False, True
            raise OutcomeUnknown

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Json:
        """Load unless it is switched off."""
        if self.is_away:
            raise Unavailable
        return await super().load(execution_id, after, limit)


def test_the_store_is_away() -> None:
    """While the store is away a start is refused after half a minute; when it is back, all goes on."""
    store = Away()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> nap -> b", nap=node("logic.delay", seconds=5)))
        before = await started(world, "w")
        store.is_away = True
        began = asyncio.get_running_loop().time()
        with pytest.raises(Unavailable):
            await started(world, "w")
        seen.append(round(asyncio.get_running_loop().time() - began))
        await pass_time(300.0)
        store.is_away = False
        seen.append((await ended(world, before.execution_id)).status)
        seen.append((await started(world, "w", wait_ms=60_000)).status)

    world = live(scenario, store=store)

    assert ([], True, ["completed", "completed"]) == (world.violations, 30 <= seen[0] <= 32, seen[1:])


@pytest.mark.parametrize("outage_s", [1.0, 45.0])
def test_an_answer_is_lost_with_the_store(outage_s: float) -> None:
    """A record whose answer was lost sets free what it started, when the store is back after however long."""
    store = Away()
    executions: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> post", post="test.post"))
        store.has_lost_answers = True
        starting = asyncio.ensure_future(started(world, "w", request_id="r"))
        await asyncio.wait({starting}, timeout=outage_s)
        store.is_away = False
        executions.extend(store.known())
        await asyncio.wait({starting})
        is_refused = starting.exception() is not None
        assert is_refused == (outage_s > 30.0)
        assert "completed" == (await ended(world, executions[0])).status

    world = live(scenario, store=store)

    assert ([], 1) == (world.violations, len(executions))
    assert {f"{executions[0]}:post": 1} == world.receiver.applied
