"""Two schedulers that both believe to lead: every fire starts one execution, by every misfire policy."""

import asyncio
from collections import Counter

import pytest

from linkflow.adapters.memory import MemoryEventBus
from linkflow.scheduler.cron import Cron
from linkflow.testing.fakes import FixedClock
from linkflow.testing.live import Live

MISSED = 100
"""Fires that one schedule makes up for at once; see `domain.schedule.MAX_MISSED`."""

FIRES, FULL_FIRES = 500, 10_000
INTERVAL_S = 600.0
HELLO = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "hello", "type": "data.set", "config": {"values": {"at": "{{input.scheduled_time}}"}}}],
    "edges": [{"source": "start", "target": "hello"}],
}


async def scheduled(live: Live, count: int, misfire: str = "all") -> list[str]:
    """Make schedules of one workflow and return their ids."""
    workflow_id = await live.made(HELLO)
    made = []
    for _ in range(count):
        body = {"workflow_id": workflow_id, "interval_s": INTERVAL_S, "misfire": misfire}
        reply = await live.post("/schedules", body)
        assert reply.status == 201, reply.body
        made.append(str(reply.json["id"]))
    return made


def leaders(live: Live, ahead_s: float) -> list[Cron]:
    """Make two leaders, some time from now."""
    plane = live.running.plane
    clock = FixedClock(plane.clock.now() + ahead_s)
    return [Cron(plane.records, plane.schedules, MemoryEventBus(), clock) for _ in range(2)]


async def fire_all(cron: Cron) -> None:
    """Fire until nothing is due."""
    while await cron.fire_due():
        pass


@pytest.mark.timeout(1800)
async def test_two_leaders_fire_once(live: Live, request: pytest.FixtureRequest) -> None:
    """C6, C13r: two leaders alive at once fire every nominal time of every schedule exactly once."""
    fires = FULL_FIRES if request.config.getoption("--full") else FIRES
    made = await scheduled(live, fires // MISSED)
    ahead_s = MISSED * INTERVAL_S + INTERVAL_S / 2
    await asyncio.gather(*(fire_all(cron) for cron in leaders(live, ahead_s)))
    rows = await live.running.database.pool.fetch(
        "SELECT substring(request_key FROM 'schedule:(.*):') FROM engine.idempotency"
    )
    executions = await live.running.database.pool.fetchval("SELECT count(*) FROM engine.executions")
    by_schedule = Counter(row[0] for row in rows)

    assert (fires, dict.fromkeys(made, MISSED)) == (executions, dict(by_schedule))


@pytest.mark.parametrize(("misfire", "expected"), [("skip", 0), ("once", 1), ("all", 5)])
async def test_misfires_with_two_leaders(live: Live, misfire: str, expected: int) -> None:
    """C6: of five fires that were missed two leaders together start none, one or all, as the policy says."""
    [schedule_id] = await scheduled(live, 1, misfire)
    await asyncio.gather(*(fire_all(cron) for cron in leaders(live, 5.5 * INTERVAL_S)))
    executions = await live.running.database.pool.fetchval("SELECT count(*) FROM engine.executions")
    read = (await live.get(f"/schedules/{schedule_id}")).json

    assert (expected, expected) == (executions, read["run_count"])
