"""The judge of "never stuck": how long an execution stood still while nothing at all would have moved it on.

Silence alone does not say it. A delay is silent by right, and so is a task that waits in line for a worker,
as long as there is a line: while workers are killed, it grows. So each silence is looked at by what was open.

- A worker had it: it should have ended, or been given to another one. All of the silence counts.
- It waited for an instant: what passed after it counts; all of it, until the instant is known.
- It waited for a worker: the longest time counts in which nobody was in line, so it was not either.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.system import SystemClock
from linkflow.domain.execution import events as e
from linkflow.ports.stores import Recorded
from linkflow.testing.cluster import Processes
from linkflow.testing.histories import ENDS

LOOK_S = 1.0
DEPTH = "linkflow_task_queue_depth"
PAGE = 500

SILENT = """
SELECT DISTINCT execution_id::text FROM (
    SELECT execution_id, at - lag(at) OVER (PARTITION BY execution_id ORDER BY first_event) AS silence
    FROM engine.history_events) s WHERE silence > make_interval(secs => $1)"""


class Standstill(msgspec.Struct, frozen=True, order=True):
    """A time in which nothing would have moved an execution on.

    Attributes:
        seconds: How long.
        what: What was open.
        until: When it ended, seconds since 1970.
        execution_id: Whose.
    """

    seconds: float
    what: str
    until: float
    execution_id: str = ""


class Line:
    """Whether anybody was in line for a worker, looked at again and again."""

    def __init__(self, seen: Sequence[tuple[float, bool]] = ()) -> None:
        """Begin with what was seen: (seconds since 1970, whether somebody was in line), oldest first."""
        self._seen = list(seen)

    def see(self, at: float, *, is_there: bool) -> None:
        """Note what is so just now."""
        self._seen.append((at, is_there))

    def missing_s(self, since: float, until: float) -> float:
        """Say how long at the most nobody was in line, in seconds; nothing is known before the first look."""
        longest, began = 0.0, since
        for at, is_there in self._seen[bisect_left(self._seen, (since, False)) :]:
            if at >= until:
                break
            if is_there:
                longest, began = max(longest, at - began), at
        return max(longest, until - began)


@asynccontextmanager
async def watching(running: Processes, *names: str) -> AsyncIterator[Line]:
    """Look at the line until the block is left.

    Args:
        running: The processes.
        names: Those that may be the active Matching.
    """
    line, clock = Line(), SystemClock()

    async def depth(name: str) -> float:
        if not running.lives[name].ports:
            return 0.0  # it does not serve yet
        try:
            return await running.measured(name, DEPTH)
        except (aiohttp.ClientError, OSError):
            return 0.0  # it is dead

    async def watch() -> None:
        while True:
            depths = await asyncio.gather(*(depth(name) for name in names))
            line.see(clock.now(), is_there=any(depths))
            await clock.sleep(LOOK_S)

    watched = asyncio.ensure_future(watch())
    try:
        yield line
    finally:
        watched.cancel()
        await asyncio.gather(watched, return_exceptions=True)


async def stood_still(database: Database, line: Line, least_s: float) -> Sequence[Standstill]:
    """Read the histories with a long silence, and say which of them stood still, the longest first."""
    store = SqlHistoryStore(database)
    ids = [row[0] for row in await database.pool.fetch(SILENT, least_s)]
    found: list[Standstill] = []
    for start in range(0, len(ids), PAGE):
        for execution_id, records in (await store.load_runs(ids[start : start + PAGE])).items():
            found += [
                msgspec.structs.replace(each, execution_id=execution_id)
                for each in standstills(records, line)
                if each.seconds > least_s
            ]
    return sorted(found, reverse=True)


def standstills(records: Sequence[Recorded], line: Line) -> Iterator[Standstill]:
    """Say for each silence of a history how long nothing would have moved it on, where that is so at all."""
    since: Mapping[str, _Since] = {}
    before: Recorded | None = None
    for record in records:
        if before is not None:
            counts = [(count(before.at, record.at, line), what) for what, count in since.values()]
            seconds, what = max(counts, default=(record.at - before.at, "nothing was open"))
            if seconds > 0:
                yield Standstill(seconds, what, record.at)
        since = _opened(since, record.events)
        before = record


_Since = tuple[str, Callable[[float, float, Line], float]]
"""What is open, and how long it stood still in a silence: from, until, the line."""


def _opened(since: Mapping[str, _Since], events: Sequence[e.Event]) -> Mapping[str, _Since]:
    """Say what is open after further events, by the node's key."""
    found = dict(since)
    for event in events:
        key: str = getattr(event, "key", "")
        match event:
            case e.ActivityTaskScheduled():
                found[key] = (
                    f"{key} waits for a worker",
                    lambda since, until, line: line.missing_s(since, until),
                )
            case e.ActivityTaskStarted():
                found[key] = f"{key} is on {event.session}", lambda since, until, line: until - since
            case e.ActivityTaskRetryScheduled():
                found[key] = f"{key} is tried again", _after(event.at)
            case e.TimerStarted():
                found[key] = f"{key} sleeps", _after(event.fire_at)
            case e.TicketQueued():
                found[""] = "it waits for its turn", lambda since, until, line: 0.0
            case e.SlotAsked() | e.SlotPromised():
                found[""] = "it waits for its instant", _after(event.begins_at)
            case e.TicketGranted() | e.SlotReached():
                found.pop("", None)
            case _ if isinstance(event, (*ENDS, e.TimerFired, e.TimerCancelled)):
                found.pop(key, None)
    return found


def _after(instant: float) -> Callable[[float, float, Line], float]:
    return lambda since, until, line: max(0.0, until - max(since, instant))
