"""An event loop whose time is virtual and whose order is drawn from a seed: the same seed, the same run.

Callbacks that are ready together run in random order; when nothing is ready, time jumps to the next timer.
A run that waits for nothing at all is a deadlock, and says so.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any
from weakref import WeakKeyDictionary

BEGINNING = 1_900_000_000.0
"""The instant at which virtual time begins, seconds since 1970."""


class Deadlock(Exception):
    """Nothing is ready and nothing will ever be."""


class _JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: time jumps instead."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[Any]:
        """Let time jump by `timeout`."""
        if timeout is None:
            raise Deadlock
        self.loop.elapsed_s += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module.

    Attributes:
        elapsed_s: Virtual seconds since the beginning.
        steps: Rounds so far.
    """

    def __init__(self, rng: random.Random) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self.elapsed_s = 0.0
        self.steps = 0
        self._rng = rng
        self._made = 0
        self._numbers: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        super().__init__(selector)
        self.set_task_factory(self._number)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self.elapsed_s

    def _number(self, loop: Any, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        """Make a task and note which one it is."""
        task = asyncio.Task(coro, loop=loop, **options)
        self._made += 1
        self._numbers[task] = self._made
        return task

    def _age(self, handle: Any) -> int:
        """Say which task a callback belongs to: sets of tasks are gone through in the order of addresses."""
        owner = getattr(handle._callback, "__self__", None)
        return self._numbers.get(owner, -1) if isinstance(owner, asyncio.Task) else -1

    def _run_once(self) -> None:
        """Shuffle what is ready, then go on as every loop does."""
        self.steps += 1
        ready: deque[Any] = self._ready  # type: ignore[attr-defined]  # of asyncio.BaseEventLoop
        if len(ready) > 1:
            shuffled: Sequence[Any] = self._rng.sample(sorted(ready, key=self._age), k=len(ready))
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]  # of asyncio.BaseEventLoop


class VirtualClock:
    """The clock of a virtual loop."""

    def now(self) -> float:
        """Seconds since 1970."""
        return BEGINNING + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return asyncio.get_running_loop().time()

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        await asyncio.sleep(delay_s)


def run(rng: random.Random, main: Coroutine[Any, Any, None]) -> VirtualLoop:
    """Run to the end in virtual time, and end whatever is left."""
    loop = VirtualLoop(rng)
    try:
        loop.run_until_complete(main)
    finally:
        while left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        loop.close()
    return loop
