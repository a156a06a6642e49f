"""The life of a budget: set by those who run a workspace, asked at a start, told to what is running."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from linkflow.testing.control import Stage
from linkflow.testing.coordination_suites import until
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

AWAY: dict[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {
            "id": "each",
            "type": "logic.loop",
            "config": {"mode": "while", "while": "true", "max_items": 100000},
        },
        {"id": "call", "type": "http.request"},
    ],
    "edges": [
        {"source": "start", "target": "each"},
        {"source": "each", "sourceHandle": "body", "target": "call"},
        {"source": "call", "target": "each"},
    ],
}


def away(address: str, **budget: Any) -> dict[str, Any]:
    """Say a workflow that calls an address for ever, with a budget."""
    nodes = [AWAY["nodes"][0], {**AWAY["nodes"][1], "config": {"url": f"{address}/x"}}]
    return {**AWAY, "nodes": nodes, "settings": {"budget": budget} if budget else {}}


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    exit_code: int
    output: str


async def say(home: Path, *words: str) -> Said:
    """Run a command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "linkflow", *words,
        env=os.environ | {"LINKFLOW_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, output.decode())


async def workspace(stage: Stage) -> str:
    """Say the owner's workspace."""
    return str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])


async def used(stage: Stage, workspace_id: str, meter: str, amount: int) -> None:
    """Let the ledger say what was used today."""
    await stage.database.pool.execute(
        "INSERT INTO engine.usage_meters (workspace_id, day, meter, amount)"
        " VALUES ($1, to_timestamp($2)::date, $3, $4)"
        " ON CONFLICT (workspace_id, day, meter) DO UPDATE SET amount = excluded.amount",
        workspace_id,
        stage.clock.now(),
        meter,
        amount,
    )
    stage.plane.plans.forget(workspace_id)


async def test_a_budget_is_set_shown_and_removed(stage: Stage) -> None:
    """A budget is read back with how it stands; without one the list is empty."""
    workspace_id = await workspace(stage)
    put = await stage.client.put("/api/v1/budgets/day", {"limits": {"ai_tokens": 200}})
    await used(stage, workspace_id, "ai_tokens", 50)
    (found,) = (await stage.client.get("/api/v1/budgets")).json["data"]
    await stage.client.delete("/api/v1/budgets/day")
    after = (await stage.client.get("/api/v1/budgets")).json["data"]

    assert (204, {"ai_tokens": 200}, "pause", []) == (
        put.status,
        found["limits"],
        found["on_exceeded"],
        after,
    )
    assert [(50, 200, 25.0)] == [(line["used"], line["limit"], line["percent"]) for line in found["data"]]


@pytest.mark.parametrize(
    ("period", "limits"),
    [
        ("day", {"tokens": 1}),
        ("day", {"ai_tokens": 0}),
        ("day", {}),
        ("execution", {"executions": 5}),
        ("week", {"ai_tokens": 5}),
    ],
)
async def test_a_budget_that_means_nothing_is_refused(
    stage: Stage, period: str, limits: dict[str, int]
) -> None:
    """An unknown meter, a limit of nothing, an unknown period are 400."""
    assert 400 == (await stage.client.put(f"/api/v1/budgets/{period}", {"limits": limits})).status


async def test_a_used_up_budget_starts_nothing(stage: Stage) -> None:
    """A start beyond the budget is 402, and says of what how much was used and until when that holds."""
    workflow_id, workspace_id = await stage.workflow(), await workspace(stage)
    await stage.client.put("/api/v1/budgets/month", {"limits": {"ai_tokens": 10, "executions": 2}})
    path = f"/api/v1/workflows/{workflow_id}/execute"
    by_count = [(await stage.client.post(path)).status for _ in range(3)]
    await used(stage, workspace_id, "ai_tokens", 10)
    refused = (await stage.client.post(path)).json

    assert [202, 202, 402] == by_count
    assert ("budget_exceeded", "ai_tokens", 10, 10) == tuple(
        refused[name] for name in ("code", "meter", "limit", "used")
    )
    assert refused["resets_at"][8:] == "01T00:00:00Z"
    assert "owner" in refused["detail"]


async def test_the_default_goes_with_every_start(stage: Stage) -> None:
    """What each execution may use by default is pinned to its start, as are the meters to be counted."""
    workflow_id = await stage.workflow()
    await stage.client.put("/api/v1/budgets/execution", {"limits": {"attempts": 7}, "on_exceeded": "fail"})
    await stage.client.put("/api/v1/budgets/day", {"limits": {"node_ms": 1000, "sms_parts": 5}})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute")
    (command,) = stage.engine.commands

    assert command.budget is not None
    assert ({"attempts": 7}, "fail", ["node_ms"]) == (
        command.budget.limits, command.budget.on_exceeded, command.metered,
    )  # fmt: skip


async def test_owners_are_told_once_each(stage: Stage) -> None:
    """At 50, 80 and 100 % the owner gets one letter each, whoever looks how often."""
    workspace_id = await workspace(stage)
    await stage.client.put("/api/v1/budgets/day", {"limits": {"sms_parts": 100}})
    told = []
    for amount in (49, 50, 81, 130):
        await used(stage, workspace_id, "sms_parts", amount)
        told.append([await stage.plane.budgets.enforce([workspace_id]) for _ in range(2)])

    assert [[0, 0], [1, 0], [1, 0], [1, 0]] == told
    assert 3 == await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")


async def test_a_workspace_that_is_gone_frees_no_other(stage: Stage) -> None:
    """A budget that is used up in a removed workspace is passed over, and the next one is looked at."""
    workspace_id = await workspace(stage)
    await stage.client.put("/api/v1/budgets/day", {"limits": {"sms_parts": 10}})
    gone = (await stage.client.post("/api/v1/workspaces", {"name": "Gone"})).json["id"]
    await stage.client.put(f"/api/v1/workspaces/{gone}/budgets/day", {"limits": {"sms_parts": 10}})
    for each in (gone, workspace_id):
        await used(stage, each, "sms_parts", 10)
    removed = await stage.client.delete(f"/api/v1/workspaces/{gone}")

    assert (204, 1) == (removed.status, await stage.plane.budgets.enforce([gone, workspace_id]))


async def asked(live: Live, execution_id: str, limit: int) -> Any:
    """Wait until an execution asks about a budget of so many, and read what it asks."""
    while True:
        found = (await live.waits(execution_id))["drivers"]
        if found and found[0]["kind"] == "budget" and found[0]["data"]["limit"] == limit:
            return found[0]
        with live.running.plane.bus.subscribe(f"execution:{execution_id}") as changes:
            await changes.nudged(0.1)


async def test_what_is_running_is_told_once(stage: Stage) -> None:
    """Open executions are told that the workspace's budget is used up, once; and that there is room again."""
    workflow_id, workspace_id = await stage.workflow(), await workspace(stage)
    stage.engine.holds = True
    started = [
        (await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute")).json["execution_id"]
        for _ in range(2)
    ]
    await stage.client.put("/api/v1/budgets/day", {"limits": {"ai_tokens": 100}})
    for amount in (99, 100, 120):
        await used(stage, workspace_id, "ai_tokens", amount)
        await stage.plane.budgets.enforce([workspace_id])
    stopped = [(each.execution_id, each.action) for each in stage.engine.resolved]
    stage.engine.resolved.clear()
    await stage.clock.turn(1.0)
    await stage.client.delete("/api/v1/budgets/day")
    for _ in range(2):
        await stage.plane.budgets.enforce(await stage.plane.budgets.watched())
    lifted = [(each.execution_id, each.action) for each in stage.engine.resolved]

    assert sorted((each, "exceeded") for each in started) == sorted(stopped)
    assert sorted((each, "lifted") for each in started) == sorted(lifted)


async def test_where_others_fail_what_waits_is_left_alone(stage: Stage) -> None:
    """With the policy `fail`, executions that wait for something are not told."""
    workflow_id, workspace_id = await stage.workflow(), await workspace(stage)
    stage.engine.holds = True
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute")
    await stage.client.put("/api/v1/budgets/day", {"limits": {"ai_tokens": 1}, "on_exceeded": "fail"})
    await used(stage, workspace_id, "ai_tokens", 2)
    await stage.plane.budgets.enforce([workspace_id])

    assert [] == stage.engine.resolved


async def test_a_runaway_loop_stops_within_one_node(live: Live, receiver: Receiver) -> None:
    """Issue 4: a workflow that calls for ever is stopped before the call that would exceed its budget."""
    receiver.answer("/x", Scripted(200, {}))
    ended = await live.run(away(receiver.address, limits={"attempts": 21}))

    assert ("failed", "execution.budget_exceeded") == (ended["status"], ended["error"]["code"])
    assert 20 == len(receiver.calls)  # and the loop itself


async def test_a_paused_execution_asks_and_goes_on(live: Live, receiver: Receiver) -> None:
    """With `pause` it waits, says for what, goes on as far as it is allowed, and stops when told to."""
    receiver.answer("/x", Scripted(200, {}))
    execution_id = await live.start(
        await live.made(away(receiver.address, limits={"attempts": 5}, onExceeded="pause"))
    )
    place = f"/executions/{execution_id}/budget"
    question = await asked(live, execution_id, 5)
    before = len(receiver.calls)
    elsewhere = await live.post(
        f"/executions/{execution_id}/resolve", {"key": question["key"], "action": "approved"}
    )
    raised = await live.post(place, {"action": "raise", "limits": {"attempts": 9}})
    await asked(live, execution_id, 9)
    after = len(receiver.calls)
    too_small = await live.post(place, {"action": "raise", "limits": {"attempts": 9}})
    await live.post(place, {"action": "stop"})
    ended = await live.ended(execution_id)
    late = await live.post(place, {"action": "stop"})

    assert (["raise", "stop", "cancel"], 4, 202, 8) == (question["can"], before, raised.status, after)
    assert (400, "wait.action") == (elsewhere.status, elsewhere.json["code"])
    assert (409, "budget.too_small", 404) == (too_small.status, too_small.json["code"], late.status)
    assert ("failed", "execution.budget_exceeded") == (ended["status"], ended["error"]["code"])


async def test_the_inbox_of_approvals_has_the_question(live: Live, receiver: Receiver) -> None:
    """An execution that asks about its budget is among the approvals, and may be decided there."""
    receiver.answer("/x", Scripted(200, {}))
    execution_id = await live.start(
        await live.made(away(receiver.address, limits={"attempts": 5}, onExceeded="pause"))
    )
    await asked(live, execution_id, 5)
    await live.listed(lambda rows: rows[0]["status"] == "waiting")
    (found,) = (await live.get("/approvals")).json["data"]
    too_small = await live.post(
        f"/approvals/{found['id']}/decision", {"decision": "approved", "answer": {"limit": 5}}
    )
    await live.post(f"/approvals/{found['id']}/decision", {"decision": "approved", "answer": {"limit": 7}})
    again = await asked(live, execution_id, 7)
    await live.post(f"/executions/{execution_id}/cancel", {})

    assert (execution_id, "open", True) == (found["execution_id"], found["status"], found["can_decide"])
    assert (400, 7) == (too_small.status, again["data"]["used"])


async def test_the_workspace_s_budget_stops_what_is_running(live: Live, receiver: Receiver) -> None:
    """Issue 4: what runs away is stopped by the budget of the day, and goes on once it is raised."""
    receiver.answer("/x", Scripted(200, {}))
    await live.put("/budgets/day", {"limits": {"attempts": 100}})
    execution_id = await live.start(await live.made(away(receiver.address)))
    question = await asked(live, execution_id, 100)
    stopped_at = len(receiver.calls)

    async def is_refused() -> bool:
        """Other processes hear of it within seconds."""
        tried = await live.post("/workflows/execute", {"workflow": {**AWAY, "nodes": [], "edges": []}})
        return tried.status == 402

    await until(is_refused)
    await live.put("/budgets/day", {"limits": {"attempts": 10_000_000}})
    await receiver.called("/x", stopped_at + 5)
    await live.post(f"/executions/{execution_id}/cancel", {})
    ended = await live.ended(execution_id)

    assert ("day", "cancelled") == (question["data"]["period"][:3], ended["status"])


@pytest.mark.timeout(60)
async def test_the_command_line_sets_budgets_and_decides(live: Live, receiver: Receiver) -> None:
    """`linkflow budgets`, `usage` and `plans` do and show what the API does, for people and as JSON."""
    receiver.answer("/x", Scripted(200, {}))
    (live.home / "access.json").write_text(
        json.dumps({"url": live.address, "token": live.token, "pid": 0}), encoding="utf-8"
    )
    made = await live.made(away(receiver.address))
    said = [
        await say(live.home, *words.split())
        for words in (
            "budgets set execution attempts=5",
            "budgets set day ai_tokens=1000 --fail",
            "budgets list --json",
            "budgets set day cakes=1",
            "budgets remove day",
        )
    ]
    live.running.plane.plans.forget(live.running.owner.user.workspace_id)
    execution_id = await live.start(made)
    await asked(live, execution_id, 5)
    raised = await say(live.home, "budgets", "raise", execution_id, "attempts=7")
    await asked(live, execution_id, 7)
    stopped = await say(live.home, "budgets", "stop", execution_id)
    ended = await live.ended(execution_id)
    await live.listed(lambda rows: rows[0]["status"] == "failed")
    usage = await say(live.home, "usage", "--json")
    plans = await say(live.home, "plans")
    listed = {each["period"]: each for each in json.loads(said[2].output)["data"]}

    assert [0, 0, 0, 1, 0] == [each.exit_code for each in said]
    assert ({"attempts": 5}, "fail") == (listed["execution"]["limits"], listed["day"]["on_exceeded"])
    assert (0, 0, "failed", 6) == (raised.exit_code, stopped.exit_code, ended["status"], len(receiver.calls))
    assert (1, 6) == tuple(json.loads(usage.output)["total"][name] for name in ("failed", "nodes"))
    assert "on the plan Self-hosted" in plans.output
