"""A control plane over a real database and an engine that runs nothing, with a client that speaks REST."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linkflow.adapters.sql.database import Database
from linkflow.api.app import create_app
from linkflow.apps.settings import Settings
from linkflow.apps.wiring_control import ControlSide, EngineSide, build_control, open_control
from linkflow.control.plane import ControlPlane
from linkflow.nodes.registry import NodeRegistry
from linkflow.testing.engine import FakeEngine, FakeLetters
from linkflow.testing.fakes import FixedClock, MemoryBlobStore, SequenceIds

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
            return pending.pop(0) if pending else {"type": "http.disconnect"}

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
        clock: FixedClock,
    ) -> None:
        self.database, self.side, self.plane = database, side, plane
        self.engine, self.clock = engine, clock
        self.app = create_app(plane, public_url="http://linkflow.test")
        self.client = Client(self.app)
        self.stranger = Client(self.app)

    @classmethod
    async def open(cls, dsn: str, home: Path) -> "Stage":
        """Put it together over a database with LinkFlow's schema; `close` it afterwards."""
        clock = FixedClock()
        ids = SequenceIds(clock)
        database = await Database.open(dsn, pool_size=2)
        engine = FakeEngine(clock, ids)
        side = open_control(Settings(home=home), database, engine, NodeRegistry(), clock, ids)
        plane = build_control(
            side,
            EngineSide(
                frontend=engine,
                visibility=engine,
                specs=engine,
                letters=FakeLetters(),
                blobs=MemoryBlobStore(),
            ),
        )
        stage = cls(database, side, plane, engine, clock)
        await plane.accounts.ensure_owner(OWNER, PASSWORD, "")
        token = await stage.client.post("/api/v1/auth/login", {"email": OWNER, "password": PASSWORD})
        stage.client.token = token.json["access_token"]
        return stage

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

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
