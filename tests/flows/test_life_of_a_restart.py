"""The life of an execution that outlives its process: stopped in peace, or killed in the middle."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.live import settings_of, started
from linkflow.testing.receiver import Receiver, Scripted

WAITING = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "before", "type": "data.set", "config": {"values": {"n": 1}}},
        {"id": "delay", "type": "logic.delay", "config": {"seconds": 1}},
        {"id": "ask", "type": "logic.approval", "config": {"title": "Go on?"}},
        {"id": "both", "type": "logic.merge", "config": {}},
        {"id": "after", "type": "data.set", "config": {"values": {"n": "{{node_before.output.n + 1}}"}}},
    ],
    "edges": [
        {"source": "start", "target": "before"},
        {"source": "before", "target": "delay"},
        {"source": "before", "target": "ask"},
        {"source": "delay", "target": "both"},
        {"source": "ask", "target": "both", "sourceHandle": "approved"},
        {"source": "both", "target": "after"},
    ],
}


async def test_waits_survive_a_restart(database_dsn: str, tmp_path: Path) -> None:
    """D11, D34: a delay that ends while nothing runs, and an approval, go on in the next process."""
    settings = settings_of(database_dsn, tmp_path)
    async with started(settings) as live:
        execution_id = await live.start(await live.made(WAITING))
        explained = await live.waits(execution_id)
    token = next(each["resume_token"] for each in explained["drivers"] if each["kind"] == "approval")
    async with started(settings) as live:
        decided = await live.call("POST", f"/resume/{token}", {"action": "approved"}, signed_in=False)
        found = await live.ended(execution_id)

    assert (202, "completed", {"n": 2}) == (decided.status, found["status"], found["result"])


@asynccontextmanager
async def process(home: Path, receiver: Receiver) -> AsyncIterator[tuple[Process, str]]:
    """Run `linkflow serve` with its own PostgreSQL until the block is left: the process and its address."""
    environment = os.environ | {
        "LINKFLOW_HOME": str(home),
        "LINKFLOW_PORT": "0",
        "LINKFLOW_OWNER_EMAIL": OWNER,
        "LINKFLOW_OWNER_PASSWORD": PASSWORD,
        "LINKFLOW_OUTBOUND_ALLOW": "127.0.0.1",
    }
    command = (sys.executable, "-c", "from linkflow.apps.cli import main; main()", "serve")
    running = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    assert running.stderr is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(60):
            while not (said and " ready on http" in said[-1]):
                line = await running.stderr.readline()
                assert line, said
                said.append(line.decode().strip())
        address = said[-1].rpartition(" ")[2]
        yield running, address
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(signal.SIGTERM)
        await running.communicate()


class Caller:
    """A person's client of another process."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self.http, self.address = http, address

    async def sign_in(self) -> None:
        """Sign in as the owner."""
        said = await self.call("POST", "/auth/login", {"email": OWNER, "password": PASSWORD})
        self.http.headers["authorization"] = f"Bearer {said['access_token']}"

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and read the JSON of a good answer."""
        async with self.http.request(method, f"{self.address}/api/v1{path}", json=body) as answer:
            text = await answer.text()
            assert answer.status < 300, text
            return json.loads(text)

    async def frames(self, execution_id: str) -> AsyncIterator[Any]:
        """Follow an execution by its stream."""
        async with self.http.get(f"{self.address}/api/v1/executions/{execution_id}/stream") as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])


@pytest.mark.timeout(180)
async def test_everything_open_survives_kill_9(tmp_path: Path, receiver: Receiver) -> None:
    """D34: after kill -9 every open execution goes on, and no effect is doubled."""
    receiver.answer("/work", Scripted(200, {"id": 1}))
    work = {
        "method": "PUT",
        "url": f"{receiver.address}/work",
        "body": "{{execution.id}}",
        "idempotency_header": "Idempotency-Key",
    }
    nodes = [*WAITING["nodes"], {"id": "work", "type": "http.request", "config": work}]
    edges = [*WAITING["edges"], {"source": "after", "target": "work"}]
    spec = WAITING | {"nodes": nodes, "edges": edges}
    async with aiohttp.ClientSession() as http:
        async with process(tmp_path, receiver) as (running, address):
            caller = Caller(http, address)
            await caller.sign_in()
            workflow_id = (await caller.call("POST", "/workflows", {"name": "Open", "spec": spec}))["id"]
            started_at = [
                await caller.call("POST", f"/workflows/{workflow_id}/execute", {}) for _ in range(5)
            ]
            ids = [each["execution_id"] for each in started_at]
            running.kill()
            await running.wait()
        async with process(tmp_path, receiver) as (_, address):
            caller = Caller(http, address)
            for execution_id in ids:
                explained = await caller.call("GET", f"/executions/{execution_id}/explain")
                assert explained["drivers"], explained
                await caller.call(
                    "POST", f"/executions/{execution_id}/resolve", {"key": "ask", "action": "approved"}
                )
            ends = []
            for execution_id in ids:
                async for frame in caller.frames(execution_id):
                    if frame["t"] == "end":
                        ends.append(frame["reason"])
                        break
    worked = {call.headers["idempotency-key"] for call in receiver.to("/work")}

    assert (["completed"] * 5, {f"{execution_id}:work" for execution_id in ids}) == (ends, worked)
