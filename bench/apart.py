"""Measures LinkFlow split over processes: the same workloads, and what one more worker adds."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.meter import Patience
from bench.processes import subject
from bench.suite import Say, Suite
from bench.workloads import Workload, burning

LAYOUTS = {
    "eight": "rest frontend history matching worker timer visibility control-plane edge",
    "three": "api worker scheduler",
}
"""Processes by the name of a layout: one for each service and REST, or the presets."""

WORKLOADS = ("pure1", "mixed10", "effects10", "fan50")
"""Those that are measured again."""

WORKERS_OF = "eight"
MORE = "worker"
"""What is measured when a second worker process comes."""


async def measured(
    home: Path, layouts: Sequence[str], chosen: Sequence[Workload], patience: Patience, say: Say
) -> Mapping[str, Any]:
    """Measure layouts one after the other.

    Args:
        home: Where each gets a LINKFLOW_HOME of its own.
        layouts: Names out of `LAYOUTS`, and `workers` for what one more worker adds.
        chosen: Workloads, driven over REST.
        patience: For strangers.
        say: Told what goes on.

    Returns:
        `{"layouts": {"<name>": [row]}, "workers": [row with one worker, row with two]}`
    """
    rows = {
        name: await _layout(home / name, LAYOUTS[name], chosen, patience, say)
        for name in layouts
        if name in LAYOUTS
    }
    return {
        "layouts": rows,
        "workers": await _workers(home / "workers", patience, say) if "workers" in layouts else [],
    }


async def _layout(
    home: Path, layout: str, chosen: Sequence[Workload], patience: Patience, say: Say
) -> list[dict[str, Any]]:
    with subject(home, "127.0.0.1", layout) as running:
        database = await asyncpg.connect(running.dsn)
        suite = _suite(running, database, patience)
        rows = [await suite.measure(workload, "rest", say) for workload in chosen]
        await database.close()
    return rows


async def _workers(home: Path, patience: Patience, say: Say) -> list[dict[str, Any]]:
    with subject(home, "127.0.0.1", LAYOUTS[WORKERS_OF]) as running:
        database = await asyncpg.connect(running.dsn)
        rows = [await _suite(running, database, patience).measure(burning(), "rest", say)]
        running.add(MORE)
        rows.append(await _suite(running, database, patience).measure(burning(), "rest", say))
        await database.close()
    return rows


def _suite(running: Any, database: Any, patience: Patience) -> Suite:
    return Suite(
        running,
        database,
        [],
        patience,
        seconds=float(os.environ.get("BENCH_SECONDS", "2")),
        repeat=int(os.environ.get("BENCH_REPEAT", "2")),
    )
