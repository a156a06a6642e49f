"""The life of a rescue: the auditor finds what nothing moves on, says so, and wakes it."""

from typing import Any

import pytest

from linkflow.adapters.memory import MemoryEventBus
from linkflow.adapters.sql.stuck import SqlStuck
from linkflow.ports.services import Driver, Explanation
from linkflow.ports.upkeep import Fenced, Turn
from linkflow.scheduler.rescue import OVERDUE_S, PATIENCE_S, Rescue, is_stuck
from linkflow.testing.fakes import NOW, FixedClock
from linkflow.testing.live import Live

WAITING = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "wait", "type": "logic.delay", "config": {"minutes": 5}}],
    "edges": [{"source": "start", "target": "wait"}],
}
EVENT = """INSERT INTO control.trigger_events (workspace_id, id, kind, source_id, at_ms, request, body, data,
    state, reason, starts, held_until_ms) VALUES"""


def rescue(live: Live, ahead_s: float) -> Rescue:
    """Build the duty of a LinkFlow as it will be a while later."""
    database = live.running.database
    clock = FixedClock(live.running.plane.clock.now() + ahead_s)
    stuck = SqlStuck(database, database)
    return Rescue(stuck, live.running.plane.executions, MemoryEventBus(), clock)


async def test_what_waits_is_not_stuck(live: Live) -> None:
    """An execution that waits for its time is not stuck, and nothing is found where all goes well."""
    waiting = await live.start(await live.made(WAITING))
    await live.waits(waiting)
    found = await rescue(live, 2 * PATIENCE_S).do(Turn(token=1))

    assert (0, [], 0) == (found["stuck"], found["examples"], found["pending_events"])


async def test_what_is_overdue_is_woken(live: Live) -> None:
    """D34: an execution whose time has passed without its going on is found, named, and woken."""
    waiting = await live.start(await live.made(WAITING))
    await live.waits(waiting)
    later = rescue(live, 3600)
    dry = await later.do(Turn(token=1, is_dry=True))
    done = await later.do(Turn(token=1))
    woken = await live.running.database.pool.fetchval(
        "SELECT wakeup_at <= clock_timestamp() FROM engine.executions WHERE execution_id = $1", waiting
    )

    assert [waiting] == [each["execution_id"] for each in done["examples"]]
    assert (dry, True) == (done, woken)


async def test_events_that_nobody_starts_are_told(live: Live) -> None:
    """D34: trigger events that nobody started for long are counted, with the age of the oldest."""
    pool = live.running.database.pool
    await pool.execute(f"{EVENT} ('w', 'broken', 'event', 's', 0, '{{}}', '', '', 'pending', '', '[]', 0)")
    live.running.plane.bus.publish("inbox")
    while await pool.fetchval("SELECT count(*) FROM control.trigger_events WHERE state = 'pending'"):
        pass  # the inbox refuses what it cannot read, and has released by then what the last run had held
    await pool.execute(f"{EVENT} ('w', 'e', 'event', 's', 0, '{{}}', '', '', 'pending', '', '[]', 9e15)")
    found = await rescue(live, 0).do(Turn(token=1))

    assert (1, True) == (found["pending_events"], found["oldest_pending_s"] > 1e9)


async def test_yesterdays_leader_wakes_nothing(live: Live) -> None:
    """C13r: a leader whose token is older than one seen before wakes nothing."""
    database = live.running.database
    stuck = SqlStuck(database, database)
    await stuck.wake([], 10**9)

    with pytest.raises(Fenced):
        await stuck.wake([], 10**9 - 1)


@pytest.mark.parametrize(
    ("drivers", "expected"),
    [
        ([], True),
        ([{"kind": "ready"}], True),
        ([{"kind": "timer", "until": NOW - OVERDUE_S - 1}], True),
        ([{"kind": "timer", "until": NOW - 1}], False),
        ([{"kind": "person"}], False),
        ([{"kind": "timer", "until": NOW - OVERDUE_S - 1}, {"kind": "task"}], False),
    ],
)
def test_what_stuck_means(drivers: list[Any], expected: bool) -> None:
    """An open execution is stuck when nothing moves it on but what should have long ago."""
    found = Explanation(
        execution_id="e",
        status="running",
        summary="",
        version=1,
        drivers=[Driver(message="", **each) for each in drivers],
    )

    assert expected == is_stuck(found, NOW)
