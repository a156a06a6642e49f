"""Every service may die or be restarted while work goes on: nothing is lost, nothing is stuck."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from linkflow.adapters.system import SystemClock
from linkflow.testing.processes import SERVICES, Deployment
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = pytest.mark.timeout(900)

PAUSE_S = 0.25
RESTARTED = ("history", "matching", "worker", "timer")
"""Those that hold something in memory."""


def chain(address: str) -> dict[str, Any]:
    """Say a workflow with two effects and a delay between them."""
    again = {"retry": {"maxAttempts": 5, "initialDelayMs": 100}}
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "one", "type": "http.request", "config": {"url": f"{address}/one"}, **again},
            {"id": "pause", "type": "logic.delay", "config": {"milliseconds": 200}},
            {"id": "two", "type": "http.request", "config": {"url": f"{address}/two"}, **again},
        ],
        "edges": [
            {"source": "start", "target": "one"},
            {"source": "one", "target": "pause"},
            {"source": "pause", "target": "two"},
        ],
    }


class Load:
    """Starts executions one after the other, and remembers those that were acknowledged."""

    def __init__(self, split: Deployment, workflow_id: str) -> None:
        self._split = split
        self._workflow_id = workflow_id
        self.acknowledged: list[str] = []
        self.more = asyncio.Event()

    async def run(self) -> None:
        """Start for ever; what is refused while a service is away is not promised."""
        for number in count():
            try:
                path = f"/workflows/{self._workflow_id}/execute"
                said = await self._split.post(path, {"input": number}, idempotency_key=f"n{number}")
                if said.status == 202:
                    self.acknowledged.append(said.json["execution_id"])
                    self.more.set()
            except (aiohttp.ClientError, LookupError, TimeoutError):
                pass
            await SystemClock().sleep(PAUSE_S)

    async def goes_on(self) -> None:
        """Wait until a further start was acknowledged."""
        self.more.clear()
        await self.more.wait()


@asynccontextmanager
async def loaded(split: Deployment, spec: dict[str, Any]) -> AsyncIterator[Load]:
    """Start executions until the block is left."""
    workflow_id = (await split.post("/workflows", {"name": "Chain", "spec": spec})).json["id"]
    load = Load(split, workflow_id)
    running = asyncio.create_task(load.run())
    try:
        await load.goes_on()
        yield load
    finally:
        running.cancel()


async def verdict(split: Deployment, executions: list[str]) -> tuple[set[str], list[str]]:
    """Say how executions ended, and which of their histories have gaps."""
    ended = {(await split.ended(each))["status"] for each in executions}
    broken = [
        each
        for each in executions
        if [event["number"] for event in await split.events(each)]
        != list(range(1, len(await split.events(each)) + 1))
    ]
    return ended, broken


async def test_every_service_may_die(database_dsn: str, tmp_path: Path, receiver: Receiver) -> None:
    """C14r: each service is killed -9 and comes back, then restarted in peace: 0 lost, 0 stuck, no gap."""
    for path in ("/one", "/two"):
        receiver.answer(path, Scripted(200, {"ok": True}))
    async with Deployment.running(database_dsn, tmp_path, [*SERVICES, "rest"]) as split:
        async with loaded(split, chain(receiver.address)) as load:
            for name in [*SERVICES, "rest"]:
                await split.kill(name)
                split.start(name)
                await split.ready(name)
                await load.goes_on()
            codes = []
            for name in RESTARTED:
                codes.append(await split.stop(name))
                split.start(name)
                await split.ready(name)
                await load.goes_on()
        ended, broken = await verdict(split, load.acknowledged)

    assert ({"completed"}, []) == (ended, broken)
    assert [0] * len(RESTARTED) == codes
    assert len(load.acknowledged) >= len(SERVICES)
