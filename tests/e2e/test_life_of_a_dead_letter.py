"""The life of a dead letter, as its people see it: chosen, replayed or deleted, several at once."""

from playwright.async_api import expect

from linkflow.testing.browser import Window
from linkflow.testing.receiver import Receiver, Scripted


async def test_letters_are_chosen_replayed_and_deleted(ui: Window, receiver: Receiver) -> None:
    """Two of three letters are replayed at once and run; the third is deleted, and nothing is left."""
    receiver.answer("/shop", *[Scripted(500)] * 3, Scripted(200, {"ok": True}))
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {
                "id": "fetch", "type": "http.request", "retry": {"maxAttempts": 1},
                "config": {"url": f"{receiver.address}/shop"},
            }
        ],
        "edges": [{"source": "start", "target": "fetch"}],
    }  # fmt: skip
    workflow_id = await ui.live.made(spec, "Orders")
    for _ in range(3):
        await ui.live.ended(await ui.live.start(workflow_id))
    ui.page.on("dialog", lambda dialog: dialog.accept())
    await ui.open("/dead-letters")
    rows = ui.page.get_by_role("table", name="Dead letters").locator("tbody tr")
    await expect(rows).to_have_count(3)
    for index in (0, 2):
        await rows.nth(index).get_by_role("checkbox").check()
    await ui.click("Replay (2)")
    await expect(ui.page.get_by_text("Replayed 2, failed 0")).to_be_visible()
    await expect(rows).to_have_count(1)
    await ui.page.get_by_label("Choose all that are loaded").check()
    await ui.click("Delete (1)")
    await expect(ui.page.get_by_text("Nothing was given up on")).to_be_visible()
    await ui.open("/executions?status=completed")

    await expect(ui.page.locator("[data-status=completed]")).to_have_count(2)
