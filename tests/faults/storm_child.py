"""The process that the kill storm kills: a whole LinkFlow that starts executions and tells what it promised.

`storm_child.py HOME URL load` starts executions until it is killed; `… judge` starts none, waits until all
are over, and tells how they ended.
"""

import asyncio
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from linkflow.adapters.sql.engine import SqlSpecStore
from linkflow.adapters.system import SystemClock
from linkflow.apps.installation import Installation, installation
from linkflow.apps.settings import Settings
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.workflow.spec import canonical_spec, content_hash
from linkflow.ports.services import StartExecution
from linkflow.telemetry import set_up
from linkflow.testing.storm import left, verdict, workflows

BEGAN = time.monotonic()
WORKSPACE = "11111111-1111-4111-8111-111111111111"
STARTERS = 6
PAUSE_S = 0.03
LOOK_S = 0.2
TIMED = ("paced", "debounced", "paced")
"""What two of the starters begin each life with: more than the rate lets begin at once."""


class Storm:
    """One life."""

    def __init__(self, running: Installation, http: aiohttp.ClientSession, url: str) -> None:
        self.running, self.http, self.url = running, http, url
        self.hashes: dict[str, str] = {}

    async def tell(self, what: str, body: Any) -> None:
        """Tell the test; the test has it when this returns."""
        async with self.http.post(f"{self.url}/tell/{what}", json=body) as answer:
            answer.raise_for_status()

    async def publish(self) -> None:
        """Store the workflows."""
        specs = SqlSpecStore(self.running.database)
        for name, workflow in workflows(self.url).items():
            self.hashes[name] = content_hash(workflow)
            await specs.put(WORKSPACE, self.hashes[name], canonical_spec(workflow))

    async def start_for_ever(self, starter: int) -> None:
        """Start executions, and tell the test of each that was acknowledged."""
        for number in itertools.count():
            name = "limited" if number % 5 == 4 else "chain"
            if number < len(TIMED) and starter < 2:
                name = TIMED[number]
            try:
                started = await self.running.engine.frontend.start(
                    StartExecution(
                        workspace_id=WORKSPACE,
                        workflow_id=name,
                        spec_hash=self.hashes[name],
                        request_id=f"{BEGAN}:{starter}:{number}",
                        input={"number": number},
                    )
                )
            except LinkFlowError:
                continue
            await self.tell("acknowledged", {"id": started.execution_id, "workflow": name})
            await SystemClock().sleep(PAUSE_S)

    async def judge(self) -> None:
        """Wait until all are over, then tell what the database holds."""
        clock = SystemClock()
        while await left(self.running.database):
            await clock.sleep(LOOK_S)
        await self.tell("judged", msgspec.to_builtins(await verdict(self.running.database)))


async def main(home: Path, url: str, task: str) -> None:
    """Live."""
    settings = Settings(home=home, outbound_allow=("127.0.0.1",), owner_password="a storm is coming")
    async with installation(settings, lambda text: None) as running, aiohttp.ClientSession() as http:
        storm = Storm(running, http, url)
        await storm.publish()
        await running.engine.recovery.recovered.wait()
        await storm.tell("ready", {"after_s": time.monotonic() - BEGAN})
        if task == "judge":
            await storm.judge()
            return
        await asyncio.gather(*(storm.start_for_ever(number) for number in range(STARTERS)))


if __name__ == "__main__":
    set_up("error", as_json=True)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
