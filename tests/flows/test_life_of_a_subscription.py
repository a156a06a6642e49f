"""Others subscribe to what happens; messages are signed, tried again, and can be sent anew."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.adapters.system import SystemIds
from linkflow.control.deliveries import BATCH, CLAIM_S, LIMITS
from linkflow.domain.callback import is_genuine
from linkflow.domain.errors import NotFound
from linkflow.domain.signature import Signature, verify
from linkflow.ports.services import ExecutionRow, Projected
from linkflow.ports.subscriptions import FollowedExecutions
from linkflow.testing.control import Stage, spec
from linkflow.testing.live import Live
from linkflow.testing.receiver import Received, Receiver, Scripted

BASE = "/api/v1/webhook-subscriptions"


@pytest_asyncio.fixture
async def stage(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A control plane that may call this machine."""
    found = await Stage.open(database_dsn, tmp_path, outbound_allow=("127.0.0.1",))
    yield found
    await found.close()


async def subscribed(stage: Stage, url: str, *events: str) -> dict[str, Any]:
    """Subscribe to events."""
    made = await stage.client.post(BASE, {"url": url, "events": list(events) or ["*"]})
    assert made.status == 201, made.body
    found: dict[str, Any] = made.json
    return found


async def turn(stage: Stage, seconds: float = 0.0) -> None:
    """Let time pass, gather what happened and send what is due."""
    await stage.clock.turn(seconds)
    await stage.plane.deliveries.gather()
    await stage.plane.deliveries.send_due()


async def messages(stage: Stage, subscription_id: str) -> list[Any]:
    """List the messages to a subscription."""
    found: list[Any] = (await stage.client.get(f"{BASE}/{subscription_id}/deliveries")).json["data"]
    return found


def check(call: Received, secret: str, now: float) -> None:
    """Check a message as a receiver would, by the standard and by the seeds."""
    verify(Signature(preset="standard"), call.headers, call.body, [secret], now)
    assert is_genuine(secret, call.headers, call.body, now)


async def test_a_message_says_what_happened(stage: Stage, receiver: Receiver) -> None:
    """A change made after subscribing is told once, signed both ways; what was before is not."""
    receiver.answer("/hook", Scripted(200))
    await stage.workflow()
    made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    workflow_id = await stage.workflow()
    await turn(stage)
    await turn(stage)
    (call,) = receiver.to("/hook")
    check(call, made["secret"], stage.clock.now())

    assert ("workflow.created", {"workflow_id": workflow_id}) == (
        call.json["type"],
        {"workflow_id": call.json["data"]["workflow_id"]},
    )
    (message,) = await messages(stage, made["id"])
    assert ("delivered", 1, 200, call.headers["webhook-id"]) == (
        message["state"], message["attempts"], message["status"], message["id"],
    )  # fmt: skip


async def test_a_message_is_tried_again_and_then_given_up(stage: Stage, receiver: Receiver) -> None:
    """Retries come after 1 min, 5 min, 30 min and 2 h under one id; then the subscription is off."""
    receiver.answer("/hook", Scripted(500))
    made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    counts = []
    for seconds in (0.0, 59.0, 1.0, 299.0, 1.0, 1800.0, 7200.0, 9999.0):
        await turn(stage, seconds)
        counts.append(len(receiver.to("/hook")))
    after = (await stage.client.get(f"{BASE}/{made['id']}")).json
    (message,) = await messages(stage, made["id"])
    notices = await stage.database.pool.fetchval("SELECT count(*) FROM control.mails")

    assert [1, 1, 2, 2, 3, 4, 5, 5] == counts
    assert 1 == len({call.headers["webhook-id"] for call in receiver.to("/hook")})
    assert (False, "failed", 5, 1) == (after["is_active"], message["state"], message["attempts"], notices)
    assert "500" in after["disabled_reason"]


async def test_gone_switches_off_at_once(stage: Stage, receiver: Receiver) -> None:
    """A receiver that answers 410 hears no more."""
    receiver.answer("/hook", Scripted(410))
    made = await subscribed(stage, f"{receiver.address}/hook")
    await stage.workflow()
    await stage.workflow()
    await turn(stage)
    await stage.workflow()
    await turn(stage, 9999.0)
    after = (await stage.client.get(f"{BASE}/{made['id']}")).json
    states = {each["state"] for each in await messages(stage, made["id"])}

    assert (False, {"failed"}) == (after["is_active"], states)
    assert 3 > len(receiver.to("/hook"))


async def test_a_failed_message_is_sent_anew(stage: Stage, receiver: Receiver) -> None:
    """Switched on again, a subscription gets what failed by a replay, and not what it missed."""
    receiver.answer("/hook", Scripted(410), Scripted(204))
    made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    await turn(stage)
    (message,) = await messages(stage, made["id"])
    replay = f"{BASE}/{made['id']}/deliveries/{message['id']}/replay"
    refused = await stage.client.post(replay)
    await stage.workflow()
    await stage.client.put(f"{BASE}/{made['id']}", {"is_active": True})
    await stage.client.post(replay)
    await turn(stage)
    ids = [call.headers["webhook-id"] for call in receiver.to("/hook")]

    assert (409, [message["id"]] * 2) == (refused.status, ids)
    assert ["delivered"] == [each["state"] for each in await messages(stage, made["id"])]


async def test_a_secret_is_replaced_without_a_gap(stage: Stage, receiver: Receiver) -> None:
    """For a day both secrets sign, then only the new one; neither is shown again."""
    made = await subscribed(stage, f"{receiver.address}/hook")
    new = (await stage.client.post(f"{BASE}/{made['id']}/rotate-secret")).json["secret"]
    await stage.client.post(f"{BASE}/{made['id']}/test")
    await turn(stage)
    check(receiver.to("/hook")[-1], new, stage.clock.now())
    both = receiver.to("/hook")[-1].headers["webhook-signature"].split(" ")
    await stage.clock.turn(24 * 3600 + 1)
    token = await stage.client.post(
        "/api/v1/auth/login", {"email": "owner@example.com", "password": "correct horse"}
    )
    stage.client.token = token.json["access_token"]
    await stage.client.post(f"{BASE}/{made['id']}/test")
    await turn(stage)
    one = receiver.to("/hook")[-1].headers["webhook-signature"].split(" ")
    shown = (await stage.client.get(BASE)).body.decode()

    assert (2, 1) == (len(both), len(one))
    assert made["secret"] not in shown
    assert new not in shown


async def test_messages_reach_no_address_inside(database_dsn: str, tmp_path: Path) -> None:
    """A message to the machine itself is refused by the guard and tried again like any failure."""
    stage = await Stage.open(database_dsn, tmp_path)
    async with Receiver.open() as receiver:
        made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
        await stage.workflow()
        await turn(stage)
        (message,) = await messages(stage, made["id"])
        calls = list(receiver.calls)
    await stage.close()

    assert ([], "pending") == (calls, message["state"])
    assert "http.blocked" in message["error"]


async def test_redirects_are_not_followed(stage: Stage, receiver: Receiver) -> None:
    """A signed message goes where it was meant to go, or nowhere."""
    receiver.answer("/hook", Scripted(302, headers={"Location": f"{receiver.address}/else"}))
    await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    await turn(stage)

    assert (1, 0) == (len(receiver.to("/hook")), len(receiver.to("/else")))


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://x", "events": ["*"]},
        {"url": "https://x.example", "events": ["nope"]},
        {"url": "https://x.example", "events": []},
    ],
)
async def test_what_could_never_work_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    """An address or an event that cannot be is 400 and says what to write."""
    assert 400 == (await stage.client.post(BASE, body)).status


async def test_executions_are_told(live: Live, receiver: Receiver) -> None:
    """The start and the end of an execution come, each once, in a running LinkFlow."""
    made = await live.post(
        "/webhook-subscriptions", {"url": f"{receiver.address}/hook", "events": ["execution.*"]}
    )
    assert made.status == 201, made.body
    spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
    await live.run(spec)
    calls = await receiver.called("/hook", 2)

    assert {"execution.started", "execution.completed"} == {call.json["type"] for call in calls}
    assert 1 == len({call.json["data"]["execution_id"] for call in calls})


async def test_the_check_of_the_page_takes_our_messages(stage: Stage, receiver: Receiver) -> None:
    """What the how-to page shows takes a real message, and refuses one that was changed."""
    page = Path(__file__).resolve().parents[2] / "docs" / "howto" / "subscribe-to-events.md"
    names: dict[str, Any] = {}
    exec(page.read_text().partition("```python\n")[2].partition("```")[0], names)
    made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    await turn(stage)
    (call,) = receiver.to("/hook")

    assert names["is_ours"](made["secret"], call.headers, call.body)
    assert not names["is_ours"](made["secret"], call.headers, call.body + b" ")


async def test_gathering_never_waits_for_a_receiver(stage: Stage, receiver: Receiver) -> None:
    """Whatever happens becomes messages while the first of them is still being sent."""
    receiver.answer("/done", Scripted(200))
    receiver.hold("/hook")
    for path in ("/hook", "/done"):
        await subscribed(stage, f"{receiver.address}{path}", "execution.completed")
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    await happened(stage, workspace_id, 2 * BATCH + 1)
    running = asyncio.create_task(stage.plane.deliveries.run())
    await receiver.called("/done", 2 * BATCH + 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert LIMITS.of_place == len(receiver.to("/hook"))


async def happened(stage: Stage, workspace_id: str, times: int) -> None:
    """Let executions end, as the projection writes it."""
    now = stage.clock.now()
    rows = [
        ExecutionRow(
            execution_id=SystemIds().execution_id(),
            workspace_id=workspace_id,
            workflow_id="w",
            status="completed",
            version=3,
            started_at=now,
            closed_at=now,
        )
        for _ in range(times)
    ]
    await SqlVisibilityStore(stage.database).write([Projected(row=row) for row in rows], [])


class Meanwhile:
    """What is followed, where something happens between two steps of gathering: just before the one named."""

    def __init__(self, real: FollowedExecutions, step: str, happens: Callable[[], Awaitable[None]]) -> None:
        self._real, self._step, self._happens = real, step, happens

    def __getattr__(self, name: str) -> Any:
        async def step(*arguments: Any) -> Any:
            if name == self._step:
                self._step = ""
                await self._happens()
            return await getattr(self._real, name)(*arguments)

        return step


@pytest.mark.parametrize("step", ["followed", "pending", "unfollow"])
async def test_what_happens_after_subscribing_is_told(stage: Stage, receiver: Receiver, step: str) -> None:
    """Wherever gathering stands when a subscription is made, what happens after the answer is told."""
    receiver.answer("/hook", Scripted(200))
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    deliveries = stage.plane.deliveries
    before = await subscribed(stage, "https://example.com/hook")
    await stage.client.delete(f"{BASE}/{before['id']}")  # the workspace is followed, and by nobody

    async def subscribe() -> None:
        await subscribed(stage, f"{receiver.address}/hook", "execution.completed")
        if step == "pending":
            await happened(stage, workspace_id, 1)

    real = deliveries._followed
    deliveries._followed = Meanwhile(real, step, subscribe)
    await deliveries.gather()
    deliveries._followed = real
    if step != "pending":
        await happened(stage, workspace_id, 1)
    await turn(stage)

    assert 1 == len(receiver.to("/hook"))


async def test_nobody_keeps_what_nobody_follows(stage: Stage) -> None:
    """After the last subscription of a workspace is removed, its executions are not kept for anybody."""
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    made = await subscribed(stage, "https://example.com/hook")
    await stage.client.delete(f"{BASE}/{made['id']}")
    await stage.plane.deliveries.gather()
    await happened(stage, workspace_id, 1)

    assert 0 == await stage.database.pool.fetchval("SELECT count(*) FROM engine.followed")


async def test_a_receiver_that_hangs_holds_nobody_else(stage: Stage, receiver: Receiver) -> None:
    """While one workspace's receivers answer nothing, another workspace's message arrives."""
    team = (await stage.client.post("/api/v1/workspaces", {"name": "Team", "slug": "team"})).json["id"]
    receiver.answer("/else", Scripted(200))
    for number in range(5):
        receiver.hold(f"/hangs{number}")
        await subscribed(stage, f"{receiver.address}/hangs{number}", "workflow.created")
    for _ in range(LIMITS.of_place + 2):
        await stage.workflow()
    running = asyncio.create_task(stage.plane.deliveries.run())
    await stage.until(lambda: len(receiver.calls) == LIMITS.of_workspace)
    there = f"/api/v1/workspaces/{team}"
    body = {"url": f"{receiver.address}/else", "events": ["workflow.created"]}
    await stage.client.post(f"{there}/webhook-subscriptions", body)
    await stage.client.post(f"{there}/workflows", {"name": "Greeting", "spec": spec()})
    (call,) = await receiver.called("/else")
    hanging = [len(receiver.to(f"/hangs{number}")) for number in range(5)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert team == call.json["workspace_id"]
    assert (LIMITS.of_workspace, True) == (sum(hanging), max(hanging) <= LIMITS.of_place)


async def test_what_was_under_way_is_sent_again(stage: Stage, receiver: Receiver) -> None:
    """A process that ends in the middle of a message leaves it to others, under the same id."""
    receiver.answer("/hook", Scripted(200))
    receiver.hold("/hook")
    await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    running = asyncio.create_task(stage.plane.deliveries.run())
    await receiver.called("/hook")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    early = await stage.plane.deliveries.send_due()
    receiver.let_go("/hook")
    await turn(stage, CLAIM_S + 1)
    ids = {call.headers["webhook-id"] for call in receiver.to("/hook")}

    assert (0, 2, 1) == (early, len(receiver.to("/hook")), len(ids))


async def test_room_is_used_as_soon_as_it_is_made(stage: Stage, receiver: Receiver) -> None:
    """More messages than may be under way at once leave without waiting for the next look."""
    receiver.answer("/hook", Scripted(200))
    made = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.workflow()
    await stage.plane.deliveries.gather()
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    (first,) = await stage.plane.records.subscriptions.deliveries(workspace_id, made["id"], "", None, 10)
    more = [msgspec.structs.replace(first, id=f"m{number}") for number in range(20 * LIMITS.of_place)]
    await stage.plane.records.subscriptions.add(more)
    running = asyncio.create_task(stage.plane.deliveries.run())
    calls = await receiver.called("/hook", len(more) + 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert len(more) + 1 == len({call.headers["webhook-id"] for call in calls})


async def test_one_that_cannot_be_signed_cuts_no_other_off(stage: Stage, receiver: Receiver) -> None:
    """A subscription whose secret cannot be opened any more fails by itself; the others are told."""
    receiver.answer("/hook", Scripted(200))
    broken = await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await subscribed(stage, f"{receiver.address}/hook", "workflow.created")
    await stage.database.pool.execute(
        "UPDATE control.webhook_subscriptions SET sealed = 'nothing' WHERE id = $1", broken["id"]
    )
    await stage.workflow()
    await turn(stage)
    (message,) = await messages(stage, broken["id"])

    assert 1 == len(receiver.to("/hook"))
    assert ("pending", 1) == (message["state"], message["attempts"])


async def test_what_was_removed_meanwhile_is_not_brought_back(stage: Stage) -> None:
    """A change that comes after the removal is not written."""
    made = await subscribed(stage, "https://example.com/hook")
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    subscriptions = stage.plane.records.subscriptions
    seen = await subscriptions.get(workspace_id, made["id"])
    await stage.client.delete(f"{BASE}/{made['id']}")
    with pytest.raises(NotFound):
        await subscriptions.change(seen)

    assert [] == await subscriptions.list(workspace_id)
