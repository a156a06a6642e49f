"""Starts at a rate, for as long as a storm lasts: asked for over gRPC, again until they are acknowledged.

async with starting(database, outside, per_s=200) as load:
    await load.reached(1000)
found, silences = await load.judged()
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec

from linkflow.adapters.grpc.clients import FrontendClient
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.system import SystemClock
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.ports.services import StartExecution
from linkflow.testing.cluster import frontends
from linkflow.testing.storm import Outside, Verdict, left, verdict, workflows

WORKSPACE = "11111111-1111-4111-8111-111111111111"
TICK_S = 0.05
LOOK_S = 0.25
PLAIN = ("quick",) * 17 + ("chain", "chain", "limited")
"""What is started, in turn: mostly the shortest, so that the rate is high; each class of effect often."""

MIX = (*("paced",) * 3, *PLAIN[3:], *("debounced", *PLAIN[1:], *PLAIN * 4) * 4)
"""The same, with a few whose instant a policy says: three at once, more than the rate lets begin, and one
every now and then."""

IN_FLIGHT = 600
"""Starts that wait for an answer, at most."""

SILENCES = """
SELECT coalesce(percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY silence), '{0,0,0}')
FROM (SELECT max(extract(epoch FROM silence))::float8 AS silence FROM (
    SELECT execution_id, at - lag(at) OVER (PARTITION BY execution_id ORDER BY first_event) AS silence
    FROM engine.history_events) AS s
  JOIN engine.executions USING (execution_id)
  WHERE workflow_id NOT IN ('limited', 'paced', 'debounced') GROUP BY execution_id) AS t"""


class Silences(msgspec.Struct, frozen=True):
    """The longest time that an execution was without news, in seconds; those that wait by right left out.

    Attributes:
        p50_s: Of the executions' longest.
        p99_s: Of the executions' longest.
        most_s: Of all.
    """

    p50_s: float
    p99_s: float
    most_s: float


class Load:
    """Starts that are under way.

    Attributes:
        asked: Starts so far, each with a request id of its own.
        refused: Answers that were none, so that the start was asked for again.
        took_s: How long it lasted.
    """

    def __init__(
        self,
        database: Database,
        frontend: FrontendClient,
        outside: Outside,
        hashes: Mapping[str, str],
        mix: Sequence[str],
    ) -> None:
        self.asked = self.refused = 0
        self.took_s = 0.0
        self._database, self._frontend, self._outside, self._hashes = database, frontend, outside, hashes
        self._mix = mix
        self._clock = SystemClock()
        self._more = asyncio.Event()

    async def run(self, per_s: float, until: asyncio.Event) -> None:
        """Start executions at a rate; at the end wait until each start is acknowledged."""
        began = self._clock.monotonic()
        room = asyncio.Semaphore(IN_FLIGHT)
        async with asyncio.TaskGroup() as group:
            while not until.is_set():
                due = (self._clock.monotonic() - began) * per_s
                while self.asked < due and not room.locked():
                    await room.acquire()
                    group.create_task(self._start(self.asked, room))
                    self.asked += 1
                await self._clock.sleep(TICK_S)
            self.took_s = self._clock.monotonic() - began

    async def _start(self, number: int, room: asyncio.Semaphore) -> None:
        name = self._mix[number % len(self._mix)]
        command = StartExecution(
            workspace_id=WORKSPACE,
            workflow_id=name,
            spec_hash=self._hashes[name],
            request_id=f"r{number}",
            input={"number": number},
        )
        execution_id = ""
        while not execution_id:
            try:
                execution_id = (await self._frontend.start(command)).execution_id
            except LinkFlowError as error:
                assert error.kind in ("transient", "rate_limit"), error
                self.refused += 1
                await self._clock.sleep(LOOK_S)
        self._outside.acknowledged[execution_id] = name
        self._more.set()
        room.release()

    async def reached(self, count: int) -> None:
        """Wait until so many starts were acknowledged."""
        while len(self._outside.acknowledged) < count:
            self._more.clear()
            await self._more.wait()

    @property
    def acknowledged(self) -> int:
        """How many starts were acknowledged."""
        return len(self._outside.acknowledged)

    @property
    def per_s(self) -> float:
        """Acknowledged starts per second."""
        return len(self._outside.acknowledged) / self.took_s

    async def judged(self) -> tuple[Verdict, Silences]:
        """Wait until nothing is left to do, and read everything."""
        while await left(self._database):
            await self._clock.sleep(LOOK_S)
        silences = await self._database.pool.fetchval(SILENCES)
        return await verdict(self._database), Silences(*silences)

    def broken(self, found: Verdict) -> list[str]:
        """Say which promises were not kept, one line each."""
        faults = list(self._outside.broken(found))
        if len(self._outside.acknowledged) != self.asked:
            faults.append(f"{self.asked} starts were {len(self._outside.acknowledged)} executions")
        if len(found.ends) != self.asked:
            faults.append(f"{self.asked} starts made {len(found.ends)} executions")
        return faults


@asynccontextmanager
async def starting(
    database: Database, outside: Outside, per_s: float, mix: Sequence[str] = MIX
) -> AsyncIterator[Load]:
    """Start executions until the block is left; then wait until each start is acknowledged.

    Args:
        database: Where LinkFlow's is.
        outside: What their effects are had on.
        per_s: How many, per second.
        mix: Workflows in turn.
    """
    hashes: dict[str, str] = {}
    for name, workflow in workflows(outside.url).items():
        hashes[name] = content_hash(workflow)
        await SqlSpecStore(database).put(WORKSPACE, hashes[name], canonical_spec(workflow))
    async with frontends(database) as frontend:
        load, over = Load(database, frontend, outside, hashes, mix), asyncio.Event()
        running = asyncio.ensure_future(load.run(per_s, over))
        try:
            yield load
            over.set()
            await running
        finally:
            running.cancel()
