"""Lines between processes are cut, and fall silent in one direction or both, under load."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemClock
from linkflow.testing.cluster import ROLES, Processes, cluster
from linkflow.testing.load import starting
from linkflow.testing.split import Proxy
from linkflow.testing.storm import Outside

FEW, FULL = 30, 300
PER_S = 60.0
SILENT_S = (0.5, 12.0)
PAUSE_S = 3.0
CALLED = {"frontend", "history", "matching", "timer"}
APART = [name for name, role in ROLES.items() if role in CALLED]
WAYS = ("silence", "no question passes", "no answer passes", "cut")

pytestmark = pytest.mark.timeout(3600)


async def cut(running: Processes, count: int, rng: random.Random) -> Counter[str]:
    """Trouble the line to each process, again and again; how often in which way."""
    met: Counter[str] = Counter()
    clock = SystemClock()

    async def trouble(proxy: Proxy) -> None:
        while met.total() < count:
            way = WAYS[met.total() % len(WAYS)]
            met[way] += 1
            await clock.sleep(rng.uniform(0.0, PAUSE_S))
            if way == "cut":
                proxy.cut()
                continue
            proxy.hold(asks=way != "no answer passes", answers=way != "no question passes")
            await clock.sleep(rng.uniform(*SILENT_S))
            proxy.let_go()

    async with asyncio.TaskGroup() as group:
        for proxy in running.proxies.values():
            group.create_task(trouble(proxy))
    return met


async def test_lines_that_are_cut_and_fall_silent(
    database: Database, tmp_path: Path, is_full: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever passes between processes late, twice or never: nothing is lost, nothing happens twice."""
    async with (
        Outside.serving() as outside,
        cluster(database.dsn, tmp_path, ROLES, apart=APART) as running,
    ):
        async with starting(database, outside, PER_S) as load:
            await load.reached(50)
            met = await cut(running, FULL if is_full else FEW, random.Random(9))
        found, silences = await load.judged()
        used = {ROLES[name] for name, proxy in running.proxies.items() if proxy.carried}
    said = (
        f"cuts: {', '.join(f'{count} {way}' for way, count in met.items())}, {load.per_s:.0f} starts/s, "
        f"{load.refused} refused, {outside.repeats} effects repeated, failed {found.errors}, "
        f"longest silence p50 {silences.p50_s:.1f} p99 {silences.p99_s:.1f} max {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert [] == load.broken(found), said
    assert (set(), CALLED) == (set(found.errors), used), said
