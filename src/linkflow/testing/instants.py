"""The judge of start policies: reads from histories when executions were let begin, and what replaced which.

A rate keeps every instant it promised: each waiting execution has one, begins no sooner, and no stretch as
long as the period holds more of them than the limit. A debounce loses nothing: whatever it cancelled names
one that came later, and the last of these runs, no sooner than its time.

What a debounce may do is let one run too many, when it is asked too late; those are counted.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.domain.execution import events as e
from linkflow.ports.stores import Recorded

INEXACT_S = 0.05
"""How exactly processes know what time it is."""

ROUNDED_S = 1e-5
"""What is lost of an instant on its way through a database."""

PAGE = 500
_NAMED = re.compile(r"execution ([0-9a-f-]{36}) runs in its place")


class Start(msgspec.Struct, kw_only=True):
    """One start, as its history tells.

    Attributes:
        execution_id: Whose.
        came_at: When it came; instants are seconds since 1970.
        terms: What it was started with.
        promised: The instants that it was told of, oldest first; one that a debounce asked for included.
        reached_at: When it went on from there; 0 for never.
        newer: The execution that it says runs in its place; empty for none.
        end: Type of its last event.
    """

    execution_id: str
    came_at: float
    terms: e.WorkflowExecutionStarted
    promised: list[float]
    reached_at: float = 0.0
    newer: str = ""
    end: str = ""


class Instants(msgspec.Struct, frozen=True, kw_only=True):
    """What start policies did in a storm.

    Attributes:
        faults: Promises that were not kept, one line each.
        paced: Executions under a rate.
        waited: Those of them that did not begin at once.
        debounced: Executions under a debounce.
        replaced: Those of them that another one runs for.
        extra: Those of them that ran although another one came in time to take their place.
    """

    faults: Sequence[str] = ()
    paced: int = 0
    waited: int = 0
    debounced: int = 0
    replaced: int = 0
    extra: int = 0


async def instants(database: Database, *workflow_ids: str) -> Instants:
    """Read the histories of workflows that have a rate or a debounce, and judge them."""
    store = SqlHistoryStore(database)
    rows = await database.pool.fetch(
        "SELECT execution_id::text FROM engine.executions WHERE workflow_id = ANY($1)", list(workflow_ids)
    )
    starts: list[Start] = []
    for first in range(0, len(rows), PAGE):
        page = await store.load_runs([row[0] for row in rows[first : first + PAGE]])
        starts += [outline(execution_id, records) for execution_id, records in page.items()]
    return judged(starts)


def outline(execution_id: str, records: Sequence[Recorded]) -> Start:
    """Read of a history, oldest record first, what its start policies did."""
    started = records[0].events[0]
    assert isinstance(started, e.WorkflowExecutionStarted)
    found = Start(execution_id=execution_id, came_at=records[0].at, terms=started, promised=[])
    for record in records:
        for event in record.events:
            match event:
                case e.SlotAsked() if event.begins_at:
                    found.promised.append(event.begins_at)
                case e.SlotPromised():
                    found.promised.append(event.begins_at)
                case e.SlotReached():
                    found.reached_at = record.at
                case e.WorkflowExecutionCancelled() if named := _NAMED.search(event.reason):
                    found.newer = named[1]
            found.end = type(event).__name__
    return found


def judged(starts: Sequence[Start]) -> Instants:
    """Judge starts whose executions are over, each with a rate or a debounce."""
    paced, debounced = defaultdict[str, list[Start]](list), defaultdict[str, list[Start]](list)
    for start in sorted(starts, key=_order):
        if start.terms.rate is not None:
            paced[start.terms.rate.key].append(start)
        elif start.terms.debounce is not None:
            debounced[start.terms.debounce.key].append(start)
    return Instants(
        faults=[
            *(fault for line in paced.values() for fault in _rate_faults(line)),
            *(fault for line in debounced.values() for fault in _debounce_faults(line)),
        ],
        paced=sum(map(len, paced.values())),
        waited=sum(start.reached_at > start.came_at + INEXACT_S for line in paced.values() for start in line),
        debounced=sum(map(len, debounced.values())),
        replaced=sum(bool(start.newer) for line in debounced.values() for start in line),
        extra=sum(map(_extra, debounced.values())),
    )


def _rate_faults(line: Sequence[Start]) -> Iterator[str]:
    """Say which promises of a rate were not kept; the line is everybody under one key."""
    for start in line:
        if len(start.promised) != 1:
            yield f"{start.execution_id} was promised {len(start.promised)} instants"
        yield from _early(start)
    taken = sorted(instant for start in line for instant in start.promised)
    policy = line[0].terms.rate
    assert policy is not None
    for first, last in zip(taken, taken[policy.limit :], strict=False):
        if last - first < policy.period_s - ROUNDED_S:
            yield (
                f"{policy.limit + 1} executions were let begin within {last - first:.3f} s, "
                f"and the rate is {policy.limit} in {policy.period_s:g} s"
            )


def _debounce_faults(line: Sequence[Start]) -> Iterator[str]:
    """Say which promises of a debounce were not kept; the line is everybody under one key."""
    known: Mapping[str, Start] = {start.execution_id: start for start in line}
    for start in line:
        if start.end != "WorkflowExecutionCancelled":
            yield from _early(start)
        elif start.newer not in known:
            yield f"{start.execution_id} was cancelled, and nothing runs in its place"
        elif _order(known[start.newer]) < _order(start):
            yield f"{start.execution_id} was cancelled for {start.newer}, which came before it"


def _early(start: Start) -> Iterator[str]:
    if start.promised and start.reached_at < start.promised[-1] - INEXACT_S:
        yield f"{start.execution_id} went on {start.promised[-1] - start.reached_at:.3f} s before its instant"


def _extra(line: Sequence[Start]) -> int:
    """Count those that ran, and need not have: the next one came before their instant."""
    return sum(not before.newer and after.came_at < before.promised[-1] for before, after in pairwise(line))


def _order(start: Start) -> tuple[float, str]:
    return start.came_at, start.execution_id
