"""The broker loses everything, again and again, while work goes on: History publishes what is open."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from linkflow.adapters.rabbitmq import BANDS, PARTITIONS
from linkflow.adapters.redis.connection import connect
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.nodes.sdk import node
from linkflow.testing.live import Live, settings_of, started

pytestmark = [pytest.mark.external, pytest.mark.timeout(240)]
TASKS = 3
SLOTS = 4
PAUSE_S = 0.02
AT_ONCE = 60
"""Executions that are open at any time: more tasks than slots, so that many wait in the broker."""

REDISPATCH_S = 5.0

Wipe = Callable[[], Awaitable[None]]


@node("test.pause")
async def pause() -> str:
    """Take a while, as work does."""
    await asyncio.sleep(PAUSE_S)
    return "done"


def chain() -> dict[str, Any]:
    """Say a workflow of several pauses, the first ones at once."""
    pauses = [f"p{number}" for number in range(TASKS)]
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            *({"id": name, "type": "test.pause", "config": {}} for name in pauses),
            {"id": "all", "type": "logic.merge", "config": {}},
            {"id": "last", "type": "test.pause", "config": {}},
        ],
        "edges": [
            *({"source": "start", "target": name} for name in pauses),
            *({"source": name, "target": "all"} for name in pauses),
            {"source": "all", "target": "last"},
        ],
    }


@asynccontextmanager
async def flusher(url: str) -> AsyncIterator[Wipe]:
    """Wipe a Redis."""
    async with connect(url) as redis:

        async def wipe() -> None:
            await redis.flushall()

        yield wipe


@asynccontextmanager
async def deleter(url: str) -> AsyncIterator[Wipe]:
    """Delete every queue of a RabbitMQ, as a node does that comes back empty."""
    async with await aio_pika.connect(url) as connection:

        async def wipe() -> None:
            async with connection.channel() as channel:
                for band in BANDS:
                    for number in range(PARTITIONS):
                        await channel.queue_delete(f"linkflow.jobs.default.{band}.{number}")

        yield wipe


async def keep_busy(live: Live, workflow_id: str, is_over: asyncio.Event, ids: list[str]) -> None:
    """Start one execution after the other."""
    while not is_over.is_set():
        execution_id = await live.start(workflow_id)
        ids.append(execution_id)
        await live.running.engine.frontend.wait(execution_id, 30_000)


async def delays_s(live: Live, execution_id: str) -> list[float]:
    """Say how long each attempt of an execution waited between its scheduling and its start."""
    scheduled: dict[tuple[str, int], float] = {}
    waits = []
    for event in await live.running.engine.frontend.events(execution_id):
        place = (event.data.get("key", ""), event.data.get("attempt", 1))
        if event.type == "ActivityTaskScheduled":
            scheduled[place] = event.at
        elif event.type == "ActivityTaskStarted":
            waits.append(event.at - scheduled[place])
    return waits


@pytest.mark.parametrize(
    ("queue", "wiping", "times", "every_s"),
    [("redis", flusher, 50, 0.25), ("rabbitmq", deleter, 6, 2.5)],
    ids=["redis", "rabbitmq"],
)
async def test_a_wiped_broker_loses_nothing(
    queue: str,
    wiping: Any,
    times: int,
    every_s: float,
    database_dsn: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """L2: a broker wiped under load loses no execution, and 99 of 100 tasks start within 5 seconds."""
    url = request.getfixturevalue(f"{queue}_url")
    choice: dict[str, Any] = {"queue": queue, f"{queue}_url": url, "worker_slots": SLOTS}
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), **choice)
    ids: list[str] = []
    destroyed = 0
    is_over = asyncio.Event()
    async with (
        started(settings, nodes=NodeRegistry((*BUILTIN, pause))) as live,
        wiping(url) as wipe,
    ):
        workflow_id = await live.made(chain())
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(keep_busy(live, workflow_id, is_over, ids))
            for _ in range(times):
                await asyncio.sleep(every_s)
                destroyed += sum(live.running.engine.matching.depth().values())
                await wipe()
            is_over.set()
        ended = [(await live.running.engine.frontend.view(each)).status for each in ids]
        waits = sorted([wait for each in ids for wait in await delays_s(live, each)])
    p99_s = waits[int(len(waits) * 0.99)]
    said = f"{len(ids)} executions, {destroyed} tasks destroyed, p99 {p99_s:.2f} s, max {waits[-1]:.2f} s"

    assert ({"completed"}, True, True) == (set(ended), p99_s <= REDISPATCH_S, destroyed > 10 * times), said
