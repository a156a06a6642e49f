"""`python -m bench.beside FOLDER`: this tree and another checkout of LinkFlow in turns, in one run.

    git worktree add --detach /tmp/before <commit>
    python -m bench.beside /tmp/before

Two runs on different days differ by what the machine had to spare, these two do not: after each run of the
one comes a run of the other, and the middle ones count. The other checkout brings its own `bench.subject` and
runs with the Python of this one.

    BENCH_SECONDS   length of one run (2)
    BENCH_REPEAT    runs of each (3)
    BENCH_ONLY      workloads to measure, separated by commas (those of PLAN)
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import asyncpg

from bench.meter import Patience
from bench.processes import ROOT, subject
from bench.suite import Sample, Suite
from bench.workloads import Workload, workloads

PLAN = (
    ("pure1", "rest", 32),
    ("mixed10", "rest", 32),
    ("effects10", "rest", 32),
    ("fan50", "rest", 4),
    ("hook10", "webhook", 32),
    ("accept", "accept", 64),
)
"""Workloads, how they are driven, and callers: those of the best load."""

HEAD = """
| µs of CPU per execution, LinkFlow + PostgreSQL | before | now | times | driver, before / now |
|---|---:|---:|---:|---:|"""


async def main(before: Path) -> None:
    """Measure both and print a table."""
    seconds = float(os.environ.get("BENCH_SECONDS", "2"))
    repeat = int(os.environ.get("BENCH_REPEAT", "3"))
    every = {each.name: each for each in workloads("")}
    only = os.environ.get("BENCH_ONLY", "")
    plan = [each for each in PLAN if not only or each[0] in only.split(",")]
    with (
        tempfile.TemporaryDirectory(prefix="beside-", ignore_cleanup_errors=True) as home,
        ExitStack() as stack,
    ):
        suites = []
        for name, root in (("before", before), ("now", ROOT)):
            running = stack.enter_context(subject(Path(home) / name / "home", "127.0.0.1", root=root))
            database = await asyncpg.connect(running.dsn)
            patience = Patience(float(os.environ.get("BENCH_PATIENCE", "60")))
            suites.append(Suite(running, database, [], patience, seconds=seconds, repeat=repeat))
        print(HEAD, flush=True)
        for name, way, callers in plan:
            print(line(every[name], await in_turns(suites, every[name], way, callers, repeat)), flush=True)


async def in_turns(
    suites: Sequence[Suite], workload: Workload, way: str, callers: int, repeat: int
) -> Sequence[Sequence[Sample]]:
    """Run a workload on each, again and again; the samples of each."""
    drives = [await suite.ready(workload, way) for suite in suites]
    found: list[list[Sample]] = [[] for _ in suites]
    for _ in range(repeat):
        for samples, suite, drive in zip(found, suites, drives, strict=True):
            samples.append(await suite.sample(drive, callers))
    return found


def line(workload: Workload, found: Sequence[Sequence[Sample]]) -> str:
    """Write a row of the table."""
    before, now = ([spent(sample.cpu_us) for sample in samples] for samples in found)
    drivers = " / ".join(f"{median(each.cpu_us['driver'] for each in samples):,.0f}" for samples in found)
    ratio = median(now) / median(before)
    return f"| {workload.title} | {median(before):,.0f} | {median(now):,.0f} | {ratio:.2f} | {drivers} |"


def spent(cpu_us: Mapping[str, float]) -> float:
    """Add up what an execution costs on our side."""
    return cpu_us["linkflow"] + cpu_us["postgres"]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
