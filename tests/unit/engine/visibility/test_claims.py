"""Projections that other processes left: whoever writes them takes no more than it can write soon."""

import asyncio
from collections.abc import Sequence
from typing import Any

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.engine.matching.service import Matching
from linkflow.engine.timer import Timer
from linkflow.engine.visibility.projector import AHEAD_S, BATCH, CLAIM_S, GATHER_S, Claims, Projector
from linkflow.ports.services import Projected
from linkflow.testing.builders import node, spec
from linkflow.testing.fakes import FixedClock
from linkflow.testing.split import Place, command

ROUNDS = 20


class Silent:
    """A History that does not answer."""

    async def projected(self, execution_ids: Sequence[str]) -> Sequence[Projected]:
        """Never answer."""
        await asyncio.Event().wait()
        return []


async def test_a_slow_projector_leaves_work_to_others() -> None:
    """A process that cannot write claims two batches and no more, so that another one can write the rest."""
    clock: Any = FixedClock()
    place = Place(clock=clock)
    history = place.history(Matching(MemoryTaskQueue()), Timer(place.store, clock), is_shared=True)
    silent: Any = Silent()
    nowhere: Any = None
    projector = Projector(nowhere, clock, lambda workspace_id: None)
    projector.connect(silent)
    async with asyncio.TaskGroup() as group:
        history.own_tasks(group)
        published = await place.publish(spec("t -> wait", wait=node("logic.wait_event", event="news")))
        for _ in range(3 * BATCH):
            await history.start(command(published))
        running = [
            group.create_task(each.run()) for each in (projector, Claims(place.store, projector, clock))
        ]
        for _ in range(ROUNDS):
            await clock.turn(GATHER_S)
        left = await place.store.claim(9 * BATCH, clock.now() + AHEAD_S, clock.now() + CLAIM_S, "projections")
        for task in running:
            task.cancel()

    assert BATCH == len(left)
