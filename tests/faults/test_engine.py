"""Life under hard conditions: limits, drains, lost leases, quarantines, large values, many timers."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import pytest

from linkflow.domain.errors import Overloaded
from linkflow.domain.values import INLINE_BYTES, SHARDS, Json
from linkflow.engine.frontend import MOST_PENDING, Frontend
from linkflow.engine.timer import Timer
from linkflow.ports.services import ResolveWait
from linkflow.testing.builders import node, say, spec
from linkflow.testing.outside import OpenStore
from linkflow.testing.scenes import command, ended, in_a_row, live, pass_time, started, until
from linkflow.testing.virtual import VirtualClock
from linkflow.testing.world import World

TIMERS = 100_000
SMALL_WORKERS = (1, 3)
"""Seeds whose first worker has room for one or two tasks."""

NAP = node("logic.delay", seconds=30)


def limited(policy: str, limit: int = 1) -> Any:
    """Say a workflow of which so many run at once."""
    concurrency = {"limit": limit, "onConflict": policy}
    return spec("t -> nap", nap=NAP, workflow={"settings": {"concurrency": concurrency}})


@pytest.mark.parametrize("crashes", [False, True], ids=["calm", "crash"])
@pytest.mark.parametrize(
    ("policy", "limit", "at_first", "at_last"),
    [
        ("queue", 1, ["waiting", "queued", "queued"], ["completed"] * 3),
        ("queue", 2, ["waiting", "waiting", "queued"], ["completed"] * 3),
        ("skip", 1, ["waiting", "cancelled", "cancelled"], ["completed", "cancelled", "cancelled"]),
        ("cancel", 2, ["waiting", "waiting", "cancelled"], ["completed", "completed", "cancelled"]),
        ("replace", 1, ["cancelled", "cancelled", "waiting"], ["cancelled", "cancelled", "completed"]),
        ("replace", 2, ["cancelled", "waiting", "waiting"], ["cancelled", "completed", "completed"]),
    ],
)
def test_concurrency(policy: str, limit: int, at_first: list[str], at_last: list[str], crashes: bool) -> None:
    """D24, D25: a limit of executions holds by its policy, also over a restart, and leaves nobody waiting."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        seen.extend(await in_a_row(world, limited(policy, limit), 2.0 if crashes else None))
        seen.append(sum([len(await world.tickets.asked(ticket)) for ticket in list(world.tickets._lines)]))

    world = live(scenario)

    assert ([], [at_first, at_last, 0]) == (world.violations, seen)


def test_a_drained_worker() -> None:
    """A worker that drains ends what was started for it, and leaves the rest to the next one, untried."""
    executions: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> post -> more", post="test.post", more="test.post"))
        executions.extend([(await started(world, "w")).execution_id for _ in range(20)])
        await until(world, lambda world: len(world.receiver.begun) > 0)
        await world.life.worker.drain(60.0)
        begun = len(world.receiver.begun)
        await pass_time(30.0)
        assert begun == len(world.receiver.begun)
        await world.crash(0.0)
        await world.until_closed(executions, 300.0)

    world = live(scenario)

    assert [] == world.violations
    assert ["completed"] * 20 == [str(state.status()) for one in executions if (state := world.state(one))]
    assert {1} == set(world.receiver.applied.values())


@pytest.mark.parametrize("seed", SMALL_WORKERS)
def test_a_queue_that_loses_everything(seed: int) -> None:
    """Invariants 2, 4: queue, caches and read model are gone, and every task is there again."""
    executions: list[str] = []
    were_open: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a -> pay", pay="test.pay"))
        executions.extend([(await started(world, "w")).execution_id for _ in range(30)])
        assert world.life.matching.depth()["default"] > 10
        world.visibility.rows.clear()
        were_open.extend(one for one in executions if not (state := world.state(one)) or not state.is_closed)
        await world.crash(0.0)
        await world.until_closed(executions, 600.0)
        await pass_time(60.0)

    world = live(scenario, seed=seed)

    assert [] == world.violations
    assert {"completed"} == {str(world.visibility.rows[one].row.status) for one in were_open}
    assert [1] * 30 == [world.receiver.applied[f"{one}:pay"] for one in executions]


class LostLease:
    """Sessions that cannot be reached for a while."""

    def __init__(self, sessions: Any) -> None:
        self._sessions = sessions
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise Overloaded("The sessions cannot be reached.")
        return getattr(self._sessions, name)


@pytest.mark.parametrize("buried", [False, True])
def test_a_lease_that_cannot_be_renewed(buried: bool) -> None:
    """Invariant 5: no effect begins after a worker's lease, and none at all when its session was buried."""
    seen: list[Json] = []

    class Leased(World):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.life.kill()
            self.lease = LostLease(self.sessions)
            self.sessions = self.lease  # type: ignore[assignment]  # a double
            self.life = type(self.life)(self)

    async def scenario(world: Any) -> None:
        await world.publish("w", spec("t -> post", post="test.post"))
        world.lease.is_away = True
        await pass_time(9.0)
        execution = (await started(world, "w")).execution_id
        await pass_time(10.0)
        seen.append(len(world.receiver.begun))
        world.lease.is_away = False
        if buried:
            session = world.life.worker.session
            await world.life.history.sessions_lost([session])
            await world.sessions.bury([session])
        await ended(world, execution, 60.0)
        await pass_time(10.0)
        seen.append(len(world.receiver.begun))

    world = live(scenario, kind=Leased)

    assert ([], [0, 0 if buried else 1]) == (world.violations, seen)


def test_a_bug_quarantines_one_execution() -> None:
    """A bug in a node stops that execution alone; `explain` says so, and a person can end it."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        await world.publish("broken", spec("t -> a -> b", b="test.broken"))
        await world.publish("good", spec("t -> a"))
        broken = (await started(world, "broken")).execution_id
        good = (await started(world, "good", wait_ms=60_000)).status
        await until(world, lambda world: (state := world.state(broken)) and state.quarantine)
        explained = await world.life.frontend.explain(broken)
        seen.append([good, [driver.kind for driver in explained.drivers]])
        await world.life.frontend.cancel(broken, "mended elsewhere", "me")
        seen.append((await ended(world, broken)).status)

    live(scenario)

    assert [["completed", ["quarantine"]], "cancelled"] == seen


def test_large_values_everywhere() -> None:
    """C18: large values go by reference through trigger, effects, pure nodes, loops and results."""
    large = ["x" * 100] * 2_000
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        world.receiver.answer = lambda execution, key: {"list": large}
        await world.publish(
            "w",
            spec(
                "t -> a -> s -> l -> end",
                "l.body -> each",
                a=node("test.get", v="{{ trigger.items[0] }}"),
                s=say("{{ trigger.items }}"),
                l=node("logic.loop", items="{{ input }}", max_items=5_000, collect="{{ loop.index }}"),
                each=say("{{ loop.item }}"),
                end=say("{{ node_s.output }}"),
            ),
        )
        found = await started(world, "w", {"items": large}, wait_ms=600_000)
        seen.append(found.status)
        records = world.store._executions[found.execution_id].records
        seen.append(max(len(data) for _, _, _, data in records) < 6 * INLINE_BYTES)

    world = live(scenario)

    assert ([], ["completed", True]) == (world.violations, seen)


def test_an_answer_while_it_goes_on() -> None:
    """A20: whoever waits hears the responder's output while the execution goes on."""
    seen: list[Json] = []

    async def scenario(world: World) -> None:
        respond = node("webhook.respond", body={"ok": True})
        await world.publish("w", spec("t -> r -> nap", r=respond, nap=NAP))
        found = await started(world, "w", wait_ms=20_000)
        seen.append([found.status, found.responded is not None])
        await world.until_closed([found.execution_id], 60.0)

    world = live(scenario)

    assert ([], [["waiting", True]]) == (world.violations, seen)


def test_what_an_execution_waits_for() -> None:
    """Invariant 3: whatever an open execution waits for, `explain` names it and says until when."""
    seen: list[str] = []

    async def scenario(world: World) -> None:
        await world.publish("slow", spec("t -> nap", nap=NAP))
        await world.publish(
            "w",
            spec(
                *(f"t -> {name}" for name in ("nap", "event", "ask", "sub")),
                nap=NAP,
                event=node("logic.wait_event", event="go", timeout_s=60),
                ask=node("logic.approval", timeout_s=60),
                sub=node("flow.sub_workflow", workflow_id="slow"),
            ),
        )
        execution = (await started(world, "w")).execution_id
        explained = await world.life.frontend.explain(execution)
        seen.extend(sorted(driver.kind for driver in explained.drivers))
        assert all(driver.until is not None for driver in explained.drivers)
        ask = next(driver for driver in explained.drivers if driver.kind == "approval")
        await world.life.frontend.resolve(
            ResolveWait(execution_id=execution, key=ask.key, action="approved", by="me")
        )
        explained = await world.life.frontend.explain(execution)
        seen.append("approval" not in {driver.kind for driver in explained.drivers})  # type: ignore[arg-type]

    live(scenario)

    assert ["approval", "child", "event", "timer", True] == seen


def test_too_much_to_do() -> None:
    """Where more is under way than can be done, a start is refused, and nothing of it is kept."""

    async def scenario(world: World) -> None:
        await world.publish("w", spec("t -> a"))
        crowded = Frontend(world.life.history, lambda: MOST_PENDING + 1)
        with pytest.raises(Overloaded):
            await crowded.start(command(world, "w"))

    world = live(scenario)

    assert [] == world.store.known()


class Parked(OpenStore):
    """A store of nothing but parked executions; those that were woken are not due any more."""

    def __init__(self, due: list[tuple[float, str]]) -> None:
        super().__init__()
        self.parked = due
        self.woken: dict[str, float] = {}

    async def due(
        self, now: float, limit: int, *, shards: tuple[int, int] = (0, SHARDS)
    ) -> Sequence[tuple[str, float]]:
        """List the earliest that were not woken."""
        end = bisect_right(self.parked, (now, "~"))
        self.parked = [item for item in self.parked if item[1] not in self.woken]
        end = bisect_right(self.parked, (now, "~"))
        return [(name, at) for at, name in self.parked[: min(end, limit)]]

    async def wake(self, execution_ids: Sequence[str]) -> None:
        """Take a wake-up in, as History does."""
        for one in execution_ids:
            self.woken.setdefault(one, VirtualClock().now())


def test_a_hundred_thousand_timers_in_a_minute() -> None:
    """D11: each of 100,000 timers within a minute fires, none early, 99 % within a second of their time."""
    late: list[float] = []

    async def scenario(world: World) -> None:
        first = VirtualClock().now() + 90.0
        at = {f"x{number:06d}": first + 60.0 * number / TIMERS for number in range(TIMERS)}
        store = Parked(sorted((moment, name) for name, moment in at.items()))
        timer = Timer(store, VirtualClock())
        timer.connect(store)  # type: ignore[arg-type]  # it takes wake-ups, as History does
        running = asyncio.ensure_future(timer.run())
        await pass_time(170.0)
        running.cancel()
        late.extend(store.woken[name] - moment for name, moment in at.items() if name in store.woken)

    live(scenario)
    late.sort()

    assert (TIMERS, True, True) == (len(late), late[0] >= 0, late[int(TIMERS * 0.99)] <= 1.0)
