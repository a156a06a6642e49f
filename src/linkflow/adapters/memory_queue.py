"""TaskQueue in this process: enough for the embedded mode, because histories are the truth."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import count

from linkflow.ports.services import TaskId


class MemoryTaskQueue:
    """Workspaces take turns, one task each; within one, priority and then order of arrival decide."""

    def __init__(self) -> None:
        self._waiting: dict[str, OrderedDict[str, list[tuple[int, int, TaskId]]]] = {}
        self._known: set[TaskId] = set()
        self._arrival = count()

    def __len__(self) -> int:
        """Count queued tasks."""
        return len(self._known)

    async def publish(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks; see the port."""
        for task in tasks:
            if task in self._known:
                continue
            self._known.add(task)
            lanes = self._waiting.setdefault(task.queue, OrderedDict())
            heappush(lanes.setdefault(task.workspace_id, []), (task.priority, next(self._arrival), task))

    async def take(self, queues: Sequence[str], count: int) -> Sequence[TaskId]:
        """Take tasks, workspaces in turn; see the port."""
        found: list[TaskId] = []
        for queue in queues:
            lanes = self._waiting.get(queue)
            while lanes and len(found) < count:
                workspace_id, lane = next(iter(lanes.items()))
                task = heappop(lane)[2]
                self._known.discard(task)
                found.append(task)
                if lane:
                    lanes.move_to_end(workspace_id)
                else:
                    del lanes[workspace_id]
        return found

    async def done(self, tasks: Sequence[TaskId]) -> None:
        """Nothing is kept of taken tasks."""

    async def arrived(self) -> None:
        """Nobody else publishes: wait for ever."""
        await asyncio.Event().wait()

    async def lost(self) -> None:
        """What is in this process is lost with it: wait for ever."""
        await asyncio.Event().wait()

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks by queue."""
        return Counter(task.queue for task in self._known)
