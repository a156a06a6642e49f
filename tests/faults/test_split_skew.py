"""Machines whose clocks are minutes apart: the database's clock decides."""

import random
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.testing.cluster import ROLES, cluster
from linkflow.testing.load import starting
from linkflow.testing.storm import Outside

KILLS, FULL_KILLS = 12, 200
PER_S = 60.0
SKEWS_S = (0.0, 300.0, -300.0)
TWICE = {**ROLES, "timer-2": "timer", "scheduler-2": "scheduler"}

pytestmark = pytest.mark.timeout(3600)


async def test_clocks_that_are_minutes_apart(
    database: Database, tmp_path: Path, is_full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """No delay is over early, none twice, whichever process dies and comes back with another clock."""
    rng = random.Random(3)
    kills = FULL_KILLS if is_full else KILLS
    async with (
        Outside.serving() as outside,
        cluster(database.dsn, tmp_path, TWICE, skew=lambda: rng.choice(SKEWS_S)) as running,
    ):
        async with starting(database, outside, PER_S) as load:
            await load.reached(100)
            for _ in range(kills):
                victim = rng.choice(list(TWICE))
                await running.kill(victim)
                running.start(victim)
                await running.ready(victim)
        found, silences = await load.judged()
    naps_s = sorted(outside.naps_s)
    said = (
        f"skew: {kills} kills, clocks up to {SKEWS_S[1]:g} s off, {load.per_s:.0f} starts/s, {len(naps_s)} "
        f"delays of 1 s took p50 {naps_s[len(naps_s) // 2]:.2f} p99 {naps_s[len(naps_s) * 99 // 100]:.2f} "
        f"at least {naps_s[0]:.2f} s, failed {found.errors}, longest silence {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert [] == load.broken(found), said
    assert not found.errors, said
    assert len(naps_s) > kills, said
