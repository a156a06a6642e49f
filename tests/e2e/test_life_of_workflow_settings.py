"""The life of a workflow's settings: set in the editor, checked as one types, saved, followed, undone."""

from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window

SPEC: Any = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "note", "type": "data.set", "label": "Note",
            "config": {"values": {"n": "{{ vars.greeting }}"}}, "position": {"x": 280, "y": 0},
        }
    ],
    "edges": [{"source": "start", "target": "note"}],
    "settings": {"maxConcurrentExecutions": 4, "callbackUrl": "https://example.com/done"},
}  # fmt: skip


async def test_settings_are_set_checked_saved_and_undone(ui: Window) -> None:
    """Every setting of the spec has its field; what is wrong is said there, and the list leads there."""
    other = await ui.live.made(SPEC, "When it fails")
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.page.keyboard.press("Control+,")
    dialog = ui.page.get_by_role("dialog", name="Settings of the workflow")
    fill = {
        "settings.maxExecutionTimeMs": "90",
        "settings.timezone": "Africa/Nairobbi",
        "settings.priority": "2",
        "settings.debounce.seconds": "2.5",
        "settings.rate.limit": "100",
        "settings.budget.limits.attempts": "500",
        "settings.budget.limits.ai_tokens": "20000",
        "errorHandling.defaultRetry.maxAttempts": "5",
        "settings.variables": '{"greeting": "Jambo"}',
        "settings.attributes": '{"customer": "{{ trigger.customer }}"',
    }
    for path, text in fill.items():
        await dialog.locator(f'[data-setting="{path}"]').fill(text)
    limit = dialog.locator('[data-setting="settings.concurrency.limit"]')
    before = await limit.input_value()
    await limit.fill("2")
    await dialog.get_by_label("One too many").select_option("skip")
    await dialog.locator('[data-setting="settings.concurrency.key"]').fill("trigger.customer")
    await dialog.locator('[data-setting="settings.debounce.maxSeconds"]').fill("1")
    await dialog.locator('[data-setting="settings.debounce.key"]').fill("trigger.order")
    await dialog.locator('[data-setting="settings.rate.periodSeconds"]').fill("30")
    await dialog.get_by_label("One more in that time").select_option("skip")
    await expect(dialog.get_by_text("at least as long as debounce.seconds")).to_be_visible()
    await dialog.locator('[data-setting="settings.debounce.maxSeconds"]').fill("20")
    await dialog.get_by_label("Once it is used up").select_option("pause")
    await dialog.locator('[data-setting="settings.budget.decideWithinMs"]').fill("1.5")
    await dialog.get_by_label("Workflow that starts then").select_option(label="When it fails")
    await expect(dialog.get_by_text("There is no time zone 'Africa/Nairobbi'")).to_be_visible()
    await expect(dialog.get_by_text("That is not JSON.")).to_be_visible()
    await ui.page.keyboard.press("Escape")
    await ui.page.get_by_test_id("problems").click()
    listed = ui.page.get_by_role("region", name="Problems")
    await listed.get_by_role("button", name="There is no time zone").click()
    await expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    await ui.page.keyboard.press("Control+z")  # detail 4: still while a dialog is open
    await dialog.locator('[data-setting="settings.timezone"]').fill("Africa/Nairobi")
    await dialog.locator('[data-setting="settings.attributes"]').fill(
        '{"customer": "{{ trigger.customer }}"}'
    )
    await ui.page.keyboard.press("Escape")
    await expect(ui.page.get_by_test_id("problems")).to_have_text("No problems")
    await ui.saved()
    spec = (await ui.live.get(f"/workflows/{workflow_id}/draft")).json["spec"]
    undo = ui.page.get_by_role("button", name="Undo")
    for _ in range(60):
        if await undo.is_disabled():
            break
        await ui.page.keyboard.press("Control+z")
    await ui.saved()
    undone = (await ui.live.get(f"/workflows/{workflow_id}/draft")).json["spec"]

    assert ("4", SPEC["settings"], True) == (before, undone["settings"], "errorHandling" not in undone)
    assert {
        "maxExecutionTimeMs": 90_000,
        "timezone": "Africa/Nairobi",
        "priority": 2,
        "concurrency": {"limit": 2, "key": "trigger.customer", "onConflict": "skip"},
        "rate": {"limit": 100, "periodSeconds": 30, "onExceed": "skip"},
        "debounce": {"seconds": 2.5, "maxSeconds": 20, "key": "trigger.order"},
        "callbackUrl": "https://example.com/done",
        "budget": {
            "limits": {"attempts": 500, "ai_tokens": 20_000},
            "onExceeded": "pause",
            "decideWithinMs": 5_400_000,
        },
        "variables": {"greeting": "Jambo"},
        "attributes": {"customer": "{{ trigger.customer }}"},
    } == spec["settings"]
    assert {"defaultRetry": {"maxAttempts": 5}, "errorWorkflow": other} == spec["errorHandling"]
