"""The life of a workflow: draft, versions, triggers, copies, imports."""

import msgspec

from linkflow.testing.control import Stage, spec

SET = {"id": "set", "type": "data.set", "config": {"values": {"a": 1}}}
EDGE = {"id": "e", "source": "start", "target": "set"}


async def test_create_fills_in_what_the_server_knows(stage: Stage) -> None:
    """F5: a created workflow has id, version, created_at and updated_at."""
    found = await stage.client.post("/api/v1/workflows", {"name": "Greeting", "spec": spec()})

    assert (201, "Greeting", 0, 1, True, f"/api/v1/workflows/{found.json['id']}") == (
        found.status,
        found.json["name"],
        found.json["version"],
        found.json["revision"],
        found.json["created_at"] == found.json["updated_at"],
        found.headers["location"],
    )


async def test_a_spec_that_cannot_run_is_not_created(stage: Stage) -> None:
    """A9, F4: errors of a spec are 400, all of them listed with code and node."""
    found = await stage.client.post(
        "/api/v1/workflows", {"name": "x", "spec": spec([{"id": "a", "type": "no.such"}])}
    )
    listed = await stage.client.get("/api/v1/workflows")

    assert (400, "workflow.invalid", ["a"], []) == (
        found.status,
        found.json["code"],
        [each["nodeId"] for each in found.json["problems"] if each.get("severity") != "warning"],
        listed.json["data"],
    )


async def test_drafts_do_not_overwrite_each_other(stage: Stage) -> None:
    """C22: a draft saved on an old revision is 409 with base and theirs, and nothing is written."""
    workflow_id = await stage.workflow()
    path = f"/api/v1/workflows/{workflow_id}/draft"
    first = await stage.client.put(path, spec([SET], [EDGE]), if_match='"1"')
    second = await stage.client.put(path, spec(label="Other"), if_match='"1"')
    kept = await stage.client.get(path)

    assert (200, '"2"', 409, 1, 2, first.json["spec"], first.json["spec"]) == (
        first.status,
        first.headers["etag"],
        second.status,
        second.json["base"],
        second.json["revision"],
        second.json["theirs"],
        kept.json["spec"],
    )


async def test_a_draft_may_have_problems(stage: Stage) -> None:
    """A draft with problems is kept; publishing and running it are refused until they are mended."""
    workflow_id = await stage.workflow()
    saved = await stage.client.put(
        f"/api/v1/workflows/{workflow_id}/draft", spec([{"id": "a", "type": "no.such"}])
    )
    published = await stage.client.post(f"/api/v1/workflows/{workflow_id}/publish")
    started = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {})

    assert (200, 400, 400, []) == (saved.status, published.status, started.status, stage.engine.commands)


async def test_versions_never_change(stage: Stage) -> None:
    """C22: publishing mints the next number, an unchanged draft gives the same one, and starts pin it."""
    workflow_id = await stage.workflow()
    path = f"/api/v1/workflows/{workflow_id}"
    one = await stage.client.post(f"{path}/publish")
    again = await stage.client.post(f"{path}/publish")
    await stage.client.put(f"{path}/draft", spec([SET], [EDGE]))
    await stage.client.post(f"{path}/execute", {})
    two = await stage.client.post(f"{path}/publish", {"note": "second"})
    await stage.client.post(f"{path}/execute", {})
    await stage.client.post(f"{path}/execute", {"version": 1})

    assert ([1, 1, 2], [1, 2, 1], "second") == (
        [each.json["version"] for each in (one, again, two)],
        [command.workflow_version for command in stage.engine.commands],
        (await stage.client.get(f"{path}/versions")).json["data"][0]["note"],
    )


async def test_an_old_version_comes_back(stage: Stage) -> None:
    """Restoring a version makes it the draft, under both names of the route."""
    workflow_id = await stage.workflow()
    path = f"/api/v1/workflows/{workflow_id}"
    await stage.client.post(f"{path}/publish")
    await stage.client.put(f"{path}/draft", spec([SET], [EDGE]))
    restored = await stage.client.post(f"{path}/versions/1/rollback")

    assert (200, []) == (restored.status, restored.json["spec"].get("nodes", []))


async def test_activation_gives_triggers_their_places(stage: Stage) -> None:
    """G7: an active workflow has a webhook and a schedule per trigger node; addresses outlive publishing."""
    nightly = {"id": "night", "type": "trigger.schedule", "config": {"cron": "0 3 * * *"}}
    workflow_id = await stage.workflow([nightly], type="trigger.webhook", config={})
    path = f"/api/v1/workflows/{workflow_id}"
    active = await stage.client.post(f"{path}/activate")
    before = (await stage.client.get(f"{path}/webhooks")).json["data"]
    await stage.client.put(f"{path}/draft", spec(type="trigger.webhook", config={"methods": ["POST"]}))
    await stage.client.post(f"{path}/publish")
    after = (await stage.client.get(f"{path}/webhooks")).json["data"]
    schedules = (await stage.client.get(f"/api/v1/schedules?workflow_id={workflow_id}")).json["data"]

    assert (True, [before[0]["id"]], {"methods": ["POST"]}, []) == (
        active.json["is_active"],
        [each["id"] for each in after],
        after[0]["settings"],
        schedules,
    )


async def test_lists_are_paged_by_keys(stage: Stage) -> None:
    """Pages of a list hold every workflow once, newest first."""
    made = []
    for number in range(5):
        await stage.clock.turn(1)
        made.append((await stage.client.post("/api/v1/workflows", {"name": f"w{number}"})).json["id"])
    seen: list[str] = []
    after = ""
    while True:
        page = (await stage.client.get(f"/api/v1/workflows?limit=2&after={after}")).json
        seen += [each["id"] for each in page["data"]]
        if page["next"] is None:
            break
        after = page["next"]

    assert made[::-1] == seen


async def test_a_deleted_workflow_is_gone(stage: Stage) -> None:
    """A deleted workflow is 404 everywhere and takes its webhooks with it."""
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    await stage.client.delete(f"/api/v1/workflows/{workflow_id}")
    started = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {})
    webhooks = await stage.client.get("/api/v1/webhooks")

    assert (404, []) == (started.status, webhooks.json["data"])


async def test_copies_and_imports_find_free_names(stage: Stage) -> None:
    """A copy and an import arrive inactive, under a name that no workflow has."""
    workflow_id = await stage.workflow([SET], [EDGE])
    copy = await stage.client.post(f"/api/v1/workflows/{workflow_id}/duplicate")
    exported = (await stage.client.get(f"/api/v1/workflows/{workflow_id}/export")).json
    imported = await stage.client.post("/api/v1/workflows/import", exported)

    assert (201, "Greeting (2)", 201, "Greeting (3)", False) == (
        copy.status,
        copy.json["name"],
        imported.status,
        imported.json["workflows"][0]["name"],
        copy.json["is_active"],
    )


async def test_a_bundle_imports_what_it_can(stage: Stage) -> None:
    """Importing a bundle with one broken entry is 207: the others arrive, the broken one says why not."""
    lnkflow = {"name": "S1", "nodes": [{"id": "t", "type": "trigger_manual", "data": {}}], "edges": []}
    found = await stage.client.post("/api/v1/workflows/import", {"workflows": [lnkflow, {"nothing": 1}]})

    assert (207, "S1", "S1", True) == (
        found.status,
        found.json["workflows"][0]["name"],
        found.json["workflows"][0]["shape"],
        bool(found.json["workflows"][1]["error"]),
    )


async def test_validate_and_compile_save_nothing(stage: Stage) -> None:
    """A4, F3: validation and compilation answer for a spec that is not saved."""
    good, bad = spec([SET], [EDGE]), spec([SET], [EDGE | {"target": "nowhere"}])
    valid = await stage.client.post("/api/workflows/validate", good)
    broken = await stage.client.post("/api/v1/workflows/validate", {"workflow": bad})
    compiled = await stage.client.post("/api/workflows/compile", good)
    listed = await stage.client.get("/api/v1/workflows")

    assert (True, False, ["start", "set"], []) == (
        valid.json["valid"],
        broken.json["valid"],
        [node["id"] for node in compiled.json["graph"]["nodes"]],
        listed.json["data"],
    )


async def test_a_key_makes_a_workflow_once(stage: Stage) -> None:
    """A repeat with the same Idempotency-Key is answered as the first; another request with it is 409."""
    body = {"name": "Once"}
    first = await stage.client.post("/api/v1/workflows", body, idempotency_key="k")
    again = await stage.client.post("/api/v1/workflows", body, idempotency_key="k")
    other = await stage.client.post("/api/v1/workflows", {"name": "Other"}, idempotency_key="k")
    listed = await stage.client.get("/api/v1/workflows")

    assert (first.body, "true", 409, "idempotency.key_reused", 1) == (
        again.body,
        again.headers["idempotency-replayed"],
        other.status,
        other.json["code"],
        len(listed.json["data"]),
    )


async def test_changes_leave_a_line_in_the_audit_log(stage: Stage) -> None:
    """B12: creating, publishing and activating are in audit_logs with who did it."""
    workflow_id = await stage.workflow()
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    rows = await stage.database.pool.fetch("SELECT action, actor_id FROM control.audit_logs ORDER BY action")
    me = (await stage.client.get("/api/v1/auth/me")).json

    assert (
        ["user.register", "user.sign_in", "workflow.activate", "workflow.create", "workflow.publish"],
        {me["id"]},
    ) == (
        [row["action"] for row in rows],
        {row["actor_id"] for row in rows},
    )


async def test_spec_is_stored_for_the_engine_by_its_content(stage: Stage) -> None:
    """F2: what an execution runs is the canonical JSON of the spec, found by its hash."""
    workflow_id = await stage.workflow([SET], [EDGE])
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {})
    kept = msgspec.json.decode(stage.engine.specs[stage.engine.commands[0].spec_hash])

    assert ["set"] == [node["id"] for node in kept["nodes"]]
