"""What people do leaves lines; lines are chained; who changes one is found."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from linkflow.adapters.sql.records import SqlRecords
from linkflow.api.permissions import NEEDED
from linkflow.apps.cli import app as command_line
from linkflow.testing.control import OWNER, PASSWORD, Client, Reply, Stage, spec


@pytest_asyncio.fixture
async def stage(database_dsn: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """A control plane over a database of its own."""
    found = await Stage.open(database_dsn, tmp_path)
    yield found
    await found.close()


async def test_a_line_says_who_what_and_from_where(stage: Stage) -> None:
    """A change says the user, the sign-in, the address, the old and the new value."""
    workflow_id = await stage.workflow()
    await stage.client.call("PATCH", f"/api/v1/workflows/{workflow_id}", {"name": "Better"})
    me = (await stage.client.get("/api/v1/auth/me")).json["id"]
    line = (await stage.client.get("/api/v1/audit-logs?action=workflow.update")).json["data"][0]

    assert (me, "203.0.113.7", f"workflow:{workflow_id}") == (
        line["actor_id"],
        line["address"],
        line["resource"],
    )
    assert line["via"].startswith("sign-in:")
    assert ("Greeting", "Better") == (line["details"]["old"]["name"], line["details"]["new"]["name"])


async def test_lines_are_found(stage: Stage) -> None:
    """The log is listed newest first, by action, by family of actions and by resource, page by page."""
    first = await stage.workflow()
    second = await stage.workflow()
    await stage.client.call("PATCH", f"/api/v1/workflows/{first}", {"name": "B"})
    family = (await stage.client.get("/api/v1/audit-logs?action=workflow.")).json["data"]
    page = (await stage.client.get("/api/v1/audit-logs?limit=1&action=workflow.")).json
    rest = (await stage.client.get(f"/api/v1/audit-logs?after={page['next']}&action=workflow.")).json
    one = (await stage.client.get(f"/api/v1/audit-logs?resource=workflow:{second}")).json["data"]

    assert ["workflow.update", "workflow.create", "workflow.create"] == [each["action"] for each in family]
    assert family == [*page["data"], *rest["data"]]
    assert ["workflow.create"] == [each["action"] for each in one]


async def test_the_ends_of_many_chains_are_read_at_once(stage: Stage) -> None:
    """Who follows many logs asks once which of them have grown; a workspace without a line is left out."""
    await stage.workflow()
    own = (await stage.client.get("/api/v1/auth/me")).json["workspace_id"]
    log = SqlRecords(stage.database).audit_log
    head = await log.head(own)

    assert {own: head.number} == await log.ends([own, "00000000-0000-4000-8000-000000000000"])


async def test_a_changed_row_is_found(stage: Stage) -> None:
    """Done when 4: the chain verifies; after somebody changes a row in the database it does not."""
    for _ in range(3):
        await stage.workflow()
    before = (await stage.client.get("/api/v1/audit-logs/verify")).json
    await stage.database.pool.execute(
        "UPDATE control.audit_logs SET actor_id = 'nobody' WHERE number = $1 AND action = 'workflow.create'",
        before["lines"] - 1,
    )
    after = (await stage.client.get("/api/v1/audit-logs/verify")).json

    assert (True, False) == (before["holds"], after["holds"])
    assert [before["lines"] - 1] == [each["number"] for each in after["findings"]]


@pytest.mark.parametrize("which", ["min", "max"])
async def test_a_removed_row_is_found(stage: Stage, which: str) -> None:
    """The first and the last line are missed too: the first by whoever noted it, the last by its head."""
    first = (await stage.client.get("/api/v1/audit-logs")).json["data"][-1]
    await stage.workflow()
    await stage.workflow()
    await stage.database.pool.execute(
        f"DELETE FROM control.audit_logs WHERE number = (SELECT {which}(number) FROM control.audit_logs)"
    )
    noted = f"{first['number']}:{first['hash']}"
    found = (await stage.client.get(f"/api/v1/audit-logs/verify?expect={noted}")).json

    assert not found["holds"]


async def test_writers_at_the_same_time_follow_one_another(stage: Stage) -> None:
    """Many changes at once, and those that are rolled back, leave one chain without gaps."""
    await asyncio.gather(*(stage.workflow() for _ in range(12)))
    refused = await stage.client.post("/api/v1/variables", {"key": "not a key", "value": 1})
    await asyncio.gather(*(stage.workflow() for _ in range(4)))
    found = (await stage.client.get("/api/v1/audit-logs/verify")).json

    assert (True, 1, 400) == (found["holds"], found["first"], refused.status)
    assert found["lines"] >= 16


async def test_an_export_is_checked_without_linkflow(stage: Stage, tmp_path: Path) -> None:
    """`linkflow audit verify FILE` checks what was exported, and finds what was changed in the file."""
    await stage.workflow()
    exported = await stage.client.get("/api/v1/audit-logs/export")
    good, bad = tmp_path / "good.ndjson", tmp_path / "bad.ndjson"
    good.write_bytes(exported.body)
    lines = [json.loads(line) for line in exported.body.splitlines()]
    lines[0]["address"] = "192.0.2.1"
    bad.write_text("\n".join(json.dumps(line) for line in lines))
    results = [
        await asyncio.to_thread(CliRunner().invoke, command_line, ["audit", "verify", str(file)])
        for file in (good, bad)
    ]

    assert [0, 1] == [result.exit_code for result in results], [result.output for result in results]
    assert "audit.export" == lines[-1]["action"]


async def test_only_who_may_sees_the_log(stage: Stage) -> None:
    """A key that was given out for reading workflows reads no audit log."""
    made = await stage.client.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["workflow.view"]})
    key = made.json["token"] if "token" in made.json else made.json["key"]
    found = await stage.stranger.get("/api/v1/audit-logs", authorization=f"Bearer {key}")

    assert found.status == 403


async def test_sign_ins_leave_lines(stage: Stage) -> None:
    """B12: signing in, failing to, signing out and a stolen refresh token each leave a line of their own."""
    wrong = {"email": OWNER, "password": "wrong horse"}
    await stage.stranger.post("/api/v1/auth/login", wrong)
    signed_in = (await stage.stranger.post("/api/v1/auth/login", wrong | {"password": PASSWORD})).json
    renewal = {"refresh_token": signed_in["refresh_token"]}
    for _ in range(2):
        await stage.stranger.post("/api/v1/auth/refresh", renewal)
    await (await other_device(stage)).post("/api/v1/auth/logout")
    lines = (await stage.client.get("/api/v1/audit-logs?action=user.")).json["data"]
    expected = ["user.sign_out", "user.sign_in", "user.token_reused", "user.sign_in", "user.sign_in_failed"]

    assert expected == [line["action"] for line in lines][:5]
    assert {"203.0.113.7"} == {line["address"] for line in lines[:5]}
    assert ("", f"user:{signed_in['user']['id']}") == (lines[4]["actor_id"], lines[4]["resource"])


async def other_device(stage: Stage) -> Client:
    """Sign the owner in once more."""
    said = {"email": OWNER, "password": PASSWORD}
    return Client(stage.app, (await stage.stranger.post("/api/v1/auth/login", said)).json["access_token"])


async def test_a_try_under_an_unknown_address_costs_the_same_line(stage: Stage) -> None:
    """No enumeration: a failed sign-in writes one line whether somebody has the address or not."""
    count = "SELECT count(*) FROM control.audit_logs"
    added = []
    for email in (OWNER, "nobody@example.com"):
        before = await stage.database.pool.fetchval(count)
        await stage.stranger.post("/api/v1/auth/login", {"email": email, "password": "wrong horse"})
        added.append(await stage.database.pool.fetchval(count) - before)
    kept = await stage.database.pool.fetchval("SELECT string_agg(l::text, ' ') FROM control.audit_logs AS l")

    assert ([1, 1], False) == (added, "nobody@example.com" in kept)


async def test_what_leaves_and_what_is_declined_leaves_lines(stage: Stage) -> None:
    """Exports, a declined invitation and a request that is taken again leave a line each."""
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await stage.client.post(f"/api/v1/workflows/{workflow_id}/activate")
    hook = (await stage.client.get("/api/v1/webhooks")).json["data"][0]["id"]
    event = (await stage.stranger.post(f"/webhooks/{hook}", {"a": 1})).json["event_id"]
    await stage.client.post(f"/api/v1/inbox/{event}/replay")
    await stage.client.get(f"/api/v1/workflows/{workflow_id}/export")
    await stage.client.post("/api/v1/workflows/export-bulk", {"workflow_ids": [workflow_id]})
    link = (await stage.client.post("/api/v1/invitations", {"email": "x@example.com"})).json["link"]
    await stage.stranger.post(f"/api/v1/invitations/{link.rpartition('/')[2]}/decline")
    lines = (await stage.client.get("/api/v1/audit-logs?limit=5")).json["data"]

    assert [
        "member.decline", "member.invite", "workflow.export", "workflow.export", "inbox.replay",
    ] == [line["action"] for line in lines]  # fmt: skip
    assert "x@example.com" == lines[0]["details"]["email"]


async def test_work_on_a_draft_leaves_one_line(stage: Stage) -> None:
    """Autosaves leave a line when somebody begins to work on a draft, and another after ten minutes."""
    workflow_id = await stage.workflow()
    for number, pause_s in enumerate((0.0, 5.0, 5.0, 600.0, 5.0)):
        await stage.clock.turn(pause_s)
        saved = {"spec": spec(label=f"Draft {number}")}
        await stage.client.put(f"/api/v1/workflows/{workflow_id}/draft", saved)
    lines = (await stage.client.get("/api/v1/audit-logs?action=workflow.draft")).json["data"]

    assert [5, 2] == [line["details"]["revision"] for line in lines]
    assert {f"workflow:{workflow_id}"} == {line["resource"] for line in lines}


SAYS_SO_ITSELF = (
    "/webhooks/", "/api/v1/resume/", "/api/v1/jobs/", "/api/v1/events/", "/api/v1/inbox/",
    "/api/v1/searches", "/api/v1/ws/tickets", "/api/v1/invitations/{token}/", "/oauth/", "/api/v1/auth/",
    "/api/v1/executions/", "/api/v1/workflows/execute", "/api/v1/workflows/validate",
    "/api/v1/workflows/compile", "/api/v1/workflows/export-bulk", "/api/v1/expressions/", "/api/v1/approv",
)  # fmt: skip
"""Calls from outside and what people do to executions stand in histories and in the inbox, with who did it;
sign-ins, invitations, replays and exports have tests above, decisions one of their own; saved searches,
tickets and checks change nothing of others."""

RUNS = re.compile(r"/(execute|test-run|draft|pins|restore|versions|test)$")
"""Starts are executions; a draft is saved with every stroke, a test above says when that leaves a line."""

TRIED_ELSEWHERE = re.compile(
    r"/(admin|users|dead-letters|search-attributes|members|oauth|workspaces)\b"
    r"|/credentials/\{credential_id\}/refresh|PUT /api/v1/credentials|/templates/|/import$"
    r"|deliveries/\{delivery_id\}|PUT /api/v1/variables|/auth/"
)
"""They need more than one person, a provider or a failure; tests of their own look at them."""


class Watched(Client):
    """A client that notes which calls that change something left a line, and which did not."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.app, stage.client.token)
        self._stage = stage
        self.told: set[str] = set()
        self.silent: list[tuple[str, bytes]] = []

    async def call(self, method: str, address: str, *given: Any, **more: Any) -> Reply:
        """Send a request and count lines."""
        before = await self._count()
        found = await super().call(method, address, *given, **more)
        if method != "GET":
            (route,) = [
                f"{method} {path}"
                for verb, path in NEEDED
                if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address)
            ][:1]
            if await self._count() > before:
                self.told.add(route)
            else:
                self.silent.append((route, found.body))
        return found

    async def _count(self) -> int:
        """Count lines."""
        return int(await self._stage.database.pool.fetchval("SELECT count(*) FROM control.audit_logs"))


async def test_changes_leave_lines(stage: Stage) -> None:
    """Every route that changes something leaves a line, or is one of those that say so elsewhere."""
    client = Watched(stage)
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    base = f"/api/v1/workflows/{workflow_id}"
    await client.post(f"{base}/publish")
    await client.post(f"{base}/activate")
    await client.post(f"{base}/deactivate")
    await client.post(f"{base}/duplicate")
    await client.post(f"{base}/clone")
    await client.post("/api/v1/workflows", {"name": "New", "spec": spec()})
    await client.put(base, {"name": "Put"})
    await client.call("PATCH", base, {"name": "Patched"})
    changed = {"spec": spec(type="trigger.webhook", config={}, label="Else")}
    await stage.client.put(f"{base}/draft", changed)
    await client.post(f"{base}/publish")
    await client.post(f"{base}/versions/1/publish")
    hook = (await client.post("/api/v1/webhooks", {"workflow_id": workflow_id})).json["id"]
    await client.put(f"/api/v1/webhooks/{hook}", {"is_active": False})
    await client.post(f"/api/v1/webhooks/{hook}/regenerate-secret")
    hook = (await client.post(f"/api/v1/webhooks/{hook}/regenerate-uuid")).json["id"]
    hook = (await client.post(f"/api/v1/webhooks/{hook}/regenerate")).json["id"]
    await client.delete(f"/api/v1/webhooks/{hook}")
    told = {"url": "https://example.com/hook", "events": ["*"]}
    subscription = (await client.post("/api/v1/webhook-subscriptions", told)).json["id"]
    await client.put(f"/api/v1/webhook-subscriptions/{subscription}", {"description": "x"})
    await client.post(f"/api/v1/webhook-subscriptions/{subscription}/rotate-secret")
    await client.delete(f"/api/v1/webhook-subscriptions/{subscription}")
    schedule = (
        await client.post("/api/v1/schedules", {"workflow_id": workflow_id, "interval_s": 60.0})
    ).json["id"]
    await client.put(f"/api/v1/schedules/{schedule}", {"name": "Often"})
    await client.post(f"/api/v1/schedules/{schedule}/pause")
    await client.post(f"/api/v1/schedules/{schedule}/resume")
    await client.delete(f"/api/v1/schedules/{schedule}")
    credential = (await client.post("/api/v1/credentials", {"name": "c", "data": {"token": "t0p"}})).json[
        "id"
    ]
    await client.delete(f"/api/v1/credentials/{credential}")
    rule = {"name": "Fails", "kind": "failure", "channels": [{"kind": "email", "to": ["a@example.com"]}]}
    alert = (await client.post("/api/v1/alerts", rule)).json["id"]
    await client.put(f"/api/v1/alerts/{alert}", {"name": "Failed"})
    await client.delete(f"/api/v1/alerts/{alert}")
    await client.put("/api/v1/budgets/day", {"limits": {"sms_parts": 10}})
    await client.delete("/api/v1/budgets/day")
    await client.post("/api/v1/variables", {"key": "K", "value": 1})
    await client.delete("/api/v1/variables/K")
    key = (await client.post("/api/v1/auth/tokens", {"name": "ci"})).json["id"]
    await client.delete(f"/api/v1/auth/tokens/{key}")
    invitation = (await client.post("/api/v1/invitations", {"email": "x@example.com"})).json["id"]
    await client.delete(f"/api/v1/invitations/{invitation}")
    await client.delete(base)
    lines = (await client.get("/api/v1/audit-logs?limit=100")).json["data"]

    assert {
        "workflow.create", "workflow.publish", "workflow.activate", "workflow.deactivate", "workflow.delete",
        "webhook.create", "webhook.update", "webhook.regenerate_secret", "webhook.delete",
        "schedule.create", "schedule.update", "schedule.pause", "schedule.resume", "schedule.delete",
        "credential.create", "credential.delete", "variable.update", "variable.delete",
        "apikey.create", "apikey.delete", "member.invite", "member.withdraw",
    } <= {line["action"] for line in lines}  # fmt: skip
    assert "t0p" not in json.dumps(lines)
    assert [] == client.silent
    missing = {
        f"{method} {path}"
        for method, path in NEEDED
        if method != "GET"
        and not path.startswith(SAYS_SO_ITSELF)
        and not RUNS.search(path)
        and not TRIED_ELSEWHERE.search(f"{method} {path}")
    } - client.told
    assert set() == missing
