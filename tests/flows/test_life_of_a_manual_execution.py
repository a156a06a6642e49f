"""The life of an execution that a person starts: seeds 000 and 002, through REST, on a whole LinkFlow."""

from typing import Any

from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

GREETING = {
    "metadata": {
        "workflowId": "greet",
        "version": 1,
        "name": "Greet",
        "createdBy": "ada",
        "createdAt": "2026",
    },
    "trigger": {"id": "start", "type": "trigger.manual", "label": "Start"},
    "nodes": [
        {"id": "name", "type": "data.set", "config": {"values": {"name": "{{upper(trigger.name)}}"}}},
        {
            "id": "greet",
            "type": "data.set",
            "config": {"values": {"text": "Hello, {{node_name.output.name}}!"}},
        },
    ],
    "edges": [{"source": "start", "target": "name"}, {"source": "name", "target": "greet"}],
}


def fetching(url: str) -> dict[str, Any]:
    """Say a spec that fetches a URL and looks at what it answers."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual", "label": "Start"},
        "nodes": [
            {"id": "fetch", "type": "http.request", "label": "Fetch", "config": {"url": url}},
            {
                "id": "big",
                "type": "logic.condition",
                "config": {"expression": "node_fetch.output.body.total > 10"},
            },
            {"id": "yes", "type": "data.set", "config": {"values": {"size": "big"}}},
            {"id": "no", "type": "data.set", "config": {"values": {"size": "small"}}},
        ],
        "edges": [
            {"source": "start", "target": "fetch"},
            {"source": "fetch", "target": "big"},
            {"source": "big", "target": "yes", "sourceHandle": "true"},
            {"source": "big", "target": "no", "sourceHandle": "false"},
        ],
    }


async def test_every_event_is_in_the_history(live: Live, receiver: Receiver) -> None:
    """D1, D3, D4, D8: the history holds every step under the seeds' names, from the start node to the end."""
    receiver.answer("/total", Scripted(200, {"total": 12}))
    found = await live.run(fetching(f"{receiver.address}/total"))
    events = (await live.get(f"/executions/{found['id']}/events")).json["data"]

    assert [
        ("WorkflowExecutionStarted", None),
        ("NodeCompleted", "start"),
        ("ActivityTaskScheduled", "fetch"),
        ("ActivityTaskStarted", "fetch"),
        ("ActivityTaskCompleted", "fetch"),
        ("NodeCompleted", "big"),
        ("NodesSkipped", None),
        ("NodeCompleted", "yes"),
        ("WorkflowExecutionCompleted", None),
    ] == [(event["type"], event["data"].get("key")) for event in events]
    assert list(range(1, 10)) == [event["number"] for event in events]


async def test_results_of_nodes_are_read_by_later_nodes(live: Live, receiver: Receiver) -> None:
    """D15, D16, G1, G7: a node's output is stored, and the next node's config is resolved with it."""
    receiver.answer("/total", Scripted(200, {"total": 7}))
    found = await live.run(fetching(f"{receiver.address}/total"))
    nodes = {node["node_id"]: node["status"] for node in found["nodes"]}

    assert ({"size": "small"}, "success", "skipped", {"total": 7}) == (
        found["result"],
        nodes["no"],
        nodes["yes"],
        (await live.output(found["id"], "fetch"))["body"],
    )


async def test_status_goes_from_queued_to_completed(live: Live) -> None:
    """A14, D33: the execution can be read from the moment its id is known, and ends as completed."""
    workflow_id = await live.made(GREETING)
    execution_id = await live.start(workflow_id, {"name": "Ada"})
    at_once = await live.get(f"/executions/{execution_id}")
    found = await live.ended(execution_id)

    assert (200, True, "completed") == (
        at_once.status,
        at_once.json["status"] in ("queued", "running", "completed"),
        found["status"],
    )


async def test_waiting_gives_the_result_in_the_answer(live: Live) -> None:
    """A2, A20: with mode wait the answer is 200 with the result."""
    workflow_id = await live.made(GREETING)
    reply = await live.post(f"/workflows/{workflow_id}/execute", {"input": {"name": "Ada"}, "mode": "wait"})

    assert (200, "completed", {"text": "Hello, ADA!"}) == (
        reply.status,
        reply.json["status"],
        reply.json["result"],
    )


async def test_a_published_version_runs_whatever_the_draft_says(live: Live) -> None:
    """F5: publishing mints a version that later drafts do not change, and executions run it."""
    workflow_id = await live.made(GREETING)
    published = await live.post(f"/workflows/{workflow_id}/publish")
    draft = await live.get(f"/workflows/{workflow_id}/draft")
    changed = GREETING | {"nodes": [GREETING["nodes"][0]], "edges": [GREETING["edges"][0]]}  # type: ignore[index]
    saved = await live.put(
        f"/workflows/{workflow_id}/draft", {"spec": changed}, If_Match=draft.headers["etag"]
    )
    reply = await live.post(f"/workflows/{workflow_id}/execute", {"input": {"name": "Ada"}, "mode": "wait"})

    assert (201, 200, {"text": "Hello, ADA!"}) == (published.status, saved.status, reply.json["result"])


async def test_an_inline_spec_runs_at_once(live: Live) -> None:
    """A3, F2, D17: seed 002's body runs without being saved and answers with its `ExecutionResult`."""
    body = {"workflow": GREETING, "triggerPayload": {"name": "Ada"}, "sessionId": "s-1", "options": {}}
    reply = await live.post("/api/workflows/execute", body)
    said = reply.json

    assert (200, "completed", {"text": "Hello, ADA!"}, None, "s-1", ["start", "name", "greet"]) == (
        reply.status,
        said["status"],
        said["output"],
        said["error"],
        said["sessionId"],
        [node["nodeId"] for node in said["nodeResults"]],
    )
    assert {"nodeId", "status", "output", "durationMs", "executedAt", "attempt"} == set(
        said["nodeResults"][1]
    )


async def test_the_log_of_seed_002(live: Live) -> None:
    """A5, D18, D31: an execution is read as seed 002's `ExecutionLog`, its node results in it."""
    body = {"workflow": GREETING, "triggerPayload": {"name": "Ada"}}
    execution_id = (await live.post("/api/workflows/execute", body)).json["executionId"]
    log = (await live.get(f"/api/workflows/executions/{execution_id}")).json

    assert (execution_id, "greet", "completed", 3, 1, "success") == (
        log["executionId"],
        log["workflowId"],
        log["status"],
        len(log["nodeResults"]),
        log["nodeResults"][1]["attempt"],
        log["nodeResults"][1]["status"],
    )
    assert log["startedAt"] <= log["completedAt"]


async def test_what_nodes_say_is_logged(live: Live) -> None:
    """D32: the log tells of the start, of what nodes said, and of the end."""
    spec = GREETING | {
        "nodes": [{"id": "say", "type": "data.log", "config": {"message": "Jambo, {{trigger.name}}"}}],
        "edges": [{"source": "start", "target": "say"}],
    }
    found = await live.run(spec, {"name": "Ada"})
    lines = (await live.get(f"/executions/{found['id']}/logs")).json["data"]

    assert [
        ("", "Execution started by api."),
        ("say", "Jambo, Ada"),
        ("", "Execution completed."),
    ] == [(line["key"], line["message"]) for line in lines]


async def test_the_list_is_a_projection_of_the_histories(live: Live) -> None:
    """D2, D30, L4, L5: the list and its counts, written from events, say what the histories say."""
    workflow_id = await live.made(GREETING)
    ended = [await live.ended(await live.start(workflow_id, {"name": name})) for name in ("Ada", "Amina")]
    failing = await live.run(GREETING, {})
    listed = await live.listed(lambda found: len(found) == 3 and all(row["closed_at"] for row in found))
    counted = (await live.get("/executions/stats")).json

    assert (
        {(found["id"], found["status"]) for found in [*ended, failing]},
        2,
        1,
    ) == (
        {(row["id"], row["status"]) for row in listed},
        counted["completed"],
        counted["failed"],
    )


async def test_a_key_starts_one_execution(live: Live) -> None:
    """D26: starts with the same idempotency key are one execution, and answer alike."""
    workflow_id = await live.made(GREETING)
    first = await live.start(workflow_id, {"name": "Ada"}, Idempotency_Key="once")
    again = await live.start(workflow_id, {"name": "Ada"}, Idempotency_Key="once")
    other = await live.start(workflow_id, {"name": "Ada"}, Idempotency_Key="twice")

    assert (True, False) == (first == again, first == other)


async def test_an_input_against_the_schema_starts_nothing(live: Live) -> None:
    """A16, D28: an input that does not match the workflow's schema is 400, and nothing starts."""
    schema = {"type": "object", "required": ["name"]}
    trigger = GREETING["trigger"] | {"config": {"input_schema": schema}}  # type: ignore[operator]
    replies = [
        await live.post(f"/workflows/{await live.made(spec)}/execute", {"input": {}})
        for spec in (GREETING | {"settings": {"inputSchema": schema}}, GREETING | {"trigger": trigger})
    ]

    assert ([400, 400], []) == (
        [reply.status for reply in replies],
        (await live.get("/executions")).json["data"],
    )


async def test_an_output_beyond_64_kb_is_kept_whole(live: Live) -> None:
    """D27: a large output goes through the blob store, and readers get all of it."""
    spec = GREETING | {
        "nodes": [
            {"id": "many", "type": "data.set", "config": {"values": {"text": "{{repeat('x', 90000)}}"}}}
        ],
        "edges": [{"source": "start", "target": "many"}],
    }
    found = await live.run(spec, {})

    assert 90_000 == len((await live.output(found["id"], "many"))["text"])


async def test_an_error_shows_no_trace(live: Live) -> None:
    """D19, D29: a failure is code, kind and message; no stack trace and no path of the machine."""
    spec = GREETING | {
        "nodes": [{"id": "code", "type": "code.python", "config": {"code": "1 / 0"}}],
        "edges": [{"source": "start", "target": "code"}],
    }
    found = await live.run(spec, {})
    text = str(found["error"])

    assert ("code.error", "permanent", False) == (
        found["error"]["code"],
        found["error"]["kind"],
        "Traceback" in text or "/site-packages/" in text,
    )


async def test_a_retry_keeps_what_was_done(live: Live, receiver: Receiver) -> None:
    """Retrying a failed execution runs only what had not ended well, with what was there before."""
    receiver.answer("/first", Scripted(200, {"id": 1}))
    receiver.answer("/second", Scripted(404), Scripted(200, {"id": 2}))
    spec = GREETING | {
        "nodes": [
            {"id": "first", "type": "http.request", "config": {"url": f"{receiver.address}/first"}},
            {"id": "second", "type": "http.request", "config": {"url": f"{receiver.address}/second"}},
        ],
        "edges": [{"source": "start", "target": "first"}, {"source": "first", "target": "second"}],
    }
    failed = await live.run(spec, {"name": "Ada"})
    again = await live.post(f"/executions/{failed['id']}/retry", {"mode": "wait"})

    assert ("failed", "completed", 1, 2) == (
        failed["status"],
        again.json["status"],
        len(receiver.to("/first")),
        len(receiver.to("/second")),
    )
