"""A task that kills whatever worker runs it: it is given up after three, and nobody else is."""

import asyncio
import signal
from pathlib import Path

import pytest
from aiohttp import web

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.ports.services import StartExecution
from linkflow.testing.builders import node, spec
from linkflow.testing.cluster import ROLES, Processes, cluster, frontends
from linkflow.testing.load import WORKSPACE, starting
from linkflow.testing.storm import Outside

PER_S = 60.0
CRASHES = 3
ONE_WORKER = {name: role for name, role in ROLES.items() if name != "worker-2"}

pytestmark = pytest.mark.timeout(600)


class Deadly:
    """An address that kills the worker which calls it; another worker follows, as a supervisor sees to it."""

    def __init__(self) -> None:
        self.calls = 0
        self._called = asyncio.Event()

    async def call(self, request: web.Request) -> web.Response:
        """Kill the worker."""
        self.calls += 1
        self._called.set()
        await asyncio.Event().wait()
        return web.Response()

    async def supervise(self, running: Processes) -> None:
        """Kill whoever calls, and start another one."""
        while True:
            await self._called.wait()
            self._called.clear()
            running.send(signal.SIGKILL, "worker-1")
            await running.ended(["worker-1"])
            running.start("worker-1")


async def test_a_task_that_kills_workers(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """D36: a task that kills its worker fails as poison after three crashes, and nobody fails with it.

    On a busy machine its turn to run alone may not come in time; such a crash it is spared, and says so.
    """
    deadly = Deadly()
    async with (
        Outside.serving(web.get("/deadly", deadly.call)) as outside,
        cluster(database.dsn, tmp_path, ONE_WORKER) as running,
        frontends(database) as frontend,
    ):
        poison = spec("t -> die", die=node("http.request", url=f"{outside.url}/deadly"))
        await SqlSpecStore(database).put(WORKSPACE, content_hash(poison), canonical_spec(poison))
        supervising = asyncio.ensure_future(deadly.supervise(running))
        async with starting(database, outside, PER_S) as load:
            await load.reached(50)
            killer = await frontend.start(
                StartExecution(
                    workspace_id=WORKSPACE, workflow_id="poison", spec_hash=content_hash(poison), input=None
                )
            )
            while (await frontend.wait(killer.execution_id, 10_000)).status != "failed":
                pass
        error = (await frontend.view(killer.execution_id)).error
        found, silences = await load.judged()
        supervising.cancel()
        letters = await database.pool.fetchval("SELECT count(*) FROM engine.dead_letters")
    said = (
        f"poison: {deadly.calls} workers killed, {load.per_s:.0f} starts/s beside it, failed {found.errors}, "
        f"longest silence p99 {silences.p99_s:.1f} max {silences.most_s:.1f} s"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201  the figures of a chaos run

    assert error is not None, said
    assert (CRASHES, deadly.calls, "failed", {"node.poison": 1}, 1) == (
        error.details["crashes"],
        error.details["crashes"] + error.details.get("spared", 0),
        found.ends[killer.execution_id],
        found.errors,
        letters,
    ), said
    assert [] == outside.broken(found), said
