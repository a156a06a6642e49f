"""A control plane over a real database and an engine that runs nothing, with a client that speaks REST."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemIds
from linkflow.api.app import create_app
from linkflow.apps.settings import Settings
from linkflow.apps.wiring_control import ControlSide, EngineSide, build_control, open_control
from linkflow.control.plane import ControlPlane
from linkflow.nodes.registry import NodeRegistry
from linkflow.testing.engine import FakeEngine
from linkflow.testing.fakes import FixedClock, MemoryBlobStore
from linkflow.testing.memory_stores import MemoryDeadLetters

GENEROUS_S = 10.0
OWNER = "owner@example.com"
PASSWORD = "correct horse"  # noqa: S105  of a test's owner


class Reply:
    """An answer: status, headers by lower-case name, body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """Calls an ASGI application as HTTP would; signed in or not."""

    def __init__(self, app: Any, token: str = "") -> None:
        self._app = app
        self.token = token

    async def call(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        """Send a request; `body` as JSON, or `raw` bytes."""
        path, _, query = address.partition("?")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        if self.token and "authorization" not in sent:
            sent["authorization"] = f"Bearer {self.token}"
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "scheme": "http", "server": ("test", 80), "client": ("203.0.113.7", 1234),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        messages: list[Any] = []
        pending = [{"type": "http.request", "body": data, "more_body": False}]

        async def receive() -> Any:
            if pending:
                return pending.pop(0)
            return await asyncio.Event().wait()  # the caller stays until the answer is over

        async def send(message: Any) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        found = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
        return Reply(messages[0]["status"], found, b"".join(each.get("body", b"") for each in messages[1:]))

    async def get(self, address: str, **headers: str) -> Reply:
        """GET."""
        return await self.call("GET", address, headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def post(self, address: str, body: Any = None, **headers: str) -> Reply:
        """POST JSON."""
        return await self.call(
            "POST", address, body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    async def put(self, address: str, body: Any = None, **headers: str) -> Reply:
        """PUT JSON."""
        return await self.call(
            "PUT", address, body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    async def delete(self, address: str) -> Reply:
        """DELETE."""
        return await self.call("DELETE", address)


class Stage:
    """Everything that stands in front of an engine.

    Attributes:
        client: Signed in as the owner.
        stranger: Not signed in.
    """

    def __init__(
        self,
        database: Database,
        side: ControlSide,
        plane: ControlPlane,
        engine: FakeEngine,
        letters: MemoryDeadLetters,
        clock: FixedClock,
    ) -> None:
        self.database, self.side, self.plane = database, side, plane
        self.engine, self.letters, self.clock = engine, letters, clock
        self._successors: list[Stage] = []
        self.app = create_app(plane, public_url="http://linkflow.test")
        self.client = Client(self.app)
        self.stranger = Client(self.app)

    @classmethod
    async def open(cls, dsn: str, home: Path, **settings: Any) -> "Stage":
        """Put it together over a database with LinkFlow's schema; `close` it afterwards.

        Args:
            dsn: The database.
            home: LINKFLOW_HOME.
            settings: More of `Settings`.
        """
        clock = FixedClock()
        ids = SystemIds()
        database = await Database.open(dsn, pool_size=2)
        engine = FakeEngine(clock, ids)
        side = open_control(Settings(home=home, **settings), database, engine, NodeRegistry(), clock, ids)
        letters = MemoryDeadLetters()
        plane = build_control(
            side,
            EngineSide(
                frontend=engine,
                visibility=engine,
                specs=engine,
                letters=letters,
                blobs=MemoryBlobStore(),
            ),
        )
        stage = cls(database, side, plane, engine, letters, clock)
        await plane.accounts.ensure_owner(OWNER, PASSWORD, "")
        token = await stage.client.post("/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})
        stage.client.token = token.json["access_token"]
        return stage

    async def close(self) -> None:
        """Close connections, and those of successors."""
        for stage in (self, *self._successors):
            await stage.side.tokens.close()
            await stage.database.close()

    async def successor(self) -> "Stage":
        """Open what a process that starts after this one has: the same database and keys."""
        found = await Stage.open(self.database.dsn, self.side.settings.home)
        found.engine.specs |= self.engine.specs  # they are in the database of a real engine
        self._successors.append(found)
        return found

    @asynccontextmanager
    async def background(self) -> AsyncIterator[None]:
        """Run the inbox for as long as the block lasts."""
        inbox = asyncio.create_task(self.plane.inbox.run())
        try:
            yield
        finally:
            inbox.cancel()
            await asyncio.gather(inbox, return_exceptions=True)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait, under a generous limit, until something holds."""
        async with asyncio.timeout(GENEROUS_S):
            while not holds():  # noqa: ASYNC110  fakes have no events
                await asyncio.sleep(0.005)

    async def until_kept(self, count: int, state: str = "") -> None:
        """Wait until the inbox holds so many requests, of a state if one is named."""
        sql = "SELECT count(*) FROM control.trigger_events WHERE $1 IN ('', state)"
        async with asyncio.timeout(GENEROUS_S):
            while await self.database.pool.fetchval(sql, state) < count:  # noqa: ASYNC110  as above
                await asyncio.sleep(0.005)

    async def workflow(self, nodes: Sequence[Any] = (), edges: Sequence[Any] = (), **trigger: Any) -> str:
        """Create a workflow and return its id."""
        made = await self.client.post(
            "/api/v1/workflows",
            {"name": "Greeting", "spec": spec(nodes, edges, **trigger)},
        )
        assert made.status == 201, made.body
        return str(made.json["id"])


def spec(nodes: Sequence[Any] = (), edges: Sequence[Any] = (), **trigger: Any) -> dict[str, Any]:
    """Say a spec: a manual trigger unless told otherwise."""
    return {
        "trigger": {"id": "start", "type": "trigger.manual", "label": "Start"} | trigger,
        "nodes": list(nodes),
        "edges": list(edges),
    }
