"""What leaves an execution arrives: over crashes, receivers that are down, and bugs; once, and in order."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from linkflow.domain.errors import Unavailable
from linkflow.domain.execution.events import ChildStarted, WorkflowExecutionCancelled
from linkflow.domain.values import SHARDS, Json
from linkflow.ports.services import ExecutionQuery, Projected
from linkflow.ports.stores import Message, Record
from linkflow.testing.builders import node, spec
from linkflow.testing.memory_history import MemoryVisibilityStore
from linkflow.testing.outside import OpenStore
from linkflow.testing.scenes import ended, live, pass_time, started, until
from linkflow.testing.world import WORKSPACE, World

DAY_S = 86_400.0


class Called(World):
    """A world that takes callbacks in; some addresses are down.

    Attributes:
        calls: `(time, url, body)`, oldest first, those refused included.
        down: Addresses that do not answer.
    """

    def __post_init__(self) -> None:
        self.calls: list[tuple[float, str, Json]] = []
        self.down: set[str] = set()
        super().__post_init__()

    async def send(self, url: str, event: str, body: Json) -> None:
        """Take a callback in."""
        self.calls.append((self.sessions._clock.now(), url, body))
        if url in self.down:
            raise Unavailable(f"{url} is down.")

    def taken(self, url: str) -> list[Json]:
        """The bodies that an address took in."""
        return [body for _, to, body in self.calls if to == url and url not in self.down]


class Dying(OpenStore):
    """A store that says when a message of a kind is durable, so that the engine dies right there."""

    kind = ""
    world: World | None = None

    async def append(self, record: Record) -> None:
        """Append, and kill the engine when its message is durable and nobody has delivered it."""
        await super().append(record)
        if self.world is not None and any(message.kind == self.kind for message in record.outbox):
            world, self.world = self.world, None
            world.life.kill()


@pytest.mark.parametrize(
    "kind", ["start", "child_closed", "slot", "ticket", "release", "project", "callback"]
)
def test_what_the_last_run_left_is_delivered_at_once(kind: str) -> None:
    """Invariant 7: a message whose sender died with it is delivered by the next engine within seconds."""
    store = Dying()
    store.kind = kind
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("child", spec("t -> c"))
        await world.publish(
            "w",
            spec(
                "t -> sub -> a",
                sub=node("flow.sub_workflow", workflow_id="child"),
                workflow={
                    "settings": {
                        "concurrency": {"limit": 1},
                        "rate": {"limit": 9},
                        "debounce": {"seconds": 1},
                        "callbackUrl": "http://x/",
                    }
                },
            ),
        )
        store.world = world
        starting = asyncio.ensure_future(world.start("w", "one", None))
        async with asyncio.timeout(120.0):
            await world.life.died.wait()
        await world.crash(0.5)
        again = await starting
        await world.life.recovery.recovered.wait()
        seen.append((await ended(world, again, 20.0)).status)
        await until(world, lambda world: not world.store.undelivered, 10.0)

    world = live(scenario, store=store, kind=Called)

    assert ([], ["completed"]) == (world.violations, seen)


def test_a_child_is_never_cancelled_before_it_began() -> None:
    """Messages of one execution arrive in order: a child started and cancelled at once is cancelled."""
    ends: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("child", spec("t -> nap", nap=node("logic.delay", seconds=500)))
        await world.publish("w", spec("t -> sub", sub=node("flow.sub_workflow", workflow_id="child")))
        for _ in range(20):
            execution = (await started(world, "w")).execution_id
            await world.life.frontend.cancel(execution, "no", "me")
            await pass_time(1.0)
            children = [
                event.child_id for event in world.events(execution) if isinstance(event, ChildStarted)
            ]
            ends.extend(type(world.events(child)[-1]) for child in children)

    world = live(scenario)

    assert ([], [WorkflowExecutionCancelled] * 20) == (world.violations, ends)


def test_a_child_that_cannot_start() -> None:
    """A child whose workflow is not there, or refuses its input, fails its parent in words."""
    errors: list[str] = []

    async def scenario(world: World) -> None:
        picky = {"settings": {"inputSchema": {"type": "object", "required": ["n"]}}}
        await world.publish("picky", spec("t -> c", workflow=picky))
        for number, child in enumerate(("picky", "nobody")):
            name = f"w{number}"
            await world.publish(name, spec("t -> sub", sub=node("flow.sub_workflow", workflow_id=child)))
            found = await ended(world, (await started(world, name, {"x": 1})).execution_id, 60.0)
            errors.append(str(found.error))

    live(scenario)

    assert [True, True] == ["input.invalid" in errors[0], "not_found" in errors[1]]


def test_a_receiver_that_is_down_for_an_hour() -> None:
    """D37: a callback is tried again after longer and longer pauses, until its receiver takes it in."""
    seen: list[Json] = []

    async def scenario(world: Any) -> None:
        await world.publish("w", spec("t -> a", workflow={"settings": {"callbackUrl": "http://down/"}}))
        world.down.add("http://down/")
        execution = (await started(world, "w")).execution_id
        await pass_time(3600.0)
        tries = len(world.calls)
        world.down.clear()
        await pass_time(3600.0)
        seen.append(tries < 80)
        seen.append(sorted({body["event"] for body in world.taken("http://down/")[tries:]}))
        seen.append({body["execution_id"] for body in world.taken("http://down/")} == {execution})
        seen.append(world.store.undelivered)

    live(scenario, kind=Called)

    assert [True, [2, 5, 6], True, 0] == [seen[0], seen[1], seen[2], seen[3]]


def test_a_receiver_that_is_down_for_good() -> None:
    """D35: after a day a callback becomes a dead letter; callbacks to others were never held up."""
    seen: list[Json] = []

    async def scenario(world: Any) -> None:
        for name in ("down", "up"):
            design = spec("t -> a", workflow={"settings": {"callbackUrl": f"http://{name}/"}})
            await world.publish(name, design)
        world.down.add("http://down/")
        for _ in range(30):
            await started(world, "down")
        await pass_time(60.0)
        await started(world, "up")
        await pass_time(10.0)
        seen.append(len(world.taken("http://up/")))
        await world.crash(DAY_S)
        await pass_time(60.0)
        letters = await world.letters.list(WORKSPACE, "", 1000)
        seen.append({letter.kind for letter in letters})
        seen.append(len(letters))
        seen.append(world.store.undelivered)

    live(scenario, kind=Called)

    assert [3, {"callback"}, 90, 0] == seen


class Picky(MemoryVisibilityStore):
    """A read model that refuses one execution with an error nobody expected."""

    refused = ""

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write, unless the execution is among them."""
        if any(item.row.execution_id == self.refused for item in projected):
            raise ValueError("a value the database refuses")
        await super().write(projected, messages)


def test_a_row_that_cannot_be_written() -> None:
    """An execution that cannot be projected holds up no other, and its message is not lost."""
    seen: list[Json] = []

    class World2(World):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.visibility = Picky(self.store)
            self.life.kill()
            self.life = type(self.life)(self)

    async def scenario(world: Any) -> None:
        await world.publish("w", spec("t -> a"))
        first = await started(world, "w")
        world.visibility.refused = first.execution_id
        others = [await started(world, "w") for _ in range(5)]
        await pass_time(60.0)
        rows = (await world.visibility.list(ExecutionQuery(workspace_id=WORKSPACE, limit=100))).rows
        done = {row.execution_id for row in rows if row.status == "completed"}
        seen.append({other.execution_id for other in others} <= done)
        world.visibility.refused = ""
        await pass_time(60.0)
        seen.append(world.visibility.rows[first.execution_id].row.status)
        seen.append(world.store.undelivered)

    world = live(scenario, kind=World2)

    assert ([], [True, "completed", 0]) == (world.violations, seen)


class Buggy(OpenStore):
    """A store with a bug that shows for a while."""

    is_broken = False

    async def messages(self, limit: int, older_than: float, *, callbacks: bool = False) -> Sequence[Message]:
        """Fail with what no store may raise."""
        if self.is_broken:
            raise ValueError("a bug")
        return await super().messages(limit, older_than, callbacks=callbacks)

    async def due(
        self, now: float, limit: int, *, shards: tuple[int, int] = (0, SHARDS)
    ) -> Sequence[tuple[str, float]]:
        """Fail with what no store may raise."""
        if self.is_broken:
            raise ValueError("a bug")
        return await super().due(now, limit, shards=shards)


def test_a_bug_in_a_loop() -> None:
    """An unexpected error in one of the engine's loops stops neither the loop nor the engine."""
    store = Buggy()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> nap -> a", nap=node("logic.delay", seconds=300)))
        execution = (await started(world, "w")).execution_id
        store.is_broken = True
        await pass_time(120.0)
        store.is_broken = False
        seen.append((await ended(world, execution)).status)

    world = live(scenario, store=store)

    assert ([], ["completed"]) == (world.violations, seen)
