"""One seed, one simulated life of an engine: random workflows, faults, crashes, zombies; what must hold.

`python -m linkflow.testing.simulation 10000` runs so many seeds and prints what was violated.
"""

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

import structlog

from linkflow.domain.errors import ActivityError
from linkflow.domain.execution.events import (
    ActivityTaskCompleted,
    ChildStarted,
    SignalReceived,
    SlotPromised,
    SlotReached,
    WorkflowExecutionCompleted,
)
from linkflow.domain.execution.view import node_runs
from linkflow.domain.workflow.spec import parse
from linkflow.testing.builders import node, say, spec
from linkflow.testing.lives import INPUT, all_vertices, random_workflow
from linkflow.testing.naive import Block, Outcome, effect_fails, effect_value, interpret, to_spec
from linkflow.testing.outside import Faults
from linkflow.testing.virtual import run
from linkflow.testing.world import World

PATIENCE_S = 3 * 3600.0
"""Virtual time in which every execution must be over."""

QUIET_S = 120.0
"""Virtual time in which everything that follows from the ends must have arrived."""

PERIOD_S = 20.0
"""In which one execution of the mixed workflow begins."""

SERIOUS = ("decision failed", "node crashed")
"""Log messages that tell of a bug."""

MIXED = spec(
    "t -> a -> ask -> pay -> post -> w -> sub -> l",
    "t -> other -> m",
    "post -> m",
    "l.body -> each -> nap",
    "l.done -> end",
    a="test.get",
    pay="test.pay",
    post=node("test.post", settings={"onError": "continue"}),
    ask=node("test.ask", settings={"onError": "continue"}),
    w=node("logic.wait_event", event="go", timeout_s=4_000),
    sub=node("flow.sub_workflow", workflow_id="child"),
    other=node("logic.delay", seconds=40),
    m=node("logic.merge", strategy="any"),
    l=node("logic.loop", items=[1, 2, 3], parallelism=2),
    each="test.pay",
    nap=node("logic.delay", seconds=3),
    end=say("{{ input.count }}"),
    workflow={"settings": {"concurrency": {"limit": 1}, "rate": {"limit": 1, "periodSeconds": PERIOD_S}}},
)
LATEST = spec("t -> a", a="test.pay", workflow={"settings": {"debounce": {"seconds": 4, "maxSeconds": 30}}})
CHILD = spec("t -> c -> d", c="test.pay", d=say("{{ trigger }}"))


class Simulation:
    """What happens under one seed."""

    def __init__(self, seed: int, make_world: Callable[..., World] = World) -> None:
        self.rng = random.Random(seed)  # noqa: S311  # a simulation repeats
        self._make_world = make_world
        self.world: World
        self.blocks: dict[str, Block] = {}
        self.has_zombie = False

    def run(self) -> list[str]:
        """Live it; what was violated."""
        with structlog.testing.capture_logs() as lines:
            run(self.rng, self._live())
        bugs = [f"{line['event']}: {line}" for line in lines if line["event"] in SERIOUS]
        return [*self.world.violations, *bugs]

    async def _live(self) -> None:
        rng = self.rng
        share = rng.choice((0.0, 0.0, 0.01, 0.05))
        world = self.world = self._make_world(rng, Faults(refused=share, unanswered=share))
        world.receiver.answer = self._answer
        await world.publish("mixed", MIXED)
        await world.publish("child", CHILD)
        await world.publish("latest", LATEST)
        for number in range(2):
            self.blocks[f"random-{number}"] = random_workflow(rng)
            await world.publish(f"random-{number}", parse(to_spec(self.blocks[f"random-{number}"])))
        signals = asyncio.create_task(world.signal_waits(20.0))
        trouble = asyncio.create_task(self._trouble())
        names = [*self.blocks, "mixed", "mixed", "latest", "latest", "latest"]
        starts = [self._start(name, number) for number, name in enumerate(names)]
        executions = list(await asyncio.gather(*starts))
        await trouble
        world.faults = Faults(transient=world.faults.transient)
        await world.until_closed(executions, PATIENCE_S)
        signals.cancel()
        await asyncio.sleep(QUIET_S)
        self._judge(dict(zip(executions, names, strict=True)))
        world.life.kill()

    async def _start(self, name: str, number: int) -> str:
        await asyncio.sleep(self.rng.choice((0.0, 0.1, 5.0)))
        request = f"{name}/{number}"
        execution = await self.world.start(name, request, INPUT)
        if self.rng.random() < 0.3:
            await self.world.start(name, request, INPUT)
        return execution

    async def _trouble(self) -> None:
        """At most two crashes, or one and a zombie: a third in a row would rightly be poison."""
        rng = self.rng
        if rng.random() < 0.2:  # a process that was taken for dead goes on for a while beside the next one
            await self.world.life.recovery.recovered.wait()
            await asyncio.sleep(rng.choice((0.03, 0.5, 7.0, 33.0)) * rng.random())
            self.has_zombie = True
            await self.world.crash(0.0, overlap_s=rng.choice((1.0, 9.0)))
            return
        for _ in range(rng.choice((0, 1, 1, 2))):
            await asyncio.sleep(rng.choice((0.005, 0.03, 0.5, 7.0, 33.0)) * rng.random())
            await self.world.crash(rng.choice((0.0, 2.0, 30.0)))

    def _answer(self, execution: str, key: str) -> object:
        started = self.world.records(execution)[0].events[0]
        vertices = all_vertices(self.blocks.get(started.workflow_id, Block()))  # type: ignore[attr-defined]  # the first event
        vertex = vertices.get(key.partition("#")[0])
        if vertex is not None and effect_fails(vertex, key):
            raise ActivityError("It failed.", code="http.status")
        return effect_value(key)

    # -- what must hold at the end

    def _judge(self, executions: dict[str, str]) -> None:
        world = self.world
        for execution in world.store.known():
            state = world.state(execution)
            if state is None or not state.is_closed:
                continue
            row = world.visibility.rows.get(execution)
            is_shown = row is not None and (row.row.status, row.row.version) == (
                state.status(),
                state.version,
            )
            if not is_shown and not self.has_zombie:  # which the lock on a data folder rules out
                world.violated(
                    f"the list shows {execution} as {row and row.row.status}, not {state.status()}"
                )
            self._judge_effects(execution)
        for execution, name in executions.items():
            if name in self.blocks:
                self._judge_meaning(execution, self.blocks[name])
            elif name == "mixed":
                self._judge_mixed(execution)
        self._judge_pace([each for each, name in executions.items() if name == "mixed"])
        self._judge_latest([each for each, name in executions.items() if name == "latest"])
        if world.store.undelivered:
            world.violated(f"{world.store.undelivered} messages were never delivered")

    def _judge_effects(self, execution: str) -> None:
        """What history calls done was done, by that attempt; keys never change, signals count once."""
        receiver = self.world.receiver
        for key, attempt in self.world.completed(execution) - receiver.answered.get(execution, set()):
            self.world.violated(f"{execution}:{key} is completed by attempt {attempt}, which never ended")
        signals = [event.id for event in self.world.events(execution) if isinstance(event, SignalReceived)]
        if len(signals) > len(set(signals)):
            self.world.violated(f"{execution} took a signal twice: {signals}")
        for event in self.world.events(execution):
            if isinstance(event, ActivityTaskCompleted) and not receiver.applied.get(
                f"{execution}:{event.key}"
            ):
                self.world.violated(f"{execution}:{event.key} is completed and never happened")
        for (found, key), keys in receiver.keys.items():
            if found == execution and keys != {f"{execution}:{key}"}:
                self.world.violated(f"the effect key of {execution}:{key} changed: {sorted(keys)}")

    def _judge_mixed(self, execution: str) -> None:
        """A workflow of every class, with a child, a wait and a limit, ends well, with one child."""
        events = self.world.events(execution)
        if events and not (isinstance(events[-1], WorkflowExecutionCompleted) and "end" in str(events[-1])):
            self.world.violated(f"{execution} should be completed and is {events[-1]}")
        children = {event.child_id for event in events if isinstance(event, ChildStarted)}
        for child in children:
            ended = self.world.state(child)
            if ended is None or not ended.is_closed:
                self.world.violated(f"the child {child} is not over")
        mine = [
            other
            for other in self.world.store.known()
            if (state := self.world.state(other)) and state.start.parent
            and state.start.parent.execution_id == execution
        ]  # fmt: skip
        if set(mine) != children:
            self.world.violated(f"{execution} has the children {mine}, not {sorted(children)}")

    def _judge_pace(self, executions: Sequence[str]) -> None:
        """Each is promised an instant, a period after the one before, and begins then and not before."""
        found: list[float] = []
        for execution in executions:
            for record in self.world.records(execution):
                found += [event.begins_at for event in record.events if isinstance(event, SlotPromised)]
                if any(isinstance(event, SlotReached) for event in record.events) and record.at < found[-1]:
                    self.world.violated(f"{execution} begins at {record.at}, before its instant {found[-1]}")
        found.sort()
        if len(found) != len(executions) or any(two - one < PERIOD_S for one, two in pairwise(found)):
            self.world.violated(f"at a rate of 1 in {PERIOD_S} s these instants were promised: {found}")

    def _judge_latest(self, executions: Sequence[str]) -> None:
        """Of starts under a debounce the last one runs; whichever does not names one that came after it."""
        came = sorted(executions, key=lambda each: (self.world.records(each)[0].at, each))
        for place, execution in enumerate(came):
            end = self.world.events(execution)[-1]
            later = any(each in str(end) for each in came[place + 1 :])
            if not isinstance(end, WorkflowExecutionCompleted) and not later:
                self.world.violated(f"{execution} is start {place} under a debounce and ends with {end}")

    def _judge_meaning(self, execution: str, block: Block) -> None:
        """A random workflow ends as the plain reading of the rules says."""
        naive: Outcome = interpret(block, INPUT)
        state = self.world.state(execution)
        if state is None or not state.is_closed:
            return
        expected = "failed" if naive.failures else "completed"
        if expected != state.status().value:
            self.world.violated(f"{execution} should be {expected} and is {state.closed}")
        if naive.failures:
            return
        runs = {run.key: run.status for run in node_runs(state.graph, self.world.records(execution))}
        wrong = {
            key: (status, runs.get(key)) for key, status in naive.nodes.items() if runs.get(key) != status
        }
        if wrong:
            self.world.violated(f"{execution} went otherwise than the rules say: {wrong}")


def main() -> None:
    """Run many seeds: `python -m linkflow.testing.simulation COUNT [FIRST]`."""
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    bad = 0
    for seed in range(first, first + count):
        violations = Simulation(seed).run()
        if violations:
            bad += 1
            sys.stdout.write(f"seed {seed}:\n" + "".join(f"  {each}\n" for each in violations[:5]))
    sys.stdout.write(f"{count} seeds, {bad} with violations\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
