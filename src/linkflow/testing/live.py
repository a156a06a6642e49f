"""A whole LinkFlow for tests, in one process: `async with started(settings) as live`.

It is an installation behind a real web server on a free port, with a client that is signed in as the owner.
The fixtures are those of `testing/bindings.py`.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn

from linkflow.apps.installation import Installation, installation
from linkflow.apps.settings import Settings
from linkflow.nodes.registry import NodeRegistry
from linkflow.testing.control import OWNER, PASSWORD, Reply
from linkflow.testing.receiver import GENEROUS_S

SECRET = "a secret that signs callbacks"  # noqa: S105  of tests
WHOLE = ("/api", "/health", "/ready")
ENDS = ("completed", "failed", "cancelled", "timed_out")


class Live:
    """A running LinkFlow and a client of it.

    Attributes:
        address: `http://127.0.0.1:<port>`.
        home: Its LINKFLOW_HOME.
        running: The installation, for what REST does not show.
        token: The owner's.
    """

    def __init__(
        self,
        address: str,
        home: Path,
        running: Installation,
        http: aiohttp.ClientSession,
        *,
        look_s: float = 1.0,
    ) -> None:
        """Meet it.

        Args:
            address: Where it answers.
            home: Its LINKFLOW_HOME.
            running: What runs.
            http: For calls.
            look_s: How long to wait for a nudge before looking again.
        """
        self.address, self.home, self.running, self.http = address, home, running, http
        self._look_s = look_s
        self.token = ""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        signed_in: bool = True,
    ) -> Reply:
        """Send a request; `body` goes as JSON, `raw` as it is. Paths that are not whole are below /api/v1."""
        address = self.address + (path if path.startswith(WHOLE) else f"/api/v1{path}")
        sent = {"content-type": "application/json"} | dict(headers or {})
        if signed_in:
            sent.setdefault("authorization", f"Bearer {self.token}")
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        async with self.http.request(method, address, data=data, headers=sent) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, await answer.read())

    async def get(self, path: str, **headers: str) -> Reply:
        """GET."""
        return await self.call("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        """POST JSON."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.call("POST", path, body, headers=named)

    async def put(self, path: str, body: Any = None, **headers: str) -> Reply:
        """PUT JSON."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.call("PUT", path, body, headers=named)

    async def made(self, spec: Any, name: str = "Under test") -> str:
        """Create a workflow and return its id."""
        reply = await self.post("/workflows", {"name": name, "spec": spec})
        assert reply.status == 201, reply.body
        return str(reply.json["id"])

    async def active(self, spec: Any, name: str = "Under test") -> str:
        """Create and activate a workflow and return its id."""
        workflow_id = await self.made(spec, name)
        reply = await self.post(f"/workflows/{workflow_id}/activate")
        assert reply.status == 200, reply.body
        return workflow_id

    async def hook(self, workflow_id: str) -> str:
        """Find the id of a workflow's webhook."""
        found = await self.get(f"/webhooks?workflow_id={workflow_id}")
        return str(found.json["data"][0]["id"])

    async def knock(
        self, webhook_id: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Reply:
        """POST to a webhook as somebody outside."""
        data = raw if raw is not None else json.dumps(body).encode()
        named = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        address = f"{self.address}/webhooks/{webhook_id}"
        async with self.http.post(address, data=data, headers=named) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, await answer.read())

    async def start(self, workflow_id: str, data: Any = None, **headers: str) -> str:
        """Start a workflow and return the execution's id."""
        reply = await self.post(f"/workflows/{workflow_id}/execute", {"input": data}, **headers)
        assert reply.status == 202, reply.body
        return str(reply.json["execution_id"])

    async def ended(self, execution_id: str) -> Any:
        """Wait until an execution is over and read it."""
        return await self.until(execution_id, lambda found: found["status"] in ENDS)

    async def waits(self, execution_id: str) -> Any:
        """Wait until an execution waits for something, and read what, as `explain` says it."""
        await self.until(execution_id, lambda found: found["status"] == "waiting")
        return (await self.get(f"/executions/{execution_id}/explain")).json

    async def until(self, execution_id: str, holds: Callable[[Any], bool]) -> Any:
        """Wait until something holds of an execution, looking again whenever its history grows.

        Raises:
            TimeoutError: It did not, in 15 seconds.
        """
        bus = self.running.plane.bus
        with bus.subscribe(f"execution:{execution_id}") as changes:
            async with asyncio.timeout(GENEROUS_S):
                while True:
                    found = (await self.get(f"/executions/{execution_id}")).json
                    if holds(found):
                        return found
                    await changes.nudged(self._look_s)

    async def listed(self, holds: Callable[[Any], bool]) -> Any:
        """Wait until something holds of the list of executions, newest first.

        Raises:
            TimeoutError: It did not, in 15 seconds.
        """
        workspace_id = self.running.owner.user.workspace_id
        with self.running.plane.bus.subscribe(f"executions:{workspace_id}") as changes:
            async with asyncio.timeout(GENEROUS_S):
                while True:
                    found = (await self.get("/executions?limit=100")).json["data"]
                    if holds(found):
                        return found
                    await changes.nudged(self._look_s)

    async def run(self, spec: Any, data: Any = None) -> Any:
        """Create a workflow, run it to its end and read the execution."""
        return await self.ended(await self.start(await self.made(spec), data))

    async def output(self, execution_id: str, key: str) -> Any:
        """Read the output of a node."""
        return (await self.get(f"/executions/{execution_id}/nodes/{key}/output?limit=10000")).json["output"]


@asynccontextmanager
async def started(settings: Settings, nodes: NodeRegistry | None = None) -> AsyncIterator[Live]:
    """Run an installation behind a web server, signed in as its owner, until the block is left."""
    with socket.create_server((settings.host, settings.port)) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        address = f"http://{settings.host}:{settings.port}"
        async with installation(settings, lambda text: None, nodes=nodes) as running:
            config = uvicorn.Config(
                running.app,
                log_config=None,
                lifespan="off",
                ws="websockets-sansio",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=65,  # a busy machine leaves connections alone for long
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                async with aiohttp.ClientSession() as http:
                    live = Live(address, settings.home, running, http)
                    token = await running.plane.sign_ins.issue(running.owner.user)
                    live.token = token.access_token
                    yield live
            finally:
                server.should_exit = True
                await serving


def settings_of(dsn: str, home: Path) -> Settings:
    """Say the settings of a test: a free port, its own database, 127.0.0.1 as the world outside."""
    return Settings(
        home=home,
        port=0,
        database_url=dsn,
        outbound_allow=("127.0.0.1",),
        owner_email=OWNER,
        owner_password=PASSWORD,
        secret=SECRET,
    )
