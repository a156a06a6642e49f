"""Many timers that fall due within a minute, on the real store: what is lost, doubled and late."""

import asyncio
import time
from typing import Any

from bench.meter import percentile
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.apps.installation import Installation
from linkflow.domain.workflow.spec import canonical_spec, content_hash, parse
from linkflow.ports.services import StartExecution

STARTS_S = 1_500
"""Starts per second that are reckoned with, so that all are parked before the first timer is due."""

HEAD_S = 5.0
CALLERS = 128
LOOK_S = 0.5
PATIENCE_S = 120.0

SPEC = {
    "metadata": {"name": "timers"},
    "trigger": {"id": "t", "type": "trigger.manual"},
    "nodes": [{"id": "nap", "type": "logic.delay", "config": {"until": "{{trigger.at}}"}}],
    "edges": [{"id": "t-nap", "source": "t", "target": "nap"}],
}
ENDED = """
SELECT execution_id::text, extract(epoch FROM closed_at)::float8, version, status
FROM engine.executions WHERE workflow_id = $1
"""
OPEN = "SELECT count(*) FROM engine.executions WHERE workflow_id = $1 AND closed_at IS NULL"
WORKFLOW = "bench-timers"


async def fired(running: Installation, workspace_id: str, count: int, spread_s: float) -> dict[str, Any]:
    """Start executions that sleep until instants spread over some seconds, and see when they wake.

    Returns:
        `{"count", "spread_s", "late_starts", "lost", "doubled", "early", "p50_ms", "p99_ms", "most_ms"}`: lag
        is from the instant that was asked for to the end of the execution. A timer that fires twice makes an
        execution with more events than the others.
    """
    spec = parse(SPEC)
    spec_hash = content_hash(spec)
    await SqlSpecStore(running.database).put(workspace_id, spec_hash, canonical_spec(spec))
    first = time.time() + HEAD_S + count / STARTS_S
    due: dict[str, float] = {}
    numbers = iter(range(count))
    late = 0

    async def caller() -> None:
        nonlocal late
        for number in numbers:
            at = first + spread_s * number / count
            command = StartExecution(
                workspace_id=workspace_id, workflow_id=WORKFLOW, spec_hash=spec_hash, input={"at": at}
            )
            started = await running.engine.frontend.start(command)
            due[started.execution_id] = at
            late += time.time() > at

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    until = first + spread_s + PATIENCE_S
    while True:
        if not await running.engine_database.pool.fetchval(OPEN, WORKFLOW) or time.time() > until:
            break
        await asyncio.sleep(LOOK_S)
    rows = await running.engine_database.pool.fetch(ENDED, WORKFLOW)
    ended = {row[0]: row for row in rows if row[3] == "completed"}
    least = min((row[2] for row in ended.values()), default=0)
    lags = [ended[each][1] - at for each, at in due.items() if each in ended]
    return {
        "count": count,
        "spread_s": spread_s,
        "late_starts": late,
        "lost": len(due) - len(lags),
        "doubled": sum(row[2] > least for row in ended.values()),
        "early": sum(lag < 0 for lag in lags),
        "p50_ms": percentile(lags, 0.5) * 1e3,
        "p99_ms": percentile(lags, 0.99) * 1e3,
        "most_ms": max(lags, default=0.0) * 1e3,
    }
