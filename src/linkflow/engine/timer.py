"""Timer: wakes executions whose time has come.

Near wake-ups are in memory; far ones are found in the store, where parked executions say when they want to
be woken. A wake-up that comes twice, or for nothing, changes nothing. Of several timers each looks into the
store for its part of the shards, and keeps in memory whatever it is told.
"""

import asyncio
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Protocol

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import SHARDS
from linkflow.ports.clock import Clock
from linkflow.ports.services import History
from linkflow.ports.stores import HistoryStore
from linkflow.telemetry import metrics

LOOK_EVERY_S = 20.0
"""How often the store is asked for wake-ups that come near."""

LOOK_AHEAD_S = 60.0
LOOK_LIMIT = 5_000
BATCH = 500

log = telemetry.logger("timer")
_fired = metrics.counter("linkflow_timers_fired_total")
_late = metrics.histogram("linkflow_timers_lag_seconds")


class Ranges(Protocol):
    """The part of the shards that is this timer's.

    Attributes:
        gained: Set whenever there is more; whoever works on it clears it.
    """

    gained: asyncio.Event

    @property
    def held(self) -> Sequence[tuple[int, int]]:
        """The ranges that are ours just now: first shard, and the first one that is not."""
        ...

    async def run(self) -> None:
        """Take, keep and give back ranges for ever."""
        ...


class Timer:
    """Wake-ups; see `ports.services.Timer`."""

    def __init__(self, store: HistoryStore, clock: Clock, ranges: Ranges | None = None) -> None:
        """Put it together; `ranges` are our part of the store, all of it without them."""
        self._ranges = ranges
        self._store = store
        self._clock = clock
        self._history: History | None = None
        self._heap: list[tuple[float, str]] = []
        self._planned: dict[str, float] = {}
        self._sooner = asyncio.Event()

    def connect(self, history: History) -> None:
        """Say which History is woken."""
        self._history = history

    def schedule(self, execution_id: str, at: float) -> None:
        """Plan a wake-up; see the port."""
        planned = self._planned.get(execution_id)
        if planned is not None and planned <= at:
            return
        self._planned[execution_id] = at
        is_first = not self._heap or at < self._heap[0][0]
        heappush(self._heap, (at, execution_id))
        if is_first:
            self._sooner.set()

    async def run(self) -> None:
        """Wake for ever."""
        pending = {"linkflow_timers_pending": lambda: len(self._planned)}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_ahead(), name="timer look-ahead")
            if self._ranges is not None:
                group.create_task(self._ranges.run(), name="timer ranges")
            with metrics.reading(pending):
                while True:
                    await self._until_due()
                    due = self._take_due()
                    for start in range(0, len(due), BATCH):
                        group.create_task(self._wake(due[start : start + BATCH]))

    async def _until_due(self) -> None:
        self._sooner.clear()
        wait_s = self._heap[0][0] - self._clock.now() if self._heap else LOOK_EVERY_S
        if wait_s <= 0:
            return
        waits = [asyncio.ensure_future(self._clock.sleep(wait_s)), asyncio.ensure_future(self._sooner.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _take_due(self) -> list[str]:
        now = self._clock.now()
        due: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            at, execution_id = heappop(self._heap)
            if self._planned.get(execution_id) == at:
                del self._planned[execution_id]
                due.append(execution_id)
                _late.observe(now - at)
        return due

    async def _wake(self, execution_ids: list[str]) -> None:
        """Wake executions; what fails is found again, in memory by the auditor, else in the store."""
        assert self._history is not None, "connect comes first"
        try:
            await self._history.wake(execution_ids)
            _fired.inc(len(execution_ids))
        except LinkFlowError as error:
            log.warning("not woken; tried again", count=len(execution_ids), error=str(error))
        except Exception:  # a bug must not stop the clock of all the others
            log.exception("not woken; tried again", count=len(execution_ids))

    async def look_once(self) -> int:
        """Plan what the store says comes near; how many executions that were, at most, in one range."""
        count = 0
        for shards in [(0, SHARDS)] if self._ranges is None else self._ranges.held:
            found = await self._store.due(self._clock.now() + LOOK_AHEAD_S, LOOK_LIMIT, shards=shards)
            for execution_id, at in found:
                self.schedule(execution_id, at)
            count = max(count, len(found))
        return count

    async def _look_ahead(self) -> None:
        while True:
            wait_s = LOOK_EVERY_S
            try:
                if await self.look_once() == LOOK_LIMIT:
                    wait_s = 1.0
            except LinkFlowError as error:
                log.warning("could not look for wake-ups; tried again", error=str(error))
                wait_s = 1.0
            except Exception:  # a bug must not end the look-outs
                log.exception("could not look for wake-ups; tried again")
            await self._pause(wait_s)

    async def _pause(self, wait_s: float) -> None:
        """Wait, but not when a range of the store has become ours."""
        if self._ranges is None:
            await self._clock.sleep(wait_s)
            return
        waits = [
            asyncio.ensure_future(self._clock.sleep(wait_s)),
            asyncio.ensure_future(self._ranges.gained.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._ranges.gained.clear()
