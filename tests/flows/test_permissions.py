"""Every route, as every role, in one's own workspace and in another's, compared with the matrix."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import APIRouter

from linkflow.api.app import ROUTERS, _routed, openapi_document
from linkflow.api.deps import StrictRoute
from linkflow.api.live import TOPIC_KINDS
from linkflow.api.permissions import ACCOUNT, NEEDED, OPEN, OPERATOR, SIGNED_IN
from linkflow.domain.access import PERMISSIONS, ROLES, may
from linkflow.ports.identity import Member, User
from linkflow.testing.control import Client, Stage

NOBODYS = "01a1fd01-ae86-4339-9a22-eec90751cbe8"
ROUTES = sorted(
    (method.upper(), path)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    if (method.upper(), path) in NEEDED
)
ELSEWHERE = {"/api/v1/executions/{execution_id}/stream"}
"""Answers without an end; `test_life_of_a_live_view.py` and the topics below try it."""

ENDS_ACCESS = ("/api/v1/auth/", "/api/v1/members", "/api/v1/users/", "/api/v1/workspaces", "/oauth/")
"""Routes that may end a sign-in or a membership; what they do is no matter to the next route."""

BODIES = {
    ("PUT", "/api/v1/budgets/{period}"): {"limits": {"attempts": 5}},
    ("PUT", "/api/v1/workflows/{workflow_id}/draft"): {
        "spec": {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []},
    },
}
"""Bodies whose shape only the route knows."""


class Town:
    """A workspace with one user of each role, and a foreigner."""

    def __init__(self, stage: Stage, home: str, users: Mapping[str, User]) -> None:
        self.stage, self.home, self.users = stage, home, users

    async def client(self, role: str) -> Client:
        """Sign somebody in anew, as a member if they are to be one."""
        user = self.users[role]
        if role in ROLES:
            member = Member(workspace_id=self.home, user_id=user.id, role=role, joined_at=1.0)
            await self.stage.plane.records.tenancy.put_member(member)
        token = await self.stage.plane.sign_ins.issue(user)
        return Client(self.stage.app, token.access_token)


@pytest_asyncio.fixture
async def town(database_dsn: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Found a town."""
    stage = await Stage.open(database_dsn, tmp_path)
    users: dict[str, User] = {}
    for name in (*ROLES, "foreigner"):
        async with stage.plane.records.transaction() as records:
            users[name] = await stage.plane.accounts.add(records, f"{name}@town.example", "x", verified=True)
    founder = Client(stage.app, (await stage.plane.sign_ins.issue(users["owner"])).access_token)
    home = (await founder.post("/api/v1/workspaces", {"name": "Town"})).json["id"]
    yield Town(stage, home, users)
    await stage.close()


def filler(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Make the smallest value of a schema."""
    if "$ref" in schema:
        return filler(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return filler(choices[0], document)
    if "default" in schema:
        return schema["default"]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            wanted = schema.get("required", ())
            return {name: filler(schema["properties"][name], document) for name in wanted}
        case "array":
            return [filler(schema["items"], document)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "string":
            return "x" * max(8, schema.get("minLength", 0))
    return {}


def asked(method: str, path: str, prefix: str = "/api/v1", **ids: str) -> tuple[str, str, Any]:
    """Say a request to a route: ids as given, else of nothing; the smallest body."""
    document = openapi_document()
    route = document["paths"][path][method.lower()]
    schema = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    filled = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], NOBODYS), path.replace("{number}", "1"))
    if prefix != "/api/v1":
        filled = filled.replace("/api/v1", prefix, 1)
    if (method, path) in BODIES:
        return method, filled, BODIES[method, path]
    return method, filled, None if schema is None else filler(schema, document)


def expected(needed: str, role: str) -> bool:
    """Say what the matrix says: whether a role may."""
    return needed in (OPEN, SIGNED_IN, ACCOUNT) or may(role, needed)


UNDESCRIBED = {
    ("GET", "/api/openapi.json"), ("GET", "/api/openapi-3.0.json"), ("GET", "/docs"),
    ("GET", "/{path:path}"), ("SOCKET", "/api/v1/ws"),
}  # fmt: skip
"""Doors that the document does not name: the document itself, its page, files of the editor, the socket."""


def test_there_is_no_door_beside_the_routes() -> None:
    """Whatever answers is described, and so walked; what is not is in a list that is looked at by hand."""
    given = [each for router in ROUTERS for each in router.routes]
    built = [each for each in _routed().router.routes if hasattr(each, "path")]
    doors = {
        (method, str(getattr(each, "path", "")))
        for each in [*given, *built]
        for method in getattr(each, "methods", None) or {"SOCKET"}
    }

    assert UNDESCRIBED == {door for door in doors if door[0] != "HEAD"} - NEEDED.keys()


async def test_a_route_without_a_line_is_refused_to_everybody(stage: Stage) -> None:
    """A route that somebody adds and forgets in the table answers nobody, not even the owner."""
    router = APIRouter(prefix="/api/v1", route_class=StrictRoute)

    @router.get("/forgotten")
    async def forgotten() -> str:
        return "something that is nobody's business"

    app = _routed()
    app.state.plane = stage.plane
    app.router.routes.insert(0, router.routes[0])
    found = await Client(app, stage.client.token).get("/api/v1/forgotten")

    assert (403, "access.undeclared") == (found.status, found.json["code"])


def test_every_route_says_who_may_use_it() -> None:
    """A route that is not in the table of permissions is refused, so each route is, and nothing else is."""
    served = {
        (method.upper(), path) for path, methods in openapi_document()["paths"].items() for method in methods
    }
    words = set(NEEDED.values()) - {OPEN, SIGNED_IN, ACCOUNT, OPERATOR}

    assert (set(), set(), set()) == (
        served - NEEDED.keys(),
        NEEDED.keys() - served,
        words - PERMISSIONS["owner"],
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("role", ROLES)
async def test_roles_may_what_the_matrix_says(town: Town, role: str) -> None:
    """B8, B9: each route lets a role in or answers 403, exactly as the matrix says."""
    differing, client = [], await town.client(role)
    for method, path in ROUTES:
        if path in ELSEWHERE:
            continue
        given = asked(method, path, f"/api/v1/workspaces/{town.home}", workspace_id=town.home)
        if "{workspace_id}" in path or not path.startswith("/api/v1/"):
            given = asked(method, path, workspace_id=town.home)
        if (method, path) == ("DELETE", "/api/v1/workspaces/{workspace_id}") and role == "owner":
            continue  # it would be gone; `test_workspaces.py` deletes one
        found = await client.call(*given)
        allowed = found.status not in (401, 403)
        needed = NEEDED[method, path]
        if needed != OPEN and allowed != expected(needed, role):
            differing.append((method, path, needed, found.status, found.body))
        if method != "GET" and path.startswith(ENDS_ACCESS):
            client = await town.client(role)

    assert [] == differing


@pytest.mark.timeout(300)
async def test_a_foreigner_sees_nothing(town: Town) -> None:
    """B9: whatever is asked of a workspace that is not one's own is 404, in every role elsewhere."""
    client = await town.client("foreigner")
    differing = []
    for method, path in ROUTES:
        if NEEDED[method, path] == OPEN or not path.startswith("/api/v1/"):
            continue
        given = asked(method, path, f"/api/v1/workspaces/{town.home}", workspace_id=town.home)
        if "{workspace_id}" in path:
            given = asked(method, path, workspace_id=town.home)
        if path == "/api/v1/workspaces":
            continue  # no workspace can be named there
        found = await client.call(*given)
        if found.status != 404:
            differing.append((method, path, found.status, found.body))

    assert [] == differing


@pytest.mark.timeout(300)
async def test_strangers_are_asked_to_sign_in(town: Town) -> None:
    """C27: without a token everything that is not open is 401, once the body has the right shape."""
    differing = []
    for method, path in ROUTES:
        found = await town.stage.stranger.call(*asked(method, path, workspace_id=town.home))
        if NEEDED[method, path] != OPEN and found.status != 401:
            differing.append((method, path, found.status, found.body))

    assert [] == differing


async def one_of_each(stage: Stage) -> dict[str, str]:
    """Make one of everything in the operator's workspace."""
    client = stage.client
    workflow_id = await stage.workflow(type="trigger.webhook", config={})
    await client.post(f"/api/v1/workflows/{workflow_id}/activate")
    stage.engine.holds = True
    started = await client.post(f"/api/v1/workflows/{workflow_id}/execute", {"input": {}})
    webhook_id = (await client.get("/api/v1/webhooks")).json["data"][0]["id"]
    called = await client.post(f"/webhooks/{webhook_id}", {"a": 1})
    schedule = await client.post("/api/v1/schedules", {"workflow_id": workflow_id, "interval_s": 60.0})
    credential = await client.post("/api/v1/credentials", {"name": "gh", "data": {"token": "t"}})
    key = await client.post("/api/v1/auth/tokens", {"name": "ci"})
    invited = await client.post("/api/v1/invitations", {"email": "x@example.com"})
    variable = await client.post("/api/v1/variables", {"key": "K", "value": 1})
    assert variable.status < 300
    return {
        "workflow_id": workflow_id,
        "execution_id": started.json["execution_id"],
        "webhook_id": webhook_id,
        "event_id": called.json["event_id"],
        "schedule_id": schedule.json["id"],
        "credential_id": credential.json["id"],
        "key_id": key.json["id"],
        "invitation_id": invited.json["id"],
        "user_id": (await client.get("/api/v1/auth/me")).json["id"],
        "sign_in_id": (await client.get("/api/v1/auth/sign-ins")).json["data"][0]["id"],
    }


@pytest.mark.timeout(300)
async def test_ids_of_others_lead_nowhere(town: Town) -> None:
    """B9: an owner who names a thing of another workspace by its id is told 404, and the thing stays."""
    ids = await one_of_each(town.stage)
    rows = """SELECT (SELECT count(*) FROM control.workflows WHERE deleted_at IS NULL)
        + (SELECT count(*) FROM control.webhooks) + (SELECT count(*) FROM control.schedules)
        + (SELECT count(*) FROM control.credentials) + (SELECT count(*) FROM control.api_keys)
        + (SELECT count(*) FROM control.invitations WHERE state = 'pending')"""
    before = await town.stage.database.pool.fetchval(rows)
    client = await town.client("owner")
    differing = []
    for method, path in ROUTES:
        named = set(re.findall(r"\{(\w+)\}", path)) & ids.keys()
        if not named or NEEDED[method, path] in (OPEN, OPERATOR) or path in ELSEWHERE:
            continue
        found = await client.call(*asked(method, path, **ids))
        is_harmless = path.startswith("/api/v1/auth/sign-ins/")  # ends nothing of others, and says nothing
        if found.status != 404 and not (is_harmless and found.status == 204):
            differing.append((method, path, found.status, found.body))
    after = await town.stage.database.pool.fetchval(rows)
    still = await town.stage.client.get("/api/v1/auth/me")

    assert ([], before, 200) == (differing, after, still.status)


class Socket:
    """A WebSocket to the application, without a network."""

    def __init__(self, app: Any, query: str) -> None:
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self._commands: asyncio.Queue[Any] = asyncio.Queue()
        self._commands.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws",
            "path": "/api/v1/ws", "raw_path": b"/api/v1/ws", "query_string": query.encode(), "root_path": "",
            "headers": [(b"host", b"linkflow.test")], "client": ("203.0.113.7", 1), "server": ("test", 80),
            "subprotocols": [],
        }  # fmt: skip
        self.task = asyncio.ensure_future(app(scope, self._commands.get, self.said.put))

    def say(self, text: str) -> None:
        """Say a command."""
        self._commands.put_nowait({"type": "websocket.receive", "text": text})

    async def heard(self, *kinds: str) -> str:
        """Wait for a frame of a kind, or the end; says the frame, or `closed <code>`."""
        async with asyncio.timeout(10):
            while True:
                message = await self.said.get()
                if message["type"] == "websocket.close":
                    return f"closed {message.get('code')}"
                text = message.get("text", "")
                if any(f'"t":"{kind}"' in text for kind in kinds):
                    return str(text)

    async def close(self) -> None:
        """Go away."""
        self._commands.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait((self.task,), timeout=5)


WALKED = {
    "execution": "execution:{execution_id}",
    "workflow": "workflow:{workflow_id}",
    "executions": "executions",
}


def test_every_kind_of_topic_is_walked() -> None:
    """A kind of topic that is added without a walk fails here."""
    assert WALKED.keys() == TOPIC_KINDS.keys()
    assert set(TOPIC_KINDS.values()) <= PERMISSIONS["viewer"]


@pytest.mark.parametrize(("scope", "kind"), [("execution.view", "workflow"), ("workflow.view", "execution")])
async def test_a_key_follows_what_it_was_given_out_for(stage: Stage, scope: str, kind: str) -> None:
    """A key whose scopes do not hold what a topic asks for follows nothing of that kind."""
    made = await stage.client.post("/api/v1/auth/tokens", {"name": "few", "scopes": [scope]})
    workflow_id = await stage.workflow()
    socket = Socket(stage.app, f"token={made.json['token']}")
    socket.say(f'{{"op": "sub", "topic": "{kind}:{workflow_id}"}}')
    found = await socket.heard("snapshot", "error")
    await socket.close()

    assert "snapshot" not in found


@pytest.mark.parametrize("who", ["viewer", "foreigner"])
async def test_a_topic_that_is_not_listed_is_none(town: Town, who: str) -> None:
    """Nothing can be followed but what the table of topics names."""
    socket = Socket(town.stage.app, f"token={(await town.client(who)).token}")
    socket.say('{"op": "sub", "topic": "session:somebody"}')
    found = await socket.heard("snapshot", "error")
    await socket.close()

    assert "not_found" in found


@pytest.mark.parametrize("who", [*ROLES, "foreigner"])
@pytest.mark.parametrize("kind", WALKED.values())
async def test_topics_show_what_is_ones_own(town: Town, who: str, kind: str) -> None:
    """B9: a socket follows executions and workflows of its own workspace; of another there are none."""
    stage = town.stage
    owner = await town.client("owner")
    base = f"/api/v1/workspaces/{town.home}"
    spec = {"trigger": {"id": "start", "type": "trigger.manual"}, "nodes": [], "edges": []}
    workflow = await owner.post(f"{base}/workflows", {"name": "Mine", "spec": spec})
    stage.engine.holds = True
    started = await owner.post(f"{base}/workflows/{workflow.json['id']}/execute", {})
    client = await town.client(who)
    place = f"&workspace_id={town.home}" if who in ROLES else ""
    socket = Socket(stage.app, f"token={client.token}{place}")
    topic = kind.format(execution_id=started.json["execution_id"], workflow_id=workflow.json["id"])
    socket.say(f'{{"op": "sub", "topic": "{topic}"}}')
    found = await socket.heard("snapshot", "error")
    await socket.close()

    shows = "snapshot" in found and (kind != "executions" or started.json["execution_id"] in found)
    assert (who in ROLES) == shows, found


@pytest.mark.parametrize("change", ["logout", "role", "removed", "ban", "expired"])
async def test_an_open_socket_closes_when_access_ends(town: Town, change: str) -> None:
    """C7: a sign-out, a lesser role, a removal, a ban or the token's end closes open sockets."""
    stage = town.stage
    owner, member = await town.client("owner"), await town.client("member")
    base = f"/api/v1/workspaces/{town.home}"
    member_id = town.users["member"].id
    socket = Socket(stage.app, f"token={member.token}&workspace_id={town.home}")
    await socket.heard("hello")
    match change:
        case "logout":
            await member.post("/api/v1/auth/logout")
        case "role":
            await owner.put(f"{base}/members/{member_id}", {"role": "viewer"})
        case "removed":
            await owner.delete(f"{base}/members/{member_id}")
        case "ban":
            await stage.client.post(f"/api/v1/users/{member_id}/ban")
        case "expired":
            await stage.clock.turn(24 * 3600 + 1)
    found = await socket.heard("nothing")
    after = await member.post(f"{base}/workflows", {"name": "Late", "spec": {}})
    await socket.close()

    assert ("closed 4401", True) == (found, after.status in (401, 403, 404))


async def test_a_ticket_opens_its_own_workspace_only(town: Town) -> None:
    """A ticket made for one workspace opens no socket of another, not even of the same person."""
    owner = await town.client("owner")
    made = await owner.post(f"/api/v1/workspaces/{town.home}/ws/tickets")
    other = Socket(town.stage.app, f"ticket={made.json['ticket']}&workspace_id={NOBODYS}")
    found = await other.heard("error")
    await other.close()

    assert "not_found" in found


async def test_an_open_socket_of_a_removed_key_closes(stage: Stage) -> None:
    """C7: a key that is removed closes the sockets that it opened, and opens nothing any more."""
    made = (await stage.client.post("/api/v1/auth/tokens", {"name": "ci"})).json
    socket = Socket(stage.app, f"token={made['token']}")
    await socket.heard("hello")
    await stage.client.delete(f"/api/v1/auth/tokens/{made['id']}")
    found = await socket.heard("nothing")
    after = await Client(stage.app, made["token"]).get("/api/v1/workflows")
    await socket.close()

    assert ("closed 4401", 401) == (found, after.status)
