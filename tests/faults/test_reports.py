"""Reports, claims and starts that come twice, at once, late, or from callers that went away."""

import asyncio
from collections import Counter

import pytest

from linkflow.domain.errors import NotFound, SpecInvalid
from linkflow.domain.execution.events import ActivityTaskCompleted, ActivityTaskScheduled, ActivityTaskStarted
from linkflow.domain.node import Completion
from linkflow.domain.values import Json
from linkflow.ports.services import ActivityReport, TaskId
from linkflow.ports.stores import Record
from linkflow.testing.builders import node, spec
from linkflow.testing.outside import OpenStore
from linkflow.testing.scenes import command, ended, live, pass_time, started, until
from linkflow.testing.world import WORKSPACE, World

STRANGE = (
    b'{"trigger":{"id":"t","type":"trigger.manual"},"nodes":[{"id":"a","type":"nobody.knows"}],'
    b'"edges":[{"source":"t","target":"a"}]}'
)
EXECUTION = "01936d2e-7a00-8001-8000-000000000001"


class GatedStore(OpenStore):
    """A store whose appends wait until the gate is open; it says when one waits."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.waits = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def append(self, record: Record) -> None:
        """Append when the gate is open."""
        self.waits.set()
        await self.gate.wait()
        await super().append(record)


def report(execution: str, key: str, session: str, attempt: int = 1) -> ActivityReport:
    """Say that an attempt went well."""
    return ActivityReport(
        execution_id=execution, key=key, attempt=attempt, session=session, completion=Completion(output=1)
    )


async def claimed(world: World, workflow: str) -> tuple[str, str]:
    """Start an execution whose first activity a worker of the test's own takes; execution and session."""
    await world.life.worker.drain(60.0)
    execution = (await started(world, workflow)).execution_id
    task = await world.life.history.claim(TaskId(execution, "a", 1), "mine")
    assert task is not None
    return execution, "mine"


def count(world: World, execution: str, kind: type, key: str) -> int:
    """Count the events of a kind about a node."""
    return sum(
        isinstance(event, kind) and getattr(event, "key", "") == key for event in world.events(execution)
    )


def test_a_result_reported_twice_counts_once() -> None:
    """D10: at-least-once delivery never runs a successor twice."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> b"))
        execution, session = await claimed(world, "w")
        replies = [await world.life.history.respond([report(execution, "a", session)]) for _ in range(3)]
        seen.append([each[0].accepted for each in replies])
        seen.append(count(world, execution, ActivityTaskCompleted, "a"))
        seen.append(count(world, execution, ActivityTaskScheduled, "b"))
        seen.append((await world.life.frontend.explain(execution)).late)

    live(scenario)

    assert [[True, False, False], 1, 1, []] == seen


def test_a_late_result_is_noted() -> None:
    """A result that comes after it was wanted changes nothing, and `explain` shows it."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> b"))
        execution, session = await claimed(world, "w")
        await world.life.frontend.terminate(execution, "enough", "me")
        reply = (await world.life.history.respond([report(execution, "a", session)]))[0]
        seen.append(reply.accepted)
        late = (await world.life.frontend.explain(execution)).late
        seen.append([(each["key"], each["attempt"]) for each in late])

    live(scenario)

    assert [False, [("a", 1)]] == seen


def test_two_workers_claim_one_task() -> None:
    """Of two workers that were given the same task, one starts it."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a"))
        await world.life.worker.drain(60.0)
        execution = (await started(world, "w")).execution_id
        task = TaskId(execution, "a", 1)
        found = await asyncio.gather(*(world.life.history.claim(task, name) for name in ("one", "two")))
        seen.append(sum(each is not None for each in found))
        seen.append(count(world, execution, ActivityTaskStarted, "a"))

    live(scenario)

    assert [1, 1] == seen


def test_one_worker_is_given_a_task_twice() -> None:
    """A task that a queue doubled runs once, also when the same worker takes both copies."""
    executions: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> post", post="test.post"))
        executions.append((await started(world, "w")).execution_id)
        for _ in range(200):
            state = world.state(executions[0])
            for key in state.flying if state is not None else ():
                doubled = TaskId(executions[0], key, state.nodes[key].attempt if state else 1)
                task = await world.life.history.claim(doubled, world.life.worker.session)
                if task is not None:
                    world.life.matching.deliver(task)
            await pass_time(0.01)
        await ended(world, executions[0])

    world = live(scenario)

    assert ([], 1) == (world.violations, world.receiver.applied[f"{executions[0]}:post"])


def test_a_caller_that_goes_away() -> None:
    """A caller that is cut off in the middle of a commit takes nothing with it."""
    store = GatedStore()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> post", post="test.post"))
        store.gate.clear()
        store.waits.clear()
        starting = asyncio.ensure_future(started(world, "w", execution_id=EXECUTION))
        await store.waits.wait()
        starting.cancel()
        await asyncio.wait({starting})
        store.gate.set()
        await until(world, lambda world: store.recorded(EXECUTION))
        seen.append((await ended(world, EXECUTION)).status)
        seen.append(world.life.matching.is_idle(world.life.worker.session))

    world = live(scenario, store=store)

    assert ([], ["completed", True]) == (world.violations, seen)


def test_a_worker_that_is_cut_off_while_it_reports() -> None:
    """The next task that was meant for a reply nobody waits for any more is delivered all the same."""
    store = GatedStore()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> b"))
        execution, _ = await claimed(world, "w")
        await world.life.matching.poll("mine", ["default"], 4, 0.0)
        store.gate.clear()
        store.waits.clear()
        reporting = asyncio.ensure_future(world.life.history.respond([report(execution, "a", "mine")]))
        await store.waits.wait()
        reporting.cancel()
        await asyncio.wait({reporting})
        store.gate.set()
        tasks = await world.life.matching.poll("mine", ["default"], 4, 60.0)
        seen.append([task.key for task in tasks])

    live(scenario, store=store)

    assert [["b"]] == seen


@pytest.mark.parametrize("same", ["execution_id", "request_id"])
def test_many_starts_of_the_same(same: str) -> None:
    """D26: starts repeated at the same moment meet one execution, and one of them is told it is new."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a"))
        identity = {same: EXECUTION}
        found = await asyncio.gather(*(started(world, "w", **identity) for _ in range(20)))
        seen.append(len({each.execution_id for each in found}))
        seen.append(Counter(each.is_new for each in found))
        seen.append(len(world.store.known()))

    live(scenario)

    assert [1, {True: 1, False: 19}, 1] == seen


def test_only_what_is_durable_is_shown() -> None:
    """Invariant 8: what is decided and not yet committed can be seen nowhere."""
    store = GatedStore()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> nap", nap=node("logic.delay", seconds=60)))
        store.gate.clear()
        store.waits.clear()
        starting = asyncio.ensure_future(started(world, "w", execution_id=EXECUTION))
        await store.waits.wait()
        for look in (world.life.frontend.view, world.life.frontend.events, world.life.frontend.explain):
            with pytest.raises(NotFound):
                await look(EXECUTION)
        store.gate.set()
        await starting
        version = (await world.life.frontend.view(EXECUTION)).version
        store.gate.clear()
        store.waits.clear()
        cancelling = asyncio.ensure_future(world.life.frontend.cancel(EXECUTION, "no", "me"))
        await store.waits.wait()
        seen.append((await world.life.frontend.view(EXECUTION)).version == version)
        seen.append(len(await world.life.frontend.events(EXECUTION)) == version)
        store.gate.set()
        await cancelling
        seen.append((await world.life.frontend.view(EXECUTION)).status)

    live(scenario, store=store)

    assert [True, True, "cancelled"] == seen


def test_effects_wait_for_durability() -> None:
    """Invariant 5: while the record that starts an effect is not durable, the effect does not begin."""
    store = GatedStore()
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a"))
        store.gate.clear()
        store.waits.clear()
        starting = asyncio.ensure_future(started(world, "w", execution_id=EXECUTION))
        await store.waits.wait()
        await pass_time(20.0)
        seen.append(len(world.receiver.begun))
        store.gate.set()
        await starting
        await ended(world, EXECUTION)
        seen.append(len(world.receiver.begun))

    live(scenario, store=store)

    assert [0, 1] == seen


def test_a_spec_that_cannot_run() -> None:
    """A start of a spec that this release cannot compile fails in words, and nothing is written."""
    errors: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a"))
        await world.specs.put(WORKSPACE, "strange", STRANGE)
        world.workflows["strange"] = "strange"
        with pytest.raises(SpecInvalid) as refusal:
            await world.life.frontend.start(command(world, "strange"))
        errors.append(str(refusal.value))

    world = live(scenario)

    assert "nobody.knows" in errors[0]
    assert [] == world.store.known()
