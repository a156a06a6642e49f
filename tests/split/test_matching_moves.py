"""Matching may die: another one, or itself when it is back, brings what was queued to workers again."""

import logging
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from linkflow.testing.processes import Deployment
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = pytest.mark.timeout(600)

REST = "rest,frontend,control-plane,history,timer,visibility,worker"
PATH = "/slow"
QUEUED = 5

log = logging.getLogger(__name__)


def job(address: str) -> dict[str, Any]:
    """Say a workflow with one effect."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "get", "type": "http.request", "config": {"url": f"{address}{PATH}"}}],
        "edges": [{"source": "start", "target": "get"}],
    }


def waiting(found: Any) -> int:
    """Add up what waits in the queues."""
    return sum(queue["depth"] for queue in found["data"])


async def fill(split: Deployment, address: str, receiver: Receiver) -> list[str]:
    """Start executions, one of which has the only slot; the others wait in Matching."""
    receiver.hold(PATH)
    before = len(receiver.to(PATH))
    spec = job(address)
    workflow_id = (await split.post("/workflows", {"name": "Job", "spec": spec})).json["id"]
    path = f"/workflows/{workflow_id}/execute"
    started = [(await split.post(path, {"input": n})).json["execution_id"] for n in range(QUEUED + 1)]
    await split.seen("/admin/queues", lambda found: waiting(found) == QUEUED)
    await receiver.called(PATH, before + 1)
    return started


async def goes_on(split: Deployment, receiver: Receiver, started: list[str], killed_at: float) -> set[str]:
    """Free the slot, and wait until all have ended; say how long the next task took after the kill."""
    before = len(receiver.to(PATH))
    receiver.let_go(PATH)
    await receiver.called(PATH, before + 1)
    log.warning("from the kill to the next task: %.1f s", monotonic() - killed_at)
    return {(await split.ended(each))["status"] for each in started}


async def test_queued_tasks_go_on_elsewhere(database_dsn: str, tmp_path: Path, receiver: Receiver) -> None:
    """C3r: a Matching that stood by, or the killed one when it is back, brings queued tasks on.

    Nothing waits for the list of members to forget the dead one.
    """
    receiver.answer(PATH, Scripted(200, {}))
    async with Deployment.running(
        database_dsn, tmp_path, [REST, "matching"], LINKFLOW_WORKER_SLOTS="1"
    ) as split:
        split.start("matching", called="standby")
        await split.ready("standby")
        first = await fill(split, receiver.address, receiver)
        killed_at = monotonic()
        await split.kill("matching")
        moved = await goes_on(split, receiver, first, killed_at)

        second = await fill(split, receiver.address, receiver)
        killed_at = monotonic()
        await split.kill("standby")
        split.start("matching", called="standby")
        again = await goes_on(split, receiver, second, killed_at)

    assert ({"completed"}, {"completed"}) == (moved, again)
