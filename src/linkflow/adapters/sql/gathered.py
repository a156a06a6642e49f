"""Reads of one thing each that are asked at the same time become one statement, as appends do.

What is asked while a statement is under way goes with the next one, so nobody hears what was true before the
question; and who asks alone waits for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from linkflow.domain.errors import Unavailable

MOST = 100
"""Things read by one statement."""

V = TypeVar("V")


class Gathered(Generic[V]):
    """See the module; `run` must be running."""

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]]) -> None:
        """Put it together; `read` reads several by their ids, and leaves out what is not there."""
        self._read = read
        self._asked: dict[str, list[asyncio.Future[V | None]]] = {}
        self._work = asyncio.Event()

    async def get(self, key: str) -> V | None:
        """Read one; None when it is not there.

        Raises:
            LinkFlowError: What the read raised.
        """
        answer: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        self._work.set()
        return await answer

    async def run(self) -> None:
        """Read for ever."""
        batch: dict[str, list[asyncio.Future[V | None]]] = {}
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                while self._asked:
                    batch = dict(islice(self._asked.items(), MOST))
                    for key in batch:
                        del self._asked[key]
                    await self._answer(batch)
        finally:
            for key, waiting in (*batch.items(), *self._asked.items()):
                _fail(waiting, Unavailable(f"The store was closed before {key} was read."))

    async def _answer(self, batch: Mapping[str, Sequence["asyncio.Future[V | None]"]]) -> None:
        """Read a batch; one by one when that fails: what cannot be read keeps nothing else from it."""
        try:
            found = await self._read(list(batch))
        except Unavailable as error:
            for waiting in batch.values():
                _fail(waiting, error)
        except Exception as error:  # noqa: BLE001  whoever asked for what cannot be read is told of it
            if len(batch) == 1:
                (waiting,) = batch.values()
                _fail(waiting, error)
                return
            for key, waiting in batch.items():
                await self._answer({key: waiting})
        else:
            for key, waiting in batch.items():
                _tell(waiting, found.get(key))


def _tell(waiting: Sequence["asyncio.Future[V | None]"], value: V | None) -> None:
    """Answer whoever still waits."""
    for answer in waiting:
        if not answer.done():
            answer.set_result(value)


def _fail(waiting: Sequence["asyncio.Future[V | None]"], error: Exception) -> None:
    """Tell whoever still waits what went wrong."""
    for answer in waiting:
        if not answer.done():
            answer.set_exception(error)
