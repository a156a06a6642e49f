"""The life of a webhook call: seed 004's path, from the signature to the execution, on a whole LinkFlow."""

import hashlib
import hmac
from typing import Any

from linkflow.testing.coordination_suites import until
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

SECRET = "shared with the sender"
BODY = b'{"order":"A-17","amount":12}'


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    """Sign a body with the plain HMAC-SHA256 preset."""
    return {"X-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def taking(url: str = "", **config: Any) -> dict[str, Any]:
    """Say a spec whose webhook is signed, checked and mapped; its node calls a URL, if there is one."""
    trigger = {
        "signature": {"preset": "hmac", "secret": SECRET},
        "schema": {"type": "object", "required": ["order"]},
        "mapping": {"order": "{{trigger.body.order}}", "cents": "{{trigger.body.amount * 100}}"},
        "dedup_key": "trigger.body.order",
    } | config
    call = {"type": "http.request", "config": {"method": "POST", "url": url, "body": "{{trigger}}"}}
    note = {"type": "data.set", "config": {"values": {"order": "{{trigger.order}}"}}}
    return {
        "trigger": {"id": "hook", "type": "trigger.webhook", "config": trigger},
        "nodes": [{"id": "work"} | (call if url else note)],
        "edges": [{"source": "hook", "target": "work"}],
    }


async def test_a_call_becomes_an_execution(live: Live, receiver: Receiver) -> None:
    """A8, K1, K4, K5, K6: a signed call is answered 202, kept, mapped, and runs as the promised execution."""
    receiver.answer("/work", Scripted(200, {}))
    hook = await live.hook(await live.active(taking(f"{receiver.address}/work")))
    reply = await live.knock(hook, raw=BODY, **signed())
    found = await live.ended(reply.json["execution_id"])
    kept = (await live.get(f"/inbox/{reply.json['event_id']}")).json

    assert (202, "completed", "webhook", {"order": "A-17", "cents": 1200}, BODY.decode()) == (
        reply.status,
        found["status"],
        found["trigger_kind"],
        receiver.calls[0].json,
        kept["body"],
    )


async def test_a_repeated_delivery_runs_once(live: Live) -> None:
    """D10, K5: the same delivery again is answered with the same execution, and nothing runs twice."""
    hook = await live.hook(await live.active(taking()))
    first = await live.knock(hook, raw=BODY, **signed())
    again = await live.knock(hook, raw=BODY, **signed())
    await live.ended(first.json["execution_id"])
    listed = await live.listed(lambda rows: bool(rows))

    assert (first.json["execution_id"], 1) == (again.json["execution_id"], len(listed))


async def test_strangers_learn_nothing(live: Live) -> None:
    """A9, K1: an unknown address, no signature and a wrong one are the same 401."""
    hook = await live.hook(await live.active(taking()))
    replies = [
        await live.knock("00000000-0000-4000-8000-000000000000", raw=BODY, **signed()),
        await live.knock(hook, raw=BODY),
        await live.knock(hook, raw=BODY, **signed(secret="guessed")),
    ]
    said = [{key: value for key, value in reply.json.items() if key != "request_id"} for reply in replies]

    assert ([401] * 3, True, True) == (
        [reply.status for reply in replies],
        said[0] == said[1],
        said[1] == said[2],
    )


async def test_a_wrong_body_is_kept_with_the_reason(live: Live) -> None:
    """A9, K3: a body against the schema is 400, starts nothing, and can be read in the inbox."""
    hook = await live.hook(await live.active(taking()))
    reply = await live.knock(hook, raw=b"{}", **signed(b"{}"))

    async def is_kept() -> bool:
        """It is written down beside the answer, not before it."""
        return bool((await live.get("/inbox?state=refused")).json["data"])

    await until(is_kept)
    (refused,) = (await live.get("/inbox?state=refused")).json["data"]

    assert (400, True, []) == (
        reply.status,
        "webhook.schema" in refused["reason"],
        (await live.get("/executions")).json["data"],
    )


async def test_a_call_that_nobody_took_can_be_replayed(live: Live) -> None:
    """A call to a workflow that rests is kept as unclaimed, and runs when a person replays it."""
    workflow_id = await live.active(taking())
    hook = await live.hook(workflow_id)
    await live.post(f"/workflows/{workflow_id}/deactivate")
    reply = await live.knock(hook, raw=BODY, **signed())
    await live.post(f"/workflows/{workflow_id}/activate")
    replayed = await live.post(f"/inbox/{reply.json['event_id']}/replay")
    found = await live.ended(replayed.json["execution_ids"][0])

    assert ("unclaimed", 202, "completed", {"order": "A-17"}) == (
        reply.json["status"],
        replayed.status,
        found["status"],
        found["result"],
    )


async def test_a_change_counts_from_the_next_call(live: Live) -> None:
    """D40, K2, L3: what a call needs is kept at hand, and a change of it is seen at once."""
    workflow_id = await live.active(taking(response_mode="wait"))
    hook = await live.hook(workflow_id)
    first = await live.knock(hook, raw=BODY, **signed())
    draft = await live.get(f"/workflows/{workflow_id}/draft")
    spec = taking(
        response_mode="wait", dedup_key="", signature={"preset": "hmac", "secret": "a newer secret"}
    )
    spec["nodes"][0]["config"]["values"]["order"] = "changed"
    await live.put(f"/workflows/{workflow_id}/draft", {"spec": spec}, If_Match=draft.headers["etag"])
    await live.post(f"/workflows/{workflow_id}/publish")
    await live.post(f"/workflows/{workflow_id}/activate")
    old = await live.knock(hook, raw=BODY, **signed())
    new = await live.knock(hook, raw=BODY, **signed(secret="a newer secret"))

    assert ("A-17", 401, "changed") == (
        first.json["result"]["order"],
        old.status,
        new.json["result"]["order"],
    )
