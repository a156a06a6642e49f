"""Many executions at once as REST shows it: an answer for each, and no harm in asking twice."""

from linkflow.testing.control import Client, Stage

BULK = "/api/v1/executions/bulk"
NOBODYS = "01a1fd01-ae86-8339-9a22-eec90751cbe8"


async def some(stage: Stage, count: int) -> list[str]:
    """Start executions that stay open."""
    stage.engine.holds = True
    workflow_id = await stage.workflow()
    path = f"/api/v1/workflows/{workflow_id}/execute"
    return [(await stage.client.post(path, {})).json["execution_id"] for _ in range(count)]


async def test_many_are_cancelled_and_each_is_answered(stage: Stage) -> None:
    """What can be cancelled is; what cannot says why; the answers are in the order asked for, each once."""
    one, two = await some(stage, 2)
    asked = {"ids": [two, NOBODYS, one, two], "reason": "enough"}
    found = await stage.client.post(f"{BULK}/cancel", asked)
    rows = [(each["id"], each["ok"], each["code"]) for each in found.json["data"]]
    statuses = {stage.engine.views[each].status for each in (one, two)}

    assert (200, 2, 1, {"cancelled"}) == (found.status, found.json["done"], found.json["failed"], statuses)
    assert [(two, True, None), (NOBODYS, False, "not_found"), (one, True, None)] == rows
    assert "no such execution" in found.json["data"][1]["detail"]


async def test_many_are_tried_again_once_per_key(stage: Stage) -> None:
    """Each is started again under a new id; the same key starts nothing twice, another key does."""
    ids = await some(stage, 12)
    first = await stage.client.post(f"{BULK}/retry", {"ids": ids}, idempotency_key="k1")
    again = await stage.client.post(f"{BULK}/retry", {"ids": ids}, idempotency_key="k1")
    anew = await stage.client.post(f"{BULK}/retry", {"ids": ids[:1]}, idempotency_key="k2")
    origins = [stage.engine.views[each["new_execution_id"]].origin for each in first.json["data"]]

    assert (ids, first.json, 12, 1) == (origins, again.json, first.json["done"], anew.json["done"])
    assert len(stage.engine.commands) == len(ids) * 2 + 1


async def test_how_many_and_who_may(stage: Stage) -> None:
    """None or more than 200 are refused, and so is a key that may only read; then nothing is done."""
    one = (await some(stage, 1))[0]
    key = (await stage.client.post("/api/v1/auth/tokens", {"name": "k", "scopes": ["execution.view"]})).json
    reader = Client(stage.app, key["token"])
    found = [
        await stage.client.post(f"{BULK}/cancel", {"ids": []}),
        await stage.client.post(f"{BULK}/retry", {"ids": [str(n) for n in range(201)]}),
        await reader.post(f"{BULK}/cancel", {"ids": [one]}),
        await reader.post(f"{BULK}/retry", {"ids": [one]}),
    ]

    assert [400, 400, 403, 403] == [each.status for each in found]
    assert "waiting" == stage.engine.views[one].status
