"""Contract suite of task queues."""

from collections.abc import Sequence

from linkflow.ports.queue import TaskQueue
from linkflow.ports.services import TaskId


def task(number: int, workspace: str = "w1", queue: str = "default", priority: int = 5) -> TaskId:
    """Say a task."""
    return TaskId(f"x{number}", "a", 1, queue, workspace, priority)


async def drained(store: TaskQueue, count: int = 1, queues: Sequence[str] = ("default",)) -> list[TaskId]:
    """Take everything, `count` at a time."""
    found: list[TaskId] = []
    while taken := await store.take(queues, count):
        found += taken
        await store.done(taken)
    return found


class TaskQueueSuite:
    """What every TaskQueue must do; provide the fixture `store`."""

    async def test_tasks_come_out_once(self, store: TaskQueue) -> None:
        """Every task that is queued comes out once, in order of arrival."""
        tasks = [task(number) for number in range(5)]
        await store.publish(tasks[:3])
        await store.publish(tasks[3:])

        assert await drained(store, 2) == tasks
        assert len(store) == 0

    async def test_no_doubles(self, store: TaskQueue) -> None:
        """A task that is queued already is not queued twice; one that was taken may be queued again."""
        await store.publish([task(1), task(1)])
        await store.publish([task(1)])
        first = await drained(store)
        await store.publish([task(1)])

        assert (await drained(store), first) == ([task(1)], [task(1)])

    async def test_attempts_are_apart(self, store: TaskQueue) -> None:
        """Two attempts of one activity are two tasks."""
        attempts = [TaskId("x", "a", 1), TaskId("x", "a", 2)]
        await store.publish(attempts)

        assert await drained(store) == attempts

    async def test_workspaces_take_turns(self, store: TaskQueue) -> None:
        """A workspace with many tasks does not hold another one up."""
        await store.publish([task(number, "loud") for number in range(50)])
        await store.publish([task(number, "quiet") for number in range(50, 53)])
        order = [each.workspace_id for each in await drained(store)]

        assert order[:6].count("quiet") == 3

    async def test_priorities(self, store: TaskQueue) -> None:
        """Within a workspace a lower priority number goes first, then the order of arrival."""
        await store.publish(
            [task(1, priority=9), task(2, priority=1), task(3, priority=5), task(4, priority=1)]
        )

        assert [each.execution_id for each in await drained(store)] == ["x2", "x4", "x3", "x1"]

    async def test_queues_are_apart(self, store: TaskQueue) -> None:
        """A poller gets tasks of the queues it asks for, and no others."""
        await store.publish([task(1), task(2, queue="gpu"), task(3, queue="gpu")])

        assert await store.take(["nobody"], 5) == []
        assert list(await store.take(["gpu"], 5)) == [task(2, queue="gpu"), task(3, queue="gpu")]
        assert dict(store.depth()) == {"default": 1}
        assert await drained(store, queues=["gpu", "default"]) == [task(1)]

    async def test_no_more_than_asked_for(self, store: TaskQueue) -> None:
        """A poller never gets more tasks than it has room for."""
        await store.publish([task(number) for number in range(10)])

        assert len(await store.take(["default"], 3)) == 3
        assert len(store) == 7
