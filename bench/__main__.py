"""`python -m bench`: measure, print tables, keep JSON, and say which targets are missed.

    BENCH_SECONDS   length of one run (2)
    BENCH_REPEAT    runs of each load, of which the middle one counts (2)
    BENCH_PATIENCE  seconds to wait in all for strangers to leave the machine alone (60)
    BENCH_ONLY      workloads to measure, separated by commas (all)
    BENCH_WAYS      how they are driven: process, rest, webhook, accept (all)
    BENCH_SPLIT     how LinkFlow is split: eight, three, workers; empty for not at all (all)
    BENCH_TIMERS    timers that fall due within a minute; 0 for none (100000)
    BENCH_EDITOR    nodes of the workflows that the editor is measured with; empty for none (100,500,1000)
    BENCH_PEERS     peers to run beside it where they are installed: dbos, restate; empty for none (both)

Everything goes to `bench/results/latest.json`; with `--docs` the tables go to the documentation
too (see `bench.pages`).
"""

import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench import apart, editor, limits, pages
from bench.meter import Meter, Patience, spent
from bench.peers import run as beside
from bench.peers.found import DBOS, RESTATE, RESTATE_SERVER
from bench.processes import Subject, subject, target
from bench.report import report
from bench.start import started
from bench.suite import Suite
from bench.targets import MISSED, targets
from bench.workloads import workloads

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def say(text: str) -> None:
    """Tell what is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)


def chosen(name: str, known: Sequence[str]) -> Sequence[str]:
    """Read a list from the environment; everything when it says nothing."""
    given = os.environ.get(name)
    return known if given is None else [each for each in given.split(",") if each in known]


def seconds() -> float:
    """Say how long one run lasts."""
    return float(os.environ.get("BENCH_SECONDS", "2"))


async def measured(
    running: Subject, home: Path, target_pid: int, url: str, patience: Patience
) -> dict[str, Any]:
    """Measure LinkFlow and the machine under it."""
    database = await asyncpg.connect(running.dsn)
    repeat = int(os.environ.get("BENCH_REPEAT", "2"))
    suite = Suite(running, database, [target_pid], patience, seconds=seconds(), repeat=repeat)
    found: dict[str, Any] = {
        "machine": {
            "cores": os.cpu_count(),
            "cpu": cpu_model(),
            "python": platform.python_version(),
            "postgres": str(await database.fetchval("SHOW server_version")),
        },
        "limits": await limits.measured(running.dsn, home, seconds()),
    }
    every = workloads(url)
    only = chosen("BENCH_ONLY", [each.name for each in every])
    ways = chosen("BENCH_WAYS", ["process", "rest", "webhook", "accept"])
    plan = [(each, way) for each in every for way in each.ways if each.name in only and way in ways]
    found["rows"] = [await suite.measure(workload, way, say) for workload, way in plan]
    if "dbos" in chosen("BENCH_PEERS", ["dbos"]) and DBOS.exists():
        await database.execute("CREATE DATABASE dbos")
        url = running.dsn.replace("/linkflow?", "/dbos?")
        found["peers"] = beside.dbos(url, running.postgres, seconds(), say)
    # Rows that strangers disturbed get a second chance, now that time has passed.
    found["rows"] = [
        await suite.measure_again(workload, row, say)
        for (workload, _), row in zip(plan, found["rows"], strict=True)
    ]
    found["limits"] = limits.best(found["limits"], await limits.measured(running.dsn, home, seconds()))
    await database.close()
    timers = int(os.environ.get("BENCH_TIMERS", "100000"))
    if timers:
        say(f"{timers} timers")
        meter = Meter({"ours": [running.pid, running.postgres, os.getpid(), target_pid]})
        before = meter.read()
        fired = running.timers(timers, min(60.0, timers / 1_000))
        found["timers"] = fired | {"foreign": spent(before, meter.read()).foreign}
    return found


def cpu_model() -> str:
    """Name the processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine()
    )


def main() -> None:
    """Measure everything and report."""
    RESULTS.mkdir(exist_ok=True)
    patience = Patience(float(os.environ.get("BENCH_PATIENCE", "60")))
    with tempfile.TemporaryDirectory(prefix="bench-", dir=RESULTS, ignore_cleanup_errors=True) as folder:
        start = started(Path(folder) / "start", patience)
        say(f"start: {start}")
        home = Path(folder) / "home"
        with target() as (reading, port), subject(home, "127.0.0.1") as running:
            found = asyncio.run(measured(running, home, reading.pid, f"http://127.0.0.1:{port}/x", patience))
        if sizes := [int(each) for each in os.environ.get("BENCH_EDITOR", "100,500,1000").split(",") if each]:
            with target() as (reading, port):
                url = f"http://127.0.0.1:{port}/slow"
                found |= asyncio.run(
                    editor.measured(Path(folder) / "editor", reading.pid, url, sizes, patience, say)
                )
        ways = chosen("BENCH_SPLIT", [*apart.LAYOUTS, "workers"])
        if ways:
            only = chosen("BENCH_ONLY", [each.name for each in workloads("")])
            works = [each for each in workloads("") if each.name in only and each.name in apart.WORKLOADS]
            home = Path(folder) / "split"
            found["split"] = asyncio.run(apart.measured(home, ways, works, patience, say))
    found |= {"at": time.strftime("%Y-%m-%d"), "start": start}
    if "restate" in chosen("BENCH_PEERS", ["restate"]) and RESTATE.exists() and RESTATE_SERVER.exists():
        found["peers"] = found.get("peers", {}) | beside.restate(seconds(), patience, say)
    (RESULTS / "latest.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    goals = targets(found)
    text = report(found, goals)
    print(text)
    if "--docs" in sys.argv:
        pages.write(found, text)
    missed = [goal.title for goal in goals if goal.verdict == MISSED]
    if missed:
        raise SystemExit(f"{len(missed)} of {len(goals)} targets are missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
