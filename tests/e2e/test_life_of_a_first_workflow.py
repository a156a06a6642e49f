"""The life of a first workflow: from an empty database to green, by four clicks and by keyboard alone."""

import asyncio

from playwright.async_api import Browser, Response, Route, expect

from linkflow.testing.browser import Window, fresh
from linkflow.testing.control import OWNER
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

GREEN = ".card[data-status=success]"


async def test_a_template_is_green_after_four_clicks(browser: Browser, live: Live) -> None:
    """From an empty database: sign in, choose a template, run it green, in at most 4 clicks."""
    ui = await fresh(browser, live)
    await ui.open("/")
    await ui.sign_in(OWNER)
    await ui.click("Start from a template")
    await ui.click("Use: Hello")
    await expect(ui.page.get_by_test_id("problems")).to_have_text("No problems")
    await ui.click("Run")
    explained = ui.page.get_by_test_id("explain")
    await expect(explained.locator("[data-status=completed]")).to_be_visible()
    await expect(ui.page.locator(GREEN)).to_have_count(3)
    await ui.context.close()

    assert (4, []) == (ui.clicks, ui.errors)


async def test_the_sample_is_green_after_one_click(ui: Window) -> None:
    """At a first start there are three choices; one of them makes a sample and runs it green at once."""
    await ui.open("/")
    await expect(ui.page.locator("main").get_by_role("button")).to_have_count(3)
    await ui.click("Run the sample")
    await expect(ui.page.get_by_test_id("explain").locator("[data-status=completed]")).to_be_visible()
    await expect(ui.page.locator(".card").first).to_be_visible()
    await expect(ui.page.locator(GREEN)).to_have_count(await ui.page.locator(".card").count())

    assert ui.clicks == 1


async def test_a_run_may_come_before_its_draft(ui: Window) -> None:
    """Whatever order the server answers in, the run is shown on the canvas once the draft is there."""
    workflow_id = (await ui.live.post("/templates/hello/use")).json["id"]
    execution_id = (await ui.live.post(f"/workflows/{workflow_id}/test-run")).json["execution_id"]
    await ui.live.ended(execution_id)
    came = asyncio.Event()

    def seen(answer: Response) -> None:
        if f"/executions/{execution_id}" in answer.url:
            came.set()

    async def late(route: Route) -> None:
        await came.wait()
        await route.continue_()

    ui.page.on("response", seen)
    await ui.page.route(f"**/api/v1/workflows/{workflow_id}", late)
    await ui.open(f"/w/{workflow_id}/edit?exec={execution_id}")

    await expect(ui.page.locator(GREEN)).to_have_count(3)


async def test_a_workflow_is_built_by_keyboard_alone(ui: Window, receiver: Receiver) -> None:
    """Webhook, condition, HTTP request, respond: built and run without a mouse."""
    receiver.answer("/orders", Scripted(200, {"ok": True}))
    keys = ui.page.keyboard
    await ui.open("/")
    await ui.tab_to("Draw your own")
    await keys.press("Enter")
    await expect(ui.page.get_by_label("Name", exact=True)).to_be_focused()
    await keys.type("Check an order")
    await ui.tab_to("By hand")
    await keys.press("ArrowRight")
    await keys.press("Enter")
    await expect(ui.card("start")).to_be_visible()
    await ui.add("condition")
    await ui.tab_to("Expression")
    await keys.type("1 < 2")
    await keys.press("Escape")
    await ui.add("http request")
    await ui.tab_to("Url")
    await keys.type(f"{receiver.address}/orders")
    await keys.press("Escape")
    await ui.add("respond")
    await keys.press("Escape")
    await ui.saved()
    await keys.press("Control+Enter")
    await expect(ui.page.get_by_test_id("explain").locator("[data-status=completed]")).to_be_visible()
    await keys.press("1")
    await expect(ui.page.locator(".card[data-status=success]")).to_have_count(4)
    found = (await ui.live.get("/workflows")).json["data"][0]
    spec = (await ui.live.get(f"/workflows/{found['id']}/draft")).json["spec"]

    assert (
        "Check an order",
        "trigger.webhook",
        ["logic.condition", "http.request", "webhook.respond"],
        [("start", "condition"), ("condition", "request"), ("request", "respond")],
    ) == (
        found["name"],
        spec["trigger"]["type"],
        [node["type"] for node in spec["nodes"]],
        [(edge["source"], edge["target"]) for edge in spec["edges"]],
    )
