"""The life of a schedule: time passes, nobody asks, an execution starts."""

from linkflow.testing.live import Live

SPEC = {
    "trigger": {"id": "tick", "type": "trigger.schedule", "config": {"interval_s": 1, "max_executions": 1}},
    "nodes": [{"id": "note", "type": "data.set", "config": {"values": {"at": "{{trigger.scheduled_time}}"}}}],
    "edges": [{"source": "tick", "target": "note"}],
}


async def test_an_active_schedule_starts_executions(live: Live) -> None:
    """A10, D3: an active workflow with a schedule starts by itself and knows the nominal time."""
    workflow_id = await live.active(SPEC)
    [row] = await live.listed(lambda rows: bool(rows) and bool(rows[0]["closed_at"]))
    found = (await live.get(f"/executions/{row['id']}")).json

    assert (workflow_id, "schedule", "completed", found["input"]["scheduled_time"]) == (
        found["workflow_id"],
        found["trigger_kind"],
        found["status"],
        found["result"]["at"],
    )


async def test_a_workflow_that_rests_starts_nothing(live: Live) -> None:
    """Deactivating a workflow removes its schedule, and activating it again brings it back."""
    workflow_id = await live.active(SPEC)
    await live.post(f"/workflows/{workflow_id}/deactivate")
    resting = (await live.get("/schedules")).json["data"]
    await live.post(f"/workflows/{workflow_id}/activate")
    active = (await live.get("/schedules")).json["data"]

    assert ([], [workflow_id]) == (resting, [each["workflow_id"] for each in active])
