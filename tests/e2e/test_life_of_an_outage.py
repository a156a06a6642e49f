"""The life of an outage: the server is killed in the middle of a run and of an edit, and comes back."""

import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from linkflow.testing.browser import signed_in
from linkflow.testing.live import SECRET, Live, settings_of, started
from linkflow.testing.servers import free_port

SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual", "label": "Start", "position": {"x": 0, "y": 0}},
    "nodes": [
        {
            "id": "pause", "type": "logic.delay", "label": "Pause",
            "config": {"seconds": 4}, "position": {"x": 280, "y": 0},
        },
        {
            "id": "event", "type": "logic.wait_event", "label": "Wait",
            "config": {"event": "go"}, "position": {"x": 0, "y": 160},
        },
        {
            "id": "last", "type": "data.set", "label": "Last",
            "config": {"values": {"n": 1}}, "position": {"x": 280, "y": 160},
        },
    ],
    "edges": [
        {"source": "start", "target": "pause"},
        {"source": "pause", "target": "event"},
        {"source": "event", "target": "last"},
    ],
}  # fmt: skip
AWAY = ["Failed to load resource", "WebSocket connection to", "Failed to fetch"]


@asynccontextmanager
async def served(dsn: str, home: Path, port: int) -> AsyncIterator[Process]:
    """Run `linkflow serve` on a port until the block is left, kill -9 at the end."""
    environment = os.environ | {
        "LINKFLOW_HOME": str(home),
        "LINKFLOW_PORT": str(port),
        "LINKFLOW_DATABASE_URL": dsn,
        "LINKFLOW_SECRET": SECRET,
    }
    command = (sys.executable, "-c", "from linkflow.apps.cli import main; main()", "serve")
    running = await create_subprocess_exec(
        *command, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    assert running.stderr is not None
    try:
        said = ""
        while " ready on http" not in said:
            said = (await running.stderr.readline()).decode()
            assert said, "it did not start"
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@pytest.mark.timeout(180)  # three servers start in it
async def test_a_killed_server_loses_no_edit_and_no_run(
    browser: Browser, database_dsn: str, tmp_path: Path
) -> None:
    """Killed in the middle of both: the page says it is away, goes on by itself, and shows what is true."""
    home, port = tmp_path / "home", free_port()
    async with started(settings_of(database_dsn, home)) as before:
        workflow_id = await before.made(SPEC)
    async with aiohttp.ClientSession() as http:
        live = Live(f"http://127.0.0.1:{port}", home, before.running, http)
        live.token = before.token
        async with served(database_dsn, home, port) as process:
            ui = await signed_in(browser, live)
            ui.expected += AWAY
            await ui.edit(workflow_id)
            await ui.click("Run")
            await expect(ui.card("pause")).to_have_attribute("data-status", "waiting")
            await ui.page.keyboard.press("Shift+S")  # an edit that the server has not yet
            process.kill()
            await process.wait()
        state = ui.page.get_by_test_id("save-state")
        await expect(state).to_have_attribute("data-state", "offline")
        await ui.card("last").click()
        await ui.page.get_by_label("Name of the step").fill("Written while it was away")
        async with served(database_dsn, home, port):
            await expect(ui.card("pause")).to_have_attribute("data-status", "success")
            await expect(ui.card("event")).to_have_attribute("data-status", "waiting")
            execution_id = (await live.get("/executions")).json["data"][0]["id"]
            await live.post(f"/executions/{execution_id}/signal", {"name": "go"})
            await expect(ui.card("last")).to_have_attribute("data-status", "success")
            await expect(ui.page.get_by_test_id("explain").locator("[data-status=completed]")).to_be_visible()
            await ui.saved()
            found = (await live.get(f"/executions/{execution_id}")).json
            spec = (await live.get(f"/workflows/{workflow_id}/draft")).json["spec"]
            await ui.context.close()

    assert ("completed", 4, "Written while it was away", 1) == (
        found["status"],
        len(found["nodes"]),
        spec["nodes"][-1]["label"],
        len(spec["canvas"]["notes"]),
    )
