"""The life of an approval: asked, told by letter, decided signed in or by a link, and what is refused."""

import asyncio
import re
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from linkflow.adapters import vault
from linkflow.adapters.sql.sealed import SqlSealedRows
from linkflow.adapters.sql.statements import Statements
from linkflow.ports.identity import Member
from linkflow.ports.upkeep import Turn
from linkflow.scheduler.sealing import Resealing
from linkflow.testing.control import Reply
from linkflow.testing.live import Live
from linkflow.testing.receiver import GENEROUS_S

pytestmark = pytest.mark.one_process

FORM = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "minimum": 1}, "urgent": {"type": "boolean"}},
    "required": ["amount"],
}
PAGE = {"content-type": "application/x-www-form-urlencoded"}


def asking(**config: Any) -> dict[str, Any]:
    """Say a workflow that asks, and gives what was decided."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "ask", "type": "human.approval", "label": "Ask", "config": {"title": "Refund?"} | config},
            {"id": "end", "type": "flow.output", "config": {"value": "{{input}}"}},
        ],
        "edges": [
            {"source": "start", "target": "ask"},
            {"source": "ask", "target": "end", "sourceHandle": "approved"},
            {"source": "ask", "target": "end", "sourceHandle": "rejected"},
        ],
    }


async def until(live: Live, path: str, holds: Callable[[Any], bool]) -> Any:
    """Read a list until something holds of it."""
    workspace_id = live.running.owner.user.workspace_id
    with live.running.plane.bus.subscribe(f"executions:{workspace_id}") as changes:
        async with asyncio.timeout(GENEROUS_S):
            while True:
                found = (await live.get(path)).json["data"]
                if holds(found):
                    return found
                await changes.nudged(0.2)


async def asked(live: Live, **config: Any) -> tuple[str, dict[str, Any]]:
    """Start a workflow that asks; its execution and its approval."""
    execution_id = await live.start(await live.made(asking(**config)))
    found = await until(live, f"/approvals?execution_id={execution_id}", bool)
    return execution_id, found[0]


async def letters(live: Live, count: int) -> list[tuple[str, str]]:
    """Wait until so many letters were written; their receivers and texts, oldest first."""
    folder = live.home / "mail"

    def written() -> list[Path]:
        return sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)

    with live.running.plane.bus.subscribe("notifications") as changes:
        async with asyncio.timeout(GENEROUS_S):
            while len(written()) < count:
                await changes.nudged(0.1)
    found = []
    for file in written():
        mail = message_from_bytes(file.read_bytes())
        text = mail.get_payload(decode=True)
        assert isinstance(text, bytes)
        found.append((str(mail["To"]), text.decode()))
    return found


def link_in(text: str) -> str:
    """Find the path of the link in a letter."""
    found = re.search(r"https?://[^/]+(/api/v1/approve/\S+)", text)
    assert found, text
    return found[1]


async def colleague(live: Live, role: str) -> str:
    """Add a member of a role; a token of theirs."""
    plane, workspace_id = live.running.plane, live.running.owner.user.workspace_id
    async with plane.records.transaction() as records:
        user = await plane.accounts.add(records, f"{role}@example.com", "x", verified=True)
        await records.tenancy.put_member(
            Member(workspace_id=workspace_id, user_id=user.id, role=role, joined_at=1.0)
        )
    return (await plane.sign_ins.issue(user)).access_token


async def by_form(live: Live, path: str, **fields: str) -> Reply:
    """Send the page's form, as somebody who is not signed in."""
    raw = urlencode({name.replace("__", "."): value for name, value in fields.items()}).encode()
    return await live.call("POST", path, raw=raw, headers=PAGE, signed_in=False)


async def test_an_approval_is_decided_signed_in(live: Live) -> None:
    """The inbox shows the question; an answer that fits the form decides once and becomes the output."""
    execution_id, approval = await asked(live, form=FORM, payload={"order": 7})
    address = f"/approvals/{approval['id']}/decision"
    wrong = await live.post(address, {"decision": "approved", "answer": {"amount": 0}})
    right = await live.post(
        address, {"decision": "approved", "answer": {"amount": 5}, "comment": "a good customer"}
    )
    again = await live.post(address, {"decision": "rejected"})
    found = await live.ended(execution_id)
    decided = await until(
        live, "/approvals?status=decided", lambda rows: any(each["comment"] for each in rows)
    )

    assert ("Refund?", {"order": 7}, True) == (
        approval["title"], approval["payload"], approval["can_decide"],
    )  # fmt: skip
    assert (400, "approval.form", "$.amount") == (
        wrong.status, wrong.json["code"], wrong.json["errors"][0]["path"],
    )  # fmt: skip
    assert (200, "approved") == (right.status, right.json["status"])
    assert (409, "approval.decided") == (again.status, again.json["code"])
    assert {"amount": 5} == found["result"]["decision_payload"]
    assert ("approved", "a good customer", {"amount": 5}, False) == (
        decided[0]["status"], decided[0]["comment"], decided[0]["answer"], decided[0]["can_decide"],
    )  # fmt: skip


async def test_only_those_who_are_named_decide(live: Live) -> None:
    """A viewer never decides; a member who is not named does not either, nor gets a token; an admin does."""
    viewer, member, admin = [await colleague(live, role) for role in ("viewer", "member", "admin")]
    execution_id, approval = await asked(live, deciders=["role:admin"])

    workspace_id = live.running.owner.user.workspace_id

    async def as_one(token: str, method: str, path: str, body: Any = None) -> Reply:
        whole = f"/workspaces/{workspace_id}{path}"
        return await live.call(method, whole, body, headers={"authorization": f"Bearer {token}"})

    address, body = f"/approvals/{approval['id']}/decision", {"decision": "approved"}
    refused = [(await as_one(token, "POST", address, body)).json["code"] for token in (viewer, member)]
    around = await as_one(member, "POST", f"/executions/{execution_id}/resolve", {"key": "ask"} | {
        "action": "approved",
    })  # fmt: skip
    tokens = [
        (await as_one(token, "GET", f"/executions/{execution_id}/explain")).json["drivers"][0]["resume_token"]
        for token in (viewer, member, admin)
    ]
    events = (await as_one(viewer, "GET", f"/executions/{execution_id}/events")).body.decode()
    mine = [
        len((await as_one(token, "GET", "/approvals?mine=true")).json["data"])
        for token in (viewer, member, admin)
    ]
    right = await as_one(admin, "POST", address, body)

    assert ["access.denied", "approval.not_a_decider"] == refused
    assert (403, "approval.not_a_decider") == (around.status, around.json["code"])
    assert [True, True, False] == [token is None for token in tokens]
    assert str(tokens[2]).partition(".")[2] not in events
    assert [0, 0, 1] == mine
    assert (200, "admin@example.com") == (right.status, right.json["decided_by"])


async def test_a_letter_lets_its_receiver_decide(live: Live) -> None:
    """Who is named hears of it with a link of their own; looking decides nothing, the form decides once."""
    execution_id, approval = await asked(
        live, form=FORM, deciders=["Boss@Elsewhere.example", "owner@example.com"], description="<b>Now</b>"
    )
    mails = await letters(live, 2)
    path = next(link_in(text) for to, text in mails if to == "boss@elsewhere.example")
    french = await live.call("GET", path, headers={"accept-language": "de, fr;q=0.8"}, signed_in=False)
    still = (await live.get(f"/approvals/{approval['id']}")).json["status"]
    wrong = await by_form(live, path, decision="approved", answer__amount="many")
    right = await by_form(live, path, decision="approved", answer__amount="12", answer__urgent="true")
    again = await by_form(live, path, decision="rejected")
    found = await live.ended(execution_id)
    lines = (await live.get("/audit-logs?action=approval.decide")).json["data"]

    assert {"boss@elsewhere.example", "owner@example.com"} == {to for to, _ in mails}
    assert (200, True, False, "open") == (
        french.status, "Approuver" in french.body.decode(), "<b>Now</b>" in french.body.decode(), still,
    )  # fmt: skip
    assert "script" not in french.body.decode()
    assert "default-src 'none'" in french.headers["content-security-policy"]
    assert (400, True) == (wrong.status, "many" in wrong.body.decode())
    assert (200, 409) == (right.status, again.status)
    assert ({"amount": 12, "urgent": True}, "boss@elsewhere.example") == (
        found["result"]["decision_payload"], found["result"]["decided_by"],
    )  # fmt: skip
    assert [("approved", "boss@elsewhere.example")] == [
        (each["details"]["decision"], each["details"]["by_link"]) for each in lines
    ]


async def test_a_link_is_good_for_one_approval_only(live: Live) -> None:
    """A link that was changed, mixed with another, or sent to somebody who is asked no more opens nothing."""
    await asked(live, deciders=["ann@example.com"])
    (_, text), *_ = await letters(live, 1)
    path = link_in(text)
    await asked(live, deciders=["bob@example.com"])
    other = link_in(next(text for to, text in await letters(live, 2) if to == "bob@example.com"))
    parts, others = path.split("."), other.split(".")
    forged = [
        path[:-2] + ("AA" if path[-2:] != "AA" else "BB"),
        ".".join([parts[0], "ffffffff", *parts[2:]]),
        ".".join([parts[0], parts[1], others[2], parts[3]]),
        ".".join([others[0], *parts[1:]]),
        "/api/v1/approve/nothing",
    ]
    found = [(await live.call("GET", each, signed_in=False)).status for each in forged]
    found += [(await by_form(live, each, decision="approved")).status for each in forged]
    as_json = await live.call("POST", path, {"decision": "approved"}, signed_in=False)

    assert [404] * 10 == found
    assert 400 == as_json.status
    assert ["open", "open"] == [each["status"] for each in (await live.get("/approvals")).json["data"]]


async def test_a_link_ends_with_its_deadline_and_an_escalation_asks_others(live: Live) -> None:
    """At the deadline others get a letter; the first link opens nothing, the second decides."""
    execution_id, approval = await asked(
        live,
        deciders=["ann@example.com"],
        timeout_s=3,
        on_timeout="escalate",
        escalate_to=["boss@example.com"],
    )
    (_, text), *_ = await letters(live, 1)
    mails = await letters(live, 2)
    late = await live.call("GET", link_in(text), signed_in=False)
    to, second = next(each for each in mails if each[0] == "boss@example.com")
    now = (await live.get(f"/approvals/{approval['id']}")).json
    right = await by_form(live, link_in(second), decision="rejected", comment="no")
    found = await live.ended(execution_id)

    assert (404, 200) == (late.status, right.status)
    assert (2, ["boss@example.com"], "open") == (now["round"], now["deciders"], now["status"])
    assert ("rejected", to, "no") == (
        found["result"]["decision"], found["result"]["decided_by"], found["result"]["comment"],
    )  # fmt: skip


async def test_somebody_removed_decides_no_more(live: Live) -> None:
    """A member's link ends with the membership when the role was asked and not the address."""
    await colleague(live, "admin")
    await asked(live, deciders=["role:admin"])
    (_, text), *_ = await letters(live, 1)
    workspace_id = live.running.owner.user.workspace_id
    member = next(
        each
        for each in await live.running.plane.records.tenancy.members(workspace_id)
        if each.email == "admin@example.com"
    )
    await live.call("DELETE", f"/members/{member.user_id}")
    refused = await by_form(live, link_in(text), decision="approved")

    assert 409 == refused.status


async def test_links_survive_the_sealing_of_keys_anew(live: Live) -> None:
    """After the sealing key was rotated and secrets were sealed again, a link sent before still decides."""
    execution_id, _ = await asked(live, deciders=["ann@example.com"])
    (_, text), *_ = await letters(live, 1)
    read = vault.key_source(live.home / "keys", None, None)
    vault.add_key(live.home / "keys")
    sealed = await Resealing(
        SqlSealedRows(Statements(live.running.database.pool)), vault.AesSecretBox(*read(), read)
    ).do(Turn(token=0))
    right = await by_form(live, link_in(text), decision="approved")

    assert (1, 0) == (sealed["sealed"], sealed["unreadable"])
    assert (200, "completed") == (right.status, (await live.ended(execution_id))["status"])


async def test_reminders_go_to_what_is_still_open(live: Live) -> None:
    """A reminder is written once when it is due, with a link, and none once it was decided."""
    _, approval = await asked(live, deciders=["ann@example.com", "owner@example.com"], remind_every_s=60)
    await letters(live, 2)
    plane = live.running.plane
    make_due = "UPDATE control.approval_links SET remind_at = 1"
    pool = live.running.database.pool
    await pool.execute(make_due)
    first = [await plane.approval_letters.remind(), await plane.approval_letters.remind()]
    mails = await letters(live, 4)
    await live.post(f"/approvals/{approval['id']}/decision", {"decision": "rejected"})
    await until(live, "/approvals?status=decided", bool)
    await pool.execute(make_due)

    assert ([1, 0], 0) == (first, await plane.approval_letters.remind())
    assert all(link_in(text) for _, text in mails)


async def test_one_that_cannot_be_reminded_of_keeps_no_other_back(live: Live) -> None:
    """An approval whose key cannot be opened any more is reminded of no further; the next one is."""
    _, broken = await asked(live, deciders=["ann@example.com"], remind_every_s=60)
    await asked(live, deciders=["bob@example.com"], remind_every_s=60)
    await letters(live, 2)
    await live.running.database.pool.execute(
        "UPDATE control.approval_links SET remind_at = CASE id WHEN $1 THEN 1 ELSE 2 END,"
        " sealed = CASE id WHEN $1 THEN 'nothing' ELSE sealed END",
        broken["id"],
    )
    told = [await live.running.plane.approval_letters.remind() for _ in range(2)]
    receivers = [to for to, _ in await letters(live, 3)]

    assert ([1, 0], ["ann@example.com", "bob@example.com", "bob@example.com"]) == (told, sorted(receivers))


async def test_letters_of_an_approval_are_written_once(live: Live) -> None:
    """A process that ended before it noted the letters writes no second ones."""
    await asked(live, deciders=["ann@example.com"])
    await letters(live, 1)
    pool = live.running.database.pool
    await pool.execute("UPDATE engine.approvals SET told_round = 0")
    told = await live.running.plane.approval_letters.tell()
    kept = await pool.fetchval("SELECT count(*) FROM control.notifications")

    assert (1, 1) == (told, kept)


async def test_another_workspace_sees_no_approval(live: Live) -> None:
    """Whoever belongs elsewhere finds nothing under the id, nor in the list."""
    _, approval = await asked(live)
    plane = live.running.plane
    async with plane.records.transaction() as records:
        user = await plane.accounts.add(records, "eve@example.com", "x", verified=True)
    eve = {"authorization": f"Bearer {(await plane.sign_ins.issue(user)).access_token}"}
    found = [
        await live.call("GET", f"/approvals/{approval['id']}", headers=eve),
        await live.call(
            "POST", f"/approvals/{approval['id']}/decision", {"decision": "approved"}, headers=eve
        ),
    ]

    assert [404, 404] == [each.status for each in found]
    assert [] == (await live.call("GET", "/approvals?status=all", headers=eve)).json["data"]
