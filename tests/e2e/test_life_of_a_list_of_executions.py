"""The life of a list of executions: long, live, walked by keys, and acted on all at once."""

import asyncio
import time

import pytest
from playwright.async_api import Route, expect

from linkflow.testing.browser import Window
from linkflow.testing.past import past_row, write_past

MANY = 10_000
DRAWN = 100
SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "paid", "type": "logic.wait_event", "config": {"event": "order.paid"}}],
    "edges": [{"source": "start", "target": "paid"}],
}
ROWS = "table[aria-label=Executions] tbody tr:not([aria-hidden])"
TO_THE_END = "const it = document.getElementById('content'); it.scrollTo(0, it.scrollHeight)"
TOP = "() => document.querySelector('tr[data-index] a').getBoundingClientRect().top"


async def fill(ui: Window, dsn: str, workflow_id: str, many: int) -> None:
    """Write executions that ended in the last hours, a second apart."""
    user, now = ui.live.running.owner.user, time.time()
    await write_past(
        dsn, [past_row(user.workspace_id, workflow_id, n, now - 60 - n / 2) for n in range(many)]
    )


@pytest.mark.timeout(240)  # a hundred pages are read, one after the other
async def test_ten_thousand_rows_are_a_hundred_in_the_page(ui: Window, database_dsn: str) -> None:
    """However long the list is, the page draws no more rows than fit; its end is reached by scrolling."""
    await fill(ui, database_dsn, await ui.live.made(SPEC, "Orders"), MANY)
    await ui.open("/executions")
    await expect(ui.page.get_by_text("100 loaded, more below")).to_be_visible()
    most, loaded = 0, 0
    while loaded < MANY:
        loaded += 100
        await expect(ui.page.get_by_text(f"{loaded} loaded")).to_be_visible()
        most = max(most, await ui.page.locator(ROWS).count())
        await ui.page.evaluate(TO_THE_END)
    await expect(ui.page.get_by_text(f"{MANY} loaded", exact=False)).to_be_visible()

    assert 0 < most <= DRAWN


async def test_what_comes_moves_nothing_that_one_looks_at(ui: Window, database_dsn: str) -> None:
    """A new execution is put before the others; whoever has scrolled down keeps the row before their eyes."""
    workflow_id = await ui.live.made(SPEC, "Orders")
    await fill(ui, database_dsn, workflow_id, 150)
    await ui.open("/executions")
    await expect(ui.page.get_by_text("100 loaded, more below")).to_be_visible()
    link = ui.page.locator("tr[data-index='40'] a")
    await ui.page.mouse.move(700, 600)
    await ui.page.mouse.wheel(0, 52 * 40)
    await expect(link).to_be_in_viewport()
    await link.click(trial=True)  # waits until it stands still
    address = await link.get_attribute("href")
    before = await link.bounding_box()
    await ui.live.start(workflow_id)
    moved = ui.page.locator(f"tr[data-index='41'] a[href='{address}']")
    await moved.click(trial=True)
    after = await moved.bounding_box()

    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 2


async def test_the_list_is_walked_by_keys(ui: Window) -> None:
    """J and K move, X chooses, Enter opens."""
    workflow_id = await ui.live.made(SPEC, "Orders")
    ids = [await ui.live.start(workflow_id) for _ in range(3)]
    await ui.open("/executions")
    await expect(ui.page.locator(ROWS)).to_have_count(3)
    keys = ui.page.keyboard
    for key in "jjkjx":
        await keys.press(key)
    await expect(ui.page.get_by_text("1 chosen")).to_be_visible()
    await keys.press("Enter")
    await ui.page.wait_for_url(f"**/executions/{ids[1]}")


async def test_many_are_cancelled_and_tried_again_at_once(ui: Window) -> None:
    """All that are chosen are cancelled at once, then tried again at once."""
    workflow_id = await ui.live.made(SPEC, "Orders")
    for _ in range(3):
        await ui.live.waits(await ui.live.start(workflow_id))
    ui.page.on("dialog", lambda dialog: dialog.accept())
    await ui.open("/executions")
    waiting = ui.page.locator("[data-status=waiting]")
    await expect(waiting).to_have_count(3)
    await ui.page.get_by_label("Choose all that are loaded").check()
    await ui.click("Cancel (3)")
    await expect(ui.page.locator("[data-status=cancelled]")).to_have_count(3)
    await ui.page.get_by_label("Choose all that are loaded").check()
    await ui.click("Try again (3)")

    await expect(waiting).to_have_count(3)


async def test_an_answer_that_is_lost_starts_nothing_twice(ui: Window) -> None:
    """Whoever asks again because the answer was lost on its way gets what was done, once."""
    workflow_id = await ui.live.made(SPEC, "Orders")
    await ui.live.waits(await ui.live.start(workflow_id))
    ui.page.on("dialog", lambda dialog: dialog.accept())
    ui.expected.append("ERR_FAILED")
    keys: list[str | None] = []
    answered = asyncio.Event()

    async def lost(route: Route) -> None:
        """Let the first request through and lose its answer."""
        keys.append(route.request.headers.get("idempotency-key"))
        answer = await route.fetch()
        if len(keys) == 1:
            await route.abort()
        else:
            await route.fulfill(response=answer)
            answered.set()

    await ui.open("/executions")
    await ui.page.get_by_label("Choose all that are loaded").check()
    await ui.click("Cancel (1)")
    await expect(ui.page.locator("[data-status=cancelled]")).to_have_count(1)
    await ui.page.route("**/executions/bulk/retry", lost)
    await ui.page.get_by_label("Choose all that are loaded").check()
    await ui.click("Try again (1)")
    await expect(ui.page.get_by_text("LinkFlow cannot be reached")).to_be_visible()
    await ui.click("Try again (1)")
    await answered.wait()  # what is said of it was said of the cancel, too
    await expect(ui.page.get_by_text("1 done, 0 not possible").last).to_be_visible()
    rows = (await ui.live.get("/executions")).json["data"]

    assert (2, 1, True) == (len(rows), len(set(keys)), len(keys) == 2 and keys[0] is not None)
