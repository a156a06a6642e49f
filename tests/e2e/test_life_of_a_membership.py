"""The life of a membership: a workspace is made, entered, shared and left."""

import re

from playwright.async_api import Browser, expect

from linkflow.testing.browser import Window, fresh, window
from linkflow.testing.control import PASSWORD
from linkflow.testing.live import Live

HOME = re.compile("Home|Hello|Begin|Welcome")
SPEC = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}


async def test_a_workspace_is_made_entered_shared_and_left(ui: Window, browser: Browser, live: Live) -> None:
    """Whoever makes a workspace is in it at once; who is invited there sees it, and leaves it."""
    await live.made(SPEC, "At home")
    await ui.open("/admin/workspaces")
    await ui.click("New workspace")
    await ui.page.get_by_label("Name", exact=True).fill("Shop")
    async with ui.loading():
        await ui.click("Make it")
    await ui.stands_in("Shop")
    await ui.open("/workflows")
    await expect(ui.page.get_by_text("At home")).to_have_count(0)
    await ui.open("/admin/members")
    await ui.click("Invite")
    await ui.page.get_by_label("E-mail address").fill("grace@example.com")
    await ui.page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    link = await ui.page.get_by_test_id("once").inner_text()
    token = link.rstrip("/").rpartition("/")[2]
    body = {"password": PASSWORD, "name": "Grace"}
    joined = await live.call("POST", f"/invitations/{token}/accept", body, signed_in=False)
    assert joined.status == 200, joined.body
    grace = await fresh(browser, live)
    await grace.open("/sign-in")
    await grace.sign_in("grace@example.com")
    async with grace.loading():
        await grace.page.get_by_label("Workspace", exact=True).select_option(joined.json["workspace_id"])
    await grace.stands_in("Shop")
    await grace.open("/admin/members")
    await grace.click("Leave")
    async with grace.loading():
        await grace.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await expect(grace.page.get_by_label("Workspace", exact=True)).to_have_count(0)
    await grace.context.close()
    members = await live.get(f"/workspaces/{joined.json['workspace_id']}/members")
    async with ui.loading():
        await ui.page.get_by_label("Workspace", exact=True).select_option(index=0)
    await ui.open("/workflows")
    await expect(ui.page.get_by_text("At home")).to_be_visible()

    assert (1, []) == (len(members.json["data"]), grace.errors)


async def test_the_last_owner_cannot_leave_but_delete(ui: Window) -> None:
    """The only owner is told what to do instead; deleting asks for the name, and leads home."""
    made = (await ui.live.post("/workspaces", {"name": "Shop"})).json
    ui.expected.append("409")
    await ui.open("/admin/workspaces")
    async with ui.loading():
        await ui.click("Go there: Shop")
    await ui.stands_in("Shop")
    await ui.open("/admin/workspaces")
    await ui.click("Leave: Shop")
    dialog = ui.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Leave").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Make somebody else owner first")
    await dialog.get_by_role("button", name="Cancel").click()
    await ui.click("Rename: Shop")
    await dialog.get_by_label("Name", exact=True).fill("Old shop")
    await dialog.get_by_role("button", name="Save").click()
    await ui.click("Delete: Old shop")
    await expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    await dialog.get_by_label("Type Old shop to go on").fill("Old shop")
    async with ui.loading():
        await dialog.get_by_role("button", name="Delete").click()
    await expect(ui.page.get_by_role("heading", level=1)).to_be_visible()

    assert (await ui.live.get(f"/workspaces/{made['id']}")).status in (403, 404)


async def test_a_tab_stays_in_its_workspace(ui: Window) -> None:
    """Who goes elsewhere in one tab still saves edits of another; a new tab begins where they looked last."""
    await ui.live.post("/workspaces", {"name": "Shop"})
    workflow_id = await ui.live.made(SPEC, "At home")
    await ui.edit(workflow_id)
    other = await window(ui.context, ui.live)
    await other.open("/admin/workspaces")
    async with other.loading():
        await other.click("Go there: Shop")
    await other.stands_in("Shop")
    await ui.add("Set")
    await ui.saved()
    await ui.page.reload()
    await expect(ui.card("set")).to_be_visible()
    await other.open("/executions")
    await other.stands_in("Shop")
    third = await window(ui.context, ui.live)
    await third.open("/workflows")
    await third.stands_in("Shop")
    spec = await ui.draft(workflow_id)

    assert (["data.set"], []) == ([node["type"] for node in spec["nodes"]], other.errors + third.errors)


async def test_nobody_leaves_their_personal_workspace(ui: Window) -> None:
    """The workspace that came with the account is marked, and has no button to leave or delete it."""
    await ui.live.post("/workspaces", {"name": "Shop"})
    await ui.open("/admin/workspaces")
    rows = ui.page.get_by_role("table", name="Workspaces").locator("tbody tr")
    await expect(rows).to_have_count(2)
    buttons = {
        name: await rows.filter(has_text=name).get_by_role("button").all_inner_texts()
        for name in ("personal", "Shop")
    }

    assert buttons == {"personal": ["Rename"], "Shop": ["Go there", "Rename", "Leave", "Delete"]}
