"""The life of a look around: every page in both themes, in every language, by its own address."""

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.async_api import Browser, expect

from linkflow.testing.browser import Window, signed_in
from linkflow.testing.live import Live

SPEC = {
    "trigger": {"id": "start", "type": "trigger.webhook", "position": {"x": 0, "y": 0}},
    "nodes": [
        {"id": "set", "type": "data.set", "config": {"values": {"n": 1}}, "position": {"x": 280, "y": 0}}
    ],
    "edges": [{"source": "start", "target": "set"}],
}

BEYOND = """async ([width, height]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const scrolls = (it) => it && (
    (/auto|scroll/.test(getComputedStyle(it).overflowX) && it.scrollWidth > it.clientWidth)
    || scrolls(it.parentElement));
  const isBeyond = (it) => {
    const { left, right, width } = it.getBoundingClientRect();
    const isShown = width > 1 && it.checkVisibility({ visibilityProperty: true });
    const isFree = !it.closest('.react-flow__viewport') && !scrolls(it);
    return isShown && isFree && (left < -1 || right > innerWidth + 1);
  };
  const beyond = () => [
    ...[document.documentElement, document.getElementById('content')]
      .filter((it) => it && it.scrollWidth > it.clientWidth)
      .map((it) => `${it.tagName} is ${it.scrollWidth} wide`),
    ...[...document.querySelectorAll('button, a, input, select, textarea, [role=tab]')].filter(isBeyond)
      .map((it) => `${it.getAttribute('aria-label') ?? it.textContent} ends beyond ${innerWidth}`),
  ];
  while (innerWidth !== width || innerHeight !== height) await frame();
  for (let frames = 0; frames < 60 && (frames < 2 || beyond().length); frames += 1) await frame();
  return beyond();
}"""
"""What is wider than the window, and what can be pressed but lies beyond its edge, where nothing scrolls.

A page that was just made smaller has a second for it.
"""

SIZES: dict[str, tuple[int, int]] = {
    "phone": (390, 844),
    "small phone": (360, 740),
    "1280 by 800 at 200 %": (640, 400),
}
"""Windows that everything must fit, in CSS pixels."""


LAID_OUT = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Ends when a change of the window has been laid out and drawn."""


async def beyond(ui: Window, size: str) -> list[str]:
    """List what does not fit a window of a size, which the window has from now on."""
    width, height = SIZES[size]
    await ui.page.set_viewport_size({"width": width, "height": height})
    await ui.page.evaluate(LAID_OUT)
    found: list[str] = await ui.page.evaluate(BEYOND, [width, height])
    return found


async def troubles(ui: Window) -> list[str]:
    """List what axe finds serious or critical."""
    found = await Axe().run(ui.page)
    return [
        f"{each['id']}: {node['html'][:160]}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


async def furnished(ui: Window) -> tuple[str, str]:
    """Make one of everything that pages show; a workflow and its execution."""
    workflow_id = await ui.live.active(SPEC, "Look around")
    execution_id = await ui.live.start(workflow_id)
    await ui.live.ended(execution_id)
    await ui.live.knock(await ui.live.hook(workflow_id), {"n": 1})
    await ui.live.post("/credentials", {"name": "shop", "type": "api_key", "data": {"api_key": "k"}})
    await ui.live.post("/variables", {"key": "limit", "value": 10})
    await ui.live.post("/auth/tokens", {"name": "script"})
    await ui.live.post("/invitations", {"email": "ada@example.com", "role": "viewer"})
    await ui.live.post("/workspaces", {"name": "Shop"})
    await ui.live.put("/budgets/day", {"limits": {"executions": 1000}})
    await ui.live.post(
        "/webhook-subscriptions", {"url": "https://example.com/", "events": ["execution.failed"]}
    )
    return workflow_id, execution_id


def pages(workflow_id: str, execution_id: str) -> tuple[str, ...]:
    """List every page by its address."""
    return (
        "/", "/workflows", "/workflows?new=1", "/templates", "/executions", f"/executions/{execution_id}",
        f"/executions/{execution_id}?view=timeline", f"/executions/{execution_id}?view=events", "/triggers",
        "/dead-letters", "/cluster", "/me", f"/w/{workflow_id}/edit?node=set", "/nowhere",
        "/approvals", "/alerts", "/sign-in", "/sign-in?new=1", "/sign-in?forgot=1",
        "/inbox", "/credentials", "/insights", "/jobs", "/admin/members", "/admin/keys", "/admin/variables",
        "/admin/subscriptions", "/admin/usage", "/admin/audit", "/admin/workspaces",
        f"/w/{workflow_id}/versions", f"/w/{workflow_id}/versions?from=1&to=draft",
    )  # fmt: skip


@pytest.mark.timeout(300)  # thirty pages, one after the other
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_is_accessible(ui: Window, theme: str) -> None:
    """No page has a serious or critical finding of axe, in either theme."""
    workflow_id, execution_id = await furnished(ui)
    await ui.context.add_init_script(f"localStorage.setItem('linkflow.theme', '{theme}')")
    found: dict[str, list[str]] = {}
    for path in pages(workflow_id, execution_id):
        await ui.open(path)
        await expect(ui.page.locator("h1").first).to_be_attached()
        await expect(ui.page.get_by_text("Loading…")).to_have_count(0)
        if serious := await troubles(ui):
            found[path] = serious

    assert ({}, theme) == (found, await ui.page.evaluate("document.documentElement.dataset.theme"))


@pytest.mark.timeout(300)  # thirty pages, one after the other, in three sizes
async def test_every_page_fits_a_phone(ui: Window) -> None:
    """No page is wider than a phone, nor than a desktop at 200 %; what needs more scrolls in its frame."""
    workflow_id, execution_id = await furnished(ui)
    wide: dict[str, list[str]] = {}
    for path in pages(workflow_id, execution_id):
        await ui.open(path)
        await expect(ui.page.locator("h1").first).to_be_attached()
        await expect(ui.page.get_by_text("Loading…")).to_have_count(0)
        for size in SIZES:
            if over := await beyond(ui, size):
                wide[f"{path} {size}"] = over

    assert wide == {}


@pytest.mark.parametrize("size", SIZES)
async def test_the_editor_fits_a_phone(ui: Window, size: str) -> None:
    """Without room beside it, the panel of a step covers the canvas; closing it gives the focus back."""
    workflow_id = await ui.live.made(SPEC, "Orders of the western shops, of all of them")
    await beyond(ui, size)
    await ui.edit(workflow_id)
    wide = {"canvas": await beyond(ui, size)}
    await ui.card("set").click()
    panel = ui.page.get_by_role("complementary", name="Step")
    await expect(panel).to_be_focused()
    await expect(ui.page.locator("[inert] .react-flow")).to_be_attached()
    for tab in ("Input", "Parameters", "Output", "Settings"):
        await panel.get_by_role("tab", name=tab).click()
        wide[tab] = await beyond(ui, size)
    box = await panel.bounding_box()
    await ui.click("Run this step")
    await expect(panel.get_by_role("tab", name="Output Done")).to_be_visible()
    await ui.page.get_by_test_id("problems").click()
    await expect(ui.page.get_by_role("region", name="Problems")).to_be_visible()
    wide["problems"] = await beyond(ui, size)
    await panel.get_by_role("button", name="Close").click()
    await expect(ui.page.locator(".react-flow__node[data-id='set']")).to_be_focused()
    wide["run"] = await beyond(ui, size)
    for act in ("Publish", "Steps as a list", "Settings of the workflow", "Shortcuts", "Run with input"):
        await ui.click(act)
        await expect(ui.page.get_by_role("dialog")).to_be_visible()
        wide[act] = await beyond(ui, size)
        await ui.page.keyboard.press("Escape")
        await expect(ui.page.get_by_role("dialog")).to_have_count(0)

    assert ({}, True) == (
        {at: over for at, over in wide.items() if over},
        box is not None and box["width"] >= SIZES[size][0] - 61,
    )


DIALOGS = {
    "/workflows": ["New workflow"],
    "/triggers": ["Listen: Look around"],
    "/credentials": ["New credential", "Change: shop"],
    "/inbox": ["Look"],
    "/alerts": ["New alert"],
    "/me": ["Close the account"],
    "/admin/members": ["Invite"],
    "/admin/workspaces": ["New workspace", "Rename: Shop", "Leave: Shop", "Delete: Shop"],
    "/admin/keys": ["New key"],
    "/admin/variables": ["New variable"],
    "/admin/subscriptions": ["New subscription", "Deliveries"],
    "/admin/usage": ["Set a budget"],
}
"""The buttons of each page that open a dialog."""


@pytest.mark.timeout(300)  # twenty dialogs, one after the other
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_dialog_is_accessible(ui: Window, theme: str) -> None:
    """No dialog has a serious or critical finding of axe, each fits a phone, and Escape closes it."""
    workflow_id, _ = await furnished(ui)
    await ui.context.add_init_script(f"localStorage.setItem('linkflow.theme', '{theme}')")
    found: dict[str, list[str]] = {}
    for path, buttons in {**DIALOGS, f"/w/{workflow_id}/versions": ["Restore: Version 1"]}.items():
        await ui.open(path)
        for name in buttons:
            await ui.click(name)
            dialog = ui.page.get_by_role("dialog")
            await expect(dialog).to_be_visible()
            await expect(dialog.get_by_text("Loading…")).to_have_count(0)
            if serious := await troubles(ui):
                found[f"{path}: {name}"] = serious
            for size in SIZES:
                if over := await beyond(ui, size):
                    found[f"{path}: {name} {size}"] = over
            await ui.page.set_viewport_size({"width": 1440, "height": 900})
            await ui.page.keyboard.press("Escape")
            await expect(dialog).to_have_count(0)

    assert ({}, theme) == (found, await ui.page.evaluate("document.documentElement.dataset.theme"))


@pytest.mark.parametrize(("language", "title"), [("fr", "Modèles"), ("sw", "Violezo")])
async def test_it_speaks_other_languages(ui: Window, language: str, title: str) -> None:
    """A language that is chosen holds for every page and after a new load."""
    names = {"fr": "Français", "sw": "Kiswahili"}
    await ui.open("/me")
    await ui.page.get_by_label("Language", exact=True).select_option(label=names[language])
    await expect(ui.page.locator("html")).to_have_attribute("lang", language)
    await ui.open("/templates")

    await expect(ui.page.get_by_role("heading", level=1)).to_have_text(title)


async def test_a_dark_page_is_never_light_first(ui: Window) -> None:
    """The theme that was chosen is there with the first paint, before any script of the editor has come."""
    await ui.context.add_init_script("localStorage.setItem('linkflow.theme', 'dark')")
    await ui.page.route("**/assets/*.js", lambda route: route.abort())
    ui.expected.append("net::ERR_FAILED")
    await ui.open("/")
    colour = await ui.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert colour == "rgb(14, 17, 22)"


async def test_times_are_those_of_the_reader(browser: Browser, live: Live) -> None:
    """An instant is told in the zone of whoever reads it, in full behind the short form."""
    workflow_id = await live.made(SPEC, "Orders")
    execution_id = await live.start(workflow_id)
    started_at = (await live.ended(execution_id))["started_at"]
    ui = await signed_in(browser, live, timezone_id="Asia/Kathmandu")
    await ui.open("/executions")
    cell = ui.page.locator("tr[data-index='0'] td[title]").first
    await expect(cell).to_be_visible()
    wanted = await ui.page.evaluate(
        "(at) => new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'medium', "
        "timeZone: 'Asia/Kathmandu'}).format(Date.parse(at))",
        started_at,
    )
    shown = await cell.get_attribute("title")
    await ui.context.close()

    assert (shown, ui.errors) == (wanted, [])


async def test_the_webhook_address_is_shown(ui: Window) -> None:
    """An active workflow's address stands on the page of triggers, ready to be copied, and it works."""
    workflow_id = await ui.live.active(SPEC, "Orders")
    hook = await ui.live.hook(workflow_id)
    await ui.open("/triggers")
    await ui.click("Copy the address")
    await expect(ui.page.get_by_text("Copied")).to_be_visible()
    address = await ui.page.evaluate("navigator.clipboard.readText()")

    assert (True, 202) == (
        address.endswith(f"/webhooks/{hook}"),
        (await ui.live.knock(hook, {"n": 1})).status,
    )
