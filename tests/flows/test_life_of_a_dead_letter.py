"""The life of a dead letter: given up on, looked at, tried again or dropped, one or many."""

import asyncio
from typing import Any

from linkflow.domain.values import derived_execution_id
from linkflow.ports.services import DeadLetter
from linkflow.testing.control import Stage
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

HELLO = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "hello", "type": "data.set", "config": {"values": {"text": "Hello"}}}],
    "edges": [{"source": "start", "target": "hello"}],
}


def fetching(url: str) -> dict[str, Any]:
    """Say a spec that fetches once, after a node that ends well."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "hello", "type": "data.set", "config": {"values": {"text": "Hello"}}},
            {"id": "fetch", "type": "http.request", "config": {"url": url}, "retry": {"maxAttempts": 1}},
        ],
        "edges": [{"source": "start", "target": "hello"}, {"source": "hello", "target": "fetch"}],
    }


async def given_up(live: Live, count: int = 1) -> Any:
    """Wait until there are dead letters and list them."""
    async with asyncio.timeout(15):
        while True:
            found = (await live.get("/dead-letters")).json["data"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0)


async def kept(live: Live, kind: str, number: int, **body: Any) -> str:
    """Keep a letter about an execution that is over, as the engine would, and return its id."""
    done = await live.run(HELLO)
    workspace_id = live.running.owner.user.workspace_id
    letter = DeadLetter(
        id=f"{done['id']}:{number}:{kind}",
        workspace_id=workspace_id,
        kind=kind,
        execution_id=done["id"],
        reason="The receiver did not answer.",
        at=1.0,
        body={"workspace_id": workspace_id, **body},
    )
    await live.running.engine.letters.add(letter)
    return letter.id


async def test_a_task_is_tried_again(live: Live, receiver: Receiver) -> None:
    """D35: replaying a task starts it again after what had ended well, once, and leaves an audit line."""
    receiver.answer("/broken", Scripted(500), Scripted(200, {"id": 1}))
    failed = await live.run(fetching(f"{receiver.address}/broken"))
    [letter] = await given_up(live)
    replays = await asyncio.gather(*(live.post(f"/dead-letters/{letter['id']}/replay") for _ in range(3)))
    started = {reply.json["new_execution_id"] for reply in replays if reply.status == 200}
    [new_id] = started
    again = await live.ended(new_id)
    lines = await live.running.database.pool.fetchval(
        "SELECT count(*) FROM control.audit_logs WHERE action = 'letter.replay' AND resource = $1",
        f"letter:{letter['id']}",
    )

    assert ("failed", "completed", [], 404) == (
        failed["status"],
        again["status"],
        (await live.get("/dead-letters")).json["data"],
        (await live.post(f"/dead-letters/{letter['id']}/replay")).status,
    )
    assert lines == len([reply for reply in replays if reply.status == 200]) >= 1


async def test_a_callback_is_sent_again(live: Live, receiver: Receiver) -> None:
    """D35, D37: replaying a callback sends it again, as it was, to whom it was for."""
    receiver.answer("/done", Scripted(200, {}))
    letter_id = await kept(
        live, "callback", 9, to=f"{receiver.address}/done", status="completed", execution_id="e", event=9
    )
    replay = await live.post(f"/dead-letters/{letter_id}/replay")
    [call] = await receiver.called("/done", 1)

    assert ("sent", None, "completed", 9, True) == (
        replay.json["outcome"],
        replay.json["new_execution_id"],
        call.json["status"],
        call.json["event"],
        "to" not in call.json,
    )
    assert (await live.get("/dead-letters")).json["data"] == []


async def test_a_start_is_sent_again(live: Live) -> None:
    """D35: replaying a start starts the workflow it was for, under the id it was promised."""
    promised = derived_execution_id(1_900_000_000_000, "a", "child")
    workflow_id = await live.made(HELLO)
    letter_id = await kept(
        live, "start", 7, to=promised, workflow_id=workflow_id, trigger_kind="error", input={"n": 1}
    )
    replay = await live.post(f"/dead-letters/{letter_id}/replay")
    await live.listed(lambda rows: promised in [row["id"] for row in rows])
    found = await live.ended(promised)

    assert ("sent", "completed", workflow_id, {"n": 1}) == (
        replay.json["outcome"],
        found["status"],
        found["workflow_id"],
        found["input"],
    )


async def test_many_are_dealt_with(live: Live) -> None:
    """D35: letters are chosen by a filter and dropped together; the others stay, and what failed says why."""
    for number, kind in ((1, "callback"), (2, "callback"), (3, "task")):
        await kept(live, kind, number, to="http://127.0.0.1:9/x", workflow_id=f"w{number}")
    chosen = await live.get("/dead-letters?kind=callback&workflow_id=w2")
    [one] = chosen.json["data"]
    unknown = await live.post("/dead-letters/bulk", {"action": "drop", "ids": [one["id"], "nobody:1:task"]})
    rest = await live.post("/dead-letters/bulk", {"action": "drop", "where": {"kind": "callback"}})
    left = (await live.get("/dead-letters")).json["data"]
    shown = await live.get(f"/dead-letters/{left[0]['id']}")

    assert (2, 1, ["not_found"]) == (
        unknown.json["matched"],
        unknown.json["done"],
        [failure["code"] for failure in unknown.json["failed"]],
    )
    assert (1, 1, ["task"], left[0]) == (
        rest.json["matched"],
        rest.json["done"],
        [each["kind"] for each in left],
        shown.json,
    )


async def test_an_execution_on_hold_is_released(stage: Stage) -> None:
    """D35: replaying a decision releases the execution; one that is not on hold any more needs nothing."""
    me = (await stage.client.get("/api/v1/auth/me")).json
    letters = stage.letters
    for number in (1, 2):
        await letters.add(
            DeadLetter(
                id=f"x{number}:3:dead_letter",
                workspace_id=me["workspace_id"],
                kind="decision",
                execution_id=f"x{number}",
                reason="ValueError: a bug",
                at=1.0,
                body={"kind": "decision", "to": ""},
            )
        )
    stage.engine.held.add("x1")
    replays = [await stage.client.post(f"/api/v1/dead-letters/x{n}:3:dead_letter/replay") for n in (1, 2)]

    assert [(200, "released"), (200, "gone")] == [(each.status, each.json["outcome"]) for each in replays]
    assert (set(), []) == (stage.engine.held, list(await letters.list(me["workspace_id"], "", 10)))


async def test_which_letters_must_be_said(stage: Stage) -> None:
    """A request about many letters says which: by names or by a filter, not by neither and not by both."""
    replies = [
        await stage.client.post("/api/v1/dead-letters/bulk", {"action": "drop"} | which)
        for which in ({}, {"ids": ["a"], "where": {}})
    ]

    assert [(400, "letter.which")] * 2 == [(each.status, each.json["code"]) for each in replies]
