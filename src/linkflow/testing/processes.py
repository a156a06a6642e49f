"""A LinkFlow of several processes: each a real `linkflow serve --roles`, on a real database.

async with Deployment.running(dsn, home, ["rest", "frontend", ...]) as split:
    await split.post("/workflows", {...})
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from linkflow.testing.control import OWNER, PASSWORD, Reply
from linkflow.testing.servers import free_port

SERVICES = ("frontend", "history", "matching", "worker", "timer", "visibility", "control-plane", "edge")
"""The eight services of seed 001."""

SECRET = "a secret of many processes"  # noqa: S105  of tests
PATIENCE_S = 150.0
LOOK_S = 0.05
ENDS = ("completed", "failed", "cancelled", "timed_out")


class Process:
    """One process.

    Attributes:
        name: Its roles, as they were said.
        ports: Where it listens, by role.
        log: What it says, as a file.
    """

    def __init__(
        self, name: str, ports: Mapping[str, int], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name, self.ports, self.log = name, ports, log
        said = ",".join(f"{role}={port}" for role, port in ports.items())
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, "-m", "linkflow", "serve", "--roles", name],
                env={**os.environ, **environment, "LINKFLOW_PORTS": said},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it is over."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait until it is over; its exit code."""
        return await asyncio.to_thread(self._process.wait, PATIENCE_S)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None


class Deployment:
    """Processes that together are a LinkFlow, and a client that is signed in as the owner.

    Attributes:
        processes: By name; a killed one is replaced by `start`.
        token: The owner's.
    """

    def __init__(self, http: aiohttp.ClientSession, folder: Path, environment: Mapping[str, str]) -> None:
        self.http = http
        self.processes: dict[str, Process] = {}
        self.token = ""
        self._folder = folder
        self._environment = environment
        self._ports: dict[str, dict[str, int]] = {}
        self._said: dict[str, Mapping[str, str]] = {}

    @classmethod
    @asynccontextmanager
    async def running(
        cls, dsn: str, folder: Path, names: Sequence[str], **environment: str
    ) -> AsyncIterator["Deployment"]:
        """Start processes, each named by its roles, and stop them at the end; sign in where one has REST."""
        said = {
            "LINKFLOW_DATABASE_URL": dsn,
            "LINKFLOW_HOME": str(folder / "home"),
            "LINKFLOW_OUTBOUND_ALLOW": "127.0.0.1",
            "LINKFLOW_OWNER_EMAIL": OWNER,
            "LINKFLOW_OWNER_PASSWORD": PASSWORD,
            "LINKFLOW_SECRET": SECRET,
            **environment,
        }
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with aiohttp.ClientSession() as http:
            found = cls(http, folder, said)
            try:
                for name in names:
                    found.start(name)
                await found.ready()
                if any("rest" in name.split(",") for name in names):
                    await found.sign_in()
                yield found
            finally:
                for process in found.processes.values():
                    process.send(signal.SIGKILL)
                for process in found.processes.values():
                    await process.ended()

    # ------------------------------------------------------------ processes

    def start(self, name: str, *, called: str = "", **environment: str) -> Process:
        """Start a process of some roles, again where it was before.

        Args:
            name: The roles, as `--roles` takes them.
            called: How this test calls it; by default by its roles.
            environment: Variables of this process alone.
        """
        called = called or name
        roles = name.split(",")
        ports = self._ports.setdefault(called, {role: free_port() for role in roles})
        log = self._folder / f"{called}.log"
        self._said[called] = environment or self._said.get(called, {})
        process = Process(name, ports, log, {**self._environment, **self._said[called]})
        self.processes[called] = process
        return process

    async def kill(self, called: str) -> None:
        """Kill -9 a process."""
        self.processes[called].send(signal.SIGKILL)
        await self.processes[called].ended()

    async def stop(self, called: str) -> int:
        """Ask a process to stop and wait until it has; its exit code."""
        self.processes[called].send(signal.SIGTERM)
        return await self.processes[called].ended()

    async def ready(self, *called: str) -> None:
        """Wait until processes can serve.

        Raises:
            TimeoutError: One cannot; the message says why.
        """
        for each in called or list(self.processes):
            process = self.processes[each]
            port = next(iter(process.ports.values()))
            reason = ""
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while True:
                        reason = await self._why_not_ready(port)
                        if not reason or process.is_over:
                            break
                        await asyncio.sleep(LOOK_S)
            except TimeoutError:
                raise TimeoutError(f"{each} is not ready: {reason}\n{self.said(each)}") from None
            if process.is_over:
                raise TimeoutError(f"{each} has ended.\n{self.said(each)}")

    async def _why_not_ready(self, port: int) -> str:
        try:
            async with self.http.get(f"http://127.0.0.1:{port}/ready") as answer:
                return "" if answer.status == 200 else await answer.text()
        except aiohttp.ClientError as error:
            return str(error)

    def said(self, called: str) -> str:
        """Read the end of what a process said."""
        return self.processes[called].log.read_text(encoding="utf-8", errors="replace")[-3000:]

    # ------------------------------------------------------------ calls

    def address(self, role: str) -> str:
        """Say where a role answers HTTP."""
        for process in self.processes.values():
            if role in process.ports and not process.is_over:
                return f"http://127.0.0.1:{process.ports[role]}"
        raise LookupError(f"no process has the role {role}")

    async def sign_in(self) -> None:
        """Sign in as the owner."""
        found = await self.call("POST", "/auth/login", {"email": OWNER, "password": PASSWORD})
        assert found.status == 200, found.body
        self.token = found.json["access_token"]

    async def call(
        self, method: str, path: str, body: Any = None, *, role: str = "rest", **headers: str
    ) -> Reply:
        """Send a request; paths that do not begin with /api, /webhooks or / of a port are below /api/v1."""
        is_whole = path.startswith(("/api/", "/webhooks/", "/health", "/ready", "/metrics"))
        sent = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        url = self.address(role) + (path if is_whole else f"/api/v1{path}")
        data = None if body is None else json.dumps(body).encode()
        async with self.http.request(method, url, data=data, headers=sent) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, found, await answer.read())

    async def get(self, path: str, role: str = "rest") -> Reply:
        """GET."""
        return await self.call("GET", path, role=role)

    async def post(self, path: str, body: Any = None, role: str = "rest", **headers: str) -> Reply:
        """POST JSON."""
        return await self.call("POST", path, body, role=role, **headers)

    async def seen(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Look at something until what is to hold of it does.

        Raises:
            TimeoutError: It did not; the message shows it.
        """
        found: Any = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    found = await self.get(path)
                    if found.status == 200 and holds(found.json):
                        return found.json
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise TimeoutError(f"{path}: {found.body if found is not None else 'no answer'!r}") from None

    async def until(self, execution_id: str, holds: Callable[[Any], bool]) -> Any:
        """Look at an execution until something holds of it."""
        return await self.seen(f"/executions/{execution_id}", holds)

    async def ended(self, execution_id: str) -> Any:
        """Wait until an execution is over and read it."""
        return await self.until(execution_id, lambda found: found["status"] in ENDS)

    async def events(self, execution_id: str) -> list[Any]:
        """Read a history."""
        return list((await self.get(f"/executions/{execution_id}/events?limit=1000")).json["data"])

    async def measured(self, role: str, name: str) -> float:
        """Add up a metric of a role's process over its labels."""
        text = (await self.get("/metrics", role)).body.decode()
        lines = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)
