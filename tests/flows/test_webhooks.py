"""The life of a webhook: durable before it is answered, started once, refused without a hint."""

import asyncio
import hashlib
import hmac
from typing import Any

import pytest

from linkflow.domain.errors import Invalid, Overloaded
from linkflow.testing.control import Client, Reply, Stage, spec

SECRET = "It's a Secret to Everybody"
BODY = b'{"ref": "refs/heads/main"}'


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    """Sign a body as GitHub does."""
    return {"x-hub-signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


async def hook(stage: Stage, config: dict[str, Any] | None = None) -> tuple[str, str]:
    """Activate a workflow with a webhook trigger; its id and the path of its webhook."""
    given = {"signature": {"preset": "github", "secret": SECRET}} if config is None else config
    workflow_id = await stage.workflow(type="trigger.webhook", config=given)
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    found = (await stage.client.get(f"/api/v1/workflows/{workflow_id}/webhooks")).json["data"][0]
    return workflow_id, f"/webhooks/{found['id']}"


async def call(
    stage: Stage, path: str, headers: dict[str, str] | None = None, *, body: bytes = BODY
) -> Reply:
    """Call a webhook as a stranger."""
    return await Client(stage.app).call("POST", path, raw=body, headers=headers)


async def inbox(stage: Stage) -> list[Any]:
    """List the inbox, newest first."""
    found: list[Any] = (await stage.client.get("/api/v1/inbox?limit=100")).json["data"]
    return found


async def test_a_call_is_answered_when_it_is_durable(stage: Stage) -> None:
    """A8, K4, K5: 202 comes with the ids of executions that are readable at once, before anything started."""
    _, path = await hook(stage)
    found = await call(stage, path, signed())
    promised = await stage.client.get(f"/api/v1/executions/{found.json['execution_id']}")
    kept = (await inbox(stage))[0]

    assert (202, "queued", "pending", [found.json["execution_id"]], []) == (
        found.status,
        promised.json["status"],
        kept["state"],
        kept["execution_ids"],
        stage.engine.commands,
    )


async def test_the_inbox_starts_what_was_promised(stage: Stage) -> None:
    """K6: the execution starts under the promised id, with the call in the standard format."""
    _, path = await hook(stage)
    async with stage.background():
        found = await call(stage, f"{path}/extra?a=1", signed())
        await stage.until(lambda: len(stage.engine.commands) == 1)
    command = stage.engine.commands[0]

    assert (found.json["execution_id"], "webhook", "start", "/extra", {"a": "1"}, "refs/heads/main") == (
        command.execution_id,
        command.trigger_kind,
        command.trigger,
        command.input["path"],
        command.input["query"],
        command.input["body"]["ref"],
    )


async def test_what_was_promised_starts_after_a_crash(stage: Stage) -> None:
    """A call answered by a process that died then is started by the next one, with the same data."""
    _, path = await hook(stage)
    found = await call(stage, path, signed())
    successor = await stage.successor()
    async with successor.background():
        await successor.until(lambda: len(successor.engine.commands) == 1)
    command = successor.engine.commands[0]

    assert (found.json["execution_id"], "refs/heads/main") == (
        command.execution_id,
        command.input["body"]["ref"],
    )


async def test_a_closed_door_is_tried_again(stage: Stage) -> None:
    """An engine that is overloaded for a while loses no call."""
    _, path = await hook(stage)
    stage.engine.failure = Overloaded()
    async with stage.background():
        await call(stage, path, signed())
        await stage.until(lambda: stage.engine.refusals >= 1)
        stage.engine.failure = None
        await stage.clock.turn(2)
        await stage.until(lambda: len(stage.engine.commands) == 1)

    assert 1 == len(stage.engine.commands)


async def test_what_the_engine_refuses_is_told(stage: Stage) -> None:
    """An execution that was promised and then refused is failed, with the reason, and not unknown."""
    _, path = await hook(stage, {})
    stage.engine.failure = Invalid("The input does not match the schema.")
    async with stage.background():
        found = await call(stage, path)
        await stage.until(lambda: stage.engine.refusals == 1)
        await stage.until_kept(1, state="refused")
    read = await stage.client.get(f"/api/v1/executions/{found.json['execution_id']}")

    assert ("failed", "trigger.refused") == (read.json["status"], read.json["error"]["code"])


async def test_unknown_and_wrongly_signed_are_alike(stage: Stage) -> None:
    """C21, K1: an unknown address and a wrong signature give the same 401 but for the request id."""
    _, path = await hook(stage)
    wrong = await call(stage, path, signed(secret="other"))
    unsigned = await call(stage, path)
    unknown = await call(stage, "/webhooks/3bcd963b-aec4-4458-935a-e2a5b4f1e64d", signed())
    plain = [reply.json | {"request_id": ""} for reply in (wrong, unsigned, unknown)]

    assert ([401] * 3, plain[0], plain[0]) == (
        [reply.status for reply in (wrong, unsigned, unknown)],
        plain[1],
        plain[2],
    )


async def test_a_malformed_body_comes_before_the_signature(stage: Stage) -> None:
    """A12: a body that is not what it says it is is 400, known address or not."""
    _, path = await hook(stage)
    found = [await call(stage, each, body=b'{"half') for each in (path, "/webhooks/nothing")]

    assert [400, 400] == [each.status for each in found]


async def test_a_delivery_counts_once(stage: Stage) -> None:
    """A delivery repeated with the sender's own id is answered alike and starts nothing twice."""
    _, path = await hook(stage)
    headers = signed() | {"x-github-delivery": "72d3162e"}
    replies = await asyncio.gather(*(call(stage, path, headers) for _ in range(5)))
    async with stage.background():
        await stage.until(lambda: bool(stage.engine.commands))

    assert ({replies[0].json["execution_id"]}, [False] + [True] * 4, 1) == (
        {each.json["execution_id"] for each in replies},
        sorted(each.json["duplicate"] for each in replies),
        len(stage.engine.commands),
    )


async def test_concurrent_calls_share_statements(stage: Stage) -> None:
    """K7: calls that come together are written together, each exactly once."""
    _, path = await hook(stage, {})
    replies = await asyncio.gather(*(call(stage, path) for _ in range(300)))
    count = await stage.database.pool.fetchval("SELECT count(*) FROM control.trigger_events")

    assert ({202}, 300, 300) == (
        {each.status for each in replies},
        len({each.json["event_id"] for each in replies}),
        count,
    )


async def test_refused_calls_are_kept_with_the_reason(stage: Stage) -> None:
    """K3: a body against the schema is 400 with the place; refused calls are kept for people to see."""
    _, path = await hook(stage, {"schema": {"type": "object", "required": ["id"]}})
    found = await call(stage, path)
    async with stage.background():
        await stage.until_kept(1)
    kept = (await inbox(stage))[0]

    assert (400, "webhook.schema", "refused", True) == (
        found.status,
        found.json["code"],
        kept["state"],
        kept["reason"].startswith("webhook.schema"),
    )


async def test_unclaimed_calls_are_kept_and_replayed(stage: Stage) -> None:
    """A call to a workflow that rests is kept as unclaimed and starts when a person replays it."""
    workflow_id, path = await hook(stage)
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/deactivate")
    found = await call(stage, path, signed())
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    replayed = await stage.client.post(f"/api/v1/inbox/{found.json['event_id']}/replay")
    async with stage.background():
        await stage.until(lambda: bool(stage.engine.commands))

    assert (202, "unclaimed", 202, "refs/heads/main") == (
        found.status,
        found.json["status"],
        replayed.status,
        stage.engine.commands[0].input["body"]["ref"],
    )


async def test_waiting_modes_answer_with_the_result(stage: Stage) -> None:
    """A20: a webhook that waits is answered with the execution's result."""
    _, path = await hook(stage, {"response_mode": "wait"})
    found = await call(stage, path)

    assert (200, "completed", "refs/heads/main") == (
        found.status,
        found.json["status"],
        found.json["result"]["body"]["ref"],
    )


async def test_mapping_makes_what_the_workflow_gets(stage: Stage) -> None:
    """K4: a mapping replaces the call by what its expressions make of it, also after a crash."""
    _, path = await hook(stage, {"mapping": {"branch": "{{trigger.body.ref}}"}})
    await call(stage, path)
    successor = await stage.successor()
    async with successor.background():
        await successor.until(lambda: len(successor.engine.commands) == 1)

    assert {"branch": "refs/heads/main"} == successor.engine.commands[0].input


async def test_secrets_are_sealed_and_never_shown(stage: Stage) -> None:
    """J3: a webhook's secret lies sealed in the database and is in no answer but the one that makes it."""
    workflow_id = await stage.workflow()
    made = await stage.client.post("/api/v1/webhooks", {"workflow_id": workflow_id, "secret": "s3cr3t-words"})
    shown = await stage.client.get(f"/api/v1/webhooks/{made.json['id']}")
    renewed = await stage.client.post(f"/api/v1/webhooks/{made.json['id']}/regenerate-secret")
    sealed = await stage.database.pool.fetchval("SELECT sealed FROM control.webhooks")

    assert (True, False, False, True) == (
        made.json["has_secret"],
        b"s3cr3t-words" in made.body + shown.body,
        b"s3cr3t-words" in sealed or renewed.json["secret"].encode() in sealed,
        len(renewed.json["secret"]) >= 32,
    )


async def test_an_address_moves(stage: Stage) -> None:
    """A regenerated address takes calls with the old secret, and the old address is unknown at once."""
    _, path = await hook(stage)
    await call(stage, path, signed())
    moved = await stage.client.post(f"/api/v1{path}/regenerate")
    old = await call(stage, path, signed())
    new = await call(stage, f"/webhooks/{moved.json['id']}", signed())

    assert (401, 202) == (old.status, new.status)


@pytest.mark.parametrize("path", ["/api/webhooks/{id}", "/api/v1/webhooks/{id}"])
async def test_webhooks_answer_below_the_prefixes_too(stage: Stage, path: str) -> None:
    """A6, C4: a POST to a webhook below either prefix is the same call."""
    _, own = await hook(stage)
    found = await call(stage, path.format(id=own.rpartition("/")[2]), signed())

    assert 202 == found.status


async def test_a_secret_may_be_a_credential(stage: Stage) -> None:
    """J5: a trigger names its secret as a credential, which never enters the spec."""
    await stage.client.post(
        "/api/v1/credentials", {"name": "gh", "type": "custom", "data": {"secret": SECRET}}
    )
    _, path = await hook(stage, {"signature": {"preset": "github", "secret": "{{credential.gh.secret}}"}})
    right, wrong = await call(stage, path, signed()), await call(stage, path, signed(secret="x"))

    assert (202, 401) == (right.status, wrong.status)


async def test_an_event_starts_workflows_that_listen(stage: Stage) -> None:
    """A10: an event starts every active workflow with a trigger for it whose filter fits."""
    made = await stage.client.post(
        "/api/v1/workflows",
        {
            "name": "x",
            "spec": spec(type="trigger.event", config={"event": "paid", "filter": {"currency": "KES"}}),
        },
    )
    await stage.client.post(f"/api/v1/workflows/{made.json['id']}/activate")
    other = await stage.client.post("/api/v1/events/paid", {"data": {"currency": "UGX"}})
    async with stage.background():
        found = await stage.client.post("/api/v1/events/paid", {"data": {"currency": "KES"}})
        await stage.until(lambda: bool(stage.engine.commands))

    assert ([], found.json["execution_ids"]) == (
        other.json["execution_ids"],
        [each.execution_id for each in stage.engine.commands],
    )


async def test_a_call_that_broke_off_starts_later(stage: Stage) -> None:
    """A request whose start met a bug while its caller waited is started once the bug is gone."""
    _, path = await hook(stage, {"responseMode": "wait"})
    stage.engine.failure = RuntimeError("a bug")
    found = await call(stage, path)
    stage.engine.failure = None
    async with stage.background():
        await stage.until(lambda: bool(stage.engine.commands))

    assert 500 == found.status


async def test_what_no_text_can_hold_harms_nobody(stage: Stage) -> None:
    """NUL in what a stranger sends ends neither the inbox, nor the calls that come at the same moment."""
    _, keyed = await hook(stage, {"dedup": "trigger.body.id"})
    _, closed = await hook(stage, {"schema": {"type": "object", "additionalProperties": False}})
    kind = {"content-type": "application/json"}
    bodies = [b'{"id": "a\\u0000b"}', b'{"id": "fine"}', b'{"id": "a\\u0000b"}']
    replies = await asyncio.gather(*(call(stage, keyed, kind, body=body) for body in bodies))
    refused = await call(stage, closed, kind, body=b'{"b\\u0000": 1}')
    async with stage.background():
        await stage.until_kept(2, "done")
        await stage.until_kept(1, "refused")
        again = await call(stage, keyed, kind, body=b'{"id": "later"}')
        await stage.until_kept(3, "done")

    assert [202, 202, 202, 400, 202] == [*(reply.status for reply in replies), refused.status, again.status]
    assert replies[0].json["execution_ids"] == replies[2].json["execution_ids"]
