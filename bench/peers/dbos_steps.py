"""DBOS on the same work; runs in DBOS's own environment, driver and engine in one process as DBOS is used.

    python dbos_steps.py async|threads URL SECONDS '{"effects10": [1, 10]}'

For each load one JSON line: `{"workload", "callers", "count", "seconds", "p50_ms", "p99_ms", "cpu_s"}`.
`async` uses coroutines as steps, `threads` plain functions in as many threads as callers.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import uvloop
from dbos import DBOS

FANNED = 50


@DBOS.step()
async def effect(value: int) -> dict[str, bool]:
    return {"ok": True}


@DBOS.workflow()
async def pure1(value: int) -> dict[str, bool]:
    return await effect(value)


@DBOS.workflow()
async def effects10(value: int) -> dict[str, bool]:
    for _ in range(9):
        await effect(value)
    return await effect(value)


@DBOS.workflow()
async def fan50(value: int) -> int:
    return len(await asyncio.gather(*(effect(value) for _ in range(FANNED))))


@DBOS.step()
def plain_effect(value: int) -> dict[str, bool]:
    return {"ok": True}


@DBOS.workflow()
def plain_pure1(value: int) -> dict[str, bool]:
    return plain_effect(value)


@DBOS.workflow()
def plain_effects10(value: int) -> dict[str, bool]:
    for _ in range(9):
        plain_effect(value)
    return plain_effect(value)


COROUTINES: dict[str, Callable[[int], Any]] = {"pure1": pure1, "effects10": effects10, "fan50": fan50}
FUNCTIONS: dict[str, Callable[[int], Any]] = {"pure1": plain_pure1, "effects10": plain_effects10}


async def drive(work: Callable[[int], Any], callers: int, seconds: float) -> list[float]:
    """Keep callers busy in coroutines; how long each execution took."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    async def caller() -> None:
        while (began := time.perf_counter()) < until:
            await work(1)
            took.append(time.perf_counter() - began)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return took


def drive_threads(work: Callable[[int], Any], callers: int, seconds: float) -> list[float]:
    """Keep callers busy in threads; how long each execution took."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    def caller() -> None:
        while (began := time.perf_counter()) < until:
            work(1)
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def report(workload: str, callers: int, began: tuple[float, float], took: list[float]) -> None:
    """Say one line."""
    seconds, cpu_s = time.perf_counter() - began[0], time.process_time() - began[1]
    ordered = sorted(took) or [0.0]
    line = {
        "workload": workload,
        "callers": callers,
        "count": len(took),
        "seconds": seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1e3,
        "p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3,
        "cpu_s": cpu_s,
    }
    print(json.dumps(line), flush=True)


async def coroutines(seconds: float, plan: dict[str, list[int]]) -> None:
    """Run the plan with coroutines."""
    DBOS.launch()
    for workload, loads in plan.items():
        await drive(COROUTINES[workload], 1, 0.3)
        for callers in loads:
            began = time.perf_counter(), time.process_time()
            report(workload, callers, began, await drive(COROUTINES[workload], callers, seconds))


def threads(seconds: float, plan: dict[str, list[int]]) -> None:
    """Run the plan with threads."""
    DBOS.launch()
    for workload, loads in plan.items():
        drive_threads(FUNCTIONS[workload], 1, 0.3)
        for callers in loads:
            began = time.perf_counter(), time.process_time()
            report(workload, callers, began, drive_threads(FUNCTIONS[workload], callers, seconds))


if __name__ == "__main__":
    form, url, length, wanted = sys.argv[1], sys.argv[2], float(sys.argv[3]), json.loads(sys.argv[4])
    DBOS(
        config={
            "name": f"bench-{form}",
            "system_database_url": url,
            "log_level": "ERROR",
            "run_migrations": True,
            "enable_otlp": False,
        }
    )
    if form == "async":
        uvloop.run(coroutines(length, wanted))
    else:
        threads(length, wanted)
    os._exit(0)  # DBOS's threads would keep the process
