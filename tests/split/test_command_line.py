"""`linkflow cluster` and `linkflow queues`, put to processes of a split deployment."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from linkflow.adapters.grpc.clients import ControlPlaneClient
from linkflow.adapters.grpc.lines import lines
from linkflow.adapters.grpc.trust import Trust
from linkflow.testing.processes import SECRET, Deployment
from linkflow.testing.split import KnownPeers, member

pytestmark = pytest.mark.timeout(400)

ENGINE = "frontend,history,matching,timer,visibility,worker"


class CommandLine:
    """`linkflow`, as the owner of an installation runs it."""

    def __init__(self, home: Path) -> None:
        self._environment = {**os.environ, "LINKFLOW_HOME": str(home), "COLUMNS": "200"}

    async def says(self, *words: str) -> tuple[int, str]:
        """Run a command; its exit code and what it printed."""
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "linkflow", *words, env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await running.communicate()
        return running.returncode or 0, output.decode()

    async def json(self, *words: str) -> Any:
        """Run a command with `--json` and read what it printed."""
        return json.loads((await self.says(*words, "--json"))[1])


async def asked_over_grpc(members: Sequence[Any], values: dict[str, str | None]) -> tuple[Any, Any]:
    """Ask the control-plane service how the cluster is, and let it change the configuration."""
    address = next(each["addresses"]["control-plane"] for each in members if "control-plane" in each["roles"])
    async with lines(KnownPeers(member("control-plane", address)), Trust(secret=SECRET)) as found:
        client = ControlPlaneClient(found)
        return await client.status(), await client.configure(values)


async def test_a_cluster_is_seen_and_changed(database_dsn: str, tmp_path: Path) -> None:
    """D35, L8: how a split LinkFlow is can be read, and all its processes be told settings while they run.

    The process that is asked has no Matching and no worker of its own.
    """
    run = CommandLine(tmp_path / "home")
    async with Deployment.running(database_dsn, tmp_path, ["rest,control-plane", ENGINE]) as split:
        code, text = await run.says("cluster", "status")
        changed = await run.says("cluster", "config", "set", "worker_slots=3", "log_level=debug")
        await split.seen("/admin/queues", lambda found: [each["credits"] for each in found["data"]] == [3])
        said = await run.json("cluster", "config", "get")
        refused = (await run.says("cluster", "config", "set", "port=1"))[0]
        (queue,) = (await run.json("queues"))["data"]
        members = (await run.json("cluster", "status"))["members"]
        status, config = await asked_over_grpc(members, {"worker_slots": None})
        await split.seen("/admin/queues", lambda found: [each["credits"] for each in found["data"]] == [256])
        ready = (await split.get("/ready", "history")).json["checks"]
        await split.stop(ENGINE)
        left, alone = await run.says("cluster", "status")

    assert (0, "matching*" in text, "roles that nobody has: edge, scheduler" in text) == (code, True, True)
    assert (0, {"worker_slots": "3", "log_level": "debug"}) == (changed[0], said["values"])
    assert ("default", 0, 1, 1) == (queue["name"], queue["in_flight"], queue["workers"], refused)
    assert {each["id"] for each in members} == {each.id for each in status.members}
    assert (2, {"log_level": "debug"}) == (config.version, config.values)
    assert all(ready[part]["ok"] for part in ("peers", "database", "history", "matching", "worker"))
    assert (1, True) == (left, "No process has the role history." in alone)
    assert ("tasks waiting: 0" in text, "tasks waiting: unknown" in alone) == (True, True)
