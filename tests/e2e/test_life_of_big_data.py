"""The life of big data in the browser: outputs of ten megabytes, long timelines, long histories."""

from typing import Any

from playwright.async_api import expect

from linkflow.testing.browser import PATIENCE_MS, Window
from linkflow.testing.receiver import Receiver, Scripted

MB = 1024 * 1024
ROWS = [{"id": number, "name": f"Person {number}", "note": "x" * 440} for number in range(19_000)]


async def heap_bytes(ui: Window) -> int:
    """Collect garbage and read how much of the heap is used."""
    session = await ui.context.new_cdp_session(ui.page)
    await session.send("HeapProfiler.enable")
    await session.send("HeapProfiler.collectGarbage")
    await session.send("Performance.enable")
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return int(next(each["value"] for each in metrics if each["name"] == "JSHeapUsedSize"))


async def test_ten_megabytes_are_looked_at_in_pages(ui: Window, receiver: Receiver) -> None:
    """An output of ten megabytes opens in pages; it is searched, described, and its parts are reached."""
    receiver.answer("/rows", Scripted(200, ROWS))
    spec: Any = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "ask", "type": "http.request", "config": {"url": f"{receiver.address}/rows"}}],
        "edges": [{"source": "start", "target": "ask"}],
    }
    execution_id = await ui.live.start(await ui.live.made(spec))
    ran = await ui.live.ended(execution_id)
    await ui.open(f"/executions/{execution_id}?node=ask")
    data = ui.page.get_by_test_id("data")
    await expect(data).to_contain_text("Too much to show at once")
    await data.get_by_role("button", name="body").click()
    await expect(data.get_by_test_id("range")).to_contain_text("100 of 19,000")
    await expect(data.get_by_role("row")).to_have_count(101)
    await data.get_by_role("button", name="Page after").click()
    await expect(data.get_by_role("row").nth(1)).to_contain_text("Person 100")
    await data.get_by_label("Search the data").fill("person 18999")
    await expect(data.get_by_role("row")).to_have_count(2)
    await expect(data.get_by_role("row").nth(1)).to_contain_text("18999")
    await data.get_by_role("button", name="Schema").click()
    await data.get_by_role("button", name="Open [0]").click()
    await expect(data.get_by_role("list", name="Schema").first).to_contain_text("note")
    async with ui.page.expect_download() as download:
        await data.get_by_role("button", name="Download all of it").click()
    path = await (await download.value).path()

    assert ("completed", True, True) == (
        ran["status"],
        path.stat().st_size > 9_000_000,
        await heap_bytes(ui) < 200 * MB,
    )


LOOP: Any = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "each", "type": "logic.loop", "config": {"mode": "times", "times": 2_000}},
        {"id": "note", "type": "data.set", "config": {"values": {"n": "{{ loop.index }}"}}},
    ],
    "edges": [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "note", "sourceHandle": "body"},
        {"source": "note", "target": "each"},
    ],
}


SCROLL_ON = """(count) => {
  const list = document.querySelector('[data-testid=rows]');
  list.scrollTo(0, list.scrollHeight);
  const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight;
  return isAtEnd && list.getAttribute('aria-rowcount') === count;
}"""
"""Scrolls like somebody who wants the end: the list grows a moment after more was read."""

PAGES_MS = 3 * PATIENCE_MS
"""Ten pages are read on the way, one after the other."""


async def test_long_histories_draw_what_is_in_view(ui: Window) -> None:
    """Of thousands of events and bars only those in view are drawn, and all are reached."""
    execution_id = await ui.live.start(await ui.live.made(LOOP))
    ran = await ui.live.ended(execution_id)
    await ui.open(f"/executions/{execution_id}?view=timeline")
    rows = ui.page.get_by_test_id("rows")
    await expect(rows).to_contain_text("2002 node runs")
    bars = await rows.get_by_role("listitem").count()
    await rows.evaluate("it => it.scrollTo(0, it.scrollHeight)")
    await expect(rows.locator('[aria-posinset="2002"]')).to_be_visible()
    await ui.page.get_by_role("tab", name="Events").click()
    table = ui.page.get_by_role("table", name="Events")
    await expect(table).to_contain_text("WorkflowExecutionStarted")
    drawn = await table.get_by_role("row").count()
    last = table.get_by_text("WorkflowExecutionCompleted")
    await ui.page.wait_for_function(SCROLL_ON, arg=str(ran["version"]), timeout=PAGES_MS)
    await expect(last).to_be_visible()

    assert ("completed", True, True) == (ran["status"], 0 < bars <= 100, 0 < drawn <= 100)


async def test_idle_time_takes_little_room(ui: Window) -> None:
    """A wait that is nearly all of an execution is shortened on its timeline, and says how long it was."""
    spec: Any = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [
            {"id": "before", "type": "data.set", "config": {"values": {"n": 1}}},
            {"id": "rest", "type": "logic.delay", "config": {"duration": 1.2, "unit": "s"}},
            {"id": "note", "type": "code.python", "config": {"code": "output = {'n': sum(range(10))}"}},
        ],
        "edges": [
            {"source": "start", "target": "before"},
            {"source": "before", "target": "rest"},
            {"source": "rest", "target": "note"},
        ],
    }
    execution_id = await ui.live.start(await ui.live.made(spec))
    ran = await ui.live.ended(execution_id)
    await ui.open(f"/executions/{execution_id}?view=timeline")

    await expect(ui.page.get_by_test_id("idle")).to_contain_text("1.")
    assert "completed" == ran["status"]
