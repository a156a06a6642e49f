"""`linkflow approvals`, `linkflow alerts` and `linkflow subscriptions`, put to a running LinkFlow."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from linkflow.apps.local_access import LocalAccess, keep_access
from linkflow.testing.live import Live
from linkflow.testing.receiver import GENEROUS_S, Receiver, Scripted

pytestmark = [pytest.mark.one_process, pytest.mark.timeout(120)]


class Terminal:
    """Runs commands as whoever started this LinkFlow."""

    def __init__(self, live: Live) -> None:
        keep_access(live.home, LocalAccess(live.address, live.token, os.getpid()))
        self._environment = {**os.environ, "LINKFLOW_HOME": str(live.home), "COLUMNS": "200"}

    async def says(self, *words: str) -> tuple[int, str]:
        """Run a command; its exit code and what it printed."""
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "linkflow", *words),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await running.communicate()
        return running.returncode or 0, output.decode()

    async def json(self, *words: str) -> Any:
        """Run a command with `--json` and read what it printed."""
        code, text = await self.says(*words, "--json")
        assert code == 0, text
        return json.loads(text)


async def listed(terminal: Terminal, live: Live, *words: str) -> list[Any]:
    """Wait until a list is not empty."""
    with live.running.plane.bus.subscribe("notifications") as changes:
        async with asyncio.timeout(GENEROUS_S):
            while True:
                found: list[Any] = (await terminal.json(*words))["data"]
                if found:
                    return found
                await changes.nudged(0.2)


async def test_an_approval_is_decided_at_a_terminal(live: Live) -> None:
    """List, show, an answer that does not fit with its reason, approve, and the list of what is over."""
    terminal = Terminal(live)
    form = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "nodes": [{"id": "ask", "type": "logic.approval", "config": {"title": "Ship it?", "form": form}}],
        "edges": [{"source": "start", "target": "ask"}],
    }
    execution_id = await live.start(await live.made(spec))
    (found,) = await listed(terminal, live, "approvals", "list")
    table = (await terminal.says("approvals", "list"))[1]
    shown = json.loads((await terminal.says("approvals", "show", found["id"]))[1])
    wrong = await terminal.says("approvals", "approve", found["id"], "--answer", '{"n": "x"}')
    right = await terminal.json(
        "approvals", "approve", found["id"], "--answer", '{"n": 3}', "--comment", "fine"
    )
    await live.ended(execution_id)
    (over,) = await listed(terminal, live, "approvals", "list", "--decided")

    assert ("Ship it?" in table, form) == (True, shown["form"])
    assert (True, True) == (wrong[0] != 0, "does not fit the form" in wrong[1])
    assert ("approved", "fine", {"n": 3}) == (right["status"], over["comment"], over["answer"])


async def test_why_an_execution_does_not_run_is_said_at_a_terminal(live: Live) -> None:
    """One that is cancelled before it begins says why; one that is queued is followed until it is over."""
    terminal = Terminal(live)
    spec: dict[str, Any] = {
        "trigger": {"id": "start", "type": "trigger.manual"},
        "settings": {"rate": {"limit": 1, "periodSeconds": 3600, "onExceed": "skip"}},
    }
    skips = await live.made(spec)
    waits = await live.made(spec | {"settings": {"debounce": {"seconds": 0.2}}})
    found = [await terminal.says("workflows", "execute", each) for each in (skips, skips, waits)]

    assert [0, 1, 0] == [code for code, _ in found]
    assert "It is over: cancelled. The rate of 1 in 3600 s is used up" in found[1][1]
    assert ("completed" in found[2][1], "goes on without you" in found[1][1]) == (True, False)


async def test_an_alert_is_made_and_tried_at_a_terminal(live: Live, receiver: Receiver) -> None:
    """Add, list, test, history, off, remove; a secret is printed once."""
    receiver.answer("/hook", Scripted(204))
    terminal = Terminal(live)
    hook = f"{receiver.address}/hook"
    made = await terminal.says("alerts", "add", "Failures", "--on", "failure", "--webhook", hook)
    (rule,) = (await terminal.json("alerts", "list"))["data"]
    table = (await terminal.says("alerts", "list"))[1]
    sent = await terminal.json("alerts", "test", rule["id"])
    await receiver.called("/hook")
    history = await listed(terminal, live, "alerts", "history", rule["id"])
    await terminal.says("alerts", "off", rule["id"])
    off = (await terminal.json("alerts", "list"))["data"][0]["is_active"]
    await terminal.says("alerts", "remove", rule["id"])
    unknown = await terminal.says("alerts", "add", "x", "--on", "nothing", "--email", "a@example.com")

    assert (0, True, False) == (made[0], "is signed with whsec_" in made[1], "whsec_" in table)
    assert ([True], [rule["id"]]) == (
        [each["is_test"] for each in sent["data"]], [each["alert_id"] for each in history],
    )  # fmt: skip
    assert (False, []) == (off, (await terminal.json("alerts", "list"))["data"])
    assert 0 != unknown[0]


async def test_a_subscription_is_kept_at_a_terminal(live: Live, receiver: Receiver) -> None:
    """Add, list, test, deliveries, replay; off and on; remove."""
    receiver.answer("/hook", Scripted(204))
    terminal = Terminal(live)
    made = await terminal.json("subscriptions", "add", f"{receiver.address}/hook", "--event", "execution.*")
    await terminal.says("subscriptions", "test", made["id"])
    await receiver.called("/hook")
    found = await listed(terminal, live, "subscriptions", "deliveries", made["id"], "--state", "delivered")
    again = await terminal.json("subscriptions", "replay", made["id"], found[0]["id"])
    await receiver.called("/hook", 2)
    neither = await terminal.says("subscriptions", "replay", made["id"])
    await terminal.says("subscriptions", "off", made["id"])
    off = (await terminal.json("subscriptions", "list"))["data"][0]["is_active"]
    await terminal.says("subscriptions", "on", made["id"])
    table = (await terminal.says("subscriptions", "list"))[1]
    await terminal.says("subscriptions", "remove", made["id"])

    assert ([found[0]["id"]], True, False) == (
        [each["id"] for each in again["data"]], neither[0] != 0, off,
    )  # fmt: skip
    assert "execution.*" in table
    assert [] == (await terminal.json("subscriptions", "list"))["data"]


async def test_a_file_of_n8n_is_imported_at_a_terminal(live: Live, tmp_path: Path) -> None:
    """`import` takes the list that n8n exports, and prints each workflow with what could not be kept."""
    names = [("Tick", "manualTrigger"), ("Shape it", "code"), ("Tell [them]", "slack")]
    nodes = [{"name": name, "type": f"n8n-nodes-base.{kind}", "parameters": {}} for name, kind in names]
    lines = {
        "Tick": {"main": [[{"node": "Shape it"}]]},
        "Shape it": {"main": [[{"node": "Tell [them]"}]]},
    }
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"name": "Told", "nodes": nodes, "connections": lines}]))
    code, text = await Terminal(live).says("import", str(path))

    assert 0 == code, text
    for words in (
        "Told",
        "CODE shape_it: 'Shape it' is JavaScript",
        "UNKNOWN_NODE_TYPE tell_them: 'Tell [them]'",
    ):
        assert words in text
