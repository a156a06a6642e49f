"""The command line ends executions and runs them again, one or many."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from typer.testing import CliRunner

from linkflow.apps.cli import app as command_line
from linkflow.apps.local_access import LocalAccess, keep_access
from linkflow.testing.live import Live

NOBODYS = "01a1fd01-ae86-8339-9a22-eec90751cbe8"
WAITS = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [{"id": "wait", "type": "logic.delay", "config": {"seconds": 3600}}],
    "edges": [{"source": "start", "target": "wait"}],
}

pytestmark = pytest.mark.timeout(60)


async def say(live: Live, *words: str) -> Any:
    """Run a command."""
    keep_access(live.home, LocalAccess(url=live.address, token=live.token, pid=0))
    run = partial(CliRunner().invoke, command_line, words, env={"LINKFLOW_HOME": str(live.home)})
    return await asyncio.to_thread(run)


async def waiting(live: Live, count: int, name: str) -> tuple[str, list[str]]:
    """Start executions that wait; their workflow, and they."""
    workflow_id = await live.made(WAITS, name)
    return workflow_id, [await live.start(workflow_id) for _ in range(count)]


async def listed(live: Live, workflow_id: str, status: str, count: int) -> None:
    """Wait until the list shows so many: it follows a little behind."""
    path = f"/executions/search?workflow_id={workflow_id}&status={status}"
    async with asyncio.timeout(15):
        while True:
            if len((await live.get(path)).json["data"]) >= count:
                return


async def test_named_executions_are_ended(live: Live) -> None:
    """Each that is named is asked to end; one that is not there is said, and the exit code tells."""
    _, (one, two, three) = await waiting(live, 3, "Waits")
    found = await say(live, "cancel", one, NOBODYS, two, "--reason", "enough")
    at_once = await say(live, "cancel", three, "--now", "--json")

    assert (1, 0) == (found.exit_code, at_once.exit_code), (found.output, at_once.output)
    assert found.output.startswith("cancel: 2 of 3\n") and f"  {NOBODYS}: " in found.output
    assert 1 == json.loads(at_once.output)["done"]
    assert ["cancelled"] * 3 == [(await live.ended(each))["status"] for each in (one, two, three)]


async def test_all_of_a_workflow_are_ended_and_run_again(live: Live) -> None:
    """--all means what is open, and for a retry what ended badly; other workflows are left alone."""
    workflow_id, ids = await waiting(live, 3, "Waits")
    _, (other,) = await waiting(live, 1, "Waits, too")
    await listed(live, workflow_id, "waiting", 3)
    ended = await say(live, "cancel", "--all", "--workflow", workflow_id)
    assert (0, "cancel: 3 of 3\n") == (ended.exit_code, ended.output), ended.exception
    await listed(live, workflow_id, "cancelled", 3)
    again = await say(live, "retry", "--all", "--workflow", workflow_id, "--json")
    status = (await live.get(f"/executions/{other}")).json["status"]

    assert 0 == again.exit_code, again.output
    assert {*ids} == {each["id"] for each in json.loads(again.output)["data"]}
    assert "waiting" == status


@pytest.mark.parametrize(
    "words", [["cancel"], ["cancel", "x", "--all"], ["retry", "x", "--status", "failed"]]
)
async def test_it_is_clear_which_are_meant(live: Live, words: list[str]) -> None:
    """Neither names nor --all, both, or options without --all are refused before anything is done."""
    refused = await say(live, *words)

    assert (1, True) == (refused.exit_code, "or say --all" in str(refused.exception)), refused.output
