"""A worker that is asked to stop ends what it can, and says honestly what it could not."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from linkflow.adapters.system import SystemClock
from linkflow.testing.processes import SERVICES, Deployment
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = pytest.mark.timeout(400)

LEASE_S = 8.0
"""A worker whose lease was not renewed for so long is dead."""
LOOK_S = 0.1


def paying(address: str) -> dict[str, Any]:
    """Say a workflow with an effect that must not happen twice."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "pay", "type": "http.request", "config": {"url": f"{address}/pay", "method": "POST"}}
        ],
        "edges": [{"source": "start", "target": "pay"}],
    }


async def under_way(split: Deployment, receiver: Receiver) -> str:
    """Start the workflow and wait until its effect is under way; the execution's id."""
    receiver.answer("/pay", Scripted(200, {"paid": True}))
    receiver.hold("/pay")
    made = (await split.post("/workflows", {"name": "Pay", "spec": paying(receiver.address)})).json["id"]
    started = (await split.post(f"/workflows/{made}/execute", {"input": 1})).json["execution_id"]
    await receiver.called("/pay")
    return str(started)


async def outlives_a_lease(dsn: str) -> None:
    """Wait until the only worker's lease was renewed for longer than a lease lasts."""
    connection = await asyncpg.connect(dsn)
    try:
        read = "SELECT max(extract(epoch FROM lease_until)) FROM engine.worker_sessions"
        first = await connection.fetchval(read)
        while await connection.fetchval(read) < float(first) + LEASE_S:
            await SystemClock().sleep(LOOK_S)
    finally:
        await connection.close()


async def test_a_patient_worker_ends_what_it_began(
    database_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """SIGTERM lets a long effect end in its first attempt, though it takes longer than a lease lasts."""
    async with Deployment.running(
        database_dsn, tmp_path, [*SERVICES, "rest"], LINKFLOW_DRAIN_S="60"
    ) as split:
        execution_id = await under_way(split, receiver)
        stopping = asyncio.create_task(split.stop("worker"))
        await outlives_a_lease(database_dsn)
        receiver.let_go("/pay")
        code, found = await stopping, await split.ended(execution_id)

    assert (0, "completed", {"paid": True}) == (code, found["status"], found["result"]["body"])
    assert 1 == len(receiver.to("/pay"))


async def test_an_impatient_worker_leaves_no_effect_behind_unsaid(
    database_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """An effect that the drain cut off is not repeated; a person reads that it may have happened."""
    async with Deployment.running(database_dsn, tmp_path, [*SERVICES, "rest"], LINKFLOW_DRAIN_S="1") as split:
        execution_id = await under_way(split, receiver)
        code = await split.stop("worker")
        split.start("worker")
        found = await split.ended(execution_id)

    assert (0, "node.outcome_unknown", "worker_lost") == (
        code,
        found["error"]["code"],
        found["error"]["details"]["reason"],
    )
    assert 1 == len(receiver.to("/pay"))
