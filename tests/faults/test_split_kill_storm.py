"""kill -9 of every service of a LinkFlow of many processes, again and again, under load."""

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemClock
from linkflow.testing.cluster import ROLES, Processes, cluster
from linkflow.testing.load import starting
from linkflow.testing.postgres import vacuumed
from linkflow.testing.standstill import stood_still, watching
from linkflow.testing.storm import Outside

KILLS = 200 if os.environ.get("LINKFLOW_REQUIRE_ALL", "") not in {"", "0"} else 12
FULL_KILLS = 1000
PER_S = 200.0
PAUSE_S, FULL_PAUSE_S = 0.6, 1.2
"""Between two rounds, at most; in full a History lives long enough to look at every open execution."""

BETWEEN, PATIENCE_S = 100, 120.0
"""Effects between two rounds, and how long they may take."""

STUCK_S = 30.0
LONG_S = 5.0
"""What is promised, and from when on somebody stood still at all."""

INNOCENT = 1 / 10_000
"""Executions that may be taken for poison by mistake, where workers die again and again; decision 0022."""

ENOUGH, STARVED = 0.95, 0.9
"""Of the starts asked for; a machine where somebody always waits for a processor need not give it."""

pytestmark = [pytest.mark.timeout(3600), pytest.mark.alone]


def starved_s() -> float:
    """Say for how many seconds somebody waited for a processor since the machine started; 0 where unknown."""
    pressure = Path("/proc/pressure/cpu")
    lines = pressure.read_text().splitlines() if pressure.exists() else []
    return sum(float(line.rpartition("total=")[2]) for line in lines if line.startswith("some")) / 1e6


async def storm(
    running: Processes, outside: Outside, kills: int, pause_s: float, rng: random.Random
) -> Counter[str]:
    """Kill processes one by one and several at once; how often each role died.

    Mostly those that serve, while work goes on: how often is then a matter of how fast the machine is.
    """
    died: Counter[str] = Counter()
    while died.total() < kills:
        victims = rng.sample(list(ROLES), rng.choice((1, 1, 1, 2, 3)))
        if rng.random() < 0.8:
            await running.ready(*victims)
            async with asyncio.timeout(PATIENCE_S):
                await outside.goes_on(BETWEEN)
        await SystemClock().sleep(rng.uniform(0.0, pause_s))
        await running.kill(*victims)
        died.update(ROLES[victim] for victim in victims)
        running.start(*victims)
    return died


async def test_a_storm_of_kills_over_split_services(
    database: Database, tmp_path: Path, is_full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """D34: whatever dies, each start that was acknowledged is one execution that ends, effects once each."""
    kills, pause_s = (FULL_KILLS, FULL_PAUSE_S) if is_full else (KILLS, PAUSE_S)
    async with (
        vacuumed(database),
        Outside.serving() as outside,
        cluster(database.dsn, tmp_path, ROLES) as running,
        watching(running, "matching-1", "matching-2") as line,
    ):
        before = starved_s()
        async with starting(database, outside, PER_S) as load:
            await load.reached(100)
            died = await storm(running, outside, kills, pause_s, random.Random(11))
        starved = (starved_s() - before) / load.took_s
        found, silences = await load.judged()
        still = await stood_still(database, line, LONG_S)
    said = (
        f"split storm: {died.total()} kills ({', '.join(f'{n} {role}' for role, n in died.items())}), "
        f"{load.per_s:.0f} starts/s, {load.refused} refused, {outside.repeats} effects repeated, "
        f"failed {found.errors}, longest silence p50 {silences.p50_s:.1f} p99 {silences.p99_s:.1f} "
        f"max {silences.most_s:.1f} s; stood still longest {still[0] if still else 'not at all'}; "
        f"{found.instants}; "
        f"somebody waited for a processor {starved:.0%} of the time"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert [] == load.broken(found), said
    assert found.instants.waited, said
    assert found.instants.replaced, said
    assert set(found.errors) <= {"node.poison"}, said
    assert [] == [each for each in still if each.seconds > STUCK_S], said
    assert sum(found.errors.values()) <= load.asked * INNOCENT, said
    if load.per_s < ENOUGH * PER_S:
        assert starved > STARVED, said
