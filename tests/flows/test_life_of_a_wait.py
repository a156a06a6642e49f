"""The life of a wait: delays, events, approvals, sub-workflows, tickets; what a person may do meanwhile."""

from typing import Any

import pytest

from linkflow.testing.live import Live


def waiting(node: Any, after: str = "{{input}}", **more: Any) -> dict[str, Any]:
    """Say a spec that waits in one node and then gives what came."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "wait"} | node, {"id": "end", "type": "flow.output", "config": {"value": after}}],
        "edges": [{"source": "start", "target": "wait"}, {"source": "wait", "target": "end"}],
    } | more


SIGNAL = {"type": "logic.wait_event", "label": "The news", "config": {"event": "news", "key": "7"}}


async def test_a_delay_passes(live: Live) -> None:
    """D3, D11, G6: a delay starts a timer, and the timer that fires lets the execution go on."""
    found = await live.run(waiting({"type": "logic.delay", "config": {"milliseconds": 50}}))
    events = [each["type"] for each in (await live.get(f"/executions/{found['id']}/events")).json["data"]]

    assert ("completed", True) == (found["status"], events.index("TimerStarted") < events.index("TimerFired"))


async def test_a_signal_ends_a_wait(live: Live) -> None:
    """A signal with the right name and key is delivered once; one with another key waits in the mailbox."""
    execution_id = await live.start(await live.made(waiting(SIGNAL)))
    explained = await live.waits(execution_id)
    for key, data in (("8", {"n": 8}), ("7", {"n": 7}), ("7", {"n": 77})):
        sent = await live.post(
            f"/executions/{execution_id}/signal", {"name": "news", "key": key, "data": data, "id": str(data)}
        )
        assert sent.status in (202, 409), sent.body
    found = await live.ended(execution_id)

    assert ("'The news' waits for the event 'news' with key '7'.", {"n": 7}) == (
        explained["drivers"][0]["message"],
        found["result"]["data"],
    )


async def test_a_signal_may_come_before_its_wait(live: Live) -> None:
    """An event that is there before the wait is kept for it."""
    spec = waiting(SIGNAL)
    spec["nodes"].append({"id": "first", "type": "logic.delay", "config": {"milliseconds": 300}})
    spec["edges"] = [
        {"source": "start", "target": "first"},
        {"source": "first", "target": "wait"},
        {"source": "wait", "target": "end"},
    ]
    execution_id = await live.start(await live.made(spec))
    await live.post(f"/executions/{execution_id}/signal", {"name": "news", "key": "7", "data": "early"})
    found = await live.ended(execution_id)

    assert "early" == found["result"]["data"]


async def test_explain_says_what_an_execution_waits_for(live: Live) -> None:
    """Explain gives status, reason and deadline in a sentence, and what a person can do."""
    execution_id = await live.start(await live.made(waiting(SIGNAL)))
    explained = await live.waits(execution_id)

    assert (
        "It is waiting. 'The news' waits for the event 'news' with key '7'. At the latest in 7 days.",
        ["signal", "resolve", "cancel"],
    ) == (explained["summary"], explained["drivers"][0]["can"])


async def test_cancel_wins(live: Live) -> None:
    """A cancelled execution ends as cancelled, and its waits with it."""
    execution_id = await live.start(await live.made(waiting(SIGNAL)))
    await live.waits(execution_id)
    asked = await live.post(f"/executions/{execution_id}/cancel", {"reason": "not needed"})
    found = await live.ended(execution_id)
    wait = next(node for node in found["nodes"] if node["node_id"] == "wait")

    assert (202, "cancelled", "cancelled") == (asked.status, found["status"], wait["status"])


async def test_a_resume_link_works_once(live: Live) -> None:
    """An approval's link shows a page without deciding, decides once, and is nobody else's."""
    spec = waiting({"type": "logic.approval", "config": {"title": "Ship it?"}})
    spec["edges"][1]["sourceHandle"] = "approved"
    execution_id = await live.start(await live.made(spec))
    [driver] = (await live.waits(execution_id))["drivers"]
    link = f"/resume/{driver['resume_token']}"
    shown = await live.call("GET", link, headers={"accept": "text/html"}, signed_in=False)
    forged = await live.call("POST", link[:-4] + "0000", {"action": "approved"}, signed_in=False)
    decided = await live.call("POST", link, {"action": "approved"}, signed_in=False)
    found = await live.ended(execution_id)
    late = await live.call("POST", link, {"action": "rejected"}, signed_in=False)

    assert (True, 404, 202, "approved") == (
        b"Ship it?" in shown.body,
        forged.status,
        decided.status,
        found["result"]["decision"],
    )
    assert late.status in (404, 409)


GREETER = {
    "trigger": {"id": "start", "type": "trigger.manual", "config": {}},
    "nodes": [{"id": "greet", "type": "data.set", "config": {"values": {"text": "Hello, {{trigger.name}}"}}}],
    "edges": [{"source": "start", "target": "greet"}],
    "settings": {"inputSchema": {"type": "object", "required": ["name"]}},
}


def calling(workflow_id: str, **config: Any) -> dict[str, Any]:
    """Say a spec that calls another workflow."""
    config = {"workflow_id": workflow_id, "input": "{{trigger}}"} | config
    return waiting({"type": "flow.sub_workflow", "config": config})


async def test_a_sub_workflow_gives_its_result(live: Live) -> None:
    """A parent waits for its child, which is an execution of its own, and gets its result."""
    found = await live.run(calling(await live.made(GREETER, "Greeter")), {"name": "Ada"})
    await live.listed(lambda rows: len(rows) == 2)
    children = (await live.get(f"/executions?parent_id={found['id']}")).json["data"]

    assert ({"text": "Hello, Ada"}, [found["id"]]) == (
        found["result"],
        [row["parent_id"] for row in children],
    )


@pytest.mark.parametrize(("data", "code"), [({}, "workflow.child_failed"), ({"name": "Ada"}, "")])
async def test_a_child_that_cannot_start_fails_its_parent(live: Live, data: Any, code: str) -> None:
    """An input against the child's schema is the parent's failure, never a wait without end."""
    found = await live.run(calling(await live.made(GREETER, "Greeter")), data)

    assert code == (found["error"] or {"code": ""})["code"]


async def test_a_missing_sub_workflow_fails_its_parent(live: Live) -> None:
    """A sub-workflow that does not exist is an error of the node that names it."""
    found = await live.run(calling("00000000-0000-4000-8000-000000000000"), {"name": "Ada"})

    assert "failed" == found["status"]


async def test_fire_and_forget_does_not_wait(live: Live) -> None:
    """A parent that does not wait ends with the child's execution id, and the child goes on by itself."""
    spec = calling(await live.made(GREETER, "Greeter"), mode="fire_and_forget")
    found = await live.run(spec, {"name": "Ada"})
    child = await live.ended(found["result"]["execution_id"])

    assert ("completed", {"text": "Hello, Ada"}) == (child["status"], child["result"])


async def test_one_at_a_time(live: Live) -> None:
    """D24, D25: with concurrency 1 a second start is queued, says so, and runs when the first is over."""
    workflow_id = await live.made(waiting(SIGNAL, settings={"concurrency": {"limit": 1}}))
    first = await live.start(workflow_id)
    await live.waits(first)
    second = await live.start(workflow_id)
    queued = await live.until(second, lambda found: found["status"] == "queued")
    explained = (await live.get(f"/executions/{second}/explain")).json
    await live.post(f"/executions/{first}/signal", {"name": "news", "key": "7"})
    await live.ended(first)
    await live.waits(second)
    await live.post(f"/executions/{second}/signal", {"name": "news", "key": "7"})
    found = await live.ended(second)

    assert ("queued", "ticket", "completed") == (
        queued["status"],
        explained["drivers"][0]["kind"],
        found["status"],
    )


@pytest.mark.parametrize(
    ("policy", "old", "new"), [("skip", "waiting", "cancelled"), ("replace", "cancelled", "waiting")]
)
async def test_one_too_many_is_decided_by_policy(live: Live, policy: str, old: str, new: str) -> None:
    """D24: one start too many is skipped, or replaces the execution that runs."""
    settings = {"concurrency": {"limit": 1, "onConflict": policy}}
    workflow_id = await live.made(waiting(SIGNAL, settings=settings))
    first = await live.start(workflow_id)
    await live.waits(first)
    second = await live.start(workflow_id)
    await live.until(second, lambda found: found["status"] == new)
    found = await live.until(first, lambda found: found["status"] == old)

    assert old == found["status"]
