"""The life of an address: it names its workspace, wherever whoever opens it was before."""

import asyncio
import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, expect

from linkflow.testing.browser import Window, fresh, window
from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.live import Live
from linkflow.testing.receiver import GENEROUS_S

SPEC: dict[str, Any] = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
GRACE = "grace@example.com"
HOME = re.compile("Home|Hello|Begin|Welcome")
FAILS = SPEC | {
    "nodes": [{"id": "sum", "type": "data.math", "config": {"expression": "1 / 0"}}],
    "edges": [{"source": "start", "target": "sum"}],
}


class Shop:
    """A workspace that the owner made, beside their own."""

    def __init__(self, live: Live, workspace_id: str) -> None:
        self.live, self.id, self.path = live, workspace_id, f"/workspaces/{workspace_id}"

    async def post(self, path: str, body: Any) -> Any:
        """Ask for something there."""
        reply = await self.live.post(f"{self.path}{path}", body)
        assert reply.status < 300, reply.body
        return reply.json

    async def failed(self) -> str:
        """Let an execution fail there."""
        made = await self.post("/workflows", {"name": "Orders", "spec": FAILS})
        started = await self.post(f"/workflows/{made['id']}/execute", {"input": {}})
        return str(started["execution_id"])


@pytest_asyncio.fixture(loop_scope="session")
async def shop(live: Live) -> Shop:
    """Make another workspace."""
    return Shop(live, (await live.post("/workspaces", {"name": "Shop"})).json["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def grace(live: Live, browser: Browser) -> AsyncIterator[Window]:
    """Open a window at the page of signing in, for somebody who has an account of her own."""
    body = {"email": GRACE, "password": PASSWORD, "name": "Grace"}
    made = await live.call("POST", "/auth/register", body, signed_in=False)
    assert made.status == 201, made.body
    found = await fresh(browser, live)
    yield found
    await found.context.close()


async def enter(ui: Window, name: str) -> None:
    """Go to another workspace by the menu."""
    switch = ui.page.get_by_label("Workspace", exact=True)
    value = await switch.locator("option", has_text=name).get_attribute("value")
    async with ui.loading():
        await switch.select_option(value)
    await ui.stands_in(name)


async def letter(live: Live) -> str:
    """Wait for a letter, and read it."""
    with live.running.plane.bus.subscribe("notifications") as changes:
        async with asyncio.timeout(GENEROUS_S):
            while not (found := list((live.home / "mail").glob("*.eml"))):
                await changes.nudged(0.1)
    text = message_from_bytes(found[0].read_bytes()).get_payload(decode=True)
    assert isinstance(text, bytes)
    return text.decode()


async def test_a_letters_link_opens_in_its_workspace(ui: Window, shop: Shop) -> None:
    """Whoever was at home last sees the execution that a letter is about, and stays in its workspace."""
    channels = [{"kind": "email", "to": ["owner@example.com"]}]
    await shop.post("/alerts", {"name": "Watch", "kind": "failure", "channels": channels})
    await ui.open("/workflows")
    await ui.stands_in("Personal")
    execution_id = await shop.failed()
    link = re.search(r"https?://\S+", await letter(ui.live))
    assert link
    await ui.page.goto(link[0])
    await expect(ui.page.get_by_test_id("status")).to_contain_text("Failed")
    await ui.stands_in("Shop")
    await ui.page.get_by_role("tab", name="Events").click()
    await ui.page.reload()
    await expect(ui.page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    await ui.stands_in("Shop")
    await ui.page.get_by_role("link", name="Executions").last.click()
    await expect(ui.page).to_have_url(f"{ui.live.address}/executions?in={shop.id}")

    assert f"{ui.live.address}/executions/{execution_id}?in={shop.id}" == link[0]


async def test_an_address_is_sent_to_a_colleague(ui: Window, grace: Window, shop: Shop) -> None:
    """A copied address leads a member there, through the page of signing in, though it is not their own."""
    asked = await shop.post("/invitations", {"email": GRACE, "role": "member"})
    token = asked["link"].rstrip("/").rpartition("/")[2]
    path, body = f"/invitations/{token}/accept", {"password": PASSWORD}
    joined = await ui.live.call("POST", path, body, signed_in=False)
    assert joined.status == 200, joined.body
    workflow_id = (await shop.post("/workflows", {"name": "Orders", "spec": SPEC}))["id"]
    await ui.open("/workflows")
    await enter(ui, "Shop")
    await ui.click("Workflows", "link")
    await ui.click("Orders", "link")
    await expect(ui.page.locator(".react-flow__node").first).to_be_visible()
    copied = ui.page.url
    await grace.page.goto(copied)
    await grace.sign_in(GRACE)
    await expect(grace.page.locator(".react-flow__node").first).to_be_visible()
    landed = grace.page.url
    await grace.add("Set")
    await grace.saved()
    spec = (await ui.live.get(f"{shop.path}/workflows/{workflow_id}/draft")).json["spec"]

    assert (copied, ["data.set"]) == (landed, [node["type"] for node in spec["nodes"]])


async def test_who_is_no_member_is_told_so(ui: Window, grace: Window, shop: Shop) -> None:
    """A stranger's address is no missing page but words, the way home, and whom to sign in as instead."""
    execution_id = await shop.failed()
    await grace.open(f"/executions/{execution_id}?in={shop.id}")
    await grace.sign_in(GRACE)
    page = grace.page
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are not a member of this workspace")
    await expect(page.locator("main")).to_contain_text("You are signed in as grace@example.com")
    named = page.url
    async with grace.loading():
        await grace.click("Go to your own workspace")
    await expect(page.get_by_role("heading", level=1)).to_have_text(HOME)
    home, there = page.url, f"{ui.live.address}/executions/{execution_id}?in={shop.id}"
    await page.goto(named)
    await grace.click("Sign out")
    await grace.sign_in(OWNER)
    await expect(page.get_by_test_id("status")).to_contain_text("Failed")

    assert (f"{ui.live.address}/", there) == (home, named)


async def test_what_is_missing_may_be_elsewhere(ui: Window, shop: Shop) -> None:
    """What is not in this workspace is offered in the others, by the same address there."""
    ui.expected.append("404")
    execution_id = await shop.failed()
    await ui.open(f"/executions/{execution_id}?view=events")
    problem = ui.page.get_by_role("alert")
    await expect(problem).to_contain_text("It may be in another of your workspaces")
    async with ui.loading():
        await problem.get_by_role("link", name="Shop").click()
    await expect(ui.page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")

    assert ui.page.url == f"{ui.live.address}/executions/{execution_id}?view=events&in={shop.id}"


async def test_addresses_at_home_stay_clean(ui: Window, shop: Shop) -> None:
    """One's own workspace is not named; a tab opened from there is there, wherever another tab went."""
    await ui.live.made(SPEC, "At home")
    await ui.open("/workflows")
    other = await window(ui.context, ui.live)
    await other.open("/")
    await enter(other, "Shop")
    await ui.page.evaluate("dispatchEvent(new Event('focus'))")  # what a browser with a screen does by itself
    async with ui.context.expect_page() as opened:
        await ui.page.get_by_role("link", name="At home").click(button="middle")
    third = await opened.value
    await expect(third.locator(".react-flow__node").first).to_be_visible()

    assert ("in=" in third.url, "in=" in ui.page.url, other.errors) == (False, False, [])


async def test_back_and_forward_cross_a_switch(ui: Window, shop: Shop) -> None:
    """Going back shows what was shown, in the workspace where it was; so does going forward."""
    await ui.live.made(SPEC, "At home")
    await ui.open("/workflows")
    await enter(ui, "Shop")
    await ui.click("Workflows", "link")
    await expect(ui.page.get_by_text("At home")).to_have_count(0)
    await ui.page.go_back()
    await ui.stands_in("Shop")
    await ui.page.go_back()
    await ui.stands_in("Personal")
    await expect(ui.page.get_by_role("link", name="At home")).to_be_visible()
    await ui.page.go_forward()
    await ui.stands_in("Shop")
    await ui.page.go_back()
    await ui.stands_in("Personal")
    await ui.click("Executions", "link")

    assert ui.page.url == f"{ui.live.address}/executions"
