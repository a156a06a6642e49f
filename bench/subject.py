"""LinkFlow itself, whole and in one process, as the thing that is measured.

    python -m bench.subject HOME OUTBOUND

It serves HTTP as `linkflow serve` does, with two more node types, and takes orders as JSON lines on stdin:
`{"spec", "callers", "seconds"}` drives the engine's front door from coroutines in this process and answers
like `bench.load`; `{"timers": {"count", "spread_s"}}` is answered by `bench.timers`. An empty line ends it.
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO, Any

import uvloop

from bench.meter import percentile
from bench.timers import fired
from bench.workloads import INPUT
from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.apps.installation import Installation
from linkflow.apps.serve import serve
from linkflow.apps.settings import Settings
from linkflow.domain.node import Completion, NodeClass, NodeSpec
from linkflow.domain.workflow.spec import canonical_spec, content_hash, parse
from linkflow.nodes.registry import BUILTIN, NodeRegistry
from linkflow.ports.nodes import NodeContext
from linkflow.ports.services import StartExecution

EMAIL, PASSWORD = "bench@localhost", "a password for the bench"
WAIT_MS = 60_000
BURN_S = 0.01
"""CPU that one burning node takes."""


class Effect:
    """An effect that costs nothing of its own: what is measured is everything around it."""

    def __init__(self, name: str, node_class: NodeClass) -> None:
        self.spec = NodeSpec(
            type=f"bench.{name}", title=name, summary="Does nothing, durably.", node_class=node_class
        )

    async def run(self, context: NodeContext) -> Completion:
        """Succeed."""
        return Completion(output={"ok": True})


class Burn:
    """An effect that keeps its worker's core busy: what is measured is the worker."""

    spec = NodeSpec(
        type="bench.burn",
        title="burn",
        summary="Computes for a while.",
        node_class=NodeClass.IDEMPOTENT,
    )

    async def run(self, context: NodeContext) -> Completion:
        """Compute."""
        until = time.thread_time() + BURN_S
        while time.thread_time() < until:
            sum(range(1_000))
        return Completion(output={"ok": True})


NODES = (Effect("effect", NodeClass.IDEMPOTENT), Effect("once", NodeClass.ONCE), Burn())


class Driver:
    """Drives the engine from inside its process."""

    def __init__(self, running: Installation, workspace_id: str) -> None:
        self._running, self._workspace_id = running, workspace_id

    async def run(self, spec: dict[str, Any], callers: int, seconds: float) -> dict[str, Any]:
        """Keep the callers busy for some seconds; the answer is that of `bench.load`."""
        parsed = parse(spec)
        spec_hash = content_hash(parsed)
        await SqlSpecStore(self._running.database).put(self._workspace_id, spec_hash, canonical_spec(parsed))
        start = StartExecution(
            workspace_id=self._workspace_id,
            workflow_id=f"bench-{spec_hash[:8]}",
            spec_hash=spec_hash,
            input=INPUT,
            wait_ms=WAIT_MS,
        )
        took: list[float] = []
        errors = 0
        began = time.perf_counter()

        async def caller() -> None:
            nonlocal errors
            while (now := time.perf_counter()) < began + seconds:
                started = await self._running.engine.frontend.start(start)
                if started.status == "completed":
                    took.append(time.perf_counter() - now)
                else:
                    errors += 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        return {
            "count": len(took),
            "seconds": time.perf_counter() - began,
            "p50_ms": percentile(took, 0.5) * 1e3,
            "p99_ms": percentile(took, 0.99) * 1e3,
            "errors": {"not completed": errors} if errors else {},
        }


async def arrivals() -> asyncio.StreamReader:
    """Read stdin without blocking."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def work_off(running: Installation, port: int, answers: IO[str]) -> None:
    """Say where LinkFlow is, carry orders out until there are no more, then stop it."""
    assert running.postgres is not None

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    answer({"port": port, "postgres": running.postgres.pid, "dsn": running.postgres.dsn})
    driver, reader = Driver(running, running.owner.user.workspace_id), await arrivals()
    while (line := await reader.readline()).strip():
        order = json.loads(line)
        if "timers" in order:
            answer(await fired(running, running.owner.user.workspace_id, **order["timers"]))
        else:
            answer(await driver.run(**order))
    os.kill(os.getpid(), signal.SIGTERM)


async def main(home: Path, outbound: str) -> None:
    """Run LinkFlow until there are no more orders."""
    answers = os.fdopen(os.dup(1), "w")  # stdout is for answers; what LinkFlow logs goes to stderr
    os.dup2(2, 1)
    settings = Settings(
        home=home,
        port=0,
        outbound_allow=(outbound,),
        log_level="warning",
        owner_email=EMAIL,
        owner_password=PASSWORD,
    )
    working: list[asyncio.Future[None]] = []

    def ready(running: Installation, url: str) -> None:
        working.append(asyncio.ensure_future(work_off(running, int(url.rpartition(":")[2]), answers)))

    await serve(settings, lambda text: None, ready, nodes=NodeRegistry(BUILTIN, {"bench": NODES}))
    await asyncio.gather(*working)


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2]))
