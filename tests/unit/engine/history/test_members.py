"""Several Histories on one store: whoever is asked knows the newest, and nobody loses a report."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from typing import Any

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.system import SystemIds
from linkflow.domain.node import Completion
from linkflow.engine.history.lost import LATE_S
from linkflow.engine.history.service import History
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import ActivityReport, Attempt, SignalExecution, TaskId
from linkflow.testing.builders import node, say, spec
from linkflow.testing.fakes import FixedClock
from linkflow.testing.memory_history import MemoryHistoryStore
from linkflow.testing.split import WORKSPACE, Place, command

WAITING = spec("t -> wait", wait=node("logic.wait_event", event="news"))
FETCHING = spec("t -> get")
DIRECT = spec("t -> a", a=say(1))


class CountingStore(MemoryHistoryStore):
    """Counts how often it is asked for what it has."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def versions(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """Count, and say."""
        self.asked += 1
        return await super().versions(execution_ids)


class NoTimer:
    """A Timer that nobody needs."""

    def schedule(self, execution_id: str, at: float) -> None:
        """Plan nothing."""


@asynccontextmanager
async def two(place: Place) -> AsyncIterator[tuple[History, History]]:
    """Run two Histories, each with a memory of its own."""
    queues: Any = [Matching(MemoryTaskQueue()) for _ in range(2)]
    one, other = (place.history(matching, NoTimer(), is_shared=True) for matching in queues)
    async with asyncio.TaskGroup() as group:
        for history in (one, other):
            history.own_tasks(group)
        yield one, other


@asynccontextmanager
async def joined(place: Place, matching: Any) -> AsyncIterator[History]:
    """Run one more History."""
    history = place.history(matching, NoTimer(), is_shared=True)
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        yield history


def report(execution_id: str) -> ActivityReport:
    """Say that the task has ended well."""
    return ActivityReport(
        execution_id=execution_id, key="get", attempt=1, session="session", completion=Completion(output=1)
    )


async def test_what_one_member_appended_the_other_shows() -> None:
    """A member that has an old state in memory reads, explains and projects the newest one."""
    place = Place()
    async with two(place) as (one, other):
        execution_id = (await one.start(command(await place.publish(WAITING)))).execution_id
        await other.signal(SignalExecution(execution_id=execution_id, id="1", name="news", data=7))
        seen = await one.view(execution_id)
        projected = (await one.projected([execution_id]))[0]
        events = await one.events(execution_id)
        explained = await one.explain(execution_id)

    assert ["completed"] * 3 == [seen.status, projected.row.status, explained.status]
    assert seen.version == events[-1].number == projected.row.version


async def test_a_wait_hears_of_an_end_elsewhere() -> None:
    """Whoever waits for an end at one member is answered when another one writes it."""
    place = Place()
    async with two(place) as (one, other):
        execution_id = (await one.start(command(await place.publish(WAITING)))).execution_id
        waiting = asyncio.create_task(one.wait(execution_id, 20_000))
        await other.signal(SignalExecution(execution_id=execution_id, id="1", name="news", data=7))
        ended = await waiting

    assert "completed" == ended.status


async def test_a_start_that_waits_asks_the_store_for_nothing() -> None:
    """Whoever started an execution is answered from memory when it ends here; rows are asked for together."""
    store = CountingStore()
    place = Place(store=store)
    async with two(place) as (one, _):
        spec_hash = await place.publish(DIRECT)
        ended = [await one.start(command(spec_hash, wait_ms=20_000)) for _ in range(3)]
        before = store.asked
        projected = await one.projected([each.execution_id for each in ended])

    assert (["completed"] * 3, ["completed"] * 3, 0, 1) == (
        [each.status for each in ended],
        [each.row.status for each in projected],
        before,
        store.asked,
    )


async def test_a_report_to_a_member_with_an_old_state_counts() -> None:
    """A report about an attempt that another member started is accepted, whatever is in memory here."""
    place = Place()
    async with two(place) as (one, other):
        execution_id = (await one.start(command(await place.publish(FETCHING)))).execution_id
        claimed = await other.claim(TaskId(execution_id, "get", 1, "default", WORKSPACE, 5), "session")
        told = report(execution_id)
        replies = [await one.respond([told]), await other.respond([told])]
        late = await place.late.list(execution_id)
        status = (await other.view(execution_id)).status

    assert claimed is not None
    assert ([True, False], [], "completed") == ([each[0].accepted for each in replies], late, status)


async def all_live(sessions: Set[str]) -> Set[str]:
    """Say that none was buried."""
    return sessions


async def test_what_a_dead_member_had_started_is_found() -> None:
    """A task that was started by a member that died, and never reached its worker, is given out again.

    Once the execution has moved on elsewhere, it is left to whoever moved it.
    """
    clock: Any = FixedClock()
    place = Place(clock=clock)
    async with two(place) as (dead, left):
        execution_id = (await dead.start(command(await place.publish(FETCHING)))).execution_id
        task = await dead.claim(TaskId(execution_id, "get", 1, "default", WORKSPACE, 5), "session")
        await clock.turn(LATE_S)
        before = await left.lost_tasks("session", [])
        await left.recover([execution_id], all_live)
        found = await left.lost_tasks("session", [])
        held = await left.lost_tasks("session", [Attempt(execution_id, "get", 1)])
        await dead.respond([report(execution_id)])
        await left.audit()
        after = await left.lost_tasks("session", [])

    assert ([], [task], [], []) == (before, found, held, after)


async def none_lives(sessions: Set[str]) -> Set[str]:
    """Say that all were buried."""
    return set()


async def test_what_was_taken_for_dead_and_went_on_is_noticed() -> None:
    """A History that believes it is alone learns from a sweep what another one did, and goes on there."""
    place = Place()
    matching: Any = Matching(MemoryTaskQueue())
    alone = place.history(matching, NoTimer(), is_shared=False)
    async with joined(place, Matching(MemoryTaskQueue())) as zombie, asyncio.TaskGroup() as group:
        alone.own_tasks(group)
        execution_id = (await alone.start(command(await place.publish(FETCHING)))).execution_id
        await zombie.claim(TaskId(execution_id, "get", 1, "default", WORKSPACE, 5), "session")
        before = await alone.bury(none_lives)
        await alone.recover([execution_id], all_live)
        after = await alone.bury(none_lives)

    assert (0, 1) == (before, after)


async def test_what_is_started_on_a_buried_session_ends() -> None:
    """A member that did not know of a burial starts a task on that session: its audit tries it again."""
    place = Place()
    async with two(place) as (late, _):
        execution_id = (await late.start(command(await place.publish(FETCHING)))).execution_id
        await late.claim(TaskId(execution_id, "get", 1, "default", WORKSPACE, 5), "buried")
        counts = [await late.bury(none_lives), await late.bury(none_lives)]
        events = await late.events(execution_id)
        scheduled = [each for each in events if each.type == "ActivityTaskScheduled"]

    assert ([1, 0], 2) == (counts, len(scheduled))


async def test_a_page_of_executions_is_recovered_at_once() -> None:
    """Whatever waits for a worker is queued again, whoever had it; what is over is left alone."""
    place = Place()
    found = Matching(MemoryTaskQueue())
    async with two(place) as (one, _), joined(place, found) as other:
        spec_hash = await place.publish(FETCHING)
        over, *ids = [(await one.start(command(spec_hash))).execution_id for _ in range(3)]
        await one.terminate(over, "enough", "ann")
        for page in ([over, *ids, SystemIds().execution_id()], ids):
            await found.add(await other.recover(page, all_live))

    assert {"default": 2} == found.depth()


async def test_both_at_once() -> None:
    """Two members that claim a task at the same moment: one gets it, and the history has one start."""
    place = Place()
    async with two(place) as (one, other):
        execution_id = (await one.start(command(await place.publish(FETCHING)))).execution_id
        await other.view(execution_id)
        task = TaskId(execution_id, "get", 1, "default", WORKSPACE, 5)
        claims = await asyncio.gather(one.claim(task, "a"), other.claim(task, "b"))
        started = [each for each in await one.events(execution_id) if each.type == "ActivityTaskStarted"]

    assert (1, 1) == (sum(each is not None for each in claims), len(started))
