"""The life of a test run of a part, in the editor: one step, up to here; pins; what is stale."""

from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window
from linkflow.testing.receiver import Receiver, Scripted


def spec(address: str) -> Any:
    """Ask, count, tell."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
        "nodes": [
            {
                "id": "ask", "type": "http.request", "label": "Ask",
                "config": {"url": f"{address}/ask"}, "position": {"x": 280, "y": 0},
            },
            {
                "id": "count", "type": "data.set", "label": "Count",
                "config": {"values": {"n": "{{ ask.body.n + 1 }}"}}, "position": {"x": 560, "y": 0},
            },
            {
                "id": "tell", "type": "http.request", "label": "Tell",
                "config": {"url": f"{address}/tell"}, "position": {"x": 840, "y": 0},
            },
        ],
        "edges": [
            {"source": "start", "target": "ask"},
            {"source": "ask", "target": "count"},
            {"source": "count", "target": "tell"},
        ],
    }  # fmt: skip


async def test_parts_run_pins_stand_and_changes_make_stale(ui: Window, receiver: Receiver) -> None:
    """A step runs alone with earlier data; a pin stands for its step in tests only; changes are marked."""
    receiver.answer("/ask", Scripted(200, {"n": 1}))
    receiver.answer("/tell", Scripted(200, {"ok": True}))
    workflow_id = await ui.live.made(spec(receiver.address))
    first = await ui.live.start(workflow_id)
    await ui.live.ended(first)
    await ui.open(f"/w/{workflow_id}/edit?node=count&exec={first}")
    await expect(ui.card("tell")).to_have_attribute("data-status", "success")
    await ui.click("Run this step")
    await expect(ui.card("tell")).not_to_have_attribute("data-status", "success")
    await expect(ui.card("count")).to_have_attribute("data-status", "success")
    alone = [call.path for call in receiver.calls]
    await ui.click("Step before")
    await ui.page.get_by_role("tab", name="Output").click()
    await ui.click("Edit output")
    await ui.page.get_by_label("Output", exact=True).last.fill('{"body": {"n": 41}}')
    await ui.page.get_by_role("dialog").get_by_role("button", name="Pin", exact=True).click()
    await expect(ui.card("ask").get_by_role("img", name="Pinned output")).to_be_visible()
    await expect(ui.card("count").locator("[data-stale]")).to_have_count(0)
    await ui.click("Step after")
    await ui.click("More ways to run")
    await ui.page.get_by_role("menuitem", name="Run up to here").click()
    await expect(ui.page.get_by_test_id("data")).to_contain_text("42")
    tested = [call.path for call in receiver.calls]
    await ui.page.get_by_role("tab", name="Parameters").click()
    await ui.page.locator('[data-field="values"]').fill('{"n": 0}')
    await expect(ui.card("count").locator("[data-stale]")).to_be_visible()
    await ui.click("Publish")
    await expect(ui.page.get_by_test_id("pins")).to_contain_text("Ask")
    await ui.page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    await expect(ui.page.get_by_role("dialog")).to_have_count(0)
    await ui.live.ended(await ui.live.start(workflow_id))

    assert (["/ask", "/tell"], ["/ask", "/tell"], ["/ask", "/tell", "/ask", "/tell"]) == (
        alone,
        tested,
        [call.path for call in receiver.calls],
    )


async def test_a_past_run_of_a_draft_shows_what_ran_and_is_retried(ui: Window, receiver: Receiver) -> None:
    """The graph is the one that ran, with what has changed since; a retry may take the mended workflow."""
    receiver.answer("/ask", Scripted(200, {"n": 1}))
    receiver.answer("/tell", Scripted(400, {"sorry": True}))
    receiver.answer("/mended", Scripted(200, {"ok": True}))
    before = spec(receiver.address)
    workflow_id = await ui.live.made(before)
    execution_id = (await ui.live.post(f"/workflows/{workflow_id}/test-run")).json["execution_id"]
    await ui.live.ended(execution_id)
    after = spec(receiver.address)
    after["nodes"][2]["config"]["url"] = f"{receiver.address}/mended"
    after["nodes"].append(
        {"id": "later", "type": "data.set", "label": "Later", "config": {"values": {"n": 1}}}
    )
    after["edges"].append({"source": "tell", "target": "later"})
    await ui.live.put(f"/workflows/{workflow_id}/draft", after)
    await ui.open(f"/executions/{execution_id}")
    banner = ui.page.get_by_test_id("ran")
    await expect(banner).to_contain_text("Tell, Later")
    await expect(ui.card("tell")).to_have_attribute("data-status", "error")
    await expect(ui.card("later")).to_have_count(0)
    await banner.get_by_role("button", name="Show what changed").click()
    await expect(ui.card("later")).to_have_attribute("data-change", "added")
    await ui.click("More ways to retry")
    await ui.page.get_by_role("menuitem", name="Retry with the workflow of today").click()
    await expect(ui.card("later")).to_have_attribute("data-status", "success")

    assert ["/ask", "/tell", "/mended"] == [call.path for call in receiver.calls]


async def test_a_part_runs_from_here_with_the_data_of_any_run(ui: Window, receiver: Receiver) -> None:
    """Of two runs one is chosen in the Input pane; from here on runs with its data, not what is before."""
    receiver.answer("/ask", Scripted(200, {"n": 1}), Scripted(200, {"n": 10}))
    receiver.answer("/tell", Scripted(200, {"ok": True}))
    workflow_id = await ui.live.made(spec(receiver.address))
    older = await ui.live.start(workflow_id)
    await ui.live.ended(older)
    await ui.live.ended(await ui.live.start(workflow_id))
    before = len(receiver.calls)
    await ui.open(f"/w/{workflow_id}/edit?node=count")
    await expect(ui.page.get_by_test_id("preview-values").locator("[data-value]")).to_have_text('{"n":11}')
    await ui.page.get_by_role("tab", name="Input").click()
    await ui.page.get_by_label("Data of the run").select_option(older)
    await ui.click("More ways to run")
    await ui.page.get_by_role("menuitem", name="Run from here on").click()
    await ui.page.get_by_role("tab", name="Output").click()
    await expect(ui.page.get_by_test_id("data")).to_contain_text('"n": 2')
    await expect(ui.card("tell")).to_have_attribute("data-status", "success")

    assert ["/tell"] == [call.path for call in receiver.calls[before:]]


async def test_a_credential_that_is_missing_is_made_in_place(ui: Window, receiver: Receiver) -> None:
    """Detail 25: the field says that it is missing; it is made there, chosen, and the step runs with it."""
    receiver.answer("/ask", Scripted(200, {"n": 1}))
    made = spec(receiver.address)
    made["nodes"][0]["config"]["credential"] = "shop"
    workflow_id = await ui.live.made(made)
    await ui.open(f"/w/{workflow_id}/edit?node=ask")
    await expect(ui.page.get_by_text("There is no credential “shop” yet.")).to_be_visible()
    await ui.click("New credential")
    dialog = ui.page.get_by_role("dialog", name="New credential")
    await dialog.get_by_label("Type").select_option(label="Bearer token")
    await expect(dialog.get_by_label("Name", exact=True)).to_have_value("shop")
    await dialog.get_by_label("Token", exact=False).first.fill("a-very-secret-token")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)
    await expect(ui.page.locator('[data-field="credential"]')).to_have_value("shop")
    await expect(ui.page.get_by_text("There is no credential")).to_have_count(0)
    await ui.click("Run this step")
    await expect(ui.card("ask")).to_have_attribute("data-status", "success")

    assert "Bearer a-very-secret-token" == receiver.calls[0].headers.get("authorization")
