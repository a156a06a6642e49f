"""The life of an unknown outcome: a server hangs up, is asked what became of the request, or a person is."""

from typing import Any

import pytest

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted


def paying(receiver: Receiver, **settings: Any) -> dict[str, Any]:
    """Say a spec that sends one payment, to a server that says too late what became of it."""
    receiver.hold("/pay")
    config = {
        "method": "POST",
        "url": f"{receiver.address}/pay",
        "body": {"reference": "{{execution.effect_key}}"},
        "look_up": {
            "url": f"{receiver.address}/payments",
            "query": {"reference": "{{execution.effect_key}}"},
        },
    }
    pay = {"id": "pay", "type": "http.request", "label": "Pay", "timeout": 300, "config": config, **settings}
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [pay],
        "edges": [{"source": "start", "target": "pay"}],
    }


async def looked_up(live: Live, receiver: Receiver, **settings: Any) -> str:
    """Lead an execution to its look-up, and hurry that on; the execution id."""
    execution = await live.start(await live.active(paying(receiver, **settings)))
    await hurried(live, execution)
    return execution


async def hurried(live: Live, execution: str) -> None:
    """Wait until an execution is about to look up, and let it do so at once."""
    path = f"/executions/{execution}"
    waiting = await live.until(execution, lambda found: found["nodes"][1].get("waits_for") == "look_up")
    explained = (await live.get(f"{path}/explain")).json
    assert "the receiver is asked what became of it (look-up 1)" in explained["summary"], waiting
    assert 202 == (await live.post(f"{path}/resolve", {"key": "pay", "action": "retry"})).status


async def test_a_payment_that_was_made_is_not_made_again(live: Live, receiver: Receiver) -> None:
    """The server knows the payment by its key: its answer is the output, and it was sent once."""
    receiver.answer("/payments", Scripted(200, {"id": 7}))
    found = await live.ended(await looked_up(live, receiver))
    (asked,) = receiver.to("/payments")
    (paid,) = receiver.to("/pay")

    assert ("completed", {"id": 7}) == (found["status"], found["result"]["body"])
    assert paid.json["reference"] == asked.query["reference"] == f"{found['id']}:pay"


async def test_a_payment_that_was_not_made_is_sent_again(live: Live, receiver: Receiver) -> None:
    """The server does not know the payment: the next attempt sends it."""
    receiver.answer("/payments", Scripted(404))
    receiver.answer("/pay", Scripted(201, {"id": 8}))
    execution = await looked_up(live, receiver, retry={"initialDelayMs": 300})
    await receiver.called("/payments")
    receiver.let_go("/pay")
    found = await live.ended(execution)

    assert ("completed", {"id": 8}, 2) == (
        found["status"],
        found["result"]["body"],
        len(receiver.to("/pay")),
    )


@pytest.mark.parametrize("is_there", [True, False], ids=["done", "not done"])
async def test_a_server_may_answer_with_a_list(live: Live, receiver: Receiver, is_there: bool) -> None:
    """Where the server lists what it knows, an expression over its answer says whether it was done."""
    spec = paying(receiver, retry={"initialDelayMs": 300})
    look_up = spec["nodes"][0]["config"]["look_up"]
    look_up["found"] = "{{ response.body.items[0].reference == execution.effect_key }}"
    if not is_there:
        look_up["found"] = "{{ response.body.items.length > trigger.least }}"
    receiver.answer("/pay", Scripted(201, {"id": 8}))
    execution = await live.start(await live.active(spec), {"least": 0})
    items = [{"reference": f"{execution}:pay"}] if is_there else []
    receiver.answer("/payments", Scripted(200, {"items": items}))
    await hurried(live, execution)
    await receiver.called("/payments")
    receiver.let_go("/pay")
    found = await live.ended(execution)

    assert ("completed", {"items": items} if is_there else {"id": 8}, 1 if is_there else 2) == (
        found["status"],
        found["result"]["body"],
        len(receiver.to("/pay")),
    )


@pytest.mark.parametrize("policy", ["park", "fail"])
async def test_the_node_may_say_otherwise(live: Live, receiver: Receiver, policy: str) -> None:
    """`unknown` on the node wins over an address to look up."""
    execution = await live.start(await live.active(paying(receiver, unknown=policy)))
    if policy == "park":
        await live.until(execution, lambda found: found["nodes"][1].get("waits_for") == "person")
        await live.post(f"/executions/{execution}/resolve", {"key": "pay", "action": "fail"})
    found = await live.ended(execution)

    assert ("failed", "node.outcome_unknown", []) == (
        found["status"],
        found["error"]["code"],
        list(receiver.to("/payments")),
    )
