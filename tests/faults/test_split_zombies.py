"""Processes that stand still and then go on as if nothing had happened, under load."""

import asyncio
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemClock
from linkflow.testing.cluster import ROLES, Processes, cluster
from linkflow.testing.load import starting
from linkflow.testing.storm import Outside

FEW, FULL = 24, 200
PER_S = 60.0
STILL_S = (1.0, 20.0)
"""A session and a place among the members end after 10 s, leases of duties after 4 s."""

STAND_STILL = (
    "history-1",
    "history-2",
    "matching-1",
    "matching-2",
    "worker-1",
    "worker-2",
    "timer",
    "scheduler",
)

pytestmark = pytest.mark.timeout(3600)


class Zombies:
    """Stops processes and lets them go on; several stand still at any time.

    Attributes:
        met: How often each role stood still.
    """

    def __init__(self, running: Processes, count: int) -> None:
        self.met: Counter[str] = Counter()
        self._running, self._left = running, count
        self._rng = random.Random(5)

    async def haunt(self) -> None:
        """Stop each again and again, until it was often enough."""
        async with asyncio.TaskGroup() as group:
            for name in STAND_STILL:
                group.create_task(self._haunt(name))

    async def _haunt(self, name: str) -> None:
        clock = SystemClock()
        while self._left > 0:
            self._left -= 1
            self.met[ROLES[name]] += 1
            await clock.sleep(self._rng.uniform(0.0, 5.0))
            self._running.send(signal.SIGSTOP, name)
            await clock.sleep(self._rng.uniform(*STILL_S))
            self._running.send(signal.SIGCONT, name)


async def test_zombies(
    database: Database, tmp_path: Path, is_full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """D35: what a process does that was taken for dead is refused; nothing is lost, nothing twice."""
    async with Outside.serving() as outside, cluster(database.dsn, tmp_path, ROLES) as running:
        async with starting(database, outside, PER_S) as load:
            await load.reached(50)
            zombies = Zombies(running, FULL if is_full else FEW)
            await zombies.haunt()
        found, silences = await load.judged()
        names = ("history-1", "history-2")
        stale = sum([await running.measured(name, "linkflow_history_conflicts_total") for name in names])
    late = await database.pool.fetchval("SELECT count(*) FROM engine.late_results")
    roles = ", ".join(f"{count} {role}" for role, count in zombies.met.items())
    said = (
        f"zombies: {zombies.met.total()} pauses ({roles}), "
        f"{load.per_s:.0f} starts/s, {stale:.0f} stale appends and {late} late reports refused, "
        f"{outside.repeats} effects repeated, failed {found.errors}, "
        f"longest silence p50 {silences.p50_s:.1f} p99 {silences.p99_s:.1f} max {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert [] == load.broken(found), said
    assert not found.errors, said
    assert stale + late > 0, said
