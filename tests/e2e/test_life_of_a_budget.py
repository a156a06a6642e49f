"""The life of a budget: it is set, counts, is reached and taken away."""

from playwright.async_api import expect

from linkflow.testing.browser import Window

SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "set", "type": "data.set", "config": {"values": {"n": 1}}}],
    "edges": [{"source": "start", "target": "set"}],
}


async def test_a_budget_is_set_counts_and_is_taken_away(ui: Window) -> None:
    """A limit stands with what was used of it; at the limit nothing starts; without it work goes on."""
    workflow_id = await ui.live.made(SPEC, "Orders")
    await ui.open("/admin/usage")
    await expect(ui.page.get_by_text("No budget is set.")).to_be_visible()
    await ui.click("Set a budget")
    dialog = ui.page.get_by_role("dialog")
    await dialog.get_by_label("Counted").select_option(label="each day")
    await dialog.get_by_label("What", exact=True).select_option(label="Executions")
    await dialog.get_by_label("At most").fill("1")
    await dialog.get_by_label("At the limit").select_option(label="Fail")
    await dialog.get_by_role("button", name="Save").click()
    budgets = ui.page.get_by_role("region", name="Budgets")
    await expect(budgets.get_by_text("each day")).to_be_visible()
    await expect(budgets).to_contain_text("0 / 1")
    first = await ui.live.ended(await ui.live.start(workflow_id))
    await ui.open("/admin/usage")
    await expect(budgets).to_contain_text("1 / 1")
    refused = await ui.live.post(f"/workflows/{workflow_id}/execute", {})
    await ui.click("Delete: each day")
    await expect(ui.page.get_by_text("No budget is set.")).to_be_visible()
    second = await ui.live.ended(await ui.live.start(workflow_id))

    assert ("completed", 402, "completed") == (first["status"], refused.status, second["status"])
