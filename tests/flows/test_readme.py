"""What the README and the tutorial tell people to type works, as it stands there."""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from linkflow.apps.local_access import LocalAccess, keep_access
from linkflow.testing.control import PASSWORD
from linkflow.testing.live import Live
from linkflow.testing.receiver import Receiver, Scripted

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
KILL = "## Kill it"
MISSING = [tool for tool in ("bash", "curl", "awk") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")


async def typed(commands: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Type commands into a shell in the checkout: how it ended, and everything it printed."""
    shell: Process = await asyncio.create_subprocess_exec(
        "bash", "-euc", commands, cwd=ROOT, env=dict(environment), stdout=PIPE, stderr=STDOUT
    )
    said, _ = await shell.communicate()
    return shell.returncode or 0, said.decode()


@asynccontextmanager
async def at_the_terminal(live: Live) -> AsyncIterator[dict[str, str]]:
    """Stand where somebody stands who has typed `make up`: the variables of the second terminal."""
    port = live.address.rpartition(":")[2]
    keep_access(live.home, LocalAccess(url=live.address, token=live.token, pid=0))
    yield {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(live.home),
        "LINKFLOW_HOME": str(live.home),
        "LINKFLOW_PORT": port,
        "PASSWORD": PASSWORD,
    }


@pytest.mark.timeout(120)
async def test_the_readme_works(live: Live, receiver: Receiver) -> None:
    """The commands of the README run a workflow, send a signed push, and explain what became of it."""
    receiver.answer("/", Scripted(200, {"id": "n1"}))
    await live.put("/variables/ntfy_url", {"value": f"{receiver.address}/"})
    blocks = COMMANDS.findall((ROOT / "README.md").read_text())
    async with at_the_terminal(live) as environment:
        code, said = await typed(
            "\n".join(blocks).replace("owner@localhost", "owner@example.com"), environment
        )

    assert (0, 2) == (code, len(blocks)), said
    for text in ("Hello, Ada!", '200 {"notified":true', "Notify", "It is over: completed.", '"data":['):
        assert text in said, said
    assert "octo-org/coffee: 2 new" == receiver.calls[0].json["title"]


@pytest.mark.timeout(120)
async def test_the_tutorial_works(live: Live) -> None:
    """The commands of the first tutorial make an order wait, and a link lets it go on."""
    text = (ROOT / "docs" / "tutorial" / "first-workflow.md").read_text()
    before, after = text.split(KILL)
    path = COMMANDS.findall(before)[0]
    async with at_the_terminal(live) as environment:
        first = await typed("\n".join(COMMANDS.findall(before)), environment)
        second = await typed("\n".join([path, *COMMANDS.findall(after)]), environment)

    assert (0, 0) == (first[0], second[0]), first[1] + second[1]
    for said in ("36", "Ask somebody", "waits for a person to approve or reject: Order for 180?"):
        assert said in first[1], first[1]
    assert "completed" in second[1], second[1]
