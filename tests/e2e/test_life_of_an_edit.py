"""The life of an edit: made, undone, copied, saved, kept while the network is away, merged with others'."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window, window

SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "first", "type": "data.set", "label": "First",
            "config": {"values": {"n": 1}}, "position": {"x": 280, "y": 0},
        },
        {
            "id": "second", "type": "data.set", "label": "Second",
            "config": {"values": {"n": "{{node_first.output.n}}"}}, "position": {"x": 560, "y": 0},
        },
    ],
    "edges": [
        {"id": "one", "source": "start", "target": "first"},
        {"id": "two", "source": "first", "target": "second"},
    ],
}  # fmt: skip


def shape(spec: Any) -> Any:
    """Say a spec by its steps and lines."""
    nodes = [spec["trigger"], *spec.get("nodes", [])]
    return (
        [(node["id"], node.get("label"), node["position"], node.get("config", {})) for node in nodes],
        [(edge["source"], edge["target"]) for edge in spec.get("edges", [])],
    )


async def test_everything_can_be_undone(ui: Window) -> None:
    """Adding, moving by arrow keys, naming, parameters, disabling, copies, tidying, deleting: all undone."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    await ui.card("second").click()
    await ui.add("condition")
    await ui.page.get_by_label("Name of the step").fill("Is it enough?")
    await ui.page.get_by_label("Expression", exact=True).fill("1 < 2")
    await keys.press("Escape")
    await ui.card("condition").click()
    await keys.press("Alt+ArrowDown")
    await keys.press("d")
    await keys.press("Control+d")
    await keys.press("Shift+Alt+T")
    await keys.press("Control+a")
    await keys.press("Delete")
    changed = shape(await ui.draft(workflow_id))
    undo = ui.page.get_by_role("button", name="Undo")
    for _ in range(40):
        if await undo.is_disabled():
            break
        await keys.press("Control+z")
    undone = shape(await ui.draft(workflow_id))
    await keys.press("Control+Shift+z")
    redone = shape(await ui.draft(workflow_id))

    assert (["start"], shape(SPEC), True) == (
        [node[0] for node in changed[0]],
        undone,
        redone != undone,
    )


async def test_steps_are_copied_as_json(ui: Window) -> None:
    """Copy and paste go through the clipboard as readable JSON; expressions follow the new ids."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.page.keyboard.press("Control+a")
    await ui.page.keyboard.press("Control+c")
    await expect(ui.page.get_by_text("3 steps copied as JSON")).to_be_visible()
    copied = json.loads(await ui.page.evaluate("navigator.clipboard.readText()"))
    await ui.page.keyboard.press("Control+v")
    await expect(ui.page.locator(".card")).to_have_count(6)
    spec = await ui.draft(workflow_id)
    pasted = {node["id"]: node.get("config", {}) for node in spec["nodes"]}

    assert (["start", "first", "second"], {"n": "{{node_set.output.n}}"}, 4) == (
        [node["id"] for node in copied["nodes"]],
        pasted["set_2"]["values"],
        len(spec["edges"]),
    )


async def test_a_step_is_put_on_a_line(ui: Window) -> None:
    """The sign on a line puts a step between its ends, in one step back."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.page.locator('.react-flow__edge[data-id="two"]').hover(force=True)
    await ui.page.get_by_role("button", name="Insert a step here").click()
    await ui.page.get_by_role("combobox").fill("filter")
    await ui.page.keyboard.press("Enter")
    await expect(ui.card("filter")).to_be_visible()
    with_it = shape(await ui.draft(workflow_id))[1]
    await ui.page.keyboard.press("Escape")
    await ui.page.keyboard.press("Control+z")
    await expect(ui.card("filter")).to_have_count(0)

    assert ({("start", "first"), ("first", "filter"), ("filter", "second")}, shape(SPEC)) == (
        set(with_it),
        shape(await ui.draft(workflow_id)),
    )


async def test_edits_outlive_the_network_and_the_page(ui: Window) -> None:
    """Without the server the state says so, and after a new load of the page the edits are back and saved."""
    ui.expected += ["ERR_FAILED", "Failed to fetch"]
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    drafts = re.compile(r"/draft$")
    await ui.page.route(drafts, lambda route: route.abort())
    await ui.card("first").click()
    await ui.page.get_by_label("Name of the step").fill("Kept")
    await expect(ui.page.get_by_test_id("save-state")).to_have_attribute("data-state", "offline")
    await ui.page.unroute(drafts)
    await ui.page.reload()
    await expect(ui.page.get_by_text("Edits that had not reached the server are back.")).to_be_visible()
    spec = await ui.draft(workflow_id)

    assert "Kept" == spec["nodes"][0]["label"]


async def test_a_killed_tab_loses_less_than_a_second(ui: Window) -> None:
    """Detail 6: killed while one writes without the server, a new tab has the edits and saves them."""
    ui.expected += ["ERR_FAILED", "Failed to fetch"]
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.page.route(re.compile(r"/draft$"), lambda route: route.abort())
    await ui.card("first").click()
    name = ui.page.get_by_label("Name of the step")
    await name.fill("")
    writing = asyncio.ensure_future(name.press_sequentially("x" * 250, delay=30))
    await ui.page.wait_for_function(
        "id => (localStorage.getItem(`linkflow.journal.${id}`) ?? '').includes('xxxxx')", arg=workflow_id
    )
    is_in_the_middle = not writing.done()
    debugger = await ui.context.new_cdp_session(ui.page)
    async with ui.page.expect_event("crash"):
        killing = asyncio.ensure_future(debugger.send("Page.crash"))
    for each in (writing, killing):  # nobody is left who would answer
        each.cancel()
    await ui.page.close()
    again = await window(ui.context, ui.live)
    await again.edit(workflow_id)
    await expect(again.page.get_by_text("Edits that had not reached the server are back.")).to_be_visible()
    spec = await again.draft(workflow_id)

    assert (True, "xxxxx", []) == (is_in_the_middle, spec["nodes"][0]["label"][:5], again.errors)


async def test_two_people_edit_at_once(ui: Window) -> None:
    """Edits of different steps are merged; of the same field a person chooses, and nothing typed is lost."""
    ui.expected += ["409"]
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    theirs = json.loads(json.dumps(SPEC))
    theirs["nodes"][1]["label"] = "Theirs"
    await ui.live.put(f"/workflows/{workflow_id}/draft", theirs)
    await ui.card("first").click()
    await ui.page.get_by_label("Name of the step").fill("Mine")
    await expect(ui.page.get_by_text("Somebody else saved meanwhile")).to_be_visible()
    merged = await ui.draft(workflow_id)
    theirs["nodes"][0]["label"] = "Theirs too"
    await ui.live.put(f"/workflows/{workflow_id}/draft", theirs)
    await ui.page.get_by_label("Name of the step").fill("Mine again")
    await ui.page.get_by_role("button", name="Keep mine").last.click()
    chosen = await ui.draft(workflow_id)

    assert (["Mine", "Theirs"], ["Mine again", "Theirs"]) == (
        [node["label"] for node in merged["nodes"]],
        [node["label"] for node in chosen["nodes"]],
    )


async def test_shortcuts_are_still_while_one_types(ui: Window) -> None:
    """No shortcut does anything in a field."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.card("first").click()
    name = ui.page.get_by_label("Name of the step")
    await name.fill("")
    await name.press_sequentially("ncd1")
    await name.press("Backspace")
    await name.press("Delete")

    assert ("ncd", 3, 0) == (
        await name.input_value(),
        await ui.page.locator(".card").count(),
        await ui.page.get_by_role("combobox", name="Search steps").count(),
    )


async def test_problems_are_named_as_one_types(ui: Window) -> None:
    """A step that cannot run is marked, listed with what to do, and reached from the list."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.card("second").click()
    await ui.add("http request")
    problems = ui.page.get_by_test_id("problems")
    await expect(problems).to_contain_text("problem")
    await ui.page.keyboard.press("Escape")
    await ui.page.locator(".react-flow__pane").click(position={"x": 300, "y": 600})
    await problems.click()
    await ui.page.get_by_role("region", name="Problems").get_by_role("button", name="request").first.click()

    await expect(ui.page.locator('[data-field="url"]')).to_have_attribute("aria-invalid", "true")
