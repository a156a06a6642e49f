"""The life of an alert: a rule, something that happens, a message on each channel, a cool-down, a history."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.adapters.system import SystemIds
from linkflow.control.actor import Actor
from linkflow.control.notifications import MAILS
from linkflow.domain.errors import Kind, NodeError, NotFound, Unavailable
from linkflow.domain.execution.approvals import Approval
from linkflow.domain.signature import Signature, verify
from linkflow.ports.identity import Member
from linkflow.ports.notifications import Notification
from linkflow.ports.plans import UsageAlert
from linkflow.ports.services import DeadLetter, ExecutionRow, Projected
from linkflow.ports.upkeep import Turn
from linkflow.scheduler.alerts import Alerts
from linkflow.testing.control import Client, Stage
from linkflow.testing.mail_server import Mailbox
from linkflow.testing.receiver import Receiver, Scripted

BASE = "/api/v1/alerts"


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Run a mail server."""
    async with Mailbox.open() as box:
        yield box


@pytest_asyncio.fixture
async def stage(database_dsn: str, tmp_path: Path, mailbox: Mailbox) -> AsyncIterator[Stage]:
    """A control plane that may call this machine and sends letters to a real server."""
    found = await Stage.open(database_dsn, tmp_path, outbound_allow=("127.0.0.1",), smtp_url=mailbox.url)
    yield found
    await found.close()


async def ruled(stage: Stage, kind: str, *channels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Make a rule."""
    body = {"name": "Watch", "kind": kind, "channels": list(channels)} | more
    made = await stage.client.post(BASE, body)
    assert made.status == 201, made.body
    found: dict[str, Any] = made.json
    return found


async def ended(
    stage: Stage, workflow_id: str, status: str = "failed", took_s: float = 1.0, times: int = 1
) -> str:
    """Let executions end, as the projection writes it; the id of the last."""
    owner = (await stage.client.get("/api/v1/auth/me")).json
    store, now = SqlVisibilityStore(stage.database), stage.clock.now()
    error = NodeError("http.status", Kind.PERMANENT, "It answered <500> & more.")
    rows = [
        ExecutionRow(
            execution_id=SystemIds().execution_id(),
            workspace_id=owner["workspace_id"],
            workflow_id=workflow_id,
            status=status,
            version=5,
            started_at=now - took_s,
            closed_at=None if status in ("running", "waiting") else now,
            error=error if status == "failed" else None,
        )
        for _ in range(times)
    ]
    await store.write([Projected(row=row) for row in rows], [])
    return rows[-1].execution_id


async def turn(stage: Stage, seconds: float = 0.0) -> None:
    """Let time pass, look at what happened, and send what is due."""
    await stage.clock.turn(seconds)
    await stage.plane.deliveries.gather()
    await stage.plane.alerting.gather()
    await stage.plane.approval_letters.tell()
    await stage.plane.notifications.send_due()


async def history(stage: Stage, alert_id: str = "") -> list[Any]:
    """List what was sent."""
    path = f"{BASE}/{alert_id}/history" if alert_id else f"{BASE}/history"
    found: list[Any] = (await stage.client.get(path)).json["data"]
    return found


def slack(receiver: Receiver) -> dict[str, Any]:
    """Say a channel of Slack whose address is a secret."""
    return {"kind": "slack", "url": f"{receiver.address}/services/T0/B0/verysecret"}


async def test_a_failure_is_told_everywhere(stage: Stage, receiver: Receiver, mailbox: Mailbox) -> None:
    """B14: a failure leaves a letter, a message in Slack and a signed call; links name the workspace."""
    receiver.answer("/hook", Scripted(204))
    receiver.answer("/services/T0/B0/verysecret", Scripted(200))
    workflow_id = await stage.workflow()
    made = await ruled(
        stage,
        "failure",
        {"kind": "email", "to": ["Ann@Example.com"]},
        slack(receiver),
        {"kind": "webhook", "url": f"{receiver.address}/hook"},
    )
    secret = made["channels"][2]["secret"]
    execution_id = await ended(stage, workflow_id)
    await turn(stage)
    await turn(stage)
    (mail,) = mailbox.letters
    (said,) = receiver.to("/services/T0/B0/verysecret")
    (call,) = receiver.to("/hook")
    verify(Signature(preset="standard"), call.headers, call.body, [secret], stage.clock.now())
    again = await stage.client.get(f"{BASE}/{made['id']}")
    sent = await history(stage, made["id"])
    owner = (await stage.client.get("/api/v1/auth/me")).json
    link = f"/executions/{execution_id}?in={owner['workspace_id']}"

    assert ("ann@example.com", "[Personal] Greeting failed") == (mail["To"], mail["Subject"])
    assert link in mail.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert said.json["blocks"][2]["elements"][0]["url"].endswith(link)
    assert "It answered &lt;500&gt; &amp; more." in str(said.json["blocks"])
    assert ("alert.failure", execution_id, "http.status") == (
        call.json["type"], call.json["data"]["execution_id"], call.json["data"]["error"]["code"],
    )  # fmt: skip
    assert ["sent"] * 3 == [each["state"] for each in sent]
    assert secret not in again.body.decode()
    assert "verysecret" not in again.body.decode() + str(sent)


async def test_what_comes_too_soon_is_counted(stage: Stage, receiver: Receiver) -> None:
    """In a cool-down one message leaves; the next one says how many more there were, or a summary does."""
    receiver.answer("/hook", Scripted(204))
    one, other = await stage.workflow(), await stage.workflow()
    await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"}, cooldown_s=60)
    await ended(stage, one, times=4)
    await ended(stage, other)
    await turn(stage)
    during = len(receiver.to("/hook"))
    await stage.clock.turn(61)
    await ended(stage, one)
    await turn(stage)
    told = [call.json["data"]["text"] for call in receiver.to("/hook")]
    await ended(stage, one, times=2)
    await turn(stage)
    await turn(stage, 61)
    duty = Alerts(stage.plane.alert_look, stage.plane.approval_letters)
    done = [await duty.do(Turn(token=1)), await duty.do(Turn(token=1))]
    await turn(stage)
    last = receiver.to("/hook")[-1].json["data"]

    assert (2, 3) == (during, len(told))
    assert "3 more since" in told[-1]
    assert [1, 0] == [each["told"] for each in done]
    assert (2, True) == (last["more"], last["title"].startswith("2 more: "))


async def test_a_failure_is_told_once_whatever_comes_twice(
    stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends before it settles what it read, or two that read the same, tell once."""
    receiver.answer("/hook", Scripted(204))
    workflow_id = await stage.workflow()
    await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"}, cooldown_s=0)
    await stage.plane.deliveries.gather()
    await ended(stage, workflow_id, times=3)
    followed = stage.plane.deliveries._followed
    pending = await followed.pending(50)
    await asyncio.gather(*(stage.plane.alerting.consider(pending) for _ in range(3)))
    await turn(stage)
    await turn(stage)

    assert 3 == len(receiver.to("/hook"))


async def test_a_crash_after_sending_repeats_under_the_same_id(
    stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that was sent and not written down leaves once more, under an id that the receiver knows."""
    receiver.answer("/hook", Scripted(204))
    made = await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"})
    await stage.client.post(f"{BASE}/{made['id']}/test")
    kept = stage.plane.notifications._records.notifications

    async def lost(notification: Notification) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(kept, "settle", lost)
        await turn(stage)
    await turn(stage)
    before = len(receiver.to("/hook"))
    await turn(stage, 61)
    await turn(stage, 61)
    ids = [call.headers["webhook-id"] for call in receiver.to("/hook")]

    assert (1, 2, 1) == (before, len(ids), len(set(ids)))
    assert ["sent"] == [each["state"] for each in await history(stage)]


async def test_a_test_says_that_it_is_one(stage: Stage, mailbox: Mailbox) -> None:
    """The test button sends to every channel; a letter waits while the mail server is away."""
    mailbox.refuses = True
    made = await ruled(stage, "stuck", {"kind": "email", "to": ["a@example.com", "b@example.com"]})
    sent = (await stage.client.post(f"{BASE}/{made['id']}/test")).json["data"]
    await turn(stage)
    waiting = await history(stage, made["id"])
    mailbox.refuses = False
    await turn(stage, 61)

    assert [(True, "pending")] * 2 == [(each["is_test"], each["state"]) for each in sent]
    assert {"mail.unavailable"} == {each["error"].partition(":")[0] for each in waiting}
    assert (2, {"sent"}) == (
        len(mailbox.letters), {each["state"] for each in await history(stage)},
    )  # fmt: skip


async def test_slack_may_ask_for_time_or_refuse(stage: Stage, receiver: Receiver) -> None:
    """429 is tried again when Slack says; 404 is final and says so in the history."""
    path = "/services/T0/B0/verysecret"
    receiver.answer(path, Scripted(429, headers={"Retry-After": "7"}), Scripted(200), Scripted(404))
    made = await ruled(stage, "failure", slack(receiver))
    await stage.client.post(f"{BASE}/{made['id']}/test")
    await turn(stage)
    await turn(stage, 6)
    early = len(receiver.to(path))
    await turn(stage, 2)
    await stage.client.post(f"{BASE}/{made['id']}/test")
    await turn(stage)
    await turn(stage, 9999)

    assert (1, 3) == (early, len(receiver.to(path)))
    assert {"sent", "failed"} == {each["state"] for each in await history(stage)}
    assert any("404" in each["error"] for each in await history(stage))


async def test_slack_by_a_credential(stage: Stage, receiver: Receiver) -> None:
    """A bot's token posts to a channel; what its API refuses inside a 200 is a failure."""
    receiver.answer(
        "/chat.postMessage",
        Scripted(200, {"ok": True}),
        Scripted(200, {"ok": False, "error": "channel_not_found"}),
    )
    stage.plane.notifications._slack_api = receiver.address
    channel = {"kind": "slack", "credential": "bot", "channel": "#ops"}
    none = await stage.client.post(BASE, {"name": "x", "kind": "failure", "channels": [channel]})
    await stage.client.post(
        "/api/v1/credentials", {"name": "bot", "type": "slack", "data": {"token": "xoxb-1"}}
    )
    made = await ruled(stage, "failure", channel)
    for _ in range(2):
        await stage.client.post(f"{BASE}/{made['id']}/test")
        await turn(stage)
    calls = receiver.to("/chat.postMessage")
    errors = [each["error"] for each in await history(stage)]

    assert 404 == none.status
    assert ("Bearer xoxb-1", "#ops") == (calls[0].headers["authorization"], calls[0].json["channel"])
    assert {"", "Slack says 'channel_not_found'."} == set(errors)


async def test_messages_reach_no_address_inside(
    database_dsn: str, tmp_path: Path, receiver: Receiver
) -> None:
    """A channel to the machine itself is refused by the guard."""
    inside = await Stage.open(database_dsn, tmp_path)
    made = await ruled(inside, "failure", slack(receiver), {"kind": "webhook", "url": receiver.address})
    await inside.client.post(f"{BASE}/{made['id']}/test")
    await turn(inside)
    errors = {each["error"].partition(":")[0] for each in await history(inside)}
    await inside.close()

    assert ({"http.blocked"}, []) == (errors, receiver.calls)


async def test_slow_is_a_limit_or_a_factor(stage: Stage, receiver: Receiver) -> None:
    """Slower than the limit, or than the factor times what is usual; too few runs say nothing is usual."""
    receiver.answer("/hook", Scripted(204))
    hook = {"kind": "webhook", "url": f"{receiver.address}/hook"}
    workflow_id = await stage.workflow()
    await ruled(stage, "slow", hook, name="limit", over_s=100, cooldown_s=0)
    await ruled(stage, "slow", hook, name="factor", times_p95=3, cooldown_s=0)
    await turn(stage)
    await ended(stage, workflow_id, "completed", 20.0)
    await turn(stage)
    few = len(receiver.to("/hook"))
    await ended(stage, workflow_id, "completed", 2.0, times=60)
    await stage.clock.turn(61)
    await turn(stage)
    await turn(stage)
    await ended(stage, workflow_id, "completed", 9.0)
    await ended(stage, workflow_id, "failed", 150.0)
    for _ in range(3):
        await turn(stage)
    found = {
        (call.json["data"]["alert"]["name"], call.json["data"]["status"]) for call in receiver.to("/hook")
    }

    assert 0 == few
    assert {("factor", "completed"), ("factor", "failed"), ("limit", "failed")} == found


async def test_time_shows_the_rest(stage: Stage, receiver: Receiver) -> None:
    """The duty finds what runs for long, was given up on, is used up, and does not fire; each once."""
    receiver.answer("/hook", Scripted(204))
    hook = {"kind": "webhook", "url": f"{receiver.address}/hook"}
    workflow_id = await stage.workflow()
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    for kind, more in (
        ("slow", {"over_s": 60}), ("dead_letter", {}), ("quota", {}), ("budget", {"percent": 100}),
        ("schedule", {}), ("stuck", {}),
    ):  # fmt: skip
        await ruled(stage, kind, hook, **more)
    await ended(stage, workflow_id, "running", 100.0)
    await stage.letters.add(
        DeadLetter(id="l1", workspace_id=workspace_id, kind="task", execution_id="", reason="no", at=9e9)
    )
    schedule = (
        await stage.client.post(
            "/api/v1/schedules", {"workflow_id": workflow_id, "name": "Nightly", "interval_s": 60}
        )
    ).json
    await stage.database.pool.execute(
        "UPDATE control.schedules SET next_at = $1 WHERE id = $2", stage.clock.now() - 400, schedule["id"]
    )
    month = datetime.fromtimestamp(stage.clock.now(), UTC).strftime("%Y-%m")
    for meter, percent in (
        ("executions_per_month", 50), ("executions_per_month", 80), ("budget.ai_tokens", 80),
        ("budget.ai_tokens", 100),
    ):  # fmt: skip
        await stage.plane.records.plans.alerted(UsageAlert(workspace_id, meter, month, percent))
    duty = Alerts(stage.plane.alert_look, stage.plane.approval_letters)
    dry = await duty.do(Turn(token=1, is_dry=True))
    told = [(await duty.do(Turn(token=1)))["told"] for _ in range(2)]
    await turn(stage)
    found = sorted(call.json["type"] for call in receiver.to("/hook"))

    assert (0, [5, 0]) == (dry["told"], told)
    assert ["alert.budget", "alert.dead_letter", "alert.quota", "alert.schedule", "alert.slow"] == found


async def test_a_credential_that_ended_is_told_of(stage: Stage, receiver: Receiver) -> None:
    """What the audit log says after the rule was made is told once."""
    receiver.answer("/hook", Scripted(204))
    owner = (await stage.client.get("/api/v1/auth/me")).json
    made = (await stage.client.post("/api/v1/credentials", {"name": "mail", "data": {"value": "x"}})).json
    actor = Actor(user_id="", workspace_id=owner["workspace_id"], email="", role="")

    async def ends() -> None:
        audit = stage.plane.alerts._audit
        await audit.note(
            stage.plane.records.ledger, actor, "credential.needs_reauth", f"credential:{made['id']}"
        )

    await ends()
    await ruled(stage, "credential", {"kind": "webhook", "url": f"{receiver.address}/hook"})
    await ends()
    await turn(stage)
    await turn(stage)

    assert ["Connect mail again"] == [call.json["data"]["title"] for call in receiver.to("/hook")]


async def test_a_channel_hears_of_approvals(stage: Stage, receiver: Receiver) -> None:
    """An approval that opens is told of in the team's channel, once, with the way to the inbox."""
    path = "/services/T0/B0/verysecret"
    receiver.answer(path, Scripted(200))
    owner = (await stage.client.get("/api/v1/auth/me")).json
    await ruled(stage, "approval", slack(receiver))
    row = ExecutionRow(
        execution_id=SystemIds().execution_id(),
        workspace_id=owner["workspace_id"],
        workflow_id="w",
        status="waiting",
        version=3,
        started_at=stage.clock.now(),
    )
    asked = Approval(
        key="ask", node_id="ask", opened_at=row.started_at, due_at=row.started_at + 60,
        asked={"title": "Refund?", "deciders": ["role:admin"]},
    )  # fmt: skip
    await SqlVisibilityStore(stage.database).write([Projected(row=row, approvals=[asked])], [])
    await turn(stage)
    await turn(stage)
    (call,) = receiver.to(path)

    assert "[Personal] Refund?" == call.json["text"]
    assert call.json["blocks"][2]["elements"][0]["url"].endswith(f"&in={owner['workspace_id']}")
    assert "/approvals?id=" in call.json["blocks"][2]["elements"][0]["url"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "slow", "channels": [{"kind": "email", "to": ["a@example.com"]}]},
        {"kind": "failure", "channels": [{"kind": "email", "to": []}]},
        {"kind": "failure", "channels": [{"kind": "email", "to": ["a@b\r\nBcc: c@d"]}]},
        {"kind": "failure", "channels": [{"kind": "slack"}]},
        {"kind": "failure", "channels": [{"kind": "webhook", "url": "ftp://x"}]},
        {"kind": "failure", "channels": []},
        {"kind": "quota", "percent": 0, "channels": [{"kind": "email", "to": ["a@example.com"]}]},
        {"kind": "failure", "cooldown_s": -1, "channels": [{"kind": "email", "to": ["a@example.com"]}]},
    ],
)
async def test_what_could_never_work_is_refused(stage: Stage, body: dict[str, Any]) -> None:
    """A rule or a channel that cannot be is 400, and nothing is kept."""
    found = await stage.client.post(BASE, {"name": "x"} | body)

    assert (400, []) == (found.status, (await stage.client.get(BASE)).json["data"])


async def test_a_rule_is_changed_and_removed(stage: Stage, receiver: Receiver) -> None:
    """A webhook that stays keeps its secret, a new one shows its own; switched off, a rule is silent."""
    receiver.answer("/hook", Scripted(204))
    receiver.answer("/new", Scripted(204))
    workflow_id = await stage.workflow()
    made = await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"})
    path = f"{BASE}/{made['id']}"
    both = await stage.client.put(
        path,
        {"channels": [{"kind": "webhook", "url": f"{receiver.address}/{name}"} for name in ("hook", "new")]},
    )
    slow = await stage.client.put(path, {"kind": "slow", "over_s": 5, "name": "Slow", "is_active": False})
    await ended(stage, workflow_id, "completed", 50.0)
    await turn(stage)
    gone = await stage.client.delete(path)
    actions = [
        each["action"] for each in (await stage.client.get("/api/v1/audit-logs?action=alert.")).json["data"]
    ]

    assert [None, True] == [
        each["secret"] and True if "secret" in each else None for each in both.json["channels"]
    ]
    assert ("slow", 5.0, "Slow", False) == tuple(
        slow.json[name] for name in ("kind", "over_s", "name", "is_active")
    )
    assert (204, 404, []) == (gone.status, (await stage.client.get(path)).status, receiver.calls)
    assert ["alert.delete", "alert.update", "alert.update", "alert.create"] == actions


async def test_a_viewer_only_looks(stage: Stage) -> None:
    """A viewer and a member read rules and history, and change nothing; strangers see nothing of it."""
    made = await ruled(stage, "failure", {"kind": "email", "to": ["a@example.com"]})
    owner = (await stage.client.get("/api/v1/auth/me")).json
    found = []
    for role in ("viewer", "member"):
        async with stage.plane.records.transaction() as records:
            user = await stage.plane.accounts.add(records, f"{role}@example.com", "x", verified=True)
            await records.tenancy.put_member(
                Member(workspace_id=owner["workspace_id"], user_id=user.id, role=role, joined_at=1.0)
            )
        client = Client(stage.app, (await stage.plane.sign_ins.issue(user)).access_token)
        there = f"/api/v1/workspaces/{owner['workspace_id']}/alerts/{made['id']}"
        found += [
            (await client.get(there)).status,
            (await client.post(f"{there}/test")).status,
            (await client.put(there, {"is_active": False})).status,
            (await client.delete(there)).status,
            (await client.get(f"{BASE}/{made['id']}")).status,
        ]

    assert [200, 403, 403, 403, 404] * 2 == found


async def test_one_rule_that_cannot_tell_silences_no_other(stage: Stage, receiver: Receiver) -> None:
    """A rule whose channels cannot be opened any more is passed over; the next rule hears."""
    receiver.answer("/hook", Scripted(204))
    hook = {"kind": "webhook", "url": f"{receiver.address}/hook"}
    workflow_id = await stage.workflow()
    broken = await ruled(stage, "failure", hook)
    await ruled(stage, "failure", hook)
    await stage.database.pool.execute(
        "UPDATE control.alerts SET sealed = 'nothing' WHERE id = $1", broken["id"]
    )
    await turn(stage)
    await ended(stage, workflow_id)
    await turn(stage)
    left = await stage.database.pool.fetchval("SELECT count(*) FROM engine.followed")

    assert (1, 0) == (len(receiver.to("/hook")), left)


async def test_a_source_that_fails_keeps_no_message_back(stage: Stage, receiver: Receiver) -> None:
    """A bug where messages are made lets those that are made already leave."""
    receiver.answer("/hook", Scripted(204))
    made = await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"})

    async def broken() -> int:
        raise RuntimeError("a bug")

    running = asyncio.create_task(stage.plane.notifications.run([broken]))
    await stage.client.post(f"{BASE}/{made['id']}/test")
    calls = await receiver.called("/hook")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert ["alert.test"] == [call.json["type"] for call in calls]


async def test_a_mail_server_that_hangs_holds_no_webhook(
    stage: Stage, mailbox: Mailbox, receiver: Receiver
) -> None:
    """While every letter hangs in the mail server, a message to a webhook arrives."""
    receiver.answer("/hook", Scripted(204))
    addresses = [f"p{number}@example.com" for number in range(MAILS.of_workspace)]
    letters = await ruled(stage, "failure", {"kind": "email", "to": addresses})
    hook = await ruled(stage, "failure", {"kind": "webhook", "url": f"{receiver.address}/hook"})
    for address in addresses:
        mailbox.hold(address)
    await stage.client.post(f"{BASE}/{letters['id']}/test")
    running = asyncio.create_task(stage.plane.notifications.run())
    for address in addresses:
        await mailbox.came(address)
    await stage.client.post(f"{BASE}/{hook['id']}/test")
    calls = await receiver.called("/hook")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert ([], ["alert.test"]) == (mailbox.letters, [call.json["type"] for call in calls])


async def test_more_slow_executions_than_one_look_of_old(stage: Stage, receiver: Receiver) -> None:
    """However many executions stay slow, a workflow that becomes slow later is told of, too."""
    receiver.answer("/hook", Scripted(204))
    first, second = await stage.workflow(), await stage.workflow()
    await ruled(stage, "slow", {"kind": "webhook", "url": f"{receiver.address}/hook"}, over_s=60)
    await ended(stage, first, "running", 200.0, times=150)
    duty = Alerts(stage.plane.alert_look, stage.plane.approval_letters)
    await duty.do(Turn(token=1))
    await ended(stage, second, "running", 100.0)
    await duty.do(Turn(token=1))
    await turn(stage)
    found = [call.json["data"]["workflow_id"] for call in receiver.to("/hook")]

    assert sorted([first, second]) == sorted(found)


async def test_what_was_removed_meanwhile_is_not_brought_back(stage: Stage) -> None:
    """A change of a rule that comes after its removal is not written."""
    made = await ruled(stage, "failure", {"kind": "email", "to": ["a@example.com"]})
    workspace_id = str((await stage.client.get("/api/v1/auth/me")).json["workspace_id"])
    rules = stage.plane.records.alerts
    seen = await rules.get(workspace_id, made["id"])
    await stage.client.delete(f"{BASE}/{made['id']}")
    with pytest.raises(NotFound):
        await rules.change(seen)

    assert [] == await rules.list(workspace_id)


async def test_an_answer_that_no_text_can_hold_is_written_down(stage: Stage, receiver: Receiver) -> None:
    """A receiver whose refusal holds NUL is refused like any other, and the others hear."""
    receiver.answer("/hook", Scripted(204))

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\na\0b")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        made = await ruled(
            stage,
            "failure",
            {"kind": "slack", "url": f"http://127.0.0.1:{port}/services"},
            {"kind": "webhook", "url": f"{receiver.address}/hook"},
        )
        await stage.client.post(f"{BASE}/{made['id']}/test")
        await turn(stage)
    found = {each["kind"]: (each["error"], each["state"]) for each in await history(stage)}

    assert {"slack": ("Slack answered with 500: a\ufffdb", "pending"), "webhook": ("", "sent")} == found
