"""The life of an import: a workflow of n8n comes in, says what it could not keep, and runs."""

import json
from pathlib import Path
from typing import Any

from linkflow.testing.live import Live

ORDERS = Path(__file__).parents[1] / "unit" / "domain" / "workflow" / "n8n" / "orders.json"


async def imported(live: Live, document: Any) -> dict[str, Any]:
    """Import one workflow."""
    reply = await live.post("/workflows/import", document)
    assert reply.status == 201, reply.body
    found: dict[str, Any] = reply.json["workflows"][0]
    return found


async def test_a_dry_run_keeps_nothing(live: Live) -> None:
    """With `dry_run` the answer has the spec that would come, and no workflow is there."""
    document = json.loads(ORDERS.read_text())
    reply = await live.post("/workflows/import?dry_run=true", [document, {"name": "Odd"}])
    one, other = reply.json["workflows"]

    assert (207, "Orders of the shop", None, "S5") == (reply.status, one["name"], one["id"], one["shape"])
    assert ("order_comes_in", []) == (one["spec"]["trigger"]["id"], one["notes"])
    assert "not a workflow" in other["error"]
    assert [] == (await live.get("/workflows")).json["data"]
    assert 200 == (await live.post("/workflows/import?dry_run=true", document)).status


async def test_a_workflow_of_n8n_runs_to_its_end(live: Live) -> None:
    """Webhook, If, Set, Split Out, a loop and two answers do here what they did there."""
    found = await imported(live, json.loads(ORDERS.read_text()))
    assert ("S5", [], []) == (found["shape"], found["notes"], found["problems"])
    assert 200 == (await live.post(f"/workflows/{found['id']}/activate")).status
    hook = await live.hook(found["id"])
    lines = [{"count": 2, "price": 30}, {"count": 5, "price": 20}]
    big = await live.knock(hook, {"amount": 160, "name": "Amina", "lines": lines})
    small = await live.knock(hook, {"amount": 20, "name": "Otieno", "lines": []})

    assert (201, {"costs": [60, 100], "size": "big", "to": "Dear AMINA"}) == (big.status, big.json)
    assert (200, {"size": "small", "limit": 100, "raw": "{{ not read }}"}) == (small.status, small.json)
