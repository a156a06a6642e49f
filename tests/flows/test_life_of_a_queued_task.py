"""The life of a task that finds no worker free: it waits in a queue, and which one makes no difference."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from linkflow.testing.likeness import normalised
from linkflow.testing.live import settings_of, started
from linkflow.testing.receiver import Receiver, Scripted

FETCHES = 6


def fan_out(address: str) -> dict[str, Any]:
    """Say a workflow that fetches several things at once, the last one twice."""
    names = [f"fetch{number}" for number in range(FETCHES)]
    retry = {"maxAttempts": 2, "initialDelayMs": 1}
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            *(
                {
                    "id": name,
                    "type": "http.request",
                    "config": {"url": f"{address}/{name}"},
                    "retry": retry,
                }
                for name in names
            ),
            {"id": "all", "type": "logic.merge", "config": {}},
            {"id": "sum", "type": "data.set", "config": {"values": {"n": "{{node_fetch5.output.body.n}}"}}},
        ],
        "edges": [
            *({"source": "start", "target": name} for name in names),
            *({"source": name, "target": "all"} for name in names),
            {"source": "all", "target": "sum"},
        ],
    }


@pytest.mark.external
@pytest.mark.parametrize("queue", ["redis", "rabbitmq"])
async def test_every_queue_gives_the_same_history(
    queue: str, database_dsn: str, tmp_path: Path, request: pytest.FixtureRequest, receiver: Receiver
) -> None:
    """C1, C2: tasks that wait in a broker give the history that tasks in this process give."""
    for number in range(FETCHES):
        receiver.answer(f"/fetch{number}", Scripted(200, {"n": number}))
    works, fails = Scripted(200, {"n": 5}), Scripted(503)
    receiver.answer("/fetch5", fails, works, fails, works)
    url = request.getfixturevalue(f"{queue}_url")
    embedded = dataclasses.replace(settings_of(database_dsn, tmp_path), worker_slots=1)
    broker: dict[str, Any] = {"queue": queue, f"{queue}_url": url}
    histories = []
    workflow_id = ""
    for settings in (embedded, dataclasses.replace(embedded, **broker)):
        async with started(settings) as live:
            workflow_id = workflow_id or await live.made(fan_out(receiver.address))
            found = await live.ended(await live.start(workflow_id))
            events = (await live.get(f"/executions/{found['id']}/events?limit=1000")).json["data"]
        histories.append((found["result"], normalised(events)))

    assert ({"n": 5}, histories[0]) == (histories[0][0], histories[1])


async def test_a_task_waits_no_longer_than_it_may(
    database_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """A node that nobody takes in time goes the error way, and certainly did not begin."""
    receiver.hold("/first")
    nodes = [
        {"id": "first", "type": "http.request", "config": {"url": f"{receiver.address}/first"}},
        {
            "id": "late",
            "type": "http.request",
            "config": {"url": f"{receiver.address}/late"},
            "scheduleToStart": 300,
        },
        {"id": "note", "type": "data.set", "config": {"values": {"why": "{{input.error}}"}}},
    ]
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": nodes,
        "edges": [
            {"source": "start", "target": "first"},
            {"source": "start", "target": "late"},
            {"source": "late", "sourceHandle": "error", "target": "note"},
        ],
    }
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), worker_slots=1)
    async with started(settings) as live:
        execution = await live.start(await live.active(spec))
        noted = await live.until(execution, lambda found: len(found["nodes"]) == 4)
        receiver.let_go("/first")
        await live.ended(execution)

    late = next(node for node in noted["nodes"] if node["node_id"] == "late")
    assert ("timeout", "node.no_worker", []) == (
        late["status"],
        late["error"]["code"],
        list(receiver.to("/late")),
    )
