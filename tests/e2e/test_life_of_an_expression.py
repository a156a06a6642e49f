"""The life of an expression in the editor: completed from real data, previewed, mended, dragged in."""

import asyncio
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.async_api import Route, expect

from linkflow.testing.browser import Window

ORDER = {"id": "A-7", "who": {"name": "Amina"}, "items": [3, 1, 2]}
SPEC: Any = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "price", "type": "data.set", "label": "Price it",
            "config": {"values": {"total": "{{ sum(items) }}"}}, "position": {"x": 280, "y": 0},
        },
        {
            "id": "dear", "type": "logic.condition", "label": "Is it dear?",
            "config": {"expression": "price.total > 5"}, "position": {"x": 560, "y": 0},
        },
        {
            "id": "tell", "type": "http.request", "label": "Tell them",
            "config": {"url": "{{ trigger.who.name }}"}, "position": {"x": 840, "y": 0},
        },
    ],
    "edges": [
        {"source": "start", "target": "price"},
        {"source": "price", "target": "dear"},
        {"source": "dear", "target": "tell", "sourceHandle": "false"},
    ],
}  # fmt: skip


async def opened(ui: Window, node_id: str) -> str:
    """Run the workflow once and open a step of it by its address."""
    workflow_id = await ui.live.made(SPEC)
    await ui.live.ended(await ui.live.start(workflow_id, ORDER))
    await ui.open(f"/w/{workflow_id}/edit?node={node_id}")
    return workflow_id


async def test_an_expression_is_completed_previewed_and_mended(ui: Window) -> None:
    """Real fields complete it, what it gives is shown as one types, a wrong path names the nearest one."""
    workflow_id = await opened(ui, "tell")
    field = ui.page.locator('[data-field="url"]')
    given = ui.page.get_by_test_id("preview-url")
    await expect(given.locator("[data-value]")).to_have_text("Amina")
    await field.fill("{{ trigger.wh")
    await field.press("Control+Space")
    await ui.page.get_by_role("option", name="who").click()
    await field.press_sequentially(".nam | upper }}")
    await expect(given).to_contain_text("did you mean name?")
    await expect(ui.page.locator(".cm-wrong")).to_have_text("trigger.who.nam")
    await given.get_by_role("button", name="Use “name”").click()
    await expect(given.locator("[data-value]")).to_have_text("AMINA")
    await ui.saved()
    draft = (await ui.live.get(f"/workflows/{workflow_id}/draft")).json["spec"]

    assert "{{ trigger.who.name | upper }}" == draft["nodes"][2]["config"]["url"].strip()


async def test_who_writes_already_goes_on_writing(ui: Window) -> None:
    """The code field that arrives while one writes in the plain one takes over text, place and focus."""
    workflow_id = await ui.live.made(SPEC)
    arrives = asyncio.Event()

    async def late(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await ui.page.route("**/ExpressionCode*", late)
    await ui.open(f"/w/{workflow_id}/edit?node=tell")
    plain = ui.page.locator('textarea[data-field="url"]')
    await plain.fill("{{ trigger.who.name }}")
    await plain.press("Home")
    await plain.press_sequentially("a")
    arrives.set()
    await expect(ui.page.locator('.cm-content[data-field="url"]')).to_be_focused()
    await ui.page.keyboard.type("b")

    await expect(ui.page.locator('.cm-content[data-field="url"]')).to_have_text("ab{{ trigger.who.name }}")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_panes_are_accessible(ui: Window, theme: str) -> None:
    """Input, parameters with a list of names, and output have no serious finding of axe, in either theme."""
    await ui.context.add_init_script(
        f"localStorage.setItem('linkflow.theme', '{theme}'); localStorage.setItem('linkflow.panel', '1120')"
    )
    workflow_id = await opened(ui, "price")
    execution_id = (await ui.live.get(f"/executions?workflow_id={workflow_id}")).json["data"][0]["id"]
    await ui.open(f"/w/{workflow_id}/edit?node=price&exec={execution_id}")
    await expect(ui.page.get_by_test_id("data")).to_be_visible()
    await ui.page.get_by_role("button", name="Table").click()
    field = ui.page.locator('[data-field="values"]')
    await field.fill('{"total": "{{ trig')
    await field.press("Control+Space")
    await expect(ui.page.get_by_role("listbox", name="Completions")).to_be_visible()
    found = await Axe().run(ui.page)
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]

    assert [] == [(each["id"], node["html"][:160]) for each in serious for node in each["nodes"]]


async def test_a_condition_is_previewed_without_braces(ui: Window) -> None:
    """A condition needs no braces and shows whether it holds for the data of the run."""
    await opened(ui, "dear")
    given = ui.page.get_by_test_id("preview-expression").locator("[data-value]")
    await expect(given).to_have_text("true")
    await ui.page.get_by_label("Expression", exact=True).fill("price.total > 100")

    await expect(given).to_have_text("false")


async def test_a_field_of_the_input_is_dragged_into_a_parameter(ui: Window) -> None:
    """Input, parameters and output stand side by side; a dragged or chosen field becomes an expression."""
    await opened(ui, "tell")
    await ui.page.get_by_role("button", name="Input, parameters and output side by side").click()
    input_pane = ui.page.get_by_role("region", name="Input", exact=True)
    await expect(ui.page.get_by_role("region", name="Output", exact=True)).to_be_visible()
    field = ui.page.locator('[data-field="url"]')
    await field.fill("")
    total = input_pane.get_by_role("button", name="total").first
    await total.drag_to(field)
    await expect(field).to_contain_text("total }}")
    await expect(ui.page.get_by_test_id("preview-url").locator("[data-value]")).to_have_text("6")
    await field.fill("")
    await total.click()
    await expect(field).to_contain_text("total }}")
    await ui.page.get_by_role("button", name="Step before").click()
    await expect(ui.page.get_by_label("Name of the step")).to_have_value("Is it dear?")
    await ui.page.keyboard.press("Escape")

    await expect(ui.page.locator('.react-flow__node[data-id="dear"]')).to_be_focused()


LOOP: Any = {
    "trigger": {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "each", "type": "logic.loop", "position": {"x": 280, "y": 0},
            "config": {"items": "{{ trigger }}", "on_item_error": "collect"},
        },
        {
            "id": "greet", "type": "data.set", "label": "Greet", "position": {"x": 560, "y": 0},
            "config": {"values": {"text": "Hi {{ item.name }}"}},
        },
        {
            "id": "shout", "type": "data.set", "label": "Shout", "position": {"x": 840, "y": 0},
            "config": {"values": {"text": "{{ greet.text | upper }}"}},
        },
    ],
    "edges": [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "greet", "sourceHandle": "body"},
        {"source": "greet", "target": "shout"},
        {"source": "shout", "target": "each"},
    ],
}  # fmt: skip


async def test_in_a_loop_one_chooses_the_run_whose_data_is_shown(ui: Window) -> None:
    """The turn that failed is shown first; another is chosen by number, and the steps after it follow."""
    workflow_id = await ui.live.made(LOOP)
    people = [{"name": "Amina"}, {"nme": "?"}, {"name": "Otieno"}]
    execution_id = await ui.live.start(workflow_id, people)
    await ui.live.ended(execution_id)
    await ui.context.add_init_script("localStorage.setItem('linkflow.panel', '1120')")
    await ui.open(f"/w/{workflow_id}/edit?node=greet&exec={execution_id}")
    choice = ui.page.get_by_test_id("run-choice")
    number = choice.get_by_role("spinbutton", name="Run of this step")
    given = ui.page.get_by_test_id("preview-values").locator("[data-value]")
    await expect(number).to_have_value("2")
    await expect(ui.page.get_by_test_id("preview-values")).to_contain_text("name")
    await expect(ui.page.get_by_role("alert")).to_contain_text("“Greet” failed")
    await choice.get_by_role("button", name="Run after").click()
    await expect(given).to_have_text('{"text":"Hi Otieno"}')
    await expect(ui.page.get_by_test_id("data")).to_contain_text("Hi Otieno")
    await number.fill("1")
    await number.press("Enter")
    await expect(given).to_have_text('{"text":"Hi Amina"}')
    await ui.page.get_by_role("button", name="Step after").click()

    await expect(given).to_have_text('{"text":"HI AMINA"}')
    await expect(ui.page.get_by_test_id("data")).to_contain_text("HI AMINA")
