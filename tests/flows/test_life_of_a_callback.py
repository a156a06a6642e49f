"""The life of a callback: seeds 000 and 001, signed calls out, checked by a real receiver."""

import time
from typing import Any

from linkflow.domain.callback import is_genuine, signed_headers
from linkflow.testing.live import SECRET, Live
from linkflow.testing.receiver import Receiver, Scripted


def telling(url: str) -> dict[str, Any]:
    """Say a spec that tells a receiver about every node and the end."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "log", "type": "data.log", "config": {"message": "Jambo"}},
            {"id": "greet", "type": "data.set", "config": {"values": {"text": "Hello"}}},
        ],
        "edges": [{"source": "start", "target": "log"}, {"source": "log", "target": "greet"}],
        "settings": {"callbackUrl": url},
    }


async def test_the_receiver_can_check_every_callback(live: Live, receiver: Receiver) -> None:
    """D36, D37, D38, E5: ends of nodes and workflows are told with outputs and logs, and signed."""
    receiver.answer("/done", Scripted(200, {}))
    found = await live.run(telling(f"{receiver.address}/done"))
    calls = await receiver.called("/done", 4)
    genuine = [is_genuine(SECRET, call.headers, call.body, time.time()) for call in calls]
    forged = [is_genuine("another secret", call.headers, call.body, time.time()) for call in calls]
    told = sorted((call.json for call in calls), key=lambda body: int(body["event"]))

    assert ([True] * 4, [False] * 4) == (genuine, forged)
    assert [("start", "success"), ("log", "success"), ("greet", "success"), (None, "completed")] == [
        (body.get("node_id"), body["status"]) for body in told
    ]
    assert (found["id"], {"text": "Hello"}, {"text": "Hello"}, "Jambo") == (
        told[2]["execution_id"],
        told[2]["output"],
        told[3]["output"],
        told[1]["logs"][0]["message"],
    )


async def test_an_engines_callback_is_taken_once_it_is_signed(live: Live) -> None:
    """D38, D39: the callback route takes what is signed with the secret, also twice, and nothing else."""
    body = b'{"execution_id":"e","status":"completed"}'
    headers = dict(signed_headers(SECRET, "execution.completed", body, time.time()))
    old = dict(signed_headers(SECRET, "execution.completed", body, time.time() - 3600))
    replies = [
        await live.call("POST", "/jobs/callback", raw=body, headers=sent, signed_in=False)
        for sent in (headers, headers, old, {})
    ]

    assert [200, 200, 401, 401] == [reply.status for reply in replies]
