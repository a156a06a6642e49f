"""The editor under load: workflows of many nodes in a real Chromium, while one edits and while one watches.

A window of 1440 by 900 looks at the canvas at its actual size. CPU is that of the browser's renderers, in
milliseconds for each step of the pointer or each frame of the live socket: a busy machine changes it little.
Times are those of the page itself, from the key or click to the picture with what was asked for.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from bench.meter import Meter, Patience, spent
from linkflow.testing.browsing import find_chromium
from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.servers import free_port

ROW = 25
"""Nodes in a row; the rows run side by side."""

STEPS = 60
PATIENCE_S = 120.0
LOOK_S = 0.05
ENDS = ("completed", "failed")
WATCH = """() => {
  window.frames_ms = []; window.long_ms = []; window.is_watching = true;
  const long = (list) => { for (const each of list.getEntries()) window.long_ms.push(each.duration); };
  new PerformanceObserver(long).observe({ type: 'longtask' });
  let last = performance.now();
  const draw = (now) => {
    window.frames_ms.push(now - last);
    last = now;
    if (window.is_watching) requestAnimationFrame(draw);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(draw); });
}"""
SEEN = "() => { window.is_watching = false; return [window.frames_ms, window.long_ms]; }"
AWAIT = """(selector) => {
  window.took_ms = 0;
  const before = document.querySelectorAll(selector).length;
  let began = 0;
  const begin = () => { began = performance.now(); };
  for (const each of ['keydown', 'pointerdown']) window.addEventListener(each, begin, { capture: true });
  const look = new MutationObserver(() => {
    if (!began || document.querySelectorAll(selector).length <= before) return;
    look.disconnect();
    for (const each of ['keydown', 'pointerdown']) window.removeEventListener(each, begin, { capture: true });
    requestAnimationFrame(() => requestAnimationFrame(() => { window.took_ms = performance.now() - began; }));
  });
  look.observe(document.body, { childList: true, subtree: true });
}"""


CHANGED = """(selector) => {
  window.took_ms = 0;
  const text = () => document.querySelector(selector)?.textContent ?? '';
  const before = text();
  let began = 0;
  const begin = () => { began = performance.now(); };
  window.addEventListener('keydown', begin, { capture: true });
  const look = new MutationObserver(() => {
    if (!began || !text() || text() === before) return;
    look.disconnect();
    window.removeEventListener('keydown', begin, { capture: true });
    requestAnimationFrame(() => requestAnimationFrame(() => { window.took_ms = performance.now() - began; }));
  });
  look.observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
AT_ACTUAL_SIZE = "() => /scale\\(1\\)/.test(document.querySelector('.react-flow__viewport').style.transform)"
KEYS = 20
WHEELS = 60
TURNS = 10_000
"""Turns of the loop whose long history is looked at, two node runs in each."""

EXPRESSION: Mapping[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "ask", "type": "http.request", "config": {"url": "{{ 1 }}"}}],
    "edges": [{"source": "start", "target": "ask"}],
}
LONG: Mapping[str, Any] = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "each", "type": "logic.loop", "config": {"mode": "times", "times": TURNS}},
        {"id": "one", "type": "data.set", "config": {"values": {"n": "{{ loop.index }}"}}},
        {"id": "two", "type": "data.set", "config": {"values": {"n": "{{ one.n }}"}}},
    ],
    "edges": [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "one", "sourceHandle": "body"},
        {"source": "one", "target": "two"},
        {"source": "two", "target": "each"},
    ],
}


def spec(count: int, url: str) -> Mapping[str, Any]:
    """Say a workflow of so many nodes: rows of requests after one trigger, each answered after a while."""
    nodes, edges = [], []
    for at in range(count - 1):
        row, column = divmod(at, ROW)
        nodes.append({
            "id": f"n{at}", "type": "http.request", "config": {"url": url},
            "position": {"x": 280 * (column + 1), "y": 110 * row},
        })  # fmt: skip
        edges.append({"source": f"n{at - 1}" if column else "start", "target": f"n{at}"})
    trigger = {"id": "start", "type": "trigger.manual", "position": {"x": 0, "y": 0}}
    return {"trigger": trigger, "nodes": nodes, "edges": edges}


@contextmanager
def served(home: Path) -> Iterator[tuple[int, str]]:
    """Run a LinkFlow of its own; its process and address."""
    port = free_port()
    environment = os.environ | {
        "LINKFLOW_HOME": str(home), "LINKFLOW_PORT": str(port), "LINKFLOW_OUTBOUND_ALLOW": "127.0.0.1",
        "LINKFLOW_OWNER_EMAIL": OWNER, "LINKFLOW_OWNER_PASSWORD": PASSWORD,
    }  # fmt: skip
    with home.with_suffix(".log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "linkflow", "serve"], env=environment, stdout=log, stderr=log
        )
        try:
            yield process.pid, f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


async def measured(
    home: Path,
    target_pid: int,
    url: str,
    sizes: Sequence[int],
    patience: Patience,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Measure every size, while strangers leave the machine alone.

    Returns:
        `{"editor": [row of a size], "looks": row}`; nothing where there is no Chromium.
    """
    binary = find_chromium()
    if binary is None:
        say("no chromium: the editor is not measured")
        return {}
    with served(home) as (pid, address):
        async with aiohttp.ClientSession() as http, async_playwright() as playwright:
            token = await _signed_in(http, address)
            browser = await playwright.chromium.launch(
                executable_path=binary, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            rows = []
            meter = Meter({"ours": [pid, target_pid, os.getpid()]})
            for count in sizes:
                say(f"the editor with {count} nodes")
                patience.wait(meter)
                before = meter.read()
                row = await _Window(browser, http, address, token).measured(count, url)
                rows.append({"nodes": count, "foreign": spent(before, meter.read()).foreign} | row)
            say("the editor's previews, and a long history")
            before = meter.read()
            looks = await _Window(browser, http, address, token).looked_at()
            looks["foreign"] = spent(before, meter.read()).foreign
            await browser.close()
    return {"editor": rows, "looks": looks}


async def _signed_in(http: aiohttp.ClientSession, address: str) -> Mapping[str, Any]:
    """Sign in as soon as it answers."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with http.post(
                    f"{address}/api/v1/auth/login", json={"email": OWNER, "password": PASSWORD}
                ) as answer:
                    return dict(await answer.json())
            except aiohttp.ClientError:
                await asyncio.sleep(LOOK_S)


class _Window:
    """A window on one workflow."""

    def __init__(
        self, browser: Browser, http: aiohttp.ClientSession, address: str, token: Mapping[str, Any]
    ) -> None:
        self._browser, self._http, self._address, self._token = browser, http, address, token

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._token['access_token']}"}

    async def _made(self, name: str, drawn: Mapping[str, Any]) -> str:
        """Create a workflow; its id."""
        body = {"name": name, "spec": drawn}
        address = f"{self._address}/api/v1/workflows"
        async with self._http.post(address, json=body, headers=self._headers) as answer:
            return str((await answer.json())["id"])

    async def _signed_in(self) -> BrowserContext:
        """Open a window of somebody who is signed in."""
        context = await self._browser.new_context(viewport={"width": 1440, "height": 900})
        kept = {
            "access": self._token["access_token"], "refresh": "", "user": self._token["user"],
            "until": (time.time() + 3_600) * 1_000,
        }  # fmt: skip
        script = f"localStorage.setItem('linkflow.session', {json.dumps(json.dumps(kept))})"
        await context.add_init_script(script)
        return context

    async def measured(self, count: int, url: str) -> dict[str, Any]:
        """Load, pan, drag, add, open, run."""
        workflow_id = await self._made(f"{count} nodes", spec(count, url))
        context = await self._signed_in()
        page = await context.new_page()
        cdp = await self._browser.new_browser_cdp_session()
        heard: list[float] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda _: heard.append(time.time())))
        await page.goto(f"{self._address}/w/{workflow_id}/edit")
        await page.locator(".react-flow__node").first.wait_for()
        found: dict[str, Any] = {"load_ms": await page.evaluate("performance.now()")}
        await page.keyboard.press("0")
        await page.wait_for_function(AT_ACTUAL_SIZE)
        found["drag_cpu_ms"] = await self._dragged(page, cdp)
        found["add_ms"] = await self._added(page)
        found["panel_ms"] = await self._opened(page)
        await page.keyboard.press("Escape")
        found |= await self._run(page, cdp, heard, workflow_id)
        found["elements"] = await page.evaluate("document.querySelectorAll('*').length")
        found["heap_mb"] = await page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        await context.close()
        return found

    async def looked_at(self) -> dict[str, Any]:
        """Type an expression with its preview; look through a long timeline and its events."""
        context = await self._signed_in()
        page = await context.new_page()
        workflow_id = await self._made("an expression", EXPRESSION)
        await page.goto(f"{self._address}/w/{workflow_id}/edit?node=ask")
        given = '[data-testid="preview-url"] [data-value]'
        await page.locator(given).wait_for()
        await page.locator('.cm-content[data-field="url"]').press("Control+End")
        for _ in range(3):
            await page.keyboard.press("ArrowLeft")
        took = []
        for _ in range(KEYS):
            await page.evaluate(CHANGED, given)
            await page.keyboard.press("1")
            took.append(await _took(page))
        found: dict[str, Any] = {"preview_ms": median(took)}
        workflow_id = await self._made("a long history", LONG)
        address = f"{self._address}/api/v1/workflows/{workflow_id}/test-run"
        async with self._http.post(address, json={}, headers=self._headers) as answer:
            execution_id = (await answer.json())["execution_id"]
        await self._ended(workflow_id, 1)
        for view in ("timeline", "events"):
            await page.goto(f"{self._address}/executions/{execution_id}?view={view}")
            rows = page.get_by_test_id("rows")
            await rows.locator("[data-index]").first.wait_for()
            found[f"{view}_ms"] = await page.evaluate("performance.now()")
            await rows.hover()
            await page.evaluate(WATCH)
            most = 0
            for _ in range(WHEELS):
                await page.mouse.wheel(0, 2_000)
                most = max(most, await rows.locator("[data-index]").count())
            frames, _ = await page.evaluate(SEEN)
            found |= {f"{view}_p95_ms": p95(frames), f"{view}_rows": most}
        address = f"{self._address}/api/v1/executions/{execution_id}"
        async with self._http.get(address, headers=self._headers) as answer:
            found["events"] = (await answer.json())["version"]
        await context.close()
        return found

    async def _dragged(self, page: Page, cdp: CDPSession) -> float:
        """Drag a card; CPU for each step."""
        x, y = await _middle(page, ".react-flow__node-card")
        await page.mouse.move(x, y)
        await page.mouse.down()
        before = await _cpu_ms(cdp)
        for step in range(STEPS):
            await page.mouse.move(x + 2 * step, y + step)
        after = await _cpu_ms(cdp)
        await page.mouse.up()
        return (after - before) / STEPS

    async def _added(self, page: Page) -> float:
        """Add a step by the palette, from Enter to the card."""
        await page.keyboard.press("n")
        await page.get_by_role("combobox").fill("noop")
        await page.evaluate(AWAIT, '.react-flow__node[data-id="noop"]')
        await page.keyboard.press("Enter")
        took = await _took(page)
        await page.keyboard.press("Control+z")
        return took

    async def _opened(self, page: Page) -> float:
        """Open the panel of a step, from the press to the panel."""
        await page.keyboard.press("Escape")
        await page.locator("aside").wait_for(state="detached")
        x, y = await _middle(page, ".react-flow__node-card")
        await page.mouse.move(x, y)
        await page.evaluate(AWAIT, "aside")
        await page.mouse.down()
        await page.mouse.up()
        return await _took(page)

    async def _run(
        self, page: Page, cdp: CDPSession, heard: list[float], workflow_id: str
    ) -> dict[str, float]:
        """Watch two runs of every node: one for CPU, one for pictures: to ask for each costs too."""
        await self._begin_run(page)
        count, before, began = len(heard), await _cpu_ms(cdp), time.monotonic()
        await self._ended(workflow_id, 1)
        batches = max(1, len(heard) - count)
        spent_ms, took_s = await _cpu_ms(cdp) - before, time.monotonic() - began
        await self._begin_run(page)
        await page.evaluate(WATCH)
        await self._ended(workflow_id, 2)
        frames, long_tasks = await page.evaluate(SEEN)
        return {
            "run_s": took_s, "batches": batches, "batch_cpu_ms": spent_ms / batches,
            "frame_p95_ms": p95(frames), "long_tasks": len(long_tasks),
        }  # fmt: skip

    async def _begin_run(self, page: Page) -> None:
        """Start a run as soon as the one before is seen to be over."""
        await page.locator("button:not([aria-busy=true])", has_text="Run").first.wait_for()
        await page.keyboard.press("Control+Enter")
        await page.locator('[data-testid="explain"] [data-status="running"]').wait_for()

    async def _ended(self, workflow_id: str, count: int) -> None:
        """Wait until so many runs are over."""
        address = f"{self._address}/api/v1/executions?workflow_id={workflow_id}"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await asyncio.sleep(LOOK_S * 10)
                async with self._http.get(address, headers=self._headers) as answer:
                    listed = (await answer.json())["data"]
                if sum(each["status"] in ENDS for each in listed) == count:
                    return


def p95(values: Sequence[float]) -> float:
    """Say what 95 of 100 values stay below."""
    return sorted(values)[int(0.95 * (len(values) - 1))] if values else 0.0


async def _middle(page: Page, selector: str) -> tuple[float, float]:
    """Find a card in the middle of what is seen, where nothing lies over it."""
    found = await page.evaluate(
        """(selector) => {
          for (const each of document.querySelectorAll(selector)) {
            const { x, y, width, height } = each.getBoundingClientRect();
            const at = [x + width / 2, y + height / 2];
            const isInside = at[0] > 300 && at[0] < 900 && at[1] > 200 && at[1] < 700;
            if (isInside && each.contains(document.elementFromPoint(...at))) return at;
          }
          return null;
        }""",
        selector,
    )
    assert found is not None, "no card in the middle"
    return found[0], found[1]


async def _took(page: Page) -> float:
    """Wait until what was awaited is there; how long the page took."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if took := await page.evaluate("window.took_ms"):
                return float(took)
            await asyncio.sleep(LOOK_S)


async def _cpu_ms(cdp: CDPSession) -> float:
    """Read the CPU time of all renderers."""
    found = await cdp.send("SystemInfo.getProcessInfo")
    return float(sum(each["cpuTime"] for each in found["processInfo"] if each["type"] == "renderer") * 1_000)
