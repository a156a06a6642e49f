"""Life of an event: it finds every execution that waits for it."""

from linkflow.testing.live import Live

WAITING = {
    "trigger": {"id": "t", "type": "trigger.manual"},
    "nodes": [
        {"id": "paid", "type": "logic.wait_event", "config": {"event": "paid", "key": "{{ trigger.order }}"}}
    ],
    "edges": [{"id": "e", "source": "t", "target": "paid"}],
}


async def test_an_event_reaches_whoever_waits(live: Live) -> None:
    """D7: of many waiting executions, an event wakes those with its key and no others."""
    workflow_id = await live.made(WAITING)
    wanted = [await live.start(workflow_id, {"order": "7"}) for _ in range(3)]
    others = [await live.start(workflow_id, {"order": str(number)}) for number in range(10, 40)]

    for each in (*wanted, *others):
        await live.waits(each)

    answer = await live.post("/events/paid", {"key": "7", "data": {"sum": 5}})

    assert sorted(wanted) == sorted(answer.json["signalled"])
    assert {"completed"} == {(await live.ended(each))["status"] for each in wanted}
    assert {"waiting"} == {(await live.get(f"/executions/{each}")).json["status"] for each in others}
