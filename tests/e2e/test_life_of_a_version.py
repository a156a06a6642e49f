"""The life of a version: named, published apart from the draft, compared on the canvas, brought back."""

from playwright.async_api import expect

from linkflow.testing.browser import Window

SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual", "label": "Start", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "kept", "type": "data.set", "label": "Kept",
            "config": {"values": {"n": 1}}, "position": {"x": 280, "y": 0},
        },
        {"id": "old", "type": "logic.noop", "label": "Old", "position": {"x": 560, "y": 0}},
    ],
    "edges": [{"source": "start", "target": "kept"}, {"source": "kept", "target": "old"}],
}  # fmt: skip
CHANGED = {
    "trigger": SPEC["trigger"],
    "nodes": [
        {
            "id": "kept", "type": "data.set", "label": "Kept",
            "config": {"values": {"n": 2}}, "position": {"x": 280, "y": 90},
        },
        {"id": "new", "type": "logic.noop", "label": "New", "position": {"x": 560, "y": 90}},
    ],
    "edges": [{"source": "start", "target": "kept"}, {"source": "kept", "target": "new"}],
}  # fmt: skip


async def test_a_version_is_named_compared_and_restored(ui: Window) -> None:
    """Detail 8: publishing names a version; the draft goes on; changes show; restoring makes a version."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.click("Publish")
    dialog = ui.page.get_by_role("dialog", name="Publish")
    await dialog.get_by_label("Name of the version").fill("The first one")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(ui.page.get_by_text("Published as version 1")).to_be_visible()
    await ui.live.put(f"/workflows/{workflow_id}/draft", CHANGED)
    published = (await ui.live.get(f"/workflows/{workflow_id}")).json["version"]
    await ui.open(f"/w/{workflow_id}/versions?from=1&to=draft")
    await expect(ui.page.get_by_text("The first one")).to_be_visible()
    for node, change in (("kept", "changed"), ("new", "added"), ("old", "removed")):
        await expect(ui.card(node)).to_have_attribute("data-change", change)
    await expect(ui.card("start")).not_to_have_attribute("data-change", "changed")
    await expect(ui.page.locator(".edge-added")).to_have_count(1)
    await expect(ui.page.locator(".edge-removed")).to_have_count(1)
    changes = ui.page.get_by_role("region", name="Changes")
    row = changes.get_by_role("row", name="config.values.n")
    await expect(row.locator("del")).to_have_text("1")
    await expect(row.locator("ins")).to_have_text("2")
    await ui.live.post(f"/workflows/{workflow_id}/publish")
    await ui.click("Restore: Version 1")
    await ui.page.get_by_role("dialog", name="Restore").get_by_role("button", name="Restore").click()
    await expect(changes).to_contain_text("Nothing differs")
    versions = (await ui.live.get(f"/workflows/{workflow_id}/versions")).json["data"]
    draft = (await ui.live.get(f"/workflows/{workflow_id}/draft")).json["spec"]

    assert (1, [3, 2, 1], ["kept", "old"]) == (
        published,
        [each["version"] for each in versions],
        [each["id"] for each in draft["nodes"]],
    )


async def test_publishing_says_what_stands_against_it(ui: Window) -> None:
    """A draft with errors cannot be published: the dialog says why, and leads to the list of problems."""
    broken = {**SPEC, "nodes": [{"id": "ask", "type": "http.request", "position": {"x": 280, "y": 0}}]}
    workflow_id = await ui.live.made({**SPEC})
    await ui.live.put(f"/workflows/{workflow_id}/draft", {**broken, "edges": []})
    await ui.edit(workflow_id)
    await expect(ui.page.get_by_test_id("problems")).to_contain_text("problem")
    await ui.click("Publish")
    dialog = ui.page.get_by_role("dialog", name="Publish")
    await expect(dialog.get_by_role("alert")).to_contain_text("url")
    await expect(dialog.get_by_role("button", name="Publish")).to_be_disabled()
    await dialog.get_by_role("button", name="Show problems").click()

    await expect(ui.page.get_by_role("region", name="Problems")).to_be_visible()
