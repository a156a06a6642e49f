"""The life of an execution as REST shows it; the engine behind it is a fake that echoes."""

from linkflow.testing.control import Stage, spec

STEP = {"id": "a", "type": "data.set", "config": {"values": {"x": 1}}}
NEXT = {"id": "b", "type": "data.set", "config": {"values": {"x": 2}}}
EDGES = [{"source": "start", "target": "a"}, {"source": "a", "target": "b"}]
FOREIGN = "01a1fd01-ae86-8339-9a22-eec90751cbe8"


async def start(stage: Stage, body: object = None, **headers: str) -> str:
    """Start a workflow with a manual trigger and return the execution's id."""
    workflow_id = await stage.workflow([STEP, NEXT], EDGES)
    found = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", body or {}, **headers)
    return str(found.json["execution_id"])


async def test_waiting_answers_with_the_result(stage: Stage) -> None:
    """C5, A20: a start that waits is 200 with the result when the execution ends in time."""
    workflow_id = await stage.workflow()
    found = await stage.client.post(
        f"/api/v1/workflows/{workflow_id}/execute", {"input": {"n": 1}, "mode": "wait"}
    )

    assert (200, "completed", {"n": 1}) == (found.status, found.json["status"], found.json["result"])


async def test_waiting_too_long_answers_202(stage: Stage) -> None:
    """C5: a start that waits is 202 with the id when the execution goes on."""
    stage.engine.holds = True
    workflow_id = await stage.workflow()
    found = await stage.client.post(
        f"/api/v1/workflows/{workflow_id}/execute", {"mode": "wait", "wait_ms": 1}
    )

    assert (202, {"execution_id", "status"}) == (found.status, found.json.keys())


async def test_a_key_starts_once(stage: Stage) -> None:
    """D26: the same Idempotency-Key meets the same execution, under a key of user, resource and action."""
    workflow_id = await stage.workflow()
    path = f"/api/v1/workflows/{workflow_id}/execute"
    one = await stage.client.post(path, {"input": 1}, idempotency_key="k1")
    two = await stage.client.post(path, {"input": 1}, idempotency_key="k1")
    me = (await stage.client.get("/api/v1/auth/me")).json

    assert (one.json["execution_id"], f"{me['id']}:workflow:{workflow_id}:execute:k1", 1) == (
        two.json["execution_id"],
        stage.engine.commands[0].request_id,
        len(stage.engine.commands),
    )


async def test_a_start_of_the_wrong_shape_is_refused_before_the_token(stage: Stage) -> None:
    """A12: the hot route refuses a body of the wrong shape with its place, before it asks for the token."""
    found = await stage.stranger.post("/api/v1/workflows/x/execute", {"wait_ms": "soon"})

    assert (400, "body.wait_ms") == (found.status, found.json["errors"][0]["path"])


async def test_polling_costs_nothing_while_nothing_changes(stage: Stage) -> None:
    """F8 of the live protocol: a poll with the ETag of what is known is 304."""
    execution_id = await start(stage)
    first = await stage.client.get(f"/api/v1/executions/{execution_id}")
    again = await stage.client.get(f"/api/v1/executions/{execution_id}", if_none_match=first.headers["etag"])

    assert (200, 304, b"") == (first.status, again.status, again.body)


async def test_executions_of_others_are_not_there(stage: Stage) -> None:
    """B9: an execution of another workspace is 404 on every route."""
    execution_id = await start(stage)
    view = stage.engine.views.pop(execution_id)
    values = {name: getattr(view, name) for name in view.__struct_fields__} | {"workspace_id": FOREIGN}
    stage.engine.views[execution_id] = type(view)(**values)
    path = f"/api/v1/executions/{execution_id}"
    found = [
        await stage.client.get(path),
        await stage.client.get(f"{path}/events"),
        await stage.client.get(f"{path}/explain"),
        await stage.client.post(f"{path}/cancel"),
        await stage.client.post(f"{path}/retry"),
        await stage.client.post(f"{path}/signal", {"name": "x"}),
        await stage.client.get(f"/api/workflows/executions/{execution_id}"),
    ]

    assert [404] * 7 == [each.status for each in found]


async def test_a_retry_takes_over_what_came_before(stage: Stage) -> None:
    """D21: a retry from a node keeps the outputs of nodes before it and runs the rest again."""
    execution_id = await start(stage, {"input": {"n": 1}})
    view = stage.engine.views[execution_id]
    runs = [
        type(view.nodes[0])(key=key, node_id=key, status="success", output=key.upper(), event=1)
        for key in ("start", "a", "b")
    ]
    values = {name: getattr(view, name) for name in view.__struct_fields__} | {"nodes": runs}
    stage.engine.views[execution_id] = type(view)(**values)
    found = await stage.client.post(
        f"/api/v1/executions/{execution_id}/retry", {"from_node": "b", "input": {"n": 2}}
    )
    command = stage.engine.commands[-1]

    assert (202, execution_id, {"n": 2}, {"a": {"output": "A", "handles": ["out"]}}, "retry") == (
        found.status,
        command.origin,
        command.input,
        command.overrides,
        command.trigger_kind,
    )


async def test_what_is_over_takes_no_messages(stage: Stage) -> None:
    """A signal to an execution that is over is 409."""
    execution_id = await start(stage)
    found = await stage.client.post(f"/api/v1/executions/{execution_id}/signal", {"name": "paid"})

    assert (409, "execution.closed") == (found.status, found.json["code"])


async def test_decisions_say_who_decided(stage: Stage) -> None:
    """An approval carries the name of the person who gave it into the history."""
    stage.engine.holds = True
    execution_id = await start(stage)
    found = await stage.client.post(
        f"/api/v1/executions/{execution_id}/resolve", {"key": "ask", "action": "approved"}
    )

    assert (202, "approved", "owner@example.com") == (
        found.status,
        stage.engine.resolved[0].action,
        stage.engine.resolved[0].by,
    )


async def test_a_resume_link_decides_without_a_token(stage: Stage) -> None:
    """A resume link shows what it decides to anybody who holds it; only a POST decides."""
    stage.engine.holds = True
    execution_id = await start(stage)
    explained = (await stage.client.get(f"/api/v1/executions/{execution_id}/explain")).json
    path = explained["drivers"][0]["resume_url"].removeprefix("http://linkflow.test")
    looked = await stage.stranger.get(path)
    before = list(stage.engine.resolved)
    decided = await stage.stranger.post(path, {"action": "approved", "data": {"ok": True}})
    wrong = await stage.stranger.post(f"/api/v1/resume/{execution_id}.nope", {})

    assert (200, [], 202, ("approved", "t0k3n"), 404) == (
        looked.status,
        before,
        decided.status,
        (stage.engine.resolved[0].action, stage.engine.resolved[0].token),
        wrong.status,
    )


async def test_an_event_reaches_who_waits_for_it(stage: Stage) -> None:
    """An event goes to every open execution that waits for its name, and to no other."""
    stage.engine.holds = True
    execution_id = await start(stage)
    other = await stage.client.post("/api/v1/events/unknown", {"data": 1})
    found = await stage.client.post("/api/v1/events/paid", {"key": "k", "data": 1})

    assert ([], [execution_id], "paid") == (
        other.json["signalled"],
        found.json["signalled"],
        stage.engine.signals[0].name,
    )


async def test_an_inline_start_answers_as_seed_002_says(stage: Stage) -> None:
    """A3, C4: an inline start answers with ExecutionResult on both prefixes, and its log is read by id."""
    body = {
        "workflow": spec([STEP], EDGES[:1]),
        "triggerPayload": {"msisdn": "+254712345678"},
        "sessionId": "s1",
    }
    one = await stage.client.post("/api/workflows/execute", body)
    two = await stage.client.post("/api/v1/workflows/execute", body)
    log = await stage.client.get(f"/api/workflows/executions/{one.json['executionId']}")

    assert (200, "completed", {"msisdn": "+254712345678"}, "s1", 200, "completed", True) == (
        one.status,
        one.json["status"],
        one.json["output"],
        one.json["sessionId"],
        two.status,
        log.json["status"],
        {"executionId", "workflowId", "workflowVersion", "startedAt", "nodeResults", "durationMs"}
        <= log.json.keys(),
    )


async def test_options_of_an_inline_start_hold(stage: Stage) -> None:
    """A3: a dry run starts nothing; the other options go to the engine."""
    body = {"workflow": spec(), "options": {"maxExecutionTimeMs": 5000, "continueOnError": True}}
    dry = await stage.client.post("/api/workflows/execute", body | {"options": {"dryRun": True}})
    await stage.client.post("/api/workflows/execute", body)

    assert (200, [5000]) == (dry.status, [each.timeout_ms for each in stage.engine.commands])


async def test_large_outputs_are_read_in_pages(stage: Stage) -> None:
    """D14 of the API: the output of a node is read in parts, without the rest of the execution."""
    workflow_id = await stage.workflow()
    started = await stage.client.post(f"/api/v1/workflows/{workflow_id}/execute", {"input": list(range(250))})
    path = f"/api/v1/executions/{started.json['execution_id']}/nodes/start/output"
    page = await stage.client.get(f"{path}?offset=240&limit=100")

    assert ("list", 250, list(range(240, 250))) == (
        page.json["kind"],
        page.json["count"],
        page.json["output"],
    )


async def test_variables_go_with_every_start(stage: Stage) -> None:
    """Variables of the workspace are handed to executions that start after they were set."""
    await stage.client.put("/api/v1/variables/RATE", {"value": 7})
    await start(stage)
    await stage.client.put("/api/v1/variables/RATE", {"value": 8})
    await start(stage)

    assert [{"RATE": 7}, {"RATE": 8}] == [dict(each.variables) for each in stage.engine.commands]


async def test_a_stream_says_everything_until_the_end(stage: Stage) -> None:
    """A20: server-sent events give a snapshot, or what came after Last-Event-ID, and then the end."""
    execution_id = await start(stage)
    path = f"/api/v1/executions/{execution_id}/stream"
    whole = await stage.client.get(path)
    rest = await stage.client.get(path, last_event_id="3")

    assert ([b"snapshot", b"end"], [b"batch", b"end"], True) == (
        [line[7:] for line in whole.body.splitlines() if line.startswith(b"event: ")],
        [line[7:] for line in rest.body.splitlines() if line.startswith(b"event: ")],
        b"id: 4\n" in rest.body,
    )
