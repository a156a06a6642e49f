"""Short ways to live through faults in a simulated world."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from structlog.testing import capture_logs

from linkflow.domain.values import Json
from linkflow.domain.workflow.spec import WorkflowSpec
from linkflow.ports.services import StartedExecution, StartExecution
from linkflow.testing.outside import Faults, OpenStore
from linkflow.testing.virtual import run
from linkflow.testing.world import WORKSPACE, World

Scenario = Callable[[World], Coroutine[Any, Any, None]]

QUIET = Faults(transient=0.0)
"""A world in which nothing fails by itself."""


def live(
    scenario: Scenario,
    *,
    seed: int = 1,
    faults: Faults = QUIET,
    store: OpenStore | None = None,
    kind: type[World] = World,
) -> World:
    """Live through a scenario in virtual time; the world as it is at the end."""
    rng = random.Random(seed)  # noqa: S311  # a scenario repeats
    worlds: list[World] = []

    async def main() -> None:
        world = kind(rng, faults, store or OpenStore())
        worlds.append(world)
        await world.life.recovery.recovered.wait()
        await scenario(world)
        world.life.kill()

    with capture_logs():
        run(rng, main())
    return worlds[0]


def command(world: World, workflow_id: str, trigger_input: Json = None, **fields: Any) -> StartExecution:
    """Say a start."""
    return StartExecution(
        workspace_id=WORKSPACE,
        workflow_id=workflow_id,
        spec_hash=world.workflows[workflow_id],
        input=trigger_input,
        **fields,
    )


async def started(
    world: World, workflow_id: str, trigger_input: Json = None, **fields: Any
) -> StartedExecution:
    """Start a published workflow."""
    return await world.life.frontend.start(command(world, workflow_id, trigger_input, **fields))


async def ended(world: World, execution_id: str, within_s: float = 600.0) -> StartedExecution:
    """Wait for the end of an execution."""
    return await world.life.frontend.wait(execution_id, int(within_s * 1000))


async def pass_time(seconds: float) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(seconds)


async def _statuses(world: World, ids: Sequence[str]) -> list[str]:
    """Ask where executions stand."""
    return [(await world.life.frontend.wait(one, 0)).status for one in ids]


async def in_a_row(world: World, workflow: WorkflowSpec, crash_s: float | None) -> Sequence[list[str]]:
    """Start three executions of a workflow, a second apart; where they stand then, and at last.

    Args:
        world: Where.
        workflow: What is started.
        crash_s: The engine is killed between, and away for so many seconds; None for not at all.
    """
    await world.publish("w", workflow)
    ids = []
    for _ in range(3):
        ids.append((await started(world, "w")).execution_id)
        await pass_time(1.0)
    at_first = await _statuses(world, ids)
    if crash_s is not None:
        await world.crash(crash_s)
    await pass_time(200.0)
    return at_first, await _statuses(world, ids)


async def until(world: World, is_so: Callable[[World], object], within_s: float = 600.0) -> None:
    """Let virtual time pass until something is so.

    Raises:
        TimeoutError: It never was.
    """
    async with asyncio.timeout(within_s):
        while not is_so(world):  # noqa: ASYNC110  # virtual time
            await asyncio.sleep(0.01)
