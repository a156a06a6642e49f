"""Work that is ready: ids of tasks, which a queue may lose or double without harm."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from linkflow.ports.services import TaskId


class TaskQueue(Protocol):
    """Ids of tasks that no worker has yet.

    Fair between workspaces, lower `priority` first within one. History is the truth: it publishes again
    whatever a queue has lost or had no room for, and starts a task that was taken twice once.
    """

    def __len__(self) -> int:
        """Count what this member knows to be queued."""
        ...

    async def publish(self, tasks: Sequence[TaskId]) -> None:
        """Queue tasks; one that is queued already is not queued twice.

        Raises:
            Unavailable: The broker does not answer; some may be queued.
        """
        ...

    async def take(self, queues: Sequence[str], count: int) -> Sequence[TaskId]:
        """Take up to `count` tasks of these queues; empty when there are none.

        Raises:
            Unavailable: The broker does not answer; nothing was taken for good.
        """
        ...

    async def done(self, tasks: Sequence[TaskId]) -> None:
        """Say that taken tasks are dealt with. Safe to repeat."""
        ...

    async def arrived(self) -> None:
        """Wait until tasks may be there that this member did not publish; may return for nothing."""
        ...

    async def lost(self) -> None:
        """Wait until tasks may be lost (the broker was wiped or away): publish again what is open."""
        ...

    def depth(self) -> Mapping[str, int]:
        """Count queued tasks by queue."""
        ...
