"""The life of a limit: said by a plan, asked before anything is queued, told before it is reached."""

import asyncio

import pytest

from linkflow.testing.control import Stage, spec


async def on(stage: Stage, plan: str, **limits: int | None) -> str:
    """Put the owner's workspace on a plan; its id."""
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    found = await stage.client.put(
        "/api/v1/admin/plans",
        {"workspace_id": workspace_id, "plan": plan, "limits": limits},
    )
    assert found.status == 204, found.body
    return workspace_id


async def used(stage: Stage, workspace_id: str, started: int) -> None:
    """Let the ledger of usage say that so many executions started today."""
    await stage.database.pool.execute(
        "INSERT INTO engine.usage_days (workspace_id, day, started, closed, failed, nodes, node_ms)"
        " VALUES ($1, to_timestamp($2)::date, $3, 0, 0, 0, 0)"
        " ON CONFLICT (workspace_id, day) DO UPDATE SET started = excluded.started",
        workspace_id,
        stage.clock.now(),
        started,
    )


async def test_a_used_up_plan_starts_nothing(stage: Stage) -> None:
    """A13: at the limit a start is 402 with what was used, and nothing reaches the engine."""
    workflow_id = await stage.workflow()
    workspace_id = await on(stage, "free", executions_per_month=3)
    await used(stage, workspace_id, 2)
    stage.plane.prepared.drop(f"plan:{workspace_id}")
    path = f"/api/v1/workflows/{workflow_id}/execute"
    first, second = await stage.client.post(path), await stage.client.post(path)
    inline = await stage.client.post("/api/v1/workflows/execute", {"workflow": spec()})

    assert [202, 402, 402] == [first.status, second.status, inline.status]
    assert ("usage_limit_exceeded", 3, 3, "free") == tuple(
        second.json[name] for name in ("code", "limit", "used", "plan")
    )
    assert second.json["resets_at"].endswith("-01T00:00:00Z")
    assert 1 == len(stage.engine.commands)


async def test_a_call_beyond_the_plan_is_not_queued(stage: Stage) -> None:
    """A webhook of a used-up workspace is 402, and its inbox keeps nothing to start."""
    workflow_id = await stage.workflow(type="trigger.webhook")
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    (hook,) = (await stage.client.get("/api/v1/webhooks")).json["data"]
    await on(stage, "free", executions_per_month=0)
    found = await stage.stranger.post(f"/webhooks/{hook['id']}", {"n": 1})
    pending = await stage.database.pool.fetchval(
        "SELECT count(*) FROM control.trigger_events WHERE state = 'pending'"
    )

    assert (402, 0) == (found.status, pending)


async def test_a_locked_workspace_starts_nothing(stage: Stage) -> None:
    """A locked workspace is 423 for starts, and can still be read."""
    workflow_id = await stage.workflow()
    workspace_id = await on(stage, "free")
    await stage.client.put("/api/v1/admin/plans", {"workspace_id": workspace_id, "is_locked": True})
    found = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute")
    read = await stage.client.get(f"/api/v1/workflows/{workflow_id}")

    assert (423, "workspace.locked", 200) == (found.status, found.json["code"], read.status)


@pytest.mark.parametrize(
    ("meter", "path", "body"),
    [
        ("credentials", "/api/v1/credentials", {"name": "x", "data": {"value": "v"}}),
        ("variables", "/api/v1/variables", {"key": "X", "value": 1}),
        ("workflows", "/api/v1/workflows", {"name": "x"}),
        ("members", "/api/v1/invitations", {"email": "new@example.com", "role": "member"}),
    ],
)
async def test_a_full_plan_keeps_no_more(stage: Stage, meter: str, path: str, body: object) -> None:
    """What a plan counts is 402 beyond its limit, with the meter's name."""
    await on(stage, "free", **{meter: 0})
    found = await stage.client.post(path, body)

    assert (402, "plan_limit_exceeded", meter) == (found.status, found.json["code"], found.json["meter"])


async def test_a_schedule_too_many_is_refused(stage: Stage) -> None:
    """A schedule beyond the plan is 402, made by hand or by activating a workflow that has one."""
    by_hand = await stage.workflow()
    timed = await stage.workflow(type="trigger.schedule", config={"cron": "0 9 * * *"})
    await on(stage, "free", schedules=0, active_workflows=None)
    body = {"workflow_id": by_hand, "cron_expression": "0 9 * * *"}
    found = [
        await stage.client.post("/api/v1/schedules", body),
        await stage.client.post(f"/api/v1/workflows/{timed}/activate"),
    ]
    kept = (await stage.client.get("/api/v1/schedules")).json["data"]
    still = (await stage.client.get(f"/api/v1/workflows/{timed}")).json

    assert [(402, "schedules"), (402, "schedules")] == [(each.status, each.json["meter"]) for each in found]
    assert ([], False) == (kept, still["is_active"])


async def test_a_workflow_too_many_stays_inactive(stage: Stage) -> None:
    """Activating beyond the plan is 402 and changes nothing; what is active may be activated again."""
    first, second = await stage.workflow(), await stage.workflow()
    await on(stage, "free", active_workflows=1)
    found = [await stage.client.post(f"/api/v1/workflows/{each}/activate") for each in (first, second, first)]

    assert [200, 402, 200] == [each.status for each in found]
    assert ("active_workflows", 1, 1) == tuple(found[1].json[name] for name in ("meter", "limit", "used"))
    assert "ask whoever runs this LinkFlow" in found[1].json["detail"]


async def test_a_plan_that_was_made_smaller_takes_nothing_away(stage: Stage) -> None:
    """A workspace that has more than its new plan allows keeps it, and can change it."""
    first, second = await stage.workflow(), await stage.workflow()
    for each in (first, second):
        await stage.client.post(f"/api/v1/workflows/{each}/activate")
    await on(stage, "free", active_workflows=1)
    found = await stage.client.post(f"/api/v1/workflows/{second}/publish")
    read = await stage.client.get(f"/api/v1/workflows/{second}")

    assert (True, True) == (found.status < 300, read.json["is_active"])


async def test_an_event_beyond_the_plan_starts_nothing(stage: Stage) -> None:
    """`POST /events` is 402 when what it would start is beyond the plan; one that starts nothing passes."""
    workflow_id = await stage.workflow(type="trigger.event", config={"event": "paid"})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    workspace_id = await on(stage, "free", executions_per_month=0)
    refused = await stage.client.post("/api/v1/events/paid", {"data": 1})
    passed = await stage.client.post("/api/v1/events/other", {"data": 1})
    await stage.client.put("/api/v1/admin/plans", {"workspace_id": workspace_id, "is_locked": True})
    locked = await stage.client.post("/api/v1/events/paid", {"data": 1})
    pending = await stage.database.pool.fetchval(
        "SELECT count(*) FROM control.trigger_events WHERE state = 'pending'"
    )

    assert (402, 202, 423, 0) == (refused.status, passed.status, locked.status, pending)
    assert refused.json["resets_at"].endswith("-01T00:00:00Z")


@pytest.mark.parametrize(
    ("method", "path", "body", "feature", "needed"),
    [
        (
            "POST",
            "/api/v1/webhook-subscriptions",
            {"url": "https://example.com/x", "events": ["*"]},
            "webhook_subscriptions",
            "starter",
        ),
        ("POST", "/api/v1/oauth/clients", {"name": "x", "redirect_uris": []}, "api_clients", "pro"),
        ("GET", "/api/v1/audit-logs/export", None, "audit_export", "teams"),
    ],
)
async def test_what_a_plan_does_not_include_is_403(
    stage: Stage, method: str, path: str, body: object, feature: str, needed: str
) -> None:
    """What a plan does not include is 403 and names the plan that does."""
    await on(stage, "free")
    found = await stage.client.call(method, path, body)
    await on(stage, needed)
    after = await stage.client.call(method, path, body)

    assert (403, "feature_not_available", feature, needed) == (
        found.status, found.json["code"], found.json["feature"], found.json["required_plan"],
    )  # fmt: skip
    assert 403 != after.status


async def test_limits_are_shown(stage: Stage) -> None:
    """Everybody in a workspace sees how much of its plan is used; without a plan there is no limit."""
    before = (await stage.client.get("/api/v1/usage/limits")).json
    workspace_id = await on(stage, "free", executions_per_month=200)
    await used(stage, workspace_id, 50)
    after = (await stage.client.get("/api/v1/usage/limits")).json
    line = next(each for each in after["data"] if each["meter"] == "executions_per_month")

    assert ("self-hosted", {None}) == (before["plan"], {each["limit"] for each in before["data"]})
    assert ("free", {"meter": "executions_per_month", "used": 50, "limit": 200, "percent": 25.0}) == (
        after["plan"], line,
    )  # fmt: skip


async def test_alerts_go_out_once_each(stage: Stage) -> None:
    """At 50, 80 and 100 % the owner gets one letter each, however often somebody looks."""
    workspace_id = await on(stage, "free", executions_per_month=100)
    told = []
    for started in (49, 50, 79, 81, 100, 130):
        await used(stage, workspace_id, started)
        told.append([await stage.plane.plans.alert() for _ in range(2)])
    letters = await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")

    assert [[0, 0], [1, 0], [0, 0], [1, 0], [1, 0], [0, 0]] == told
    assert 3 == letters


async def test_requests_are_counted_and_refused(stage: Stage) -> None:
    """B10: each answer says what is left; beyond the limit it is 429 with Retry-After, by kind."""
    await on(stage, "free", requests_per_minute=60)
    found = [await stage.client.get("/api/v1/plans") for _ in range(12)]
    written = await stage.client.post("/api/v1/variables", {"key": "A", "value": 1})
    refused = found[-1]

    assert ("60", "9") == tuple(found[0].headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining"))
    assert (429, "rate_limit_exceeded", "0") == (
        refused.status, refused.json["code"], refused.headers["x-ratelimit-remaining"],
    )  # fmt: skip
    assert (201, "1") == (written.status, refused.headers["retry-after"]), "kinds are counted apart"
    assert (60, 1) == (refused.json["limit"], refused.json["retry_after"])


async def test_only_whoever_runs_linkflow_changes_plans(stage: Stage) -> None:
    """A plan is no setting of a workspace: its own owner cannot change it, and what there is not is 400."""
    workspace_id = await on(stage, "")
    unknown = await stage.client.put(
        "/api/v1/admin/plans", {"workspace_id": workspace_id, "limits": {"cakes": 1}}
    )
    nobody = await stage.client.put("/api/v1/admin/plans", {"workspace_id": "none", "plan": "free"})

    assert [400, 404] == [unknown.status, nobody.status]


async def test_starts_that_come_together_are_counted_together(stage: Stage) -> None:
    """Of many starts that look up what was used at the same moment, no more go on than there is room for."""
    workspace_id = await on(stage, "free", executions_per_month=3)
    tries = await asyncio.gather(
        *(stage.plane.plans.admit(workspace_id) for _ in range(10)), return_exceptions=True
    )

    assert 3 == tries.count(None)
