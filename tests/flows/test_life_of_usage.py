"""The life of a count: executions run, and the workspace sees what it used."""

from linkflow.testing.control import Stage
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted


async def test_usage_is_told_by_day_and_month(live: Live, receiver: Receiver) -> None:
    """B11: starts, ends, failures and node time of a workspace are told for today and for the month."""
    receiver.answer("/x", Scripted(200, {}), Scripted(404))
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "fetch", "type": "http.request", "config": {"url": f"{receiver.address}/x"}}],
        "edges": [{"source": "start", "target": "fetch"}],
    }
    for _ in range(2):
        await live.run(spec)
    await live.listed(lambda rows: sorted(row["status"] for row in rows) == ["completed", "failed"])
    by_day = (await live.get("/usage")).json
    by_month = (await live.get("/usage?by=month")).json
    whole = (await live.get(f"/workspaces/{live.running.owner.user.workspace_id}/usage")).json

    assert (2, 2, 1, 2) == tuple(by_day["total"][name] for name in ("started", "closed", "failed", "nodes"))
    assert by_day["total"] == by_month["total"]
    assert (by_day, True) == (whole, by_day["total"]["node_seconds"] > 0)


async def test_a_stretch_is_a_stretch(stage: Stage) -> None:
    """A stretch that ends before it begins, is too long, or is none is 400 and says what to write."""
    replies = [
        await stage.client.get(f"/api/v1/usage?{query}")
        for query in ("from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "from=yesterday")
    ]
    empty = await stage.client.get("/api/v1/usage?from=2020-01-01&to=2026-01-01&by=month")

    assert [(400, "usage.stretch")] * 3 == [(each.status, each.json["code"]) for each in replies]
    assert ([], 0) == (empty.json["data"], empty.json["total"]["started"])
