"""The packaged examples do what their descriptions say, on a whole LinkFlow and a real HTTP server."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from linkflow.domain.workflow.check import check_json
from linkflow.nodes.registry import NodeRegistry
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.json"))
GITHUB_SECRET = "It's a Secret to Everybody"
SHOP_ORDER = {
    "order_id": "A-17",
    "email": "Amina@Example.com",
    "total": 1250.5,
    "lines": [
        {"sku": "kettle", "quantity": 2, "price": 500.25},
        {"sku": "cup", "quantity": 5, "price": 50},
    ],
}


def specs(path: Path) -> list[Any]:
    """List the specs of an example: one, or those of a bundle."""
    found = json.loads(path.read_text())
    return list(found.get("workflows", [found]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples_have_no_problems(path: Path) -> None:
    """Every example is valid, without a single warning, and says what it is for."""
    catalog = NodeRegistry()
    found = [problem for spec in specs(path) for problem in check_json(spec, catalog)[1]]

    assert ([], True) == (found, all(spec["metadata"]["description"] for spec in specs(path)))


async def test_examples_are_the_templates(live: Live) -> None:
    """Every example is served as a template, and a workflow can begin with it."""
    listed = (await live.get("/templates")).json["data"]
    used = await live.post("/templates/hello/use")

    assert ([path.stem for path in FILES], 201) == ([each["slug"] for each in listed], used.status)


async def brought_in(live: Live, slug: str, variables: Mapping[str, Any] | None = None) -> list[str]:
    """Import an example, point its variables at the test's world, activate it; return the workflows' ids."""
    for key, value in (variables or {}).items():
        put = await live.put(f"/variables/{key}", {"value": value})
        assert put.status == 200, put.body
    reply = await live.post("/workflows/import", json.loads((EXAMPLES / f"{slug}.json").read_text()))
    assert reply.status == 201, reply.body
    ids = [each["id"] for each in reply.json["workflows"]]
    for workflow_id in ids:
        activated = await live.post(f"/workflows/{workflow_id}/activate")
        assert activated.status == 200, activated.body
    return ids


async def credential(live: Live, name: str, **fields: str) -> None:
    """Keep a credential."""
    reply = await live.post("/credentials", {"name": name, "type": "custom", "data": fields})
    assert reply.status == 201, reply.body


def github(body: bytes, event: str = "push", secret: str = GITHUB_SECRET) -> dict[str, str]:
    """Say the headers with which GitHub sends a body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={digest}",
        "User-Agent": "GitHub-Hookshot/044aadd",
    }


async def test_hello(live: Live) -> None:
    """The first workflow greets whoever it is told."""
    [workflow_id] = await brought_in(live, "hello")
    found = await live.ended(await live.start(workflow_id, {"name": "Ada"}))

    assert ("completed", "Hello, Ada!") == (found["status"], found["result"]["text"])


async def test_a_github_push_becomes_a_notification(live: Live, receiver: Receiver) -> None:
    """K1, G4: a push that GitHub signed calls a service and is answered with what happened."""
    receiver.answer("/", Scripted(200, {"id": "n1"}))
    await credential(live, "github", secret=GITHUB_SECRET)
    [workflow_id] = await brought_in(live, "github-push", {"ntfy_url": f"{receiver.address}/"})
    body = (EXAMPLES / "payloads" / "github-push.json").read_bytes()
    reply = await live.knock(await live.hook(workflow_id), raw=body, **github(body))

    assert (
        200,
        {"notified": True, "title": "octo-org/coffee: 2 new"},
        {
            "topic": f"linkflow-{workflow_id}",
            "title": "octo-org/coffee: 2 new",
            "message": "amina: Brew with filtered water",
            "click": "https://github.com/octo-org/coffee/compare/6113728f27ae...0d1a26e67d8f",
            "tags": ["rocket"],
        },
    ) == (reply.status, reply.json, receiver.calls[0].json)


async def test_a_github_push_to_another_branch_is_left_alone(live: Live, receiver: Receiver) -> None:
    """G4: a push to a branch that is not the default one calls nobody, nor does GitHub's ping."""
    await credential(live, "github", secret=GITHUB_SECRET)
    [workflow_id] = await brought_in(live, "github-push", {"ntfy_url": f"{receiver.address}/"})
    hook = await live.hook(workflow_id)
    payload = json.loads((EXAMPLES / "payloads" / "github-push.json").read_bytes())
    push = json.dumps(payload | {"ref": "refs/heads/drip"}).encode()
    ping = json.dumps({"zen": "Keep it logically awesome.", "repository": payload["repository"]}).encode()
    replies = [
        await live.knock(hook, raw=push, **github(push)),
        await live.knock(hook, raw=ping, **(github(ping, "ping") | {"X-GitHub-Delivery": "another"})),
    ]

    assert ([(200, False)] * 2, []) == (
        [(reply.status, reply.json["notified"]) for reply in replies],
        receiver.calls,
    )


async def test_a_push_that_github_did_not_sign_is_refused(live: Live) -> None:
    """K1: another secret's signature is 401, and no execution starts."""
    await credential(live, "github", secret=GITHUB_SECRET)
    [workflow_id] = await brought_in(live, "github-push")
    body = (EXAMPLES / "payloads" / "github-push.json").read_bytes()
    reply = await live.knock(await live.hook(workflow_id), raw=body, **github(body, secret="guessed"))
    listed = await live.get("/executions")

    assert (401, []) == (reply.status, listed.json["data"])


async def test_github_hears_when_nobody_could_be_told(live: Live, receiver: Receiver) -> None:
    """G1: a service that fails for good takes the error branch."""
    receiver.answer("/", Scripted(403, {"error": "no"}))
    await credential(live, "github", secret=GITHUB_SECRET)
    [workflow_id] = await brought_in(live, "github-push", {"ntfy_url": f"{receiver.address}/"})
    body = (EXAMPLES / "payloads" / "github-push.json").read_bytes()
    reply = await live.knock(await live.hook(workflow_id), raw=body, **github(body))

    assert (502, False) == (reply.status, reply.json["notified"])


async def test_an_order_is_reserved_once(live: Live, receiver: Receiver) -> None:
    """K3, K4: a right order is mapped, reserved with a key and answered; its repeat starts nothing."""
    receiver.answer("/reserve", Scripted(503), Scripted(200, {"id": "r-1"}))
    [workflow_id] = await brought_in(live, "order-intake", {"warehouse_url": f"{receiver.address}/reserve"})
    hook = await live.hook(workflow_id)
    first = await live.knock(hook, SHOP_ORDER)
    again = await live.knock(hook, SHOP_ORDER)
    keys = {call.headers["idempotency-key"] for call in receiver.to("/reserve")}
    listed = await live.get("/executions")

    assert (201, {"order_id": "A-17", "total": 1250.5, "reservation": "r-1"}, 2, 1, 1, True) == (
        first.status,
        first.json,
        len(receiver.calls),
        len(keys),
        len(listed.json["data"]),
        again.status < 300,
    )


async def test_a_wrong_order_is_refused(live: Live, receiver: Receiver) -> None:
    """K3: a body against the schema is 400; a total that does not add up is the workflow's own 422."""
    [workflow_id] = await brought_in(live, "order-intake", {"warehouse_url": f"{receiver.address}/reserve"})
    hook = await live.hook(workflow_id)
    shapeless = await live.knock(hook, SHOP_ORDER | {"lines": []})
    dishonest = await live.knock(hook, SHOP_ORDER | {"total": 1})

    assert (400, 422, "The lines add up to 1250.5.", []) == (
        shapeless.status,
        dishonest.status,
        dishonest.json["error"],
        receiver.calls,
    )


async def test_an_order_survives_a_broken_warehouse(live: Live, receiver: Receiver) -> None:
    """D21: when every attempt has failed, the order is kept for a person and the shop hears 202."""
    receiver.answer("/reserve", Scripted(503))
    [workflow_id] = await brought_in(live, "order-intake", {"warehouse_url": f"{receiver.address}/reserve"})
    reply = await live.knock(await live.hook(workflow_id), SHOP_ORDER)
    [row] = (await live.get("/executions")).json["data"]
    lines = (await live.get(f"/executions/{row['id']}/logs")).json["data"]
    [line] = [each for each in lines if each["key"] == "kept"]

    assert (202, "waiting", 3, "error", True) == (
        reply.status,
        reply.json["status"],
        len(receiver.calls),
        line["level"],
        line["message"].startswith("orders: Order A-17 could not be reserved"),
    )


def issue(number: int, author: str, **more: Any) -> dict[str, Any]:
    """Say an issue as GitHub lists it."""
    at = f"2026-01-{number:02}T08:00:00Z"
    return {"number": number, "user": {"login": author}, "created_at": at} | more


async def test_the_nightly_report_goes_through_every_page(live: Live, receiver: Receiver) -> None:
    """A10: the report of a schedule counts over all pages and leaves pull requests out."""
    receiver.answer(
        "/repos/octo-org/coffee/issues",
        Scripted(200, [issue(3, "amina"), issue(4, "otieno", pull_request={"url": "…"})]),
        Scripted(200, [issue(1, "amina"), issue(2, "otieno")]),
        Scripted(200, []),
    )
    receiver.answer("/ntfy", Scripted(200, {"id": "n1"}))
    [workflow_id] = await brought_in(
        live,
        "nightly-issues",
        {
            "github_api": receiver.address,
            "repository": "octo-org/coffee",
            "ntfy_url": f"{receiver.address}/ntfy",
        },
    )
    found = await live.ended(await live.start(workflow_id))
    asked = sorted(call.query["page"] for call in receiver.to("/repos/octo-org/coffee/issues"))
    schedules = (await live.get("/schedules")).json["data"]

    assert ("completed", ["1", "2", "3"], 3, "2026-01-01T08:00:00Z", 1, "Africa/Nairobi") == (
        found["status"],
        asked,
        found["result"]["open"],
        found["result"]["oldest"],
        len(receiver.to("/ntfy")),
        schedules[0]["timezone"],
    )
    assert "2 by amina\n1 by otieno" == receiver.to("/ntfy")[0].json["message"]


REFUND = {"order_id": "A-17", "amount": 120, "currency": "KES", "reason": "broken"}


async def test_a_small_refund_needs_nobody(live: Live, receiver: Receiver) -> None:
    """G4: an amount within the limit is paid without asking."""
    receiver.answer("/refunds", Scripted(200, {"id": "re-1"}))
    [workflow_id] = await brought_in(live, "refund-approval", {"payments_url": f"{receiver.address}/refunds"})
    found = await live.ended(await live.start(workflow_id, REFUND | {"amount": 20}))

    assert {"status": "refunded", "refund_id": "re-1", "by": "the limit"} == found["result"]


@pytest.mark.parametrize("decision", ["approved", "rejected"])
async def test_a_large_refund_waits_for_a_person(live: Live, receiver: Receiver, decision: str) -> None:
    """An approval holds the payment until a person follows the link and decides."""
    receiver.answer("/refunds", Scripted(200, {"id": "re-1"}))
    [workflow_id] = await brought_in(live, "refund-approval", {"payments_url": f"{receiver.address}/refunds"})
    execution_id = await live.start(workflow_id, REFUND)
    [driver] = (await live.waits(execution_id))["drivers"]
    before = len(receiver.calls)
    body = {"action": decision, "data": {"note": "seen"}}
    decided = await live.call("POST", f"/resume/{driver['resume_token']}", body, signed_in=False)
    found = await live.ended(execution_id)
    status = "refunded" if decision == "approved" else "declined"

    assert (
        "'Ask a person' waits for a person to approve or reject: Refund 120 KES for order A-17?",
        0,
        True,
        status,
        status == "refunded",
    ) == (
        driver["message"],
        before,
        decided.status < 300,
        found["result"]["status"],
        len(receiver.calls) == 1,
    )


async def test_a_refund_that_nobody_decides_expires(live: Live, receiver: Receiver) -> None:
    """An approval that passes its deadline takes the timeout branch."""
    variables = {"payments_url": f"{receiver.address}/refunds", "deadline_s": 0.2}
    [workflow_id] = await brought_in(live, "refund-approval", variables)
    found = await live.ended(await live.start(workflow_id, REFUND))

    assert ({"status": "expired", "order_id": "A-17"}, []) == (found["result"], receiver.calls)


async def test_the_best_rate_wins(live: Live, receiver: Receiver) -> None:
    """Three services are asked at once; one that fails is left out, and the highest rate is the result."""
    receiver.answer("/er/USD", Scripted(200, {"rates": {"KES": 129.1}}))
    receiver.answer("/frank", Scripted(404, {"message": "not found"}))
    receiver.answer("/cdn/usd.json", Scripted(200, {"usd": {"kes": 129.4}}))
    [workflow_id] = await brought_in(
        live,
        "best-rate",
        {
            "open_er_url": f"{receiver.address}/er",
            "frankfurter_url": f"{receiver.address}/frank",
            "currency_api_url": f"{receiver.address}/cdn",
        },
    )
    found = await live.ended(await live.start(workflow_id, {"amount": 100, "from": "USD", "to": "KES"}))

    assert {
        "provider": "currency-api",
        "rate": 129.4,
        "you_get": 12940,
        "all": [{"provider": "currency-api", "rate": 129.4}, {"provider": "open.er-api.com", "rate": 129.1}],
    } == found["result"]


async def test_no_rate_is_an_error(live: Live, receiver: Receiver) -> None:
    """When no service answers, the execution fails with the workflow's own code."""
    names = ("open_er_url", "frankfurter_url", "currency_api_url")
    [workflow_id] = await brought_in(live, "best-rate", dict.fromkeys(names, f"{receiver.address}/no"))
    found = await live.ended(await live.start(workflow_id, {"amount": 1, "from": "USD", "to": "KES"}))

    assert ("failed", "rates.unavailable") == (found["status"], found["error"]["code"])


async def test_weather_comes_after_patience(live: Live, receiver: Receiver) -> None:
    """D20: 429 with Retry-After and 503 are tried again, and the first service's answer counts."""
    receiver.answer(
        "/first",
        Scripted(429, headers={"Retry-After": "1"}),
        Scripted(503),
        Scripted(200, {"current": {"temperature_2m": 21.5}}),
    )
    [workflow_id] = await brought_in(
        live, "weather-fallback", {"open_meteo_url": f"{receiver.address}/first"}
    )
    found = await live.ended(await live.start(workflow_id, {"lat": -1.29, "lon": 36.82}))
    first = next(node for node in found["nodes"] if node["node_id"] == "first")

    assert ({"celsius": 21.5, "source": "open-meteo.com"}, 3) == (found["result"], first["attempt"])


async def test_weather_falls_back(live: Live, receiver: Receiver) -> None:
    """D21: a service that is gone for good gives way to another one; when that fails too, so does all."""
    details = {"instant": {"details": {"air_temperature": 20.9}}}
    answer = {"properties": {"timeseries": [{"data": details}]}}
    receiver.answer("/first", Scripted(410))
    receiver.answer("/second", Scripted(200, answer), Scripted(404))
    variables = {"open_meteo_url": f"{receiver.address}/first", "met_no_url": f"{receiver.address}/second"}
    [workflow_id] = await brought_in(live, "weather-fallback", variables)
    found = await live.ended(await live.start(workflow_id, {"lat": 0, "lon": 0}))
    lost = await live.ended(await live.start(workflow_id, {"lat": 0, "lon": 0}))

    assert (20.9, "met.no", "weather.unavailable") == (
        found["result"]["celsius"],
        found["result"]["source"],
        lost["error"]["code"],
    )


INVOICE = {"invoice_id": "I-9", "email": "otieno@example.com", "amount": 900, "currency": "KES"}


async def sent_invoice(live: Live, receiver: Receiver, **variables: float) -> str:
    """Publish that an invoice was sent, and return the execution that this started."""
    receiver.answer("/mail", Scripted(202, {"id": "m1"}))
    await brought_in(live, "invoice-reminder", {"mail_url": f"{receiver.address}/mail"} | variables)
    published = await live.post("/events/invoice.sent", {"key": "I-9", "data": INVOICE})
    return str(published.json["execution_ids"][0])


async def test_a_paid_invoice_is_not_reminded_of(live: Live, receiver: Receiver) -> None:
    """An event with the right key ends the wait; one with another key does not."""
    execution_id = await sent_invoice(live, receiver)
    await live.waits(execution_id)
    await live.post("/events/invoice.paid", {"key": "I-8", "data": {"amount": 1}})
    await live.post("/events/invoice.paid", {"key": "I-9", "data": {"amount": 900}})
    found = await live.ended(execution_id)

    assert ({"status": "paid", "reminders": 0, "payment": {"amount": 900}}, []) == (
        found["result"],
        receiver.calls,
    )


async def test_a_late_payment_wins_over_the_grace_period(live: Live, receiver: Receiver) -> None:
    """Of a delay and a wait the first to end goes on, and the other is cancelled."""
    execution_id = await sent_invoice(live, receiver, patience_s=0.1)
    await receiver.called("/mail")
    await live.until(execution_id, lambda found: found["status"] == "waiting" and len(found["nodes"]) > 4)
    await live.post("/events/invoice.paid", {"key": "I-9", "data": {"amount": 900}})
    found = await live.ended(execution_id)
    grace = next(node for node in found["nodes"] if node["node_id"] == "grace")

    assert ({"status": "paid", "reminders": 1, "payment": {"amount": 900}}, "cancelled") == (
        found["result"],
        grace["status"],
    )


async def test_an_unpaid_invoice_becomes_overdue(live: Live, receiver: Receiver) -> None:
    """G6: a delay that passes lets the workflow go on."""
    execution_id = await sent_invoice(live, receiver, patience_s=0.1, grace_s=0.1)
    found = await live.ended(execution_id)

    assert ({"status": "overdue", "reminders": 1, "invoice_id": "I-9"}, 1) == (
        found["result"],
        len(receiver.to("/mail")),
    )


async def test_onboarding_hands_over_to_another_workflow(live: Live, receiver: Receiver) -> None:
    """A bundle keeps its references: the sub-workflow that came with it runs and gives its result."""
    receiver.answer("/accounts", Scripted(201, {"id": "c-1"}))
    receiver.answer("/mail", Scripted(202, {"id": "m-1"}))
    variables = {"accounts_url": f"{receiver.address}/accounts", "mail_url": f"{receiver.address}/mail"}
    first, _, _ = await brought_in(live, "onboarding", variables)
    found = await live.ended(await live.start(first, {"name": "Wanjiru", "email": "W@Example.com"}))

    assert ({"account_id": "c-1", "message_id": "m-1"}, "w@example.com") == (
        found["result"],
        receiver.to("/mail")[0].json["to"],
    )


async def test_a_failed_onboarding_is_reported(live: Live, receiver: Receiver) -> None:
    """An execution that fails starts the error workflow with code, node and execution."""
    receiver.answer("/accounts", Scripted(422, {"error": "taken"}))
    receiver.answer("/ntfy", Scripted(200, {"id": "n1"}))
    variables = {"accounts_url": f"{receiver.address}/accounts", "ntfy_url": f"{receiver.address}/ntfy"}
    first, _, _ = await brought_in(live, "onboarding", variables)
    found = await live.ended(await live.start(first, {"name": "Wanjiru", "email": "w@example.com"}))
    [call] = await receiver.called("/ntfy")

    assert ("failed", True) == (
        found["status"],
        call.json["message"].startswith("http.status at account:") and found["id"] in call.json["message"],
    )


async def test_contacts_are_cleaned(live: Live) -> None:
    """G5: Python tidies, doubles go, and what could not be read is reported with its line."""
    [workflow_id] = await brought_in(live, "clean-contacts")
    text = (
        "Name, Email, Phone\n"
        "otieno  OKOTH,Otieno@Example.com,0712 345 678\n"
        "amina,amina@example.com,+44 20 7946 0958\n"
        "Otieno Okoth,otieno@example.com,254712345678\n"
        "nobody,,0700000000\n"
    )
    found = await live.ended(await live.start(workflow_id, {"csv": text}))

    assert {
        "contacts": [
            {"name": "Amina", "email": "amina@example.com", "phone": "+442079460958"},
            {"name": "Otieno Okoth", "email": "otieno@example.com", "phone": "+254712345678"},
        ],
        "rejected": [{"line": 5, "reason": "no e-mail address", "text": "nobody,,0700000000"}],
        "doubles": 1,
    } == found["result"]


def stripe(body: bytes, secret: str) -> dict[str, str]:
    """Sign a body as Stripe does."""
    at = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}"}


async def test_payments_reach_slack_once(live: Live, receiver: Receiver) -> None:
    """K4: Stripe's events are mapped, told to Slack by kind, and count once however often they are sent."""
    receiver.answer("/slack", Scripted(200, "ok"))
    await credential(live, "stripe", secret="whsec_test")
    await credential(live, "slack", url=f"{receiver.address}/slack")
    [workflow_id] = await brought_in(live, "payments-to-slack")
    hook = await live.hook(workflow_id)
    paid = {
        "id": "evt_1",
        "type": "payment_intent.succeeded",
        "data": {"object": {"amount": 1250, "currency": "kes"}},
    }
    failed = {
        "id": "evt_2",
        "type": "payment_intent.payment_failed",
        "data": {"object": {"amount": 99, "currency": "usd", "last_payment_error": {"message": "declined"}}},
    }
    other = {"id": "evt_3", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}
    executions = []
    for event in (paid, paid, failed, other):
        body = json.dumps(event).encode()
        reply = await live.knock(hook, raw=body, **stripe(body, "whsec_test"))
        assert reply.status == 202, reply.body
        executions += reply.json["execution_ids"]
    for execution_id in executions:
        await live.ended(execution_id)
    told = sorted(call.json["text"] for call in receiver.to("/slack"))

    assert ([":moneybag: 12.5 KES received", ":x: 0.99 USD failed: declined"], 3) == (
        told,
        len(set(executions)),
    )
