"""A real HTTP server for tests: it answers as told, remembers every request and says when one came."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

GENEROUS_S = 15.0


@dataclass(frozen=True)
class Received:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Scripted:
    """One answer: status, body as JSON (None for no body), headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Receiver:
    """The world outside, on 127.0.0.1.

    Attributes:
        address: `http://127.0.0.1:<port>`.
        calls: Every request so far, oldest first.
    """

    def __init__(self) -> None:
        self.address = ""
        self.calls: list[Received] = []
        self._answers: dict[str, list[Scripted]] = {}
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._came = asyncio.Condition()
        self._held: dict[str, asyncio.Event] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Receiver"]:
        """Listen on a free port until the block is left."""
        receiver = cls()
        server = web.Server(receiver._take, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield receiver
        finally:
            for held in receiver._held.values():
                held.set()  # a test that failed leaves requests that wait
            await runner.cleanup()

    def answer(self, path: str, *answers: Scripted) -> None:
        """Say how a path is answered: one after the other, the last one from then on."""
        self._answers[path] = list(answers)

    def hold(self, path: str) -> None:
        """Let requests to a path wait for their answers until `let_go`."""
        self._held[path] = asyncio.Event()

    def let_go(self, path: str) -> None:
        """Answer the requests that wait, and all that come."""
        self._held[path].set()

    def to(self, path: str) -> Sequence[Received]:
        """List the requests to a path, oldest first."""
        return [call for call in self.calls if call.path == path]

    async def called(self, path: str, times: int = 1) -> Sequence[Received]:
        """Wait until a path was requested so often.

        Raises:
            TimeoutError: It was not, in 15 seconds.
        """
        async with asyncio.timeout(GENEROUS_S), self._came:
            await self._came.wait_for(lambda: len(self.to(path)) >= times)
        return self.to(path)

    async def _take(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path, dict(request.query), headers, body)
        async with self._came:
            self.calls.append(received)
            self._came.notify_all()
        answers = self._answers.get(request.path, [Scripted(404)])
        if request.path in self._held:
            await self._held[request.path].wait()
        said = answers[min(self._counts[request.path], len(answers) - 1)]
        self._counts[request.path] += 1
        if said.body is None:
            return web.Response(status=said.status, headers=said.headers)
        return web.json_response(said.body, status=said.status, headers=said.headers)
