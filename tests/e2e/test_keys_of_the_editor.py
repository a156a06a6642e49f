"""Every key of the editor does what its name says: insert, cut, name, move, walk, choose, zoom, run."""

import re
from itertools import pairwise
from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import Window

CHOSEN = ".react-flow__node.selected"
SCALE = re.compile(r"scale\((.+?)\)")


def chain() -> dict[str, Any]:
    """Say a workflow of a trigger and three steps in a crooked line."""
    names = ["start", "one", "two", "three"]
    places = [(0, 0), (280, 30), (560, 0), (900, 60)]
    first, *others = [
        {
            "id": name, "type": "data.set" if at else "trigger.manual", "label": name.title(),
            "config": {"values": {"n": at}} if at else {}, "position": {"x": x, "y": y},
        }
        for at, (name, (x, y)) in enumerate(zip(names, places, strict=True))
    ]  # fmt: skip
    edges = [{"id": f"{one}-{two}", "source": one, "target": two} for one, two in pairwise(names)]
    return {"trigger": first, "nodes": others, "edges": edges}


def places(spec: Any) -> dict[str, tuple[float, float]]:
    """Say where the nodes of a spec stand."""
    all_of_them = [spec["trigger"], *spec["nodes"]]
    return {each["id"]: (each["position"]["x"], each["position"]["y"]) for each in all_of_them}


def lines(spec: Any) -> set[tuple[str, str]]:
    """Say which step leads to which."""
    return {(each["source"], each["target"]) for each in spec["edges"]}


async def inserted(ui: Window, key: str, words: str) -> None:
    """Put a step on a line by a key."""
    await ui.page.keyboard.press(key)
    await ui.page.get_by_role("combobox", name="Search steps").fill(words)
    await ui.page.keyboard.press("Enter")
    await expect(ui.card(words)).to_be_visible()
    await ui.page.keyboard.press("Escape")


async def scale(ui: Window) -> float:
    """Read how large everything is drawn."""
    style = str(await ui.page.locator(".react-flow__viewport").get_attribute("style"))
    found = SCALE.search(style)
    assert found is not None, style
    return float(found[1])


async def test_keys_change_the_graph(ui: Window) -> None:
    """Detail 2 and more by keys: insert after, before, on a line; cut, paste, rename, disable, ungroup."""
    workflow_id = await ui.live.made(chain())
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    await ui.page.locator('.react-flow__node[data-id="start"]').focus()
    await keys.press("ArrowRight")
    await inserted(ui, "i", "filter")
    after = await ui.draft(workflow_id)
    await keys.press("Control+z")
    undone = await ui.draft(workflow_id)
    await ui.page.locator('.react-flow__node[data-id="two"]').focus()
    await keys.press("ArrowRight")
    await inserted(ui, "Shift+I", "sort")
    before = await ui.draft(workflow_id)
    line = ui.page.locator('.react-flow__edge[data-id="start-one"]')
    await line.dispatch_event("click")
    await expect(line).to_have_class(re.compile("selected"))
    await inserted(ui, "i", "noop")
    on_it = await ui.draft(workflow_id)
    await ui.page.locator('.react-flow__node[data-id="noop"]').focus()
    await keys.press("ArrowRight")
    await keys.press("Control+x")
    await expect(ui.card("one")).to_have_count(0)
    await keys.press("Control+v")
    await expect(ui.card("one")).to_be_visible()
    await keys.press("F2")
    await expect(ui.page.get_by_label("Name of the step")).to_be_focused()
    await keys.type("Renamed")
    await keys.press("Escape")
    await expect(ui.page.locator('.react-flow__node[data-id="one"]')).to_be_focused()
    await keys.press("d")
    await keys.press("Control+g")
    await expect(ui.page.get_by_test_id("group-group")).to_be_visible()
    await keys.press("Control+Shift+G")
    await expect(ui.page.get_by_test_id("group-group")).to_have_count(0)
    await keys.press("Alt+ArrowUp")
    await keys.press("Alt+ArrowLeft")
    await keys.press("Control+s")
    last = await ui.draft(workflow_id)
    one = next(each for each in last["nodes"] if each["id"] == "one")
    moved = places(last)["one"]
    await keys.press("Alt+ArrowRight")
    await keys.press("Alt+ArrowDown")
    back = places(await ui.draft(workflow_id))["one"]

    assert (
        {("start", "one"), ("one", "filter"), ("filter", "two"), ("two", "three")},
        (560, 840, 1180), (places(chain()), lines(chain())),
        {("start", "one"), ("one", "two"), ("two", "sort"), ("sort", "three")},
        True, ("Renamed", True), (20, 20),
    ) == (
        lines(after), tuple(places(after)[each][0] for each in ("filter", "two", "three")),
        (places(undone), lines(undone)), lines(before), {("start", "noop"), ("noop", "one")} <= lines(on_it),
        (one["label"], one["disabled"]), (back[0] - moved[0], back[1] - moved[1]),
    )  # fmt: skip


async def test_keys_walk_choose_arrange_and_run(ui: Window) -> None:
    """Arrows walk, with Shift they choose; a row, even gaps, zoom; Enter opens, Escape closes."""
    workflow_id = await ui.live.made(chain())
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    await ui.page.locator('.react-flow__node[data-id="start"]').focus()
    await keys.press("ArrowRight")
    await keys.press("ArrowUp")
    await expect(ui.page.locator('.react-flow__node[data-id="start"]')).to_be_focused()
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(ui.page.locator('.react-flow__node[data-id="two"]')).to_be_focused()
    await keys.press("Shift+ArrowRight")
    await expect(ui.page.locator(CHOSEN)).to_have_count(2)
    await keys.press("Escape")
    await expect(ui.page.locator(CHOSEN)).to_have_count(0)
    await keys.press("ArrowLeft")
    await keys.press("Shift+ArrowLeft")
    await expect(ui.page.locator(CHOSEN)).to_have_count(2)
    await keys.press("Control+a")
    await keys.press("Shift+Alt+ArrowUp")
    await keys.press("Shift+Alt+H")
    arranged = places(await ui.draft(workflow_id))
    await keys.press("Control+z")
    await keys.press("Control+z")
    undone = places(await ui.draft(workflow_id))
    await keys.press("Control+y")
    again = places(await ui.draft(workflow_id))
    await keys.press("0")
    await expect(ui.page.locator(".react-flow__viewport")).to_have_attribute(
        "style", re.compile(r"scale\(1\)")
    )
    await keys.press("+")
    await expect(ui.page.locator(".react-flow__viewport")).not_to_have_attribute(
        "style", re.compile(r"scale\(1\)")
    )
    larger = await scale(ui)
    await keys.press("Escape")
    await keys.press("ArrowRight")
    await keys.press("Enter")
    name = ui.page.get_by_label("Name of the step")
    await expect(name).to_be_visible()
    opened = await name.input_value()
    divider = ui.page.get_by_role("separator", name="Width of the panel")
    narrow = int(str(await divider.get_attribute("aria-valuenow")))
    await divider.focus()
    await keys.press("ArrowLeft")
    await expect(divider).to_have_attribute("aria-valuenow", str(narrow + 40))
    await keys.press("Escape")
    await expect(name).to_have_count(0)
    await keys.press("Control+Enter")
    await expect(ui.card("three")).to_have_attribute("data-status", "success")

    assert ("Two", 1, [0, 300, 600, 900], places(chain()), 1, True) == (
        opened,
        len({y for _, y in arranged.values()}),
        sorted(round(x) for x, _ in arranged.values()),
        undone,
        len({y for _, y in again.values()}),
        larger > 1,
    )
