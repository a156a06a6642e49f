"""Attempts run side by side; one that may be what stops workers runs alone, for a moment.

So what stops its worker stops nobody else with it, and is known by that. A suspect waits a little until the
others have ended, and the others wait a little until it has: a node that takes long holds nobody up for long.
Where there are many suspects, those whose turn does not come soon run with the others, and a crash
says nothing about them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

from linkflow.ports.clock import Clock

TURN_S = 1.0
"""How long a suspect waits for its turn."""

QUIET_S = 2.0
"""How long it waits then for the others to end."""

ALONE_S = 2.0
"""How long the others wait for a suspect to end."""

T = TypeVar("T")


class Company:
    """Says who runs beside whom."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running = 0
        self._quiet, self._open = asyncio.Event(), asyncio.Event()
        self._quiet.set()
        self._open.set()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Run beside others; wait for a suspect that runs, and not for the one after it."""
        if not self._open.is_set():
            await self._open.wait()
        self._running += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._quiet.set()

    async def alone(self, work: Callable[[bool], Coroutine[None, None, T]]) -> T:
        """Run a suspect: with nobody beside it, unless somebody takes long.

        Args:
            work: Runs it, told whether its turn has come; without, it runs beside others.
        """
        if not await self._has_turn():
            async with self.together():
                return await work(False)
        running: asyncio.Future[T] | None = None
        try:
            self._open.clear()
            try:
                await self._within(QUIET_S, self._quiet.wait())
                running = asyncio.ensure_future(work(True))
                await self._within(ALONE_S, asyncio.shield(running))
            finally:
                self._open.set()
                self._turn.release()
            return await running
        finally:
            if running is not None and not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def _has_turn(self) -> bool:
        """Wait for the turn of a suspect; whether it came soon."""
        asking = asyncio.ensure_future(self._turn.acquire())
        try:
            await self._within(TURN_S, asyncio.shield(asking))
        except asyncio.CancelledError:
            if asking.done():
                self._turn.release()
            asking.cancel()
            raise
        has_come = asking.done()
        asking.cancel()
        return has_come

    async def _within(self, seconds: float, awaited: Awaitable[object]) -> None:
        """Wait for something, at most so long; how it ended is not said."""
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(awaited)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
