"""Take the pictures of README and docs, docs/images/<name>-<light|dark>.png, from seeded installations.

Usage: screenshots.py [name ...]

Everything is as a person would see it: a real server, a real Chromium, workflows that really ran; only the
executions of past days are written straight into the read model, from a seed.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.schema import migrate
from linkflow.domain.errors import Kind, NodeError
from linkflow.ports.views import ExecutionRow
from linkflow.testing.browser import Window, signed_in
from linkflow.testing.browsing import find_chromium
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.past import past_row, write_past

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 800}
MOST_BYTES = 150_000
THEMES = ("light", "dark")
DAYS = 7
DAY_S = 86_400.0
USED = {"order-intake": 0.03, "invoice-reminder": 0.01, "payments-to-slack": 0.08, "onboarding": 0.0}
"""Templates that were at work in the past days, and how many of their executions failed."""
FAILURES = (
    NodeError("http.status", Kind.RATE_LIMIT, "slack.com answered 429: too many requests, try again in 30 s"),
    NodeError("http.status", Kind.PERMANENT, "api.shop.example answered 404: there is no order 4711"),
    NodeError("http.timeout", Kind.TRANSIENT, "api.shop.example did not answer within 10 s"),
)
FIRST = {
    "trigger": {
        "id": "start", "type": "trigger.webhook", "label": "An order comes in",
        "position": {"x": 0, "y": 80},
    },
    "nodes": [
        {
            "id": "large", "type": "logic.condition", "label": "Over 100?",
            "config": {"expression": "trigger.body.amount > 100"}, "position": {"x": 280, "y": 80},
        },
        {
            "id": "ask", "type": "logic.approval", "label": "Approve",
            "config": {"title": "Send an order of {{trigger.body.amount}}?"}, "position": {"x": 560, "y": 0},
        },
        {
            "id": "note", "type": "data.set", "label": "Note it down",
            "config": {"values": {"amount": "{{trigger.body.amount}}"}}, "position": {"x": 560, "y": 180},
        },
        {
            "id": "answer", "type": "webhook.respond", "label": "Say thanks",
            "config": {"body": {"ok": True}}, "position": {"x": 860, "y": 80},
        },
    ],
    "edges": [
        {"source": "start", "target": "large"},
        {"source": "large", "target": "ask", "sourceHandle": "true"},
        {"source": "large", "target": "note", "sourceHandle": "false"},
        {"source": "ask", "target": "answer", "sourceHandle": "approved"},
        {"source": "note", "target": "answer"},
    ],
}  # fmt: skip


@dataclass
class Scene:
    """What was seeded: ids by name."""

    live: Live
    workflows: Mapping[str, str]
    waiting: str


async def first_run(ui: Window, scene: Scene | None) -> None:
    """Show what somebody sees who has signed in for the first time."""
    await ui.open("/")
    await expect(ui.page.get_by_role("button", name="Run the sample")).to_be_visible()


async def sample(ui: Window, scene: Scene | None) -> None:
    """Show the sample after its button was pressed."""
    if made := (await ui.live.get("/workflows")).json["data"]:
        ran = (await ui.live.get("/executions")).json["data"][0]
        await ui.open(f"/w/{made[0]['id']}/edit?exec={ran['id']}")
    else:
        await ui.open("/")
        await ui.click("Run the sample")
    await expect(ui.page.get_by_test_id("explain").locator("[data-status=completed]")).to_be_visible()
    await ui.saved()


async def home(ui: Window, scene: Scene) -> None:
    """Show the home page of an installation that is at work."""
    await ui.open("/")
    await expect(ui.page.get_by_text("Recent executions")).to_be_visible()


async def editor(ui: Window, scene: Scene) -> None:
    """Show an execution on the canvas that waits for a person."""
    await ui.open(f"/w/{scene.workflows['first']}/edit?exec={scene.waiting}")
    await expect(ui.card("ask")).to_have_attribute("data-status", "waiting")
    await ui.page.keyboard.press("1")


async def palette(ui: Window, scene: Scene) -> None:
    """Show how a step is found."""
    await ui.edit(scene.workflows["first"])
    await ui.page.keyboard.press("n")
    await ui.page.get_by_role("combobox").fill("htt")


async def step(ui: Window, scene: Scene) -> None:
    """Show the panel of a step."""
    await ui.open(f"/w/{scene.workflows['first']}/edit?node=large")
    await expect(ui.page.get_by_label("Expression", exact=True)).to_be_visible()


async def executions(ui: Window, scene: Scene) -> None:
    """Show the list."""
    await ui.open("/executions")
    await expect(ui.page.get_by_text("loaded")).to_be_visible()


async def insights(ui: Window, scene: Scene) -> None:
    """Show the charts of a week."""
    await ui.open("/insights")
    await expect(ui.page.get_by_text("Executions over time").first).to_be_visible()


Shown = Callable[[Window, Any], Awaitable[None]]
EMPTY: Mapping[str, Shown] = {"first-run": first_run, "sample": sample}
"""Pictures of an installation in which nothing was made yet; in this order, for the second changes that."""
PICTURES: Mapping[str, Shown] = {
    "home": home, "editor": editor, "palette": palette, "step": step,
    "executions": executions, "insights": insights,
}  # fmt: skip


async def seeded(live: Live, dsn: str) -> Scene:
    """Make workflows, a past of a week, and an execution that waits."""
    chance, now, workspace = random.Random(7), time.time(), live.running.owner.user.workspace_id  # noqa: S311
    workflows: dict[str, str] = {}
    rows: list[ExecutionRow] = []
    for slug, failing in USED.items():
        workflows[slug] = (await live.post(f"/templates/{slug}/use")).json["id"]
        await live.post(f"/workflows/{workflows[slug]}/activate")
        for number in range(chance.randint(60, 140)):
            has_failed = chance.random() < failing
            rows.append(
                past_row(
                    workspace, workflows[slug], number, now - chance.random() ** 1.3 * DAYS * DAY_S - 300,
                    status="failed" if has_failed else "completed", took_s=chance.lognormvariate(-0.5, 1.4),
                    error=chance.choice(FAILURES) if has_failed else None,
                )
            )  # fmt: skip
    await write_past(dsn, rows)
    workflows["first"] = await live.active(FIRST, "Orders over 100")
    hook = await live.hook(workflows["first"])
    for amount in (40, 180):
        await live.knock(hook, {"amount": amount})
    found = await live.listed(lambda seen: any(each["status"] == "waiting" for each in seen))
    waiting = next(each["id"] for each in found if each["status"] == "waiting")
    await live.post(
        "/credentials", {"name": "shop", "type": "bearer_token", "data": {"token": "only a picture"}}
    )
    return Scene(live, workflows, waiting)


async def take(browser: Browser, live: Live, scene: Scene | None, name: str, shown: Shown) -> None:
    """Take one picture in both themes."""
    for theme in THEMES:
        ui = await signed_in(browser, live)
        await ui.page.set_viewport_size(SIZE)
        await ui.context.add_init_script(f"localStorage.setItem('linkflow.theme', '{theme}')")
        await shown(ui, scene)
        await ui.page.wait_for_load_state("networkidle")
        path = IMAGES / f"{name}-{theme}.png"
        await ui.page.screenshot(path=path, animations="disabled", caret="hide")
        await ui.context.close()
        size_bytes = path.stat().st_size
        print(f"{path.relative_to(IMAGES.parent.parent)}  {size_bytes // 1000} kB")
        if size_bytes > MOST_BYTES:
            raise SystemExit(f"{path.name} is too large: {size_bytes} bytes, at most {MOST_BYTES}")


async def main(wanted: list[str]) -> None:
    """Take the pictures that are asked for, or all.

    Raises:
        SystemExit: There is no such picture, or no Chromium.
    """
    if unknown := set(wanted) - {*EMPTY, *PICTURES}:
        raise SystemExit(f"no such picture: {', '.join(unknown)}; there are {', '.join([*EMPTY, *PICTURES])}")
    binary = find_chromium()
    if binary is None:
        raise SystemExit("no chromium; `make services` installs it")
    IMAGES.mkdir(parents=True, exist_ok=True)
    chosen = wanted or [*EMPTY, *PICTURES]
    with tempfile.TemporaryDirectory() as folder:
        server = await EmbeddedPostgres.start(Path(folder))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=binary, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            for theme_round, pictures in enumerate((EMPTY, PICTURES)):
                names = [name for name in pictures if name in chosen]
                if not names:
                    continue
                dsn = await server.create_database(f"pictures_{theme_round}")
                await migrate(dsn, lambda text: None)
                async with started(settings_of(dsn, Path(folder) / f"home{theme_round}")) as live:
                    scene = await seeded(live, dsn) if pictures is PICTURES else None
                    for name in names:
                        await take(browser, live, scene, name, pictures[name])
            await browser.close()
        await server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
