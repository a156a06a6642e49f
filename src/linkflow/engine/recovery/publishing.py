"""Queues tasks beside other work: Matching may be away for seconds, and what needs none must not wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from linkflow.domain.errors import LinkFlowError
from linkflow.ports.services import TaskId

AHEAD = 20
"""Pages of tasks that may wait to be queued; then whoever brings more waits, too: memory is bounded."""

Publish = Callable[[Sequence[TaskId]], Awaitable[None]]
"""Queues tasks; returns when Matching has them."""


@asynccontextmanager
async def publishing(publish: Publish) -> AsyncIterator[Publish]:
    """Give what takes tasks now and queues them soon; at the end all are queued.

    Args:
        publish: Queues them.

    Raises:
        LinkFlowError: What the work within failed with, else why some could not be queued.
    """
    room = asyncio.Semaphore(AHEAD)
    failures: list[LinkFlowError] = []

    async def queue(tasks: Sequence[TaskId]) -> None:
        try:
            await publish(tasks)
        except LinkFlowError as error:
            failures.append(error)
        finally:
            room.release()

    async def later(tasks: Sequence[TaskId]) -> None:
        if tasks:
            await room.acquire()
            group.create_task(queue(tasks))

    async with asyncio.TaskGroup() as group:
        try:
            yield later
        except LinkFlowError as error:
            failures.insert(0, error)
    if failures:
        raise failures[0]
