"""The life of a step's limits: what it may take, and what follows when nobody knows, set in its panel."""

import json
from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window

SPEC: Any = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "pay", "type": "http.request", "label": "Pay", "position": {"x": 280, "y": 0},
            "config": {"method": "POST", "url": "https://pay.example/payments"},
        },
        {"id": "note", "type": "data.set", "label": "Note", "position": {"x": 560, "y": 0}},
    ],
    "edges": [{"source": "start", "target": "pay"}, {"source": "pay", "target": "note"}],
}  # fmt: skip


async def test_limits_of_a_step_are_set_and_saved(ui: Window) -> None:
    """What must happen at most once says what follows an unknown outcome; a look-up wants an address."""
    workflow_id = await ui.live.made(SPEC)
    await ui.open(f"/w/{workflow_id}/edit?node=pay")
    await ui.page.get_by_role("tab", name="Settings").click()
    await ui.page.get_by_label("Longest silence of an attempt (ms)").fill("5000")
    await ui.page.get_by_label("Longest wait for a worker (ms)").fill("30000")
    unknown = ui.page.get_by_label("When nobody knows whether it happened")
    await unknown.select_option("look_up")
    await expect(ui.page.get_by_test_id("problems")).not_to_have_text("No problems")
    await ui.page.get_by_test_id("problems").click()
    await expect(ui.page.get_by_text("looks up where its parameter")).to_be_visible()
    await unknown.select_option("park")
    await expect(ui.page.get_by_test_id("problems")).to_have_text("No problems")
    await ui.saved()
    (pay, _) = (await ui.live.get(f"/workflows/{workflow_id}")).json["spec"]["nodes"]

    assert (5000, 30000, "park") == (pay["heartbeatTimeout"], pay["scheduleToStart"], pay["unknown"])


async def test_where_a_step_looks_up_is_shown_before_it_runs(ui: Window) -> None:
    """What the look-up will ask is shown as one types; what judges its answer is saved and finds no fault."""
    workflow_id = await ui.live.made(SPEC)
    await ui.open(f"/w/{workflow_id}/edit?node=pay")
    await ui.page.get_by_text("More parameters").click()
    found = "{{response.body.items.length > 0}}"
    look_up = ui.page.get_by_role("textbox", name="Look up")
    await look_up.fill(json.dumps({"url": "https://pay.example/{{1 + 1}}", "found": found}))
    shown = ui.page.get_by_test_id("preview-look_up")
    await expect(shown.locator("[data-value]")).to_have_text('{"url":"https://pay.example/2"}')
    await expect(ui.page.get_by_test_id("problems")).to_have_text("No problems")
    await ui.saved()
    (pay, _) = (await ui.live.get(f"/workflows/{workflow_id}")).json["spec"]["nodes"]

    assert found == pay["config"]["look_up"]["found"]


async def test_what_runs_on_no_worker_has_no_such_limits(ui: Window) -> None:
    """A step that is decided at once waits for nobody, and its outcome is always known."""
    workflow_id = await ui.live.made(SPEC)
    await ui.open(f"/w/{workflow_id}/edit?node=note")
    await ui.page.get_by_role("tab", name="Settings").click()

    await expect(ui.page.get_by_label("Notes")).to_be_visible()
    await expect(ui.page.get_by_label("Longest wait for a worker (ms)")).to_have_count(0)
    await expect(ui.page.get_by_label("When nobody knows whether it happened")).to_have_count(0)
