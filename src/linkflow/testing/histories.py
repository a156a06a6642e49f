"""The judge of histories: reads what an execution recorded and says what must never be there.

A history is linear when one writer after the other extended it: events 1..n without a gap, one start, nothing
after the end, every attempt started at most once, by one session, and ended at most once, and no effect begun
after the event that forbade it. The fault tests read every execution with it after each run.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.domain.execution import events as e
from linkflow.ports.stores import Recorded

Ended = e.ActivityTaskCompleted | e.ActivityTaskFailed | e.ActivityTaskUnknown | e.ActivityTaskCancelled
ENDS = (
    e.ActivityTaskCompleted,
    e.ActivityTaskFailed,
    e.ActivityTaskUnknown,
    e.ActivityTaskCancelled,
)
PAGE = 500
SECOND_ENDS = {
    ("ActivityTaskUnknown", name)
    for name in ("ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskCancelled")
}
"""What may follow: somebody found out, or decided, how an unknown attempt had ended."""


def faults(records: Sequence[Recorded], version: int) -> Iterator[str]:
    """Say what is wrong with a history, one line each; nothing when it is linear.

    Args:
        records: Oldest first, all of them.
        version: The number of events that the execution's head row says there are.
    """
    numbers = [number for each in records for number in range(each.first, each.first + len(each.events))]
    if numbers != list(range(1, version + 1)):
        yield f"events are numbered {_brief(numbers)}, the head says 1..{version}"
    events = [event for each in records for event in each.events]
    numbered = list(enumerate(events, 1))
    starts = [number for number, event in numbered if isinstance(event, e.WorkflowExecutionStarted)]
    if starts != [1]:
        yield f"it starts at {starts or 'no event'}, not at event 1 alone"
    ends = [number for number, event in numbered if isinstance(event, e.CLOSING)]
    if len(ends) > 1:
        yield f"it ends {len(ends)} times, at events {ends}"
    if ends and ends[0] != len(events):
        after = [type(event).__name__ for event in events[ends[0] :]]
        yield f"it goes on after its end: {', '.join(after)}"
    yield from _attempts(events)


class _Attempts:
    """Every attempt of one history: scheduled, started once, ended once."""

    def __init__(self) -> None:
        self._scheduled: set[tuple[str, int]] = set()
        self._started: dict[tuple[str, int], str] = {}
        self._ended: dict[tuple[str, int], str] = {}

    def scheduled(self, event: e.ActivityTaskScheduled) -> Iterator[str]:
        place = (event.key, event.attempt)
        if place in self._scheduled:
            yield "is scheduled again"
        self._scheduled.add(place)

    def started(self, event: e.ActivityTaskStarted) -> Iterator[str]:
        place = (event.key, event.attempt)
        if place not in self._scheduled:
            yield "is started and was not scheduled"
        if place in self._started and not (event.begins and event.session == self._started[place]):
            yield f"is started on {event.session} and had been on {self._started[place]}"
        if place in self._ended:
            yield "is started after its end"
        self._started[place] = event.session

    def ended(self, event: Ended) -> Iterator[str]:
        place, name = (event.key, event.attempt), type(event).__name__
        before = self._ended.get(place)
        if before is not None and (before, name) not in SECOND_ENDS:
            yield f"ends twice: {before}, then {name}"
        if before is None and isinstance(event, e.ActivityTaskCompleted) and place not in self._started:
            yield "is completed and was not started"
        self._ended[place] = name


def _attempts(events: Sequence[e.Event]) -> Iterator[str]:
    """Say what is wrong with the attempts of a history."""
    attempts = _Attempts()
    for number, event in enumerate(events, 1):
        found: Iterator[str] = iter(())
        if isinstance(event, e.ActivityTaskScheduled):
            found = attempts.scheduled(event)
        elif isinstance(event, e.ActivityTaskStarted):
            found = attempts.started(event)
        elif isinstance(event, ENDS):
            found = attempts.ended(event)
        for fault in found:
            yield f"event {number}: attempt {event.attempt} of {event.key} {fault}"  # type: ignore[attr-defined]


def _brief(numbers: Sequence[int]) -> str:
    """Write numbers so that one sees where the gap is."""
    if not numbers:
        return "not at all"
    parts, first = [], numbers[0]
    for before, number in zip(numbers, [*numbers[1:], -1], strict=True):
        if number != before + 1:
            parts.append(f"{first}..{before}" if first != before else str(first))
            first = number
    return ", ".join(parts)


async def crooked(database: Database) -> AsyncIterator[tuple[str, str]]:
    """Read every history in a database: (execution id, what is wrong with it)."""
    store = SqlHistoryStore(database)
    heads = await database.pool.fetch(
        "SELECT execution_id::text, version, run_event FROM engine.executions ORDER BY 1"
    )
    for start in range(0, len(heads), PAGE):
        page = heads[start : start + PAGE]
        whole = await store.load_runs([each[0] for each in page if each[2] == 1])
        for execution_id, version, run_event in page:
            if run_event == 1:
                records = whole.get(execution_id, ())
            else:
                records = await store.load(execution_id)
            for fault in faults(records, version):
                yield execution_id, fault
