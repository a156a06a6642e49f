"""Matching with a broker behind it, which answers late and is used by others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from linkflow.engine.matching.service import Matching
from linkflow.ports.services import Task, TaskId
from linkflow.testing.broker import FakeBroker

TASK = TaskId("x1", "a", 1)
QUEUES = ("default",)
PATIENCE_S = 5.0


class Claims:
    """A History that starts everything and notes for whom.

    Attributes:
        made: Execution and session of each claim.
        lost: Sessions that were told lost.
        fails: What claims raise instead.
        came: Set at the first claim.
    """

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.lost: list[str] = []
        self.fails: Exception | None = None
        self.came = asyncio.Event()

    async def claim(self, task: TaskId, session: str) -> Task | None:
        """Start a task."""
        self.made.append((task.execution_id, session))
        self.came.set()
        if self.fails is not None:
            raise self.fails
        return Task(
            execution_id=task.execution_id,
            key=task.key,
            attempt=task.attempt,
            workspace_id="w",
            workflow_id="f",
            spec_hash="h",
            node_id="a",
            node_type="test.get",
            session=session,
        )

    async def sessions_lost(self, sessions: Sequence[str]) -> None:
        """Note lost sessions."""
        self.lost += sessions


@asynccontextmanager
async def matching(broker: FakeBroker, history: Any) -> AsyncIterator[Matching]:
    """Run Matching."""
    service = Matching(broker)
    service.connect(history)
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        running.cancel()


async def test_tasks_of_other_members_are_started() -> None:
    """E2: a task that another member published is started here as soon as the queue tells of it."""
    broker, history = FakeBroker(), Claims()
    async with matching(broker, history) as service:
        await service.poll("s", QUEUES, 1, 0.0)
        await broker.publish_elsewhere([TASK])
        tasks = await service.poll("s", QUEUES, 1, PATIENCE_S)

    assert (["x1"], [TASK]) == ([task.execution_id for task in tasks], broker.finished)


async def test_a_worker_that_left_meanwhile_gets_nothing() -> None:
    """A task taken for a worker that left before the broker answered is queued again, for another one."""
    broker, history = FakeBroker(), Claims()
    broker.answers.clear()
    async with matching(broker, history) as service:
        await service.poll("gone", QUEUES, 1, 0.0)
        await service.add([TASK])
        await broker.asked.wait()
        service.leave("gone")
        broker.answers.set()
        await service.poll("here", QUEUES, 1, 0.0)
        tasks = await service.poll("here", QUEUES, 1, PATIENCE_S)

    assert ([("x1", "here")], ["here"], []) == (history.made, [task.session for task in tasks], history.lost)


async def test_credits_are_not_used_twice() -> None:
    """While a broker is asked for tasks, the credits they will need are nobody else's."""
    broker, history = FakeBroker(), Claims()
    broker.answers.clear()
    async with matching(broker, history) as service:
        await service.poll("s", QUEUES, 1, 0.0)
        await service.add([TASK])
        await broker.asked.wait()
        while_asked = service.is_idle("s")
        broker.answers.set()
        tasks = await service.poll("s", QUEUES, 1, PATIENCE_S)
        service.release(["s"])

        assert (False, 1, True) == (while_asked, len(tasks), service.is_idle("s"))


async def test_a_bug_holds_nothing() -> None:
    """A task whose start fails by a bug gives its credit back and is not held at the broker."""
    broker, history = FakeBroker(), Claims()
    history.fails = ZeroDivisionError("a bug")
    async with matching(broker, history) as service:
        await service.poll("s", QUEUES, 1, 0.0)
        await service.add([TASK])
        await history.came.wait()
        history.fails = None
        await service.add([TaskId("x2", "a", 1)])
        tasks = await service.poll("s", QUEUES, 1, PATIENCE_S)

    assert (["x2"], [TASK]) == ([task.execution_id for task in tasks], broker.finished[:1])
