"""Eight services as eight processes, beside the REST API: one job runs through all of them."""

from pathlib import Path
from typing import Any

import pytest

from linkflow.adapters.grpc.trust import Trust
from linkflow.testing.likeness import normalised
from linkflow.testing.live import settings_of, started
from linkflow.testing.processes import SECRET, SERVICES, Deployment
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = pytest.mark.timeout(600)

TOOK_PART = {
    "frontend": "linkflow_requests_total",
    "history": "linkflow_history_events_total",
    "matching": "linkflow_workers_connected",
    "worker": "linkflow_node_executions_total",
    "timer": "linkflow_timers_fired_total",
    "visibility": "linkflow_projections_total",
    "control-plane": "linkflow_grpc_calls_total",
    "edge": "linkflow_edge_requests_total",
}
"""By role, a metric that is not 0 once the role has done something."""


def job(address: str) -> dict[str, Any]:
    """Say a workflow with effects, a delay, an approval and a decision."""
    fetch = {"type": "http.request", "config": {"url": f"{address}/price"}}
    tell = {"method": "POST", "url": f"{address}/told", "body": {"n": "{{node_price.output.body.n}}"}}
    return {
        "trigger": {"id": "start", "type": "trigger.webhook"},
        "nodes": [
            {"id": "price", **fetch},
            {"id": "pause", "type": "logic.delay", "config": {"milliseconds": 300}},
            {"id": "ask", "type": "logic.approval", "config": {}},
            {"id": "tell", "type": "http.request", "config": tell},
            {"id": "end", "type": "flow.output", "config": {"value": "{{node_tell.output.body}}"}},
        ],
        "edges": [
            {"source": "start", "target": "price"},
            {"source": "price", "target": "pause"},
            {"source": "pause", "target": "ask"},
            {"source": "ask", "target": "tell", "sourceHandle": "approved"},
            {"source": "tell", "target": "end"},
        ],
    }


async def hook_of(place: Any, spec: dict[str, Any]) -> str:
    """Publish the job and find the path of its webhook."""
    made = await place.post("/workflows", {"name": "Job", "spec": spec})
    assert made.status == 201, made.body
    workflow_id = made.json["id"]
    assert (await place.post(f"/workflows/{workflow_id}/activate")).status == 200
    found = (await place.get(f"/webhooks?workflow_id={workflow_id}")).json["data"]
    return f"/webhooks/{found[0]['id']}"


async def run(place: Any, taken: Any) -> tuple[Any, list[Any]]:
    """Approve what a webhook started, and read how it ended and its history."""
    assert taken.status == 202, taken.body
    execution_id = taken.json["execution_ids"][0]
    await place.until(execution_id, lambda found: found["status"] == "waiting" and _asks(found))
    said = await place.post(f"/executions/{execution_id}/resolve", {"key": "ask", "action": "approved"})
    assert said.status in (200, 202), said.body
    found = await place.ended(execution_id)
    events = (await place.get(f"/executions/{execution_id}/events?limit=1000")).json["data"]
    return found, normalised(events)


def _asks(found: Any) -> bool:
    return any(node["node_id"] == "ask" and node["status"] == "waiting" for node in found["nodes"])


async def start_at_the_engine(split: Deployment, workspace_id: str, workflow_id: str) -> list[int]:
    """A15: start and read an execution on the engine's own port; the statuses without and with the token."""
    body = {"workspace_id": workspace_id, "workflow_id": workflow_id, "input": {}, "idempotency_key": "x"}
    token = f"Bearer {Trust(secret=SECRET).token()}"
    path = "/api/v1/workflows/execute"
    refused = await split.call("POST", path, body, role="frontend", authorization="Bearer v1.0.0")
    taken = await split.call("POST", path, body, role="frontend", authorization=token)
    seen = []
    for workspace in (workspace_id, "another"):
        path = f"/api/v1/workspaces/{workspace}/executions/{taken.json['execution_id']}"
        seen.append((await split.call("GET", path, role="frontend", authorization=token)).status)
    return [refused.status, taken.status, *seen]


async def configure(split: Deployment, values: dict[str, str]) -> None:
    """Change a setting of all processes, and wait until each has applied it."""
    changed = await split.call("PUT", "/admin/cluster/config", {"values": values})
    assert (changed.status, changed.json["version"]) == (200, 1), changed.body
    await split.seen("/admin/cluster", lambda status: not status["behind"])


async def test_a_job_runs_through_eight_processes(
    database_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """C1r to C10r: a webhook through the edge runs effects, a delay and an approval over eight services.

    The history is the one that a single process writes, and each service shows by its metrics that it took
    part.
    """
    receiver.answer("/price", Scripted(200, {"n": 5}))
    receiver.answer("/told", Scripted(200, {"ok": True}))
    spec = job(receiver.address)
    async with Deployment.running(database_dsn, tmp_path / "split", [*SERVICES, "rest"]) as split:
        hook = await hook_of(split, spec)
        found, history = await run(split, await split.post(hook, {"order": 7}, role="edge"))
        status = (await split.get("/admin/cluster")).json
        direct = await start_at_the_engine(split, found["workspace_id"], found["workflow_id"])
        parts = {role: await split.measured(role, name) for role, name in TOOK_PART.items()}
        await configure(split, {"log_level": "debug"})
    async with started(settings_of(database_dsn, tmp_path / "one")) as live:
        alone, expected = await run(live, await live.knock(hook.rpartition("/")[2], {"order": 7}))

    assert ("completed", "completed", {"ok": True}) == (found["status"], alone["status"], found["result"])
    assert {role: 0.0 for role, count in parts.items() if not count} == {}
    assert (True, ["scheduler"]) == (status["ok"], status["missing"])
    assert expected == history
    assert [401, 202, 200, 404] == direct
