"""The life of a workspace, as its people see it: credentials, keys, members, what came in, decisions."""

import re
import time

from playwright.async_api import Browser, expect

from linkflow.domain.errors import Kind, NodeError
from linkflow.testing.browser import Window, fresh
from linkflow.testing.control import PASSWORD
from linkflow.testing.live import Live
from linkflow.testing.past import past_row, write_past
from linkflow.testing.receiver import Receiver, Scripted

HOOKED = {
    "trigger": {"id": "start", "type": "trigger.webhook", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "note", "type": "data.set", "config": {"values": {"n": "{{trigger.body.n}}"}},
            "position": {"x": 280, "y": 0},
        }
    ],
    "edges": [{"source": "start", "target": "note"}],
}  # fmt: skip
ASKS = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {
            "id": "ask", "type": "logic.approval",
            "config": {
                "title": "Refund the order?",
                "form": {
                    "type": "object", "required": ["amount"],
                    "properties": {"amount": {"type": "number", "title": "How much"}},
                },
            },
        }
    ],
    "edges": [{"source": "start", "target": "ask"}],
}  # fmt: skip

HOME = re.compile("Home|Hello")
"""Its heading, before and after the name of the user is known."""


async def test_a_credential_is_made_tested_and_never_shown(ui: Window, receiver: Receiver) -> None:
    """The form comes from the type; the button says whether it works; its secret is on no page again."""
    receiver.answer("/me", Scripted(200, {"ok": True}))
    await ui.open("/credentials")
    await ui.click("New credential")
    await ui.page.get_by_label("Type").select_option(label="Bearer token")
    await ui.page.get_by_label("Name", exact=True).fill("shop")
    await ui.page.get_by_label(re.compile("^Token")).fill("a-very-secret-token")
    await ui.page.get_by_label("Address that answers 2xx to a working credential").fill(
        f"{receiver.address}/me"
    )
    await ui.click("Save")
    await ui.click("Test: shop")
    await expect(ui.page.get_by_text("It works")).to_be_visible()
    await ui.click("Change: shop")
    await expect(ui.page.get_by_role("dialog")).to_contain_text("Leave empty to keep what is there")
    values = await ui.page.locator("input").evaluate_all("all => all.map((each) => each.value)")

    assert "a-very-secret-token" not in await ui.page.content() + str(values)


async def test_a_key_is_shown_once_and_works(ui: Window) -> None:
    """A new key stands in a dialog once; with it the API answers; afterwards it is on no page."""
    await ui.open("/admin/keys")
    await ui.click("New key")
    await ui.page.get_by_label("Name", exact=True).fill("script")
    await ui.page.get_by_label("May do").select_option(label="Only read")
    await ui.page.get_by_role("dialog").get_by_role("button", name="New key").click()
    token = await ui.page.get_by_test_id("once").inner_text()
    reads = await ui.live.get("/workflows", authorization=f"Bearer {token}")
    writes = await ui.live.post("/workflows", {"name": "no"}, authorization=f"Bearer {token}")
    await ui.click("Close")
    await expect(ui.page.get_by_role("table", name="API keys")).to_contain_text("script")

    assert (200, 403, False) == (reads.status, writes.status, token in await ui.page.content())


async def test_a_viewer_sees_no_buttons_that_would_be_refused(
    ui: Window, browser: Browser, live: Live
) -> None:
    """Somebody who may only look is invited, goes there, and finds pages without the buttons of others."""
    await ui.open("/admin/members")
    await ui.click("Invite")
    await ui.page.get_by_label("E-mail address").fill("grace@example.com")
    await ui.page.get_by_label("Role", exact=True).select_option(label="Viewer")
    await ui.page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    link = await ui.page.get_by_test_id("once").inner_text()
    joined = await live.call(
        "POST",
        f"/invitations/{link.rstrip('/').rpartition('/')[2]}/accept",
        {"password": PASSWORD, "name": "Grace"},
        signed_in=False,
    )
    assert joined.status == 200, joined.body
    await live.active(HOOKED, "Orders")
    viewer = await fresh(browser, live)
    await viewer.open("/sign-in")
    await viewer.sign_in("grace@example.com")
    async with viewer.loading():
        await viewer.page.get_by_label("Workspace").select_option(joined.json["workspace_id"])
    await expect(viewer.page.get_by_role("heading", name=HOME)).to_be_visible()
    seen: dict[str, list[str]] = {}
    for path in ("/workflows", "/credentials", "/admin/variables", "/admin/members", "/triggers"):
        await viewer.open(path)
        await expect(viewer.page.get_by_role("heading", level=1)).to_be_visible()
        await expect(viewer.page.get_by_text("Loading…")).to_have_count(0)
        texts = await viewer.page.locator("main button").all_inner_texts()
        seen[path] = [each for each in texts if re.search("New|Delete|Remove|Invite|Change|secret", each)]
    await viewer.open("/workflows")
    await expect(viewer.page.get_by_role("link", name="Orders")).to_be_visible()
    await viewer.context.close()

    assert not any(seen.values()), seen
    assert viewer.errors == []


async def test_a_request_is_listened_to_and_runs_the_draft(ui: Window) -> None:
    """What comes to the address is shown as it came, and the draft runs with it at a click."""
    workflow_id = await ui.live.active(HOOKED, "Orders")
    hook = await ui.live.hook(workflow_id)
    await ui.open("/triggers")
    await ui.click("Listen: Orders")
    await expect(ui.page.locator("[role=status][data-ready=true]")).to_be_visible()
    await ui.live.knock(hook, {"n": 42})
    dialog = ui.page.get_by_role("dialog")
    await expect(dialog.get_by_role("region", name="Body")).to_contain_text('"n": 42')
    await ui.click("Run the draft with it")
    await expect(ui.page.get_by_test_id("explain").locator("[data-status=completed]")).to_be_visible()
    found = (await ui.live.get("/executions?mode=test")).json["data"][0]

    assert await ui.live.output(found["id"], "note") == {"n": 42}


async def test_what_came_in_is_found_and_sent_again(ui: Window) -> None:
    """The inbox shows a request with what became of it, and sends it again."""
    hook = await ui.live.hook(await ui.live.active(HOOKED, "Orders"))
    await ui.live.knock(hook, {"n": 1})
    await ui.open("/inbox")
    await expect(ui.page.get_by_role("table", name="Inbox")).to_contain_text("Started")
    await ui.click("Look")
    await expect(ui.page.get_by_role("region", name="Body")).to_contain_text('"n": 1')
    await ui.click("Close")
    await ui.click("Replay")
    await expect(ui.page.get_by_text("Sent again")).to_be_visible()


async def test_a_decision_is_made_with_its_form(ui: Window) -> None:
    """An approval stands in the list with its form; the execution goes on with the answer."""
    execution_id = await ui.live.start(await ui.live.active(ASKS, "Refunds"))
    await ui.live.waits(execution_id)
    await ui.open("/approvals")
    asked = ui.page.get_by_role("list", name="Approvals").get_by_role("listitem")
    await expect(asked).to_contain_text("Refund the order?")
    await asked.get_by_label(re.compile("^How much")).fill("12.5")
    await asked.get_by_label("Comment").fill("as agreed")
    await ui.click("Approve")
    found = await ui.live.ended(execution_id)
    await ui.click("Decided")
    await expect(asked).to_contain_text("as agreed")

    assert (found["status"], "12.5" in str(await ui.live.output(execution_id, "ask"))) == ("completed", True)


async def test_a_letter_leads_to_the_one_decision_that_it_is_about(ui: Window) -> None:
    """The address in a letter shows one approval, also once it is decided, and the way to the others."""
    workflow_id = await ui.live.active(ASKS, "Refunds")
    for _ in range(2):
        await ui.live.waits(await ui.live.start(workflow_id))
    asked = ui.page.get_by_role("list", name="Approvals").get_by_role("listitem")
    await ui.open("/approvals")
    await expect(asked).to_have_count(2)
    waiting = (await ui.live.get("/approvals")).json["data"]
    await ui.open(f"/approvals?id={waiting[1]['id']}")
    await expect(asked).to_have_count(1)
    await asked.get_by_label("Comment").fill("as agreed")
    await ui.click("Reject")
    await expect(asked).to_contain_text("as agreed")
    await ui.click("All approvals", "link")
    await expect(asked).not_to_contain_text("as agreed")
    await expect(asked).to_have_count(1)
    rejected = (await ui.live.get(f"/approvals/{waiting[1]['id']}")).json

    assert "rejected" == rejected["status"]


async def test_the_log_of_changes_holds(ui: Window) -> None:
    """The audit page filters by action and says that the chain of its lines holds."""
    await ui.live.active(HOOKED, "Orders")
    await ui.open("/admin/audit?action=workflow.activate")
    await expect(ui.page.get_by_role("table", name="Audit").locator("tbody tr")).to_have_count(1)
    await ui.click("Verify")

    await expect(ui.page.get_by_text("The chain holds")).to_be_visible()


async def test_home_and_insights_say_what_failed(ui: Window, database_dsn: str) -> None:
    """Home names what failed in the last 24 hours and leads there; insights count it."""
    workflow_id = await ui.live.made(HOOKED, "Orders")
    user, now = ui.live.running.owner.user, time.time()
    lost = NodeError(code="http.status", kind=Kind.PERMANENT, message="the shop answered 404")
    good = [past_row(user.workspace_id, workflow_id, n, now - 120 - n) for n in range(9)]
    bad = past_row(user.workspace_id, workflow_id, 9, now - 60, status="failed", error=lost)
    await write_past(database_dsn, [*good, bad])
    await ui.open("/")
    await expect(ui.page.get_by_text("1 failed in the last 24 hours")).to_be_visible()
    failures = ui.page.get_by_role("region", name="Failures")
    await expect(failures.get_by_role("listitem")).to_have_count(1)
    await expect(failures).to_contain_text("the shop answered 404")
    await ui.open("/insights?range=day")
    await expect(ui.page.get_by_role("table", name="By workflow")).to_contain_text("Orders")
    await expect(ui.page.get_by_role("table", name="By error")).to_contain_text("http.status")

    await expect(ui.page.get_by_text("90%")).to_be_visible()


async def test_an_alert_is_made_and_tried(ui: Window, receiver: Receiver) -> None:
    """An alert that calls an address shows its secret once; a test of it arrives, and stands in the list."""
    receiver.answer("/alarm", Scripted(200, {}))
    await ui.open("/alerts")
    await ui.click("New alert")
    await ui.page.get_by_label("Name", exact=True).fill("Failures")
    await ui.page.get_by_label("Where").select_option(label="To an address")
    await ui.page.get_by_label("Address", exact=True).fill(f"{receiver.address}/alarm")
    await ui.click("Save")
    await expect(ui.page.get_by_test_id("once")).to_be_visible()
    await ui.click("Close")
    await ui.click("Send a test: Failures")
    await expect(ui.page.get_by_role("table", name="What was sent")).to_contain_text("Sent")

    assert [each.path for each in receiver.calls] == ["/alarm"]
