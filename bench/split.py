"""A split LinkFlow as the thing that is measured: PostgreSQL, and a process for each part of a layout.

    python -m bench.split HOME OUTBOUND LAYOUT

It answers as `bench.subject` does, and says the process of every part. The order `{"add": "<roles>"}` starts
one more part. An empty line ends it.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from bench.processes import line, python
from bench.subject import EMAIL, PASSWORD, arrivals
from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.schema import migrate
from linkflow.ports.cluster import ROLES

CONNECTIONS = {"max_connections": "200"}
"""Each process has a pool of its own."""

STOP_S = 15.0


class Parts:
    """The processes.

    Attributes:
        pids: By name.
        ports: Where the roles listen.
    """

    def __init__(self, environment: Mapping[str, str], log: IO[bytes]) -> None:
        self._environment, self._log = environment, log
        self._running: list[subprocess.Popen[bytes]] = []
        self.pids: dict[str, int] = {}
        self.ports: dict[str, int] = {}

    def start(self, *layout: str) -> None:
        """Start processes, each named by its roles; return when they reach each other."""
        begun = [
            python("bench.part", roles, log=self._log, environment=self._environment) for roles in layout
        ]
        self._running += begun
        for roles, process in zip(layout, begun, strict=True):
            self.ports |= line(process)["ports"]
            number = sum(name.split(" ")[0] == roles for name in self.pids) + 1
            self.pids[roles if number == 1 else f"{roles} {number}"] = process.pid

    def stop(self) -> None:
        """End them, the last one first, and insist after a while."""
        for process in reversed(self._running):
            assert process.stdin is not None
            process.stdin.close()
        for process in reversed(self._running):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment_of(home: Path, dsn: str, outbound: str) -> Mapping[str, str]:
    """Say what every part is told."""
    return os.environ | {
        "LINKFLOW_HOME": str(home),
        "LINKFLOW_DATABASE_URL": dsn,
        "LINKFLOW_PORT": "0",
        "LINKFLOW_PORTS": ",".join(f"{role}=0" for role in ROLES),
        "LINKFLOW_OUTBOUND_ALLOW": outbound,
        "LINKFLOW_LOG_LEVEL": "warning",
        "LINKFLOW_OWNER_EMAIL": EMAIL,
        "LINKFLOW_OWNER_PASSWORD": PASSWORD,
        "LINKFLOW_SECRET": "a secret of the processes of the bench",
    }


async def main(home: Path, outbound: str, layout: str) -> None:
    """Run everything until there are no more orders."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    postgres = await EmbeddedPostgres.start(home, settings=CONNECTIONS)
    try:
        await migrate(postgres.dsn, lambda text: None)
        with home.with_suffix(".parts.log").open("ab") as log, ExitStack() as stack:
            parts = Parts(environment_of(home, postgres.dsn, outbound), log)
            stack.callback(parts.stop)
            parts.start(*layout.split(" "))
            place = {"port": parts.ports["rest"], "postgres": postgres.pid, "dsn": postgres.dsn}
            answer(place | {"parts": parts.pids})
            reader = await arrivals()
            while (order := await reader.readline()).strip():
                await asyncio.to_thread(parts.start, json.loads(order)["add"])
                answer({"parts": parts.pids})
    finally:
        await postgres.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
