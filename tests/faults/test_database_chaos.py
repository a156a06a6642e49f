"""PostgreSQL restarts and loses backends under a whole LinkFlow that keeps working."""

import asyncio
import contextlib
import itertools
import logging
import os
import random
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.sql.schema import migrate
from linkflow.adapters.system import SystemClock
from linkflow.apps.installation import Installation, installation
from linkflow.apps.settings import Settings
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.ports.services import StartExecution
from linkflow.testing.postgres import FAST
from linkflow.testing.storm import Outside, left, verdict, workflows

WORKSPACE = "11111111-1111-4111-8111-111111111111"
STARTERS = 6
LOOK_S = 0.1
DURABLE = FAST | {"fsync": "on", "full_page_writes": "on"}
OTHERS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"

log = logging.getLogger("storm")
pytestmark = pytest.mark.timeout(300)


class Load:
    """Starts executions for as long as it is on, whatever the database does."""

    def __init__(self, running: Installation, outside: Outside) -> None:
        self.running, self.outside = running, outside
        self.refused = 0
        self.is_on = True

    async def run(self) -> None:
        """Start executions until switched off."""
        specs = SqlSpecStore(self.running.database)
        hashes: dict[str, str] = {}
        for name, workflow in workflows(self.outside.url).items():
            hashes[name] = content_hash(workflow)
            await specs.put(WORKSPACE, hashes[name], canonical_spec(workflow))
        async with asyncio.TaskGroup() as group:
            for starter in range(STARTERS):
                group.create_task(self._start(starter, hashes))

    async def _start(self, starter: int, hashes: dict[str, str]) -> None:
        clock = SystemClock()
        for number in itertools.count():
            if not self.is_on:
                return
            name = "limited" if number % 5 == 4 else "chain"
            command = StartExecution(
                workspace_id=WORKSPACE,
                workflow_id=name,
                spec_hash=hashes[name],
                request_id=f"{starter}:{number}",
                input={"number": number},
            )
            try:
                started = await self.running.engine.frontend.start(command)
            except LinkFlowError:
                self.refused += 1
                await clock.sleep(LOOK_S)
            else:
                self.outside.acknowledged[started.execution_id] = name
            await clock.sleep(0.02)

    async def reached(self, count: int) -> None:
        """Wait until so many starts were acknowledged."""
        while len(self.outside.acknowledged) < count:
            await SystemClock().sleep(LOOK_S)


async def over(running: Installation) -> None:
    """Wait until nothing is left to do."""
    while await left(running.database):
        await SystemClock().sleep(LOOK_S)


class Server:
    """A PostgreSQL that can be restarted under those who use it."""

    def __init__(self, home: Path, server: EmbeddedPostgres) -> None:
        self.home, self.server = home, server

    async def restart(self, *, after_s: float) -> None:
        """End it at once, as a crash would, and start it again."""
        await self.server.stop()
        await SystemClock().sleep(after_s)
        self.server = await EmbeddedPostgres.start(self.home, settings=DURABLE)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Start one of the test's own, with LinkFlow's schema."""
    found = Server(tmp_path / "db", await EmbeddedPostgres.start(tmp_path / "db", settings=DURABLE))
    await migrate(found.server.dsn, lambda text: None)
    yield found
    await found.server.stop()


def settings(home: Path, dsn: str | None = None) -> Settings:
    return Settings(
        home=home,
        database_url=dsn,
        outbound_allow=("127.0.0.1",),
        owner_password="the database comes and goes",
    )


async def test_a_database_that_restarts(server: Server, tmp_path: Path) -> None:
    """PostgreSQL restarts again and again under load: what was acknowledged ends, and effects happen once."""
    rng = random.Random(3)
    async with (
        Outside.serving() as outside,
        installation(settings(tmp_path, server.server.dsn), print) as running,
    ):
        load = Load(running, outside)
        loading = asyncio.ensure_future(load.run())
        for number in range(1, 5):
            await load.reached(50 * number)
            await server.restart(after_s=rng.uniform(0.0, 1.0))
        await load.reached(300)
        load.is_on = False
        await loading
        await over(running)
        found = await verdict(running.database)
        log.info("restarts: %s acknowledged, %s refused", len(outside.acknowledged), load.refused)

        assert [] == outside.broken(found)
        assert {"completed"} == set(found.ends.values()), found.errors


async def test_backends_that_die(server: Server, tmp_path: Path) -> None:
    """Backends are killed five times a second under load: what was acknowledged ends, effects happen once."""
    rng = random.Random(4)
    async with (
        Outside.serving() as outside,
        installation(settings(tmp_path, server.server.dsn), print) as running,
    ):
        load = Load(running, outside)
        loading = asyncio.ensure_future(load.run())
        await load.reached(10)
        killed = 0
        surgeon = await asyncpg.connect(server.server.dsn)
        while len(outside.acknowledged) < 200 or killed < 25:
            backends = [row[0] for row in await surgeon.fetch(OTHERS)]
            if backends:
                await surgeon.execute("SELECT pg_terminate_backend($1)", rng.choice(backends))
                killed += 1
            await SystemClock().sleep(0.2)
        await surgeon.close()
        load.is_on = False
        await loading
        await over(running)
        found = await verdict(running.database)
        log.info("backends: %s killed, %s acknowledged", killed, len(outside.acknowledged))

        assert [] == outside.broken(found)
        assert {"completed"} == set(found.ends.values()), found.errors


async def test_the_embedded_server_is_killed(tmp_path: Path) -> None:
    """The embedded PostgreSQL is killed under load and comes back: nothing acknowledged is lost."""
    async with Outside.serving() as outside, installation(settings(tmp_path), print) as running:
        load = Load(running, outside)
        loading = asyncio.ensure_future(load.run())
        assert running.postgres is not None
        for number in range(1, 4):
            await load.reached(60 * number)
            os.kill(running.postgres.pid, signal.SIGKILL)
        await load.reached(250)
        load.is_on = False
        await loading
        await over(running)
        found = await verdict(running.database)

        assert [] == outside.broken(found)
        assert {"completed"} == set(found.ends.values()), found.errors


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk with room for little more than an empty LinkFlow."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", place], check=False).returncode:
        pytest.skip("a disk of this test's own needs the right to mount one")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def test_the_disk_is_full(small_disk: Path) -> None:
    """While the disk is full, starts are refused in words; with room again all goes on."""
    ballast = small_disk / "ballast"
    async with (
        Outside.serving() as outside,
        installation(settings(small_disk / "home"), print) as running,
    ):
        load = Load(running, outside)
        loading = asyncio.ensure_future(load.run())
        await load.reached(50)
        fill(ballast)
        while load.refused < 50:
            await SystemClock().sleep(LOOK_S)
        kept = len(outside.acknowledged)
        ballast.unlink()
        await load.reached(kept + 100)
        load.is_on = False
        await loading
        await over(running)
        found = await verdict(running.database)
        log.info("disk full: %s refused, %s acknowledged", load.refused, len(outside.acknowledged))

        assert [] == outside.broken(found)
        assert {"completed"} == set(found.ends.values()), found.errors


def fill(path: Path) -> None:
    """Write until nothing more fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65536))
