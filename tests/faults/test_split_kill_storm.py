"""kill -9 of every service of a LinkFlow of many processes, again and again, under load."""

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemClock
from linkflow.testing.cluster import ROLES, Processes, cluster
from linkflow.testing.load import starting
from linkflow.testing.storm import Outside

KILLS = 200 if os.environ.get("LINKFLOW_REQUIRE_ALL", "") not in {"", "0"} else 12
FULL_KILLS = 1000
PER_S = 200.0
PAUSE_S, FULL_PAUSE_S = 0.6, 3.0
"""Between two rounds, at most; in full a History lives long enough to look at every open execution."""

STUCK_S = 30.0

pytestmark = pytest.mark.timeout(3600)


async def storm(running: Processes, kills: int, pause_s: float, rng: random.Random) -> Counter[str]:
    """Kill processes one by one and several at once, mostly those that serve; how often each role died."""
    died: Counter[str] = Counter()
    while died.total() < kills:
        victims = rng.sample(list(ROLES), rng.choice((1, 1, 1, 2, 3)))
        if rng.random() < 0.8:
            await running.ready(*victims)
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
    async with Outside.serving() as outside, cluster(database.dsn, tmp_path, ROLES) as running:
        async with starting(database, outside, PER_S) as load:
            await load.reached(100)
            died = await storm(running, kills, pause_s, random.Random(11))
        found, silences = await load.judged()
    said = (
        f"split storm: {died.total()} kills ({', '.join(f'{n} {role}' for role, n in died.items())}), "
        f"{load.per_s:.0f} starts/s, {load.refused} refused, {outside.repeats} effects repeated, "
        f"failed {found.errors}, longest silence p50 {silences.p50_s:.1f} p99 {silences.p99_s:.1f} "
        f"max {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert [] == load.broken(found), said
    assert set(found.errors) <= {"node.poison"}
    assert not is_full or silences.most_s <= STUCK_S, said
