"""Matching says how its queues stand."""

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.engine.matching.service import Matching
from linkflow.ports.services import QueueView, TaskId


def tasks(count: int, queue: str = "default") -> list[TaskId]:
    return [TaskId(f"e{number}", "n", 1, queue) for number in range(count)]


async def test_a_queue_says_what_waits_and_since_when() -> None:
    """Depth, the age of the oldest, what workers have and could have are told by queue."""
    now = [100.0]
    matching = Matching(MemoryTaskQueue(), lambda: now[0])
    await matching.poll("s1", ["default"], 3, 0.0)
    await matching.poll("s2", ["default", "gpu"], 2, 0.0)
    taken = matching.reserve("default", 4)
    await matching.add(tasks(2))
    now[0] += 7.5
    await matching.add(tasks(3))

    default, gpu = matching.queues()

    assert 4 == len(taken)
    assert QueueView(name="default", depth=3, oldest_s=7.5, in_flight=4, credits=1, workers=2) == default
    assert ("gpu", 0, 0.0, 1) == (gpu.name, gpu.depth, gpu.oldest_s, gpu.workers)


async def test_a_queue_nobody_works_on_is_shown() -> None:
    """A queue that has tasks and no worker is the one that people look for."""
    matching = Matching(MemoryTaskQueue())
    await matching.add(tasks(1, "gpu"))

    (gpu,) = matching.queues()

    assert ("gpu", 1, 0) == (gpu.name, gpu.depth, gpu.workers)
