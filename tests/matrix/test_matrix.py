"""The same workflows over both bindings and all three queues: their histories are equal.

The whole functional suite runs over each of the six by `pytest tests/flows --binding grpc --queue redis`.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from linkflow.testing.bindings import BINDINGS
from linkflow.testing.likeness import normalised
from linkflow.testing.live import Live, settings_of
from linkflow.testing.receiver import Receiver, Scripted

pytestmark = [pytest.mark.timeout(600), pytest.mark.external]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUEUES = ("embedded", "redis", "rabbitmq")
PLACES = [(binding, queue) for binding in BINDINGS for queue in QUEUES]
FEW_SLOTS = 2
"""So few attempts at once that tasks do wait in the queue that is tried."""

NAMES = ("hello", "weather-fallback", "refund-approval", "invoice-reminder", "onboarding", "nightly-issues")
"""Examples with pure nodes, retries, an approval, an event and timers, a sub-workflow, a loop."""


def world(receiver: Receiver) -> Mapping[str, Any]:
    """Script what the workflows call, alike for every place; the variables that say where it is."""
    times = len(PLACES)
    weather = [Scripted(503), Scripted(200, {"current": {"temperature_2m": 21.5}})]
    issues = [{"number": 1, "user": {"login": "amina"}, "created_at": "2026-01-01T08:00:00Z"}]
    receiver.answer("/weather", *weather * times)
    receiver.answer("/refunds", Scripted(200, {"id": "re-1"}))
    receiver.answer("/mail", Scripted(202, {"id": "m-1"}))
    receiver.answer("/accounts", Scripted(201, {"id": "c-1"}))
    receiver.answer("/ntfy", Scripted(200, {"id": "n1"}))
    receiver.answer("/repos/a/b/issues", Scripted(200, issues))
    return {
        "open_meteo_url": f"{receiver.address}/weather",
        "payments_url": f"{receiver.address}/refunds",
        "mail_url": f"{receiver.address}/mail",
        "accounts_url": f"{receiver.address}/accounts",
        "ntfy_url": f"{receiver.address}/ntfy",
        "github_api": receiver.address,
        "repository": "a/b",
        "patience_s": 0.1,
        "grace_s": 0.1,
    }


async def brought_in(live: Live, variables: Mapping[str, Any]) -> Mapping[str, str]:
    """Import the examples and activate them; the first workflow of each, by name."""
    for key, value in variables.items():
        put = await live.put(f"/variables/{key}", {"value": value})
        assert put.status == 200, put.body
    found = {}
    for name in NAMES:
        text = (EXAMPLES / f"{name}.json").read_text()
        one_by_one = text.replace('"parallelism": 2', '"parallelism": 1')  # else the order is by chance
        reply = await live.post("/workflows/import", json.loads(one_by_one))
        assert reply.status == 201, reply.body
        ids = [each["id"] for each in reply.json["workflows"]]
        for workflow_id in ids:
            activated = await live.post(f"/workflows/{workflow_id}/activate")
            assert activated.status == 200, activated.body
        found[name] = ids[0]
    return found


async def run_all(live: Live, workflows: Mapping[str, str]) -> Mapping[str, Any]:
    """Run every workflow to its end; status, result and normalised history of each, by name."""
    refund = {"order_id": "A-17", "amount": 120, "currency": "KES", "reason": "broken"}
    invoice = {"invoice_id": "I-9", "email": "otieno@example.com", "amount": 900, "currency": "KES"}
    person = {"name": "Ada", "email": "ada@example.com", "team": "sales"}
    started = {
        "hello": await live.start(workflows["hello"], {"name": "Ada"}),
        "weather-fallback": await live.start(workflows["weather-fallback"], {"lat": -1.29, "lon": 36.82}),
        "refund-approval": await live.start(workflows["refund-approval"], refund),
        "onboarding": await live.start(workflows["onboarding"], person),
        "nightly-issues": await live.start(workflows["nightly-issues"]),
    }
    published = await live.post("/events/invoice.sent", {"key": "I-9", "data": invoice})
    started["invoice-reminder"] = published.json["execution_ids"][0]
    [driver] = (await live.waits(started["refund-approval"]))["drivers"]
    body = {"action": "approved", "data": {"note": "seen"}}
    await live.call("POST", f"/resume/{driver['resume_token']}", body, signed_in=False)
    found = {}
    for name, execution_id in started.items():
        ended = await live.ended(execution_id)
        events = (await live.get(f"/executions/{execution_id}/events?limit=1000")).json["data"]
        found[name] = (ended["status"], ended["result"], normalised(events))
    return found


def differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Sequence[str]:
    """Name the workflows that went otherwise."""
    return [name for name, each in expected.items() if found[name] != each]


async def test_every_binding_and_queue_gives_the_same_histories(
    database_dsn: str, tmp_path: Path, receiver: Receiver, redis_url: str, rabbitmq_url: str
) -> None:
    """C1, C2, C27: six ways to carry the same services write equal histories.

    Services call each other directly or over gRPC, and tasks wait in memory, in Redis or in RabbitMQ.
    """
    urls = {"embedded": {}, "redis": {"redis_url": redis_url}, "rabbitmq": {"rabbitmq_url": rabbitmq_url}}
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path / "home"), worker_slots=FEW_SLOTS)
    variables, workflows = world(receiver), dict[str, str]()
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for binding, queue in PLACES:
        chosen: dict[str, Any] = {"queue": queue, **urls[queue]}
        async with BINDINGS[binding](dataclasses.replace(settings, **chosen)) as live:
            workflows = workflows or dict(await brought_in(live, variables))
            found[binding, queue] = await run_all(live, workflows)

    expected = found["direct", "embedded"]
    assert dict.fromkeys(NAMES, "completed") == {name: each[0] for name, each in expected.items()}
    assert {} == {place: names for place, each in found.items() if (names := differing(expected, each))}
