"""The life of a subscription: an address is told what happens, its deliveries are read, it is paused."""

from playwright.async_api import expect

from linkflow.domain.callback import is_genuine
from linkflow.testing.browser import Window
from linkflow.testing.receiver import Receiver, Scripted


async def test_an_address_is_told_and_its_deliveries_are_read(ui: Window, receiver: Receiver) -> None:
    """The secret is shown once and signs what is sent; deliveries say how it went; a pause stops them."""
    receiver.answer("/told", Scripted(500), Scripted(200))
    await ui.open("/admin/subscriptions")
    await ui.click("New subscription")
    dialog = ui.page.get_by_role("dialog")
    await dialog.get_by_label("Address", exact=True).fill(f"{receiver.address}/told")
    await dialog.get_by_label("What it is for").fill("the shop")
    await dialog.get_by_label("workflow.created").check()
    await dialog.get_by_role("button", name="Save").click()
    secret = await ui.page.get_by_test_id("once").inner_text()
    await ui.click("Close")
    table = ui.page.get_by_role("table", name="Subscriptions")
    await expect(table).to_contain_text("the shop")
    await ui.click("Send a test")
    await expect(ui.page.get_by_text("Sent; see its deliveries")).to_be_visible()
    await ui.click("Deliveries")
    told = ui.page.get_by_role("table", name="Deliveries").locator("tbody tr")
    await expect(told).to_have_count(1)
    await expect(told.first).to_contain_text("500")
    await told.first.get_by_role("button", name="Replay").click()
    await expect(told.filter(has_text="Delivered")).to_have_count(1)
    await ui.click("Close")
    await ui.click("Pause")
    await expect(table).to_contain_text("Paused")
    shown = await ui.page.content()
    (subscription,) = (await ui.live.get("/webhook-subscriptions")).json["data"]
    calls = receiver.to("/told")

    assert (False, False, ["execution.failed", "workflow.created"]) == (
        secret in shown,
        subscription["is_active"],
        sorted(subscription["events"]),
    )
    assert all(
        is_genuine(secret, each.headers, each.body, float(each.headers["webhook-timestamp"]))
        for each in calls
    )
