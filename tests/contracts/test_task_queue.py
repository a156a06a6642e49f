"""TaskQueue: every implementation keeps the same promises."""

import pytest

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.testing.queue_suite import TaskQueueSuite


class TestMemory(TaskQueueSuite):
    """Tasks in this process."""

    @pytest.fixture
    def store(self) -> MemoryTaskQueue:
        """An empty queue."""
        return MemoryTaskQueue()
