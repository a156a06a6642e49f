"""Matching brings tasks to workers by credits; what it holds may be lost without harm."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import History, Task, TaskId

GENEROUS_S = 10.0


def task(number: int, session: str = "") -> Task:
    """Say a started task."""
    return Task(
        execution_id=f"e{number}", key="n", attempt=1, workspace_id="w", workflow_id="f", spec_hash="h",
        node_id="n", node_type="http.request", session=session,
    )  # fmt: skip


class Claims:
    """The one thing Matching asks of History; a task is started for whoever claims it first."""

    def __init__(self) -> None:
        self.claimed: list[str] = []

    async def claim(self, wanted: TaskId, session: str) -> Task | None:
        """Start a task once."""
        if wanted.execution_id in self.claimed:
            return None
        self.claimed.append(wanted.execution_id)
        return task(int(wanted.execution_id[1:]), session)


@asynccontextmanager
async def matching(claims: Claims) -> AsyncIterator[Matching]:
    """Run a Matching until the block is left."""
    found = Matching(MemoryTaskQueue())
    found.connect(cast(History, claims))
    running = asyncio.ensure_future(found.run())
    try:
        yield found
    finally:
        running.cancel()


async def test_a_worker_that_polls_gets_what_waits() -> None:
    """D5, D6: a task without a worker waits, and the long poll of one with room brings it, started."""
    async with matching(Claims()) as found:
        await found.add([TaskId("e1", "n", 1)])
        waiting = found.depth()
        async with asyncio.timeout(GENEROUS_S):
            [got] = await found.poll("s1", ["default"], 2, GENEROUS_S)

    assert ({"default": 1}, "e1", "s1") == (waiting, got.execution_id, got.session)


async def test_a_poll_waits_for_work() -> None:
    """D6: a poll ends empty when its time is over, and at once when a task is delivered."""
    async with matching(Claims()) as found:
        nothing = await found.poll("s1", ["default"], 2, 0.01)
        polling = asyncio.ensure_future(found.poll("s1", ["default"], 2, GENEROUS_S))
        [session] = found.reserve("default", 1)
        delivered = found.deliver(task(1, session))
        async with asyncio.timeout(GENEROUS_S):
            [got] = await polling

    assert ([], True, "e1") == (nothing, delivered, got.execution_id)


async def test_a_worker_gets_no_more_than_it_has_room_for() -> None:
    """D7: a session with two credits has two tasks; the third comes when an answer gives one back."""
    async with matching(Claims()) as found:
        await found.add([TaskId(f"e{number}", "n", 1) for number in (1, 2, 3)])
        async with asyncio.timeout(GENEROUS_S):
            got: list[Task] = []
            while len(got) < 2:
                got += await found.poll("s1", ["default"], 2, GENEROUS_S)
            left = found.depth()
            found.release(["s1"])
            [last] = await found.poll("s1", ["default"], 2, GENEROUS_S)

    assert (2, {"default": 1}, "e3") == (len(got), left, last.execution_id)


async def test_a_task_that_came_twice_starts_once() -> None:
    """D10: a task queued again after it was started is not given out again."""
    claims = Claims()
    async with matching(claims) as found:
        await found.add([TaskId("e1", "n", 1)])
        async with asyncio.timeout(GENEROUS_S):
            await found.poll("s1", ["default"], 8, GENEROUS_S)
        await found.add([TaskId("e1", "n", 1), TaskId("e2", "n", 1)])
        async with asyncio.timeout(GENEROUS_S):
            got = await found.poll("s1", ["default"], 8, GENEROUS_S)

    assert (["e2"], ["e1", "e2"]) == ([each.execution_id for each in got], claims.claimed)


async def test_a_worker_that_left_gets_nothing() -> None:
    """A frame for a session that left is refused, so that its attempt can be ended and made again."""
    async with matching(Claims()) as found:
        await found.poll("s1", ["default"], 2, 0.0)
        found.leave("s1")

        assert (False, []) == (found.deliver(task(1, "s1")), list(found.reserve("default", 1)))
