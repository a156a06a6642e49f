"""A broker in the hand of a test: it answers when it is told, others publish, and it loses everything."""

import asyncio
from collections.abc import Sequence

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.ports.services import TaskId


class FakeBroker(MemoryTaskQueue):
    """A TaskQueue.

    Attributes:
        answers: Cleared, `take` waits until it is set.
        asked: Set when somebody takes.
        finished: Tasks that were reported done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.answers, self.asked = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.finished: list[TaskId] = []
        self._came, self._gone = asyncio.Event(), asyncio.Event()

    async def take(self, queues: Sequence[str], count: int) -> Sequence[TaskId]:
        """Take tasks once it answers."""
        self.asked.set()
        await self.answers.wait()
        return await super().take(queues, count)

    async def done(self, tasks: Sequence[TaskId]) -> None:
        """Note what is dealt with."""
        self.finished += tasks

    async def publish_elsewhere(self, tasks: Sequence[TaskId]) -> None:
        """Publish as another member."""
        await self.publish(tasks)
        self._came.set()

    async def lose(self) -> None:
        """Lose everything, and notice."""
        await super().take(list(self.depth()), len(self))
        self._gone.set()

    async def arrived(self) -> None:
        """Wait for other members."""
        await self._came.wait()
        self._came.clear()

    async def lost(self) -> None:
        """Wait for a loss."""
        await self._gone.wait()
        self._gone.clear()
