"""The life of an error: seeds 002 and 004, retries by kind, continue, branches, deadlines, dead letters."""

from typing import Any

import pytest

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

QUICK = {"maxAttempts": 3, "initialDelayMs": 20, "maxDelayMs": 40}


def fetching(url: str, *, settings: Any = None, after: Any = (), **fields: Any) -> dict[str, Any]:
    """Say a spec with one HTTP node, and what comes after it."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "fetch", "type": "http.request", "config": {"url": url}} | fields, *after],
        "edges": [
            {"source": "start", "target": "fetch"},
            *({"source": "fetch", "target": node["id"]} for node in after),
        ],
    } | (settings or {})


NOTE = {"id": "note", "type": "data.set", "config": {"values": {"seen": "{{input}}"}}}


async def test_passing_failures_are_tried_again(live: Live, receiver: Receiver) -> None:
    """D10, D20: a transient failure is tried again with the same effect key until it works."""
    receiver.answer("/flaky", Scripted(503), Scripted(503), Scripted(200, {"ok": True}))
    config = {"method": "PUT", "url": f"{receiver.address}/flaky", "idempotency_header": "Idempotency-Key"}
    found = await live.run(fetching("", config=config, retry=QUICK))
    fetch = next(node for node in found["nodes"] if node["node_id"] == "fetch")
    keys = {call.headers["idempotency-key"] for call in receiver.calls}

    assert ("completed", 3, 3, 1) == (found["status"], fetch["attempt"], len(receiver.calls), len(keys))


@pytest.mark.parametrize(
    ("status", "kind", "calls"),
    [(400, "permanent", 1), (404, "permanent", 1), (429, "rate_limit", 3), (500, "transient", 3)],
)
async def test_only_some_kinds_are_tried_again(
    live: Live, receiver: Receiver, status: int, kind: str, calls: int
) -> None:
    """D19, D20: the error's kind decides whether there is another attempt."""
    receiver.answer("/broken", Scripted(status))
    found = await live.run(fetching(f"{receiver.address}/broken", retry=QUICK))

    assert ("failed", "http.status", kind, calls) == (
        found["status"],
        found["error"]["code"],
        found["error"]["kind"],
        len(receiver.calls),
    )


async def test_the_receiver_says_when(live: Live, receiver: Receiver) -> None:
    """D20: Retry-After wins over the node's own delay where it is longer."""
    receiver.answer("/busy", Scripted(429, headers={"Retry-After": "1"}), Scripted(200, {}))
    found = await live.run(fetching(f"{receiver.address}/busy", retry=QUICK))

    assert ("completed", True) == (found["status"], found["duration_ms"] >= 1000)


async def test_a_workflow_goes_on_in_spite_of_an_error(live: Live, receiver: Receiver) -> None:
    """D21: with continueOnError a node that failed for good hands its error on."""
    receiver.answer("/broken", Scripted(404))
    spec = fetching(
        f"{receiver.address}/broken", after=[NOTE], settings={"errorHandling": {"continueOnError": True}}
    )
    found = await live.run(spec)

    assert ("completed", "error", "http.status") == (
        found["status"],
        found["result"]["seen"]["status"],
        found["result"]["seen"]["error"]["code"],
    )


async def test_an_error_edge_takes_the_error(live: Live, receiver: Receiver) -> None:
    """D21: a node with an edge from `error` fails into that branch, with the error and its input."""
    receiver.answer("/broken", Scripted(404))
    spec = fetching(f"{receiver.address}/broken", after=[NOTE])
    spec["edges"][1]["sourceHandle"] = "error"
    found = await live.run(spec, {"id": 7})

    assert ("completed", "http.status", {"id": 7}) == (
        found["status"],
        found["result"]["seen"]["error"]["code"],
        found["result"]["seen"]["input"],
    )


async def test_a_condition_reads_a_failed_status(live: Live, receiver: Receiver) -> None:
    """G1, G4: with on_status data an answer of 404 is data that the next condition reads."""
    receiver.answer("/missing", Scripted(404, {"error": "none"}))
    config = {"url": f"{receiver.address}/missing", "on_status": "data"}
    found = await live.run(fetching("", config=config, after=[NOTE]))

    assert ("completed", 404, False) == (
        found["status"],
        found["result"]["seen"]["status"],
        found["result"]["seen"]["ok"],
    )


async def test_an_attempt_has_a_deadline(live: Live) -> None:
    """D22: an attempt that takes longer than its node may fails with `node.timeout`."""
    spec = fetching(
        "",
        type="code.python",
        config={"code": "n = 0\nwhile n < 10**12:\n    n += 1\nn", "timeout_s": 9},
        timeout=300,
        retry={"maxAttempts": 1},
    )
    found = await live.run(spec)

    assert ("failed", "node.timeout", "transient") == (
        found["status"],
        found["error"]["code"],
        found["error"]["kind"],
    )


async def test_an_execution_has_a_deadline(live: Live) -> None:
    """D22: an execution beyond maxExecutionTimeMs is timed out, whatever it waits for."""
    delay = {"id": "fetch", "type": "logic.delay", "config": {"hours": 1}}
    spec = fetching("", settings={"settings": {"maxExecutionTimeMs": 200}}) | {"nodes": [delay]}
    found = await live.run(spec)

    assert "timed_out" == found["status"]


async def test_what_was_given_up_on_is_kept(live: Live, receiver: Receiver) -> None:
    """D35: a task whose attempts are used up is a dead letter that says which execution it is of."""
    receiver.answer("/broken", Scripted(500), Scripted(500), Scripted(500))
    failed = await live.run(fetching(f"{receiver.address}/broken", retry=QUICK))
    [letter] = (await live.get("/dead-letters")).json["data"]

    assert (failed["id"], "task") == (letter["execution_id"], letter["kind"])
