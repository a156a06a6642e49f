"""kill -9, again and again, of a whole LinkFlow under load."""

import asyncio
import logging
import os
import random
import signal
import statistics
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from linkflow.testing.storm import Outside, Verdict

CHILD = Path(__file__).with_name("storm_child.py")
KILLS = 100 if os.environ.get("LINKFLOW_REQUIRE_ALL", "") not in {"", "0"} else 8
PATIENCE_S = 120.0

INNOCENT = 1
"""Executions that may be taken for poison by mistake, after kills while they ran alone; decision 0022."""

log = logging.getLogger("storm")

pytestmark = [pytest.mark.timeout(1200), pytest.mark.alone]


class Life(msgspec.Struct):
    """What lives of LinkFlow tell the test.

    Attributes:
        ready_after_s: How long each life took to be ready.
        judgement: What the last life found.
    """

    ready: asyncio.Event
    ready_after_s: list[float] = []
    judgement: Verdict | None = None


@pytest_asyncio.fixture
async def heard() -> Life:
    """Hear of lives."""
    return Life(asyncio.Event())


@pytest_asyncio.fixture
async def outside(heard: Life) -> AsyncIterator[Outside]:
    """Serve the outside world."""

    async def tell(request: web.Request) -> web.Response:
        """Hear from a life."""
        body = await request.json()
        match request.match_info["what"]:
            case "ready":
                heard.ready_after_s.append(body["after_s"])
                heard.ready.set()
            case "acknowledged":
                found.acknowledged[body["id"]] = body["workflow"]
            case "judged":
                heard.judgement = msgspec.convert(body, Verdict)
        return web.json_response({})

    async with Outside.serving(web.post("/tell/{what}", tell)) as found:
        yield found


async def live(home: Path, url: str, task: str) -> asyncio.subprocess.Process:
    """Begin a life."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINKFLOW_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), str(home), url, task, env=environment, start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def happened(event: asyncio.Event, within_s: float) -> bool:
    """Wait for an event for so long."""
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def kill_in_the_middle(process: asyncio.subprocess.Process, heard: Life, rng: random.Random) -> None:
    """Kill a life: mostly under load, sometimes while it recovers, with or without its PostgreSQL."""
    if rng.random() < 0.2:
        await happened(heard.ready, rng.uniform(0.3, 1.5))
    else:
        assert await happened(heard.ready, PATIENCE_S), "a life was never ready"
        await happened(asyncio.Event(), rng.uniform(0.05, 0.8))
    heard.ready.clear()
    if rng.random() < 0.5:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def test_a_storm_of_kills(tmp_path: Path, outside: Outside, heard: Life) -> None:
    """Invariants 1, 3, 5: however often LinkFlow is killed, what it acknowledged ends, effects once each."""
    rng = random.Random(7)
    for _ in range(KILLS):
        await kill_in_the_middle(await live(tmp_path, outside.url, "load"), heard, rng)
    last = await live(tmp_path, outside.url, "judge")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await last.wait()
    finally:
        if last.returncode is None:
            os.killpg(last.pid, signal.SIGKILL)
    judged = heard.judgement
    assert judged is not None, "some executions never ended"
    facts = {
        "kills": KILLS,
        "acknowledged": len(outside.acknowledged),
        "repeats": outside.repeats,
        "errors": judged.errors,
        "instants": judged.instants,
        "ready_p50_s": statistics.median(heard.ready_after_s),
    }
    log.info("storm: %s", facts)

    assert len(outside.acknowledged) > KILLS
    assert [] == outside.broken(judged)
    assert judged.instants.waited
    assert judged.instants.replaced
    assert set(judged.errors) <= {"node.poison"}
    assert sum(judged.errors.values()) <= INNOCENT
