"""kill -9, again and again, of a whole LinkFlow under load."""

import asyncio
import logging
import os
import random
import signal
import statistics
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

CHILD = Path(__file__).with_name("storm_child.py")
KILLS = 100 if os.environ.get("LINKFLOW_REQUIRE_ALL", "") not in {"", "0"} else 8
PATIENCE_S = 120.0
KEYED_PER_CHAIN = ("pay", "item#1", "item#2", "item#3")

log = logging.getLogger("storm")

pytestmark = pytest.mark.timeout(1200)


class Receiver:
    """The world outside: it counts effects, remembers what was promised, and is never killed.

    Attributes:
        applied: How often a keyed effect took place, by effect key; a repeated key is answered only.
        calls: How often an effect of class once was asked for, by execution.
        acknowledged: Workflow by execution id, of every start that was answered.
        ready_after_s: How long each life took to be ready.
        judgement: What the last life found.
    """

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.repeats = 0
        self.calls: Counter[str] = Counter()
        self.acknowledged: dict[str, str] = {}
        self.ready_after_s: list[float] = []
        self.ready = asyncio.Event()
        self.judgement: Any = None
        self.url = ""
        self._random = random.Random(1)

    async def keyed(self, request: web.Request) -> web.Response:
        """Do something once per key."""
        key = request.headers["Idempotency-Key"]
        await self._take_time()
        if key in self.applied:
            self.repeats += 1
        else:
            self.applied[key] += 1
        await self._take_time()
        return web.json_response({"ok": True})

    async def once(self, request: web.Request) -> web.Response:
        """Do something every time."""
        self.calls[(await request.json())["key"]] += 1
        await self._take_time()
        return web.json_response({"ok": True})

    async def look(self, request: web.Request) -> web.Response:
        """Do nothing."""
        await self._take_time()
        return web.json_response({"ok": True})

    async def tell(self, request: web.Request) -> web.Response:
        """Hear from a life."""
        body = await request.json()
        match request.match_info["what"]:
            case "ready":
                self.ready_after_s.append(body["after_s"])
                self.ready.set()
            case "acknowledged":
                self.acknowledged[body["id"]] = body["workflow"]
            case "judged":
                self.judgement = body
        return web.json_response({})

    async def _take_time(self) -> None:
        """Answer after a moment, so that kills come before, in and after effects."""
        for _ in range(self._random.choice((0, 1, 20))):
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Serve the outside world."""
    found = Receiver()
    app = web.Application()
    app.add_routes(
        [
            web.post("/keyed", found.keyed),
            web.post("/once", found.once),
            web.get("/look", found.look),
            web.post("/{what}", found.tell),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


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


async def kill_in_the_middle(
    process: asyncio.subprocess.Process, receiver: Receiver, rng: random.Random
) -> None:
    """Kill a life: mostly under load, sometimes while it recovers, with or without its PostgreSQL."""
    if rng.random() < 0.2:
        await happened(receiver.ready, rng.uniform(0.3, 1.5))
    else:
        assert await happened(receiver.ready, PATIENCE_S), "a life was never ready"
        await happened(asyncio.Event(), rng.uniform(0.05, 0.8))
    receiver.ready.clear()
    if rng.random() < 0.5:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def test_a_storm_of_kills(tmp_path: Path, receiver: Receiver) -> None:
    """Invariants 1, 3, 5: however often LinkFlow is killed, what it acknowledged ends, effects once each."""
    rng = random.Random(7)
    for _ in range(KILLS):
        await kill_in_the_middle(await live(tmp_path, receiver.url, "load"), receiver, rng)
    last = await live(tmp_path, receiver.url, "judge")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await last.wait()
    finally:
        if last.returncode is None:
            os.killpg(last.pid, signal.SIGKILL)
    judged = receiver.judgement
    assert judged is not None, "some executions never ended"
    ends = judged["ends"]
    expected = [
        f"{execution_id}:{key}"
        for execution_id, workflow in receiver.acknowledged.items()
        if ends.get(execution_id) == "completed"
        for key in (KEYED_PER_CHAIN if workflow == "chain" else ("pay",))
    ]
    facts = {
        "kills": KILLS,
        "acknowledged": len(receiver.acknowledged),
        "repeats": receiver.repeats,
        "errors": judged["errors"],
        "ready_p50_s": statistics.median(receiver.ready_after_s),
    }
    log.info("storm: %s", facts)

    assert len(receiver.acknowledged) > KILLS
    assert [] == [lost for lost in receiver.acknowledged if lost not in ends]
    assert [] == judged["gaps"]
    assert Counter(ends.values()) == Counter(judged["shown"])
    assert set(judged["errors"]) <= {"node.poison"}
    assert [] == [key for key in expected if receiver.applied[key] != 1]
    assert [] == [key for key, count in receiver.calls.items() if count > 1]
    assert 0 == judged["tickets"]
