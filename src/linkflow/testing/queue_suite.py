"""Contract suites of task queues: of each one, and of those that several members share."""

import asyncio
from collections.abc import Sequence

from linkflow.ports.queue import TaskQueue
from linkflow.ports.services import TaskId

QUEUES = ("default",)
PATIENCE_S = 10.0


def task(number: int, workspace: str = "w1", queue: str = "default", priority: int = 5) -> TaskId:
    """Say a task."""
    return TaskId(f"x{number}", "a", 1, queue, workspace, priority)


async def known(queue: TaskQueue, count: int) -> None:
    """Wait until a member knows of so many queued tasks."""
    async with asyncio.timeout(PATIENCE_S):
        while len(queue) < count:
            await queue.arrived()


async def taken(
    queue: TaskQueue, count: int, queues: Sequence[str] = QUEUES, *, at_once: int = 1000
) -> list[TaskId]:
    """Take so many tasks, `at_once` at a time, waiting until they are there; and be done with them."""
    found: list[TaskId] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            got = await queue.take(queues, min(at_once, count - len(found)))
            await queue.done(got)
            found += got
            if not got:
                await queue.arrived()
    return found


class TaskQueueSuite:
    """What every TaskQueue must do; provide the fixture `queue`."""

    async def test_tasks_come_out_once(self, queue: TaskQueue) -> None:
        """C1: every task that is queued comes out once, in order of arrival."""
        tasks = [task(number) for number in range(5)]
        await queue.publish(tasks[:3])
        await queue.publish(tasks[3:])
        await known(queue, 5)

        assert await taken(queue, 5, at_once=2) == tasks
        assert (len(queue), await queue.take(QUEUES, 5)) == (0, [])

    async def test_a_task_comes_back_as_it_was(self, queue: TaskQueue) -> None:
        """A task is taken with every field that it was published with."""
        asked = TaskId("0190f0f0-0000-8000-8000-000000000000", "for/3:send e-mail", 7, "default", "ü:1", 0)
        await queue.publish([asked])

        assert await taken(queue, 1) == [asked]

    async def test_no_doubles(self, queue: TaskQueue) -> None:
        """A task that is queued already is not queued twice; one that was taken may be queued again."""
        await queue.publish([task(1), task(1)])
        await queue.publish([task(1), task(2)])
        await known(queue, 2)
        first = await taken(queue, 2)
        nothing = await queue.take(QUEUES, 5)
        await queue.publish([task(1)])

        assert (first, nothing, await taken(queue, 1)) == ([task(1), task(2)], [], [task(1)])

    async def test_attempts_are_apart(self, queue: TaskQueue) -> None:
        """Two attempts of one activity are two tasks."""
        attempts = [TaskId("x", "a", 1), TaskId("x", "a", 2)]
        await queue.publish(attempts)
        await known(queue, 2)

        assert await taken(queue, 2) == attempts

    async def test_workspaces_take_turns(self, queue: TaskQueue) -> None:
        """E5: a workspace with many tasks does not hold another one up."""
        await queue.publish([task(number, "loud") for number in range(50)])
        await queue.publish([task(number, "quiet") for number in range(50, 53)])
        await known(queue, 53)
        order = [each.workspace_id for each in await taken(queue, 53, at_once=4)]

        assert order[:6].count("quiet") == 3

    async def test_priorities(self, queue: TaskQueue) -> None:
        """Within a workspace a lower priority number goes first, then the order of arrival."""
        await queue.publish(
            [task(1, priority=9), task(2, priority=1), task(3, priority=5), task(4, priority=1)]
        )
        await known(queue, 4)

        assert [each.execution_id for each in await taken(queue, 4, at_once=1)] == ["x2", "x4", "x3", "x1"]

    async def test_queues_are_apart(self, queue: TaskQueue) -> None:
        """A poller gets tasks of the queues it asks for, and no others."""
        await queue.publish([task(1), task(2, queue="gpu"), task(3, queue="gpu")])
        await known(queue, 3)

        assert await queue.take(["nobody"], 5) == []
        assert await taken(queue, 2, ["gpu"]) == [task(2, queue="gpu"), task(3, queue="gpu")]
        assert {name: count for name, count in queue.depth().items() if count} == {"default": 1}
        assert await taken(queue, 1, ["gpu", "default"]) == [task(1)]

    async def test_no_more_than_asked_for(self, queue: TaskQueue) -> None:
        """A poller never gets more tasks than it has room for."""
        await queue.publish([task(number) for number in range(10)])
        await known(queue, 10)

        assert len(await queue.take(QUEUES, 3)) == 3
        assert len(queue) == 7

    async def test_done_is_safe_to_repeat(self, queue: TaskQueue) -> None:
        """A task can be reported done twice, or without ever having been there."""
        await queue.publish([task(1)])
        found = await taken(queue, 1)
        await queue.done(found)
        await queue.done([task(2)])
        await queue.publish([task(3)])

        assert await taken(queue, 1) == [task(3)]

    async def test_a_thousand_come_out(self, queue: TaskQueue) -> None:
        """A thousand tasks of many workspaces, published all at once, come out once each."""
        asked = [task(number, f"w{number % 37}", priority=number % 10) for number in range(1000)]
        await asyncio.gather(*(queue.publish(asked[start : start + 50]) for start in range(0, 1000, 50)))

        assert set(await taken(queue, 1000)) == set(asked)


class BrokerSuite(TaskQueueSuite):
    """What a queue of several members must do besides; provide `queue`, and `peer`, another member of it."""

    async def test_a_peer_takes_what_another_published(self, queue: TaskQueue, peer: TaskQueue) -> None:
        """E2, E3: what one member publishes another can take, and is told that it came."""
        waiting = asyncio.create_task(taken(peer, 1))
        await queue.publish([task(1)])

        assert await waiting == [task(1)]

    async def test_two_members_share_the_work(self, queue: TaskQueue, peer: TaskQueue) -> None:
        """Of two members that take at once, each task goes to one."""
        asked = {task(number, f"w{number % 5}") for number in range(200)}
        await queue.publish(list(asked))

        async def some(member: TaskQueue, found: list[TaskId]) -> None:
            while len(mine) + len(others) < len(asked):
                got = await member.take(QUEUES, 7)
                await member.done(got)
                found += got
                if not got:
                    await asyncio.wait_for(member.arrived(), PATIENCE_S)

        mine: list[TaskId] = []
        others: list[TaskId] = []
        working = {asyncio.create_task(some(queue, mine)), asyncio.create_task(some(peer, others))}
        _, unfinished = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        for each in unfinished:
            each.cancel()

        assert (len(mine) + len(others), {*mine, *others}) == (200, asked)
