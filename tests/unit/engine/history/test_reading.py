"""Reading long executions: what was folded for people is folded on, not again."""

import asyncio
from collections.abc import Sequence
from typing import Any

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.engine.history.reading import KEPT_S
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import SignalExecution
from linkflow.ports.stores import Record, Recorded
from linkflow.ports.views import HEAD, NEWEST, Part
from linkflow.testing.builders import node, say, spec
from linkflow.testing.fakes import FixedClock
from linkflow.testing.memory_history import MemoryHistoryStore
from linkflow.testing.split import Place, command

TURNS = 400
LOOP = {"each": node("logic.loop", mode="times", times=TURNS), "a": say(1)}
LONG = spec("t -> each", "each.body -> a -> each", **LOOP)
WAITS = spec(
    "t -> each", "each.body -> a -> each", "each.done -> w", w=node("logic.wait_event", event="go"), **LOOP
)


class CountingStore(MemoryHistoryStore):
    """Counts how often a history is loaded and how many records come, and says when one grows."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = self.records = 0
        self.grown = asyncio.Event()

    async def append(self, record: Record) -> None:
        """Append, and say so."""
        await super().append(record)
        self.grown.set()

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Sequence[Recorded]:
        """Count, and load."""
        self.loads += 1
        found = await super().load(execution_id, after, limit)
        self.records += len(found)
        return found


class NoTimer:
    """A Timer that nobody needs."""

    def schedule(self, execution_id: str, at: float) -> None:
        """Plan nothing."""


async def test_who_looks_at_a_long_execution_that_is_over_loads_it_once() -> None:
    """Several questions in a row about a long history load it once; later it is loaded again."""
    store = CountingStore()
    place = Place(store=store)
    queue: Any = Matching(MemoryTaskQueue())
    history = place.history(queue, NoTimer())
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        started = await history.start(command(await place.publish(LONG), wait_ms=20_000))
        await history.projected([started.execution_id])
    clock: Any = FixedClock()
    place.clock = clock
    reader = place.history(queue, NoTimer())
    views = [await reader.view(started.execution_id) for _ in range(3)]
    explained = await reader.explain(started.execution_id)
    once = store.loads
    await clock.turn(KEPT_S + 1)
    views.append(await reader.view(started.execution_id))

    assert (1, 2, "completed", {TURNS + 2}) == (
        once,
        store.loads,
        explained.status,
        {len(view.nodes) for view in views},
    )


async def test_of_a_long_execution_only_what_is_asked_for_is_read() -> None:
    """Runs and log lines come as far as they are wanted, and those that a later event changed alone."""
    place = Place(store=CountingStore())
    queue: Any = Matching(MemoryTaskQueue())
    history = place.history(queue, NoTimer())
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        execution_id = (await history.start(command(await place.publish(LONG), wait_ms=20_000))).execution_id
    whole = await history.view(execution_id)
    head = await history.view(execution_id, HEAD)
    middle = sorted(run.event for run in whole.nodes)[TURNS // 2]
    later = await history.view(execution_id, Part(after=middle))
    newest = await history.view(execution_id, NEWEST)
    few = await history.view(execution_id, Part(most=len(whole.nodes)))

    assert (whole.version, "completed", (), ()) == (head.version, head.status, head.nodes, head.logs)
    assert [run.key for run in whole.nodes if run.event > middle] == [run.key for run in later.nodes]
    assert 0 < len(later.nodes) < len(whole.nodes)
    assert {run.node_id: run for run in whole.nodes} == {run.node_id: run for run in newest.nodes}
    assert (len({run.node_id for run in whole.nodes}), whole.nodes) == (len(newest.nodes), few.nodes)


async def test_a_page_of_a_history_loads_no_more_than_the_page() -> None:
    """Of the history of an execution that is over, a page of events reads as much as it shows."""
    store = CountingStore()
    place = Place(store=store)
    queue: Any = Matching(MemoryTaskQueue())
    history = place.history(queue, NoTimer())
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        started = await history.start(command(await place.publish(LONG), wait_ms=20_000))
    store.records = 0
    page = await place.history(queue, NoTimer()).events(started.execution_id, 5, 10)

    assert (list(range(6, 16)), True) == ([event.number for event in page], 0 < store.records <= 10)


async def test_a_long_execution_that_runs_is_folded_on() -> None:
    """What happens after a look is seen by the next one, and the runs seen before are the same objects."""
    store = CountingStore()
    place = Place(store=store)
    queue: Any = Matching(MemoryTaskQueue())
    history = place.history(queue, NoTimer())
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        execution_id = (await history.start(command(await place.publish(WAITS)))).execution_id
        while (first := await history.view(execution_id)).status != "waiting":
            await store.grown.wait()
            store.grown.clear()
        await history.signal(SignalExecution(execution_id=execution_id, id="1", name="go", data=7))
        second = await history.view(execution_id)
    runs = {run.key: run for run in second.nodes}
    same = [run.key for run in first.nodes if runs[run.key] is run]

    assert ("waiting", "completed", TURNS + 2, "success") == (
        first.status,
        second.status,
        len(same),
        runs["w"].status,
    )
