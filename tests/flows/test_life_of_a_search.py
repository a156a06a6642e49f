"""The life of a search: C6r; what people declare, set, ask for and keep, on a whole LinkFlow."""

import time
from typing import Any

from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.engine.visibility.rebuild import rebuild
from linkflow.testing.live import Live
from linkflow.testing.past import past_row, write_past

SPEC: dict[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "settings": {"attributes": {"team": "sales", "customer": "{{trigger.customer}}"}},
    "nodes": [
        {"id": "mark", "type": "data.attributes", "config": {"values": {"amount": "{{trigger.amount}}"}}},
    ],
    "edges": [{"source": "start", "target": "mark"}],
}
BROKEN: dict[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "stop", "type": "logic.throw_error", "config": {"message": "The warehouse is closed"}}],
    "edges": [{"source": "start", "target": "stop"}],
}


async def declared(live: Live) -> None:
    """Declare three attributes."""
    for name, kind in (("customer", "text"), ("amount", "number"), ("team", "text")):
        reply = await live.put(f"/search-attributes/{name}", {"kind": kind})
        assert reply.status == 200, reply.body


async def found(live: Live, address: str, count: int) -> list[str]:
    """Wait until a search finds so many executions; their ids, newest first."""
    rows: list[Any] = []

    async def look() -> bool:
        reply = await live.get(f"/executions/search?{address}")
        assert reply.status == 200, reply.body
        rows[:] = reply.json["data"]
        return len(rows) >= count

    workspace_id = live.running.owner.user.workspace_id
    with live.running.plane.bus.subscribe(f"executions:{workspace_id}") as changes:
        while not await look():
            await changes.nudged(1.0)
    return [row["id"] for row in rows]


async def test_attributes_find_executions(live: Live) -> None:
    """Settings, the start and nodes set attributes; a search finds by each, alone and together."""
    await declared(live)
    workflow_id = await live.made(SPEC)
    small = await live.start(workflow_id, {"customer": "A-17", "amount": 3})
    large = await live.start(workflow_id, {"customer": "B-1", "amount": 30})
    body = {"input": {"customer": "B-1", "amount": 1}, "attributes": {"team": "support"}}
    other = (await live.post(f"/workflows/{workflow_id}/execute", body)).json["execution_id"]
    for each in (small, large, other):
        await live.ended(each)
    together = await found(live, "attribute=amount>=0", 3)

    assert [other, large, small] == together
    assert [small] == await found(live, "attribute=customer=A-17", 1)
    assert [large] == await found(live, "attribute=amount>=10&attribute=team=sales", 1)
    assert [other] == await found(live, "attribute=team=support", 1)


async def test_what_is_not_declared_is_refused(live: Live) -> None:
    """An attribute that nobody declared, or a value of another kind, is 400 and names what there is."""
    await declared(live)
    workflow_id = await live.made(SPEC)
    replies = [
        await live.get("/executions/search?attribute=colour=red"),
        await live.get("/executions/search?attribute=amount=much"),
        await live.get("/executions/search?attribute=customer>=A"),
        await live.post(f"/workflows/{workflow_id}/execute", {"attributes": {"colour": "red"}}),
        await live.post(f"/workflows/{workflow_id}/execute", {"attributes": {"amount": "12"}}),
        await live.put("/search-attributes/9lives", {"kind": "text"}),
    ]

    assert [400] * 6 == [reply.status for reply in replies]
    assert "amount, customer, team" in replies[0].json["detail"]


async def test_words_find_executions(live: Live) -> None:
    """Words of an error, an error's code and part of a workflow's name find executions; counts agree."""
    quiet = await live.made(SPEC, "Nightly report")
    loud = await live.made(BROKEN, "Ship orders")
    good = await live.start(quiet, {"customer": "A", "amount": 1})
    bad = await live.start(loud)
    await live.ended(good)
    code = (await live.ended(bad))["error"]["code"]
    by_word = await found(live, "q=warehouse closed", 1)
    by_code = await found(live, f"error_code={code}", 1)
    by_name = await found(live, "q=nightly", 1)
    counted = (await live.get("/executions/counts?by=error")).json
    how = (await live.get(f"/workflows/{loud}/stats")).json

    assert ([bad], [bad], [good]) == (by_word, by_code, by_name)
    assert {"by": "error", "counts": [{"key": code, "count": 1}]} == counted
    assert {"total": 1, "by_status": {"failed": 1}, "success_rate": 0.0} == how


async def test_searches_are_kept(live: Live) -> None:
    """A search that is kept runs by its id, what is said beside it goes first, and a wrong one is refused."""
    workflow_id = await live.made(SPEC)
    one = await live.start(workflow_id, {"customer": "A", "amount": 1})
    await live.ended(one)
    await found(live, "", 1)
    kept = (await live.post("/searches", {"name": "Done", "query": {"status": ["completed"]}})).json
    again = await live.post("/searches", {"name": "Done", "query": {}})
    wrong = await live.post("/searches", {"name": "Odd", "query": {"colour": "red"}})
    by_id = await found(live, f"saved={kept['id']}", 1)
    beside = (await live.get(f"/executions/search?saved={kept['id']}&status=failed")).json["data"]
    changed = await live.put(f"/searches/{kept['id']}", {"name": "All", "query": {}, "is_shared": True})
    listed = (await live.get("/searches")).json["data"]
    gone = await live.call("DELETE", f"/searches/{kept['id']}")

    assert ([one], [], 409, 400) == (by_id, beside, again.status, wrong.status)
    assert (200, [("All", True, True)], 204, []) == (
        changed.status,
        [(each["name"], each["is_shared"], each["is_own"]) for each in listed],
        gone.status,
        (await live.get("/searches")).json["data"],
    )


async def test_pages_stay_as_they_are(live: Live) -> None:
    """Executions that start meanwhile neither move a page nor appear twice."""
    workflow_id = await live.made(SPEC)
    ids = [await live.start(workflow_id, {"customer": "A", "amount": n}) for n in range(4)]
    await found(live, "", 4)
    first = (await live.get("/executions/search?limit=2")).json
    ids += [await live.start(workflow_id, {"customer": "A", "amount": n}) for n in range(2)]
    await found(live, "", 6)
    second = (await live.get(f"/executions/search?limit=2&after={first['next']}")).json

    assert (ids[3:1:-1], ids[1::-1], None) == (
        [row["id"] for row in first["data"]],
        [row["id"] for row in second["data"]],
        second["next"],
    )


async def test_a_quiet_workflow_shows_beside_a_busy_one(live: Live, database_dsn: str) -> None:
    """The newest of each workflow come in one answer: 25 of 500 runs of one, both of the other's."""
    busy, quiet, idle = [await live.made(SPEC, name) for name in ("Busy", "Quiet", "Idle")]
    home, now = live.running.owner.user.workspace_id, time.time()
    newer = [past_row(home, busy, n, now - 600 + n) for n in range(500)]
    older = [past_row(home, quiet, n, now - 7200 + n, status="failed") for n in range(2)]
    strange = past_row("22222222-2222-4222-8222-222222222222", quiet, 9, now)
    await write_past(database_dsn, [*newer, *older, strange])
    asked = "&".join(f"workflow_id={each}" for each in (quiet, busy, idle, quiet, "nothing"))
    answer = await live.get(f"/executions/latest?{asked}")
    refused = [await live.get(f"/executions/latest?{each}") for each in ("", f"{asked}&limit=26")]

    assert [400, 400] == [each.status for each in refused]
    assert [
        (quiet, [each.execution_id for each in reversed(older)]),
        (busy, [each.execution_id for each in reversed(newer[-25:])]),
        (idle, []),
        ("nothing", []),
    ] == [(each["workflow_id"], [row["id"] for row in each["executions"]]) for each in answer.json["data"]]


async def test_nothing_is_lost_with_the_projection(live: Live) -> None:
    """D2: with every row of the read model deleted, it is made again from the histories, and is the same."""
    await declared(live)
    workflow_id = await live.made(SPEC)
    for body in ({"customer": "A", "amount": 1}, {"customer": "B", "amount": 2}):
        await live.ended(await live.start(workflow_id, body))
    await live.ended(await live.start(await live.made(BROKEN)))
    await found(live, "status=failed", 1)
    await found(live, "status=completed", 2)
    before = (await live.get("/executions/search")).json["data"]
    database = live.running.database
    usage = await database.pool.fetch("SELECT * FROM engine.usage_days")
    await database.pool.execute("DELETE FROM engine.visibility")
    emptied = (await live.get("/executions/search")).json["data"]
    told: list[int] = []
    done = await rebuild(SqlVisibilityStore(database), live.running.engine.history, told.append)
    after = (await live.get("/executions/search")).json["data"]

    assert ([], before, 3, [3]) == (emptied, after, done, told)
    assert usage == await database.pool.fetch("SELECT * FROM engine.usage_days")
