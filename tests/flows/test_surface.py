"""What can be done with each kind of thing over REST, and what is said about specs without running them."""

from typing import Any

import pytest

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

START = {"id": "start", "type": "trigger.manual"}
SPEC: dict[str, Any] = {
    "trigger": START,
    "nodes": [{"id": "a", "type": "data.set", "config": {"values": {"x": 1}}}],
    "edges": [{"id": "e1", "source": "start", "target": "a"}],
}


async def bodies(live: Live) -> dict[str, Any]:
    """Say what makes one of each."""
    workflow_id = await live.made(SPEC)
    return {
        "workflows": {"name": "Another", "spec": SPEC},
        "credentials": {"name": "token", "type": "custom", "data": {"token": "secret"}},
        "webhooks": {"workflow_id": workflow_id},
        "schedules": {"workflow_id": workflow_id, "cron": "0 9 * * *"},
    }


@pytest.mark.parametrize("kind", ["workflows", "credentials", "webhooks", "schedules"])
async def test_things_are_made_listed_and_removed(live: Live, kind: str) -> None:
    """A1: each resource is created, found in its list, and gone once it was deleted."""
    made = await live.post(f"/{kind}", (await bodies(live))[kind])
    listed = [each["id"] for each in (await live.get(f"/{kind}")).json["data"]]
    removed = await live.call("DELETE", f"/{kind}/{made.json['id']}")
    after = [each["id"] for each in (await live.get(f"/{kind}")).json["data"]]

    assert (201, True, 204, False) == (
        made.status,
        made.json["id"] in listed,
        removed.status,
        made.json["id"] in after,
    )


async def test_health_and_status_are_told_over_http(live: Live) -> None:
    """A21: anybody may ask whether it lives and can serve; counts by status are for those who signed in."""
    found = await live.run(SPEC)
    await live.listed(lambda rows: bool(rows) and rows[0]["status"] == "completed")
    health = await live.call("GET", "/health", signed_in=False)
    ready = await live.call("GET", "/ready", signed_in=False)
    stats = await live.get("/executions/stats")
    strange = await live.call("GET", "/executions/stats", signed_in=False)

    assert ("completed", 200, 200, 1, 401) == (
        found["status"],
        health.status,
        ready.status,
        stats.json["completed"],
        strange.status,
    )


async def test_a_spec_is_compiled_before_it_runs(live: Live) -> None:
    """D12: compiling gives the execution graph with each node's type, version and class."""
    reply = await live.post("/workflows/compile", SPEC)

    assert (True, "start", [("start", "trigger"), ("a", "pure")]) == (
        reply.json["success"],
        reply.json["graph"]["trigger"],
        [(node["id"], node["class"]) for node in reply.json["graph"]["nodes"]],
    )


async def test_a_cycle_is_refused(live: Live) -> None:
    """D13, A4: a cycle that neither loops nor waits is an error that names it, and nothing is saved."""
    spec = SPEC | {
        "nodes": [*SPEC["nodes"], {"id": "b", "type": "data.set", "config": {"values": {"y": 1}}}],
        "edges": [
            *SPEC["edges"],
            {"id": "e2", "source": "a", "target": "b"},
            {"id": "e3", "source": "b", "target": "a"},
        ],
    }
    verdict = await live.post("/workflows/validate", spec)
    saved = await live.post("/workflows", {"name": "Round", "spec": spec})

    assert (False, True, 400) == (
        verdict.json["valid"],
        "CYCLE_DETECTED" in [error["code"] for error in verdict.json["errors"]],
        saved.status,
    )


async def test_a_result_and_what_follows_are_one_record(live: Live, receiver: Receiver) -> None:
    """D23: a node's result is durable together with what follows from it, in one record."""
    receiver.answer("/x", Scripted(200, {}))
    fetch = {"type": "http.request", "config": {"url": f"{receiver.address}/x"}}
    spec = {
        "trigger": START,
        "nodes": [{"id": "one"} | fetch, SPEC["nodes"][0], {"id": "two"} | fetch],
        "edges": [
            {"id": "e1", "source": "start", "target": "one"},
            {"id": "e2", "source": "one", "target": "a"},
            {"id": "e3", "source": "a", "target": "two"},
        ],
    }
    found = await live.run(spec)
    loaded = await live.running.engine.store.load(found["id"])
    records = [[type(event).__name__ for event in record.events] for record in loaded]

    assert [
        ["WorkflowExecutionStarted", "NodeCompleted", "ActivityTaskScheduled", "ActivityTaskStarted"],
        ["ActivityTaskCompleted", "NodeCompleted", "ActivityTaskScheduled", "ActivityTaskStarted"],
        ["ActivityTaskCompleted", "WorkflowExecutionCompleted"],
    ] == records
