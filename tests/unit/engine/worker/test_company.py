"""Who runs beside whom on a worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from linkflow.engine.worker.company import ALONE_S, QUIET_S, TURN_S, Company
from linkflow.testing.fakes import FixedClock

TURNS = 20


class Scene:
    """Attempts that run until they are let go.

    Attributes:
        running: Those that run just now.
        alone: Suspects whose turn came.
    """

    def __init__(self) -> None:
        self.clock = FixedClock()
        clock: Any = self.clock
        self.running: list[str] = []
        self.alone: list[str] = []
        self._company = Company(clock)
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, name: str, *, is_suspect: bool = False) -> asyncio.Task[None]:
        """Begin an attempt, and see what comes of it."""
        self._ends[name] = asyncio.Event()
        work = (
            self._company.alone(lambda is_alone: self._suspect(name, is_alone))
            if is_suspect
            else self._together(name)
        )
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        await self.rest()
        return task

    async def end(self, name: str) -> None:
        """Let an attempt end."""
        self._ends[name].set()
        await self.rest()

    async def rest(self) -> None:
        """Wait until nothing moves."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Cancel what is left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _together(self, name: str) -> None:
        async with self._company.together():
            await self._work(name)

    async def _suspect(self, name: str, is_alone: bool) -> None:  # the outcome itself
        if is_alone:
            self.alone.append(name)
        await self._work(name)

    async def _work(self, name: str) -> None:
        self.running.append(name)
        try:
            await self._ends[name].wait()
        finally:
            self.running.remove(name)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Play until the block is left."""
    found = Scene()
    try:
        yield found
    finally:
        await found.stop()


async def test_a_suspect_runs_alone() -> None:
    """It waits until the others have ended; those that come meanwhile wait until it has."""
    seen: list[list[str]] = []
    async with scene() as found:
        await found.begin("first")
        await found.begin("suspect", is_suspect=True)
        await found.begin("later")
        seen.append(list(found.running))
        await found.end("first")
        seen.append(list(found.running))
        await found.end("suspect")
        seen.append(list(found.running))

    assert [["first"], ["suspect"], ["later"]] == seen


async def test_what_takes_long_holds_nobody_up() -> None:
    """A suspect waits a little for one that takes long; the others wait a little for a suspect that does."""
    seen: list[list[str]] = []
    async with scene() as found:
        await found.begin("long")
        await found.begin("suspect", is_suspect=True)
        await found.begin("later")
        await found.clock.turn(QUIET_S)
        await found.rest()
        seen.append(list(found.running))
        await found.clock.turn(ALONE_S)
        await found.rest()
        seen.append(list(found.running))

    assert [["long", "suspect"], ["long", "suspect", "later"]] == seen


async def test_suspects_take_turns_with_the_others() -> None:
    """Of two suspects one runs; who waited for the first runs before the second."""
    seen: list[list[str]] = []
    async with scene() as found:
        for name in ("one", "two"):
            await found.begin(name, is_suspect=True)
        await found.begin("other")
        seen.append(list(found.running))
        await found.end("one")
        seen.append(list(found.running))
        await found.end("other")
        seen.append(list(found.running))

    assert [["one"], ["other"], ["two"]] == seen


async def test_a_suspect_whose_turn_does_not_come_runs_beside_others() -> None:
    """Of many suspects not all can be alone: after a while the rest runs with the others, not watched."""
    async with scene() as found:
        for name in ("one", "two", "three"):
            await found.begin(name, is_suspect=True)
        await found.clock.turn(TURN_S)
        await found.rest()
        before = list(found.running)
        await found.end("one")

        assert (["one"], ["one"]) == (before, found.alone)
        assert {"two", "three"} == set(found.running)


async def test_a_suspect_that_is_stopped_makes_room() -> None:
    """Stopped while it waits or while it runs, it leaves the others their turn."""
    async with scene() as found:
        await found.begin("first")
        waiting = await found.begin("waiting", is_suspect=True)
        waiting.cancel()
        await found.end("first")
        running = await found.begin("suspect", is_suspect=True)
        running.cancel()
        await found.begin("later")
        left = list(found.running)

    assert (["later"], True, True) == (left, waiting.cancelled(), running.cancelled())
