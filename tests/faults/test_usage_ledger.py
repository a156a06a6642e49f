"""kill -9 while it counts: what a workspace is told it used is what histories add up to, to the last unit."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from linkflow.testing.ledger import Judgement
from linkflow.testing.storm import Outside

CHILD = Path(__file__).with_name("usage_child.py")
KILLS, FULL_KILLS = 20, 200
PATIENCE_S = 120.0

log = logging.getLogger("usage")

pytestmark = pytest.mark.timeout(1200)


async def live(home: Path, url: str, task: str) -> asyncio.subprocess.Process:
    """Begin a life."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINKFLOW_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CHILD), str(home), url, task, env=environment, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip


async def said(process: asyncio.subprocess.Process) -> bytes:
    """Wait for the next line of a life."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return await process.stdout.readline()


async def killed(process: asyncio.subprocess.Process, rng: random.Random) -> None:
    """Kill a life in the middle of its work, with or without its PostgreSQL."""
    assert b"ready\n" == await said(process), "a life was never ready"
    try:
        async with asyncio.timeout(rng.uniform(0.05, 0.8)):
            await process.wait()
    except TimeoutError:
        pass
    if rng.random() < 0.5:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def test_usage_equals_the_ledger_of_events(tmp_path: Path, is_full: bool) -> None:
    """Issue 4, Done-when 3: after a kill storm usage is the sum of all events exactly, by day and by month.

    Executions, ends, failures, nodes and their time, attempts, tokens, SMS parts and airtime; months after
    two schedulers rolled them up twice each at once.
    """
    rng, kills = random.Random(11), FULL_KILLS if is_full else KILLS
    async with Outside.serving() as outside:
        for _ in range(kills):
            await killed(await live(tmp_path, outside.url, "load"), rng)
        last = await live(tmp_path, outside.url, "judge")
        try:
            judged = msgspec.json.decode(await said(last), type=Judgement)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(last.pid, signal.SIGKILL)
            await last.wait()
    meters = {line.partition(" ")[2]: amount for line, amount in judged.folded.items()}
    log.info("usage after %s kills: %s", kills, meters)

    assert {"started", "closed", "nodes", "ended_ms", "attempts", "node_ms", "ai_tokens", "sms_parts",
            "airtime_cents"} <= meters.keys()  # fmt: skip
    assert meters["started"] > kills
    assert judged.folded == judged.told
    assert judged.months == judged.told_months
