"""Live updates: WebSocket, server-sent events; both say the same frames.

    {"t": "hello", "proto", "conn", "heartbeat"}
    {"t": "snapshot", "topic", "seq", "data": {"status", "version", "nodes": {key: NodeRun}}}
    {"t": "batch", "topic", "from", "to",
     "ev": [[seq, "node", key, NodeRun], [seq, "exec", null, {"status"}]]}
    {"t": "end", "topic", "reason"}   {"t": "error", "id", "code", "message"}   {"t": "pong"}

`seq` is the number of the execution's last event, so any process can resume any client. Nudges are only
"look again"; what is shown is read from the history. Outputs never go through here.
"""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from linkflow.api.deps import Answer, Ask, Asking, Id, StrictRoute, workspace_of
from linkflow.api.following import follow, follow_list, follow_workflow
from linkflow.control.actor import Actor
from linkflow.control.plane import ControlPlane
from linkflow.domain.errors import LinkFlowError, NotFound, Unauthenticated
from linkflow.domain.values import Json, encode_json
from linkflow.ports.views import HEAD

router = APIRouter(prefix="/api/v1", tags=["live"], route_class=StrictRoute)

PROTOCOL = 1
HEARTBEAT_S = 15.0
TICKET_S = 30.0
TOPICS = 100
TOPIC_KINDS = {"execution": "execution.view", "executions": "execution.view", "workflow": "workflow.view"}
"""What each kind of topic asks of its reader; there are no others."""
STREAM_S = 1800.0
ENDED = "Your sign-in has ended, or your role has changed; open the socket again."


class Command(msgspec.Struct):
    """What a client says."""

    op: str
    id: int = 0
    topic: str = ""
    after: int | None = None


_command = msgspec.json.Decoder(Command)


class Connection:
    """One socket: what it follows, each topic in a task of its own, one writer at a time."""

    def __init__(self, socket: WebSocket, plane: ControlPlane, actor: Actor) -> None:
        self._socket, self._plane, self._actor = socket, plane, actor
        self._following: dict[str, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()

    async def say(self, frame: Json) -> None:
        """Send a frame; a slow reader makes its own topics wait, and they then send what is newest."""
        async with self._writing:
            await self._socket.send_text(encode_json(frame).decode())

    async def run(self) -> None:
        """Serve the socket until it closes."""
        await self.say({
            "t": "hello", "proto": PROTOCOL, "conn": secrets.token_hex(8), "heartbeat": int(HEARTBEAT_S),
        })  # fmt: skip
        try:
            async with asyncio.TaskGroup() as group:
                guard = group.create_task(self._guard())
                await self._listen(group)
                guard.cancel()
                for task in self._following.values():
                    task.cancel()
        except* WebSocketDisconnect:
            pass  # the client went away while we wrote

    async def _guard(self) -> None:
        """Close the socket once the actor may not be here any more, or not in this role."""
        await self._plane.access.until_lost(self._actor)
        for task in self._following.values():
            task.cancel()
        try:
            await self.say({"t": "error", "id": 0, "code": "access.ended", "message": ENDED})
            await self._socket.close(4401)
        except (WebSocketDisconnect, RuntimeError):
            return  # the client went away at the same moment

    async def _listen(self, group: asyncio.TaskGroup) -> None:
        """Take commands until the socket closes."""
        while True:
            try:
                text = await self._socket.receive_text()
            except (WebSocketDisconnect, KeyError):
                return
            try:
                command = _command.decode(text)
            except msgspec.DecodeError as error:
                await self.say(
                    {"t": "error", "id": 0, "code": "invalid", "message": f"Not a command: {error}."}
                )
                continue
            await self._obey(command, group)

    async def _obey(self, command: Command, group: asyncio.TaskGroup) -> None:
        """Do what a command says."""
        match command.op:
            case "ping":
                await self.say({"t": "pong"})
            case "unsub":
                self._stop(command.topic)
            case "sub" | "resync":
                self._stop(command.topic)
                if len(self._following) >= TOPICS:
                    await self._refuse(command, "rate_limited", f"At most {TOPICS} topics.")
                    return
                after = None if command.op == "resync" else command.after
                self._following[command.topic] = group.create_task(self._follow(command, after))
            case _:
                await self._refuse(command, "invalid", f"There is no op {command.op[:40]!r}.")

    def _stop(self, topic: str) -> None:
        """Follow a topic no longer."""
        task = self._following.pop(topic, None)
        if task is not None:
            task.cancel()

    async def _refuse(self, command: Command, code: str, message: str) -> None:
        """Say that a command was not done."""
        await self.say(
            {"t": "error", "id": command.id, "topic": command.topic, "code": code, "message": message}
        )

    async def _follow(self, command: Command, after: int | None) -> None:
        """Send the frames of one topic."""
        kind, _, name = command.topic.partition(":")
        kind = kind.partition("?")[0]
        try:
            if kind not in TOPIC_KINDS:
                raise NotFound(f"There is no topic {command.topic[:80]!r}.")
            self._actor.require(TOPIC_KINDS[kind])
            if kind == "execution":
                frames = follow(self._plane, self._actor, name, after)
            elif kind == "executions":
                frames = follow_list(self._plane, self._actor, command.topic)
            else:
                frames = follow_workflow(self._plane, self._actor, command.topic)
            async for frame in frames:
                await self.say(frame)
        except LinkFlowError as error:
            await self._refuse(command, error.code, str(error))
        except (WebSocketDisconnect, RuntimeError):
            return  # the socket closed while we wrote
        finally:
            if self._following.get(command.topic) is asyncio.current_task():
                del self._following[command.topic]


@router.post("/ws/tickets", status_code=201, summary="Make a ticket for the WebSocket")
async def ticket(ask: Ask) -> Response:
    """Make a ticket that opens one socket within 30 s: `/api/v1/ws?ticket=…`."""
    actor = await ask.actor()
    made = secrets.token_urlsafe(24)
    await ask.plane.cache.put(_ticket_key(made), msgspec.to_builtins(actor), TICKET_S)
    return Answer({"ticket": made, "expires_in": int(TICKET_S)}, 201)


def _ticket_key(made: str) -> str:
    """Name a ticket where others may look, without giving it away."""
    return f"ticket:{hashlib.sha256(made.encode()).hexdigest()}"


async def _opener(socket: WebSocket, plane: ControlPlane) -> Actor:
    """Say who opens a socket: by ticket, by bearer header, or by token.

    Raises:
        Unauthenticated: Nobody we know.
    """
    if given := socket.query_params.get("ticket"):
        kept = await plane.cache.get(_ticket_key(given))
        if not await plane.cache.drop(_ticket_key(given)) or kept is None:
            raise Unauthenticated("The ticket is unknown, used or older than 30 s.")
        return _within(socket, msgspec.convert(kept, Actor))
    kind, _, token = socket.headers.get("authorization", "").partition(" ")
    token = token if kind.lower() == "bearer" else socket.query_params.get("token", "")
    named = workspace_of(socket) or socket.query_params.get("workspace_id", "")
    actor = await plane.access.actor(token, named)
    actor.require("execution.view")
    return actor


def _within(socket: WebSocket, actor: Actor) -> Actor:
    """Let a ticket open a socket of the workspace it was made for, and of no other.

    Raises:
        NotFound: The path names another workspace.
    """
    named = workspace_of(socket) or socket.query_params.get("workspace_id", "")
    if named not in ("", actor.workspace_id):
        raise NotFound("There is no such workspace.", workspace=named)
    return actor


def _is_foreign(socket: WebSocket, public_url: str) -> bool:
    """Say whether a browser opened the socket from somebody else's page."""
    origin = socket.headers.get("origin")
    if origin is None:
        return False
    host = socket.headers.get("host", "")
    return origin not in (public_url, f"http://{host}", f"https://{host}")


@router.websocket("/ws")
async def live(socket: WebSocket) -> None:
    """Follow executions, the list of them, and workflows."""
    plane: ControlPlane = socket.app.state.plane
    await socket.accept()
    if _is_foreign(socket, socket.app.state.public_url):
        message = f"The origin {socket.headers.get('origin')} may not open a socket here."
        refusal = {"t": "error", "id": 0, "code": "forbidden", "message": message}
        await socket.send_text(encode_json(refusal).decode())
        await socket.close(4403)
        return
    try:
        actor = await _opener(socket, plane)
    except LinkFlowError as error:
        await socket.send_text(
            encode_json({"t": "error", "id": 0, "code": error.code, "message": str(error)}).decode()
        )
        await socket.close(4401)
        return
    await Connection(socket, plane, actor).run()


def _after(ask: Asking) -> int | None:
    """Read where a stream goes on."""
    text = ask.request.headers.get("last-event-id", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@router.get(
    "/executions/{execution_id}/stream",
    summary="Follow an execution",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(ask: Ask, execution_id: Id) -> Response:
    """Follow an execution by server-sent events, at most 30 minutes; `Last-Event-ID` goes on after a drop."""
    actor, after = await ask.actor(), _after(ask)
    await ask.plane.executions.read(actor, execution_id, HEAD)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    frames = _events(ask.plane, actor, execution_id, after)
    return StreamingResponse(frames, headers=headers, media_type="text/event-stream")


async def _events(
    plane: ControlPlane, actor: Actor, execution_id: str, after: int | None
) -> AsyncIterator[bytes]:
    """Say frames as server-sent events, with a heartbeat where nothing happens."""
    frames = aiter(follow(plane, actor, execution_id, after))
    coming: asyncio.Task[Any] | None = None
    lost = asyncio.ensure_future(plane.access.until_lost(actor))
    try:
        async with asyncio.timeout(STREAM_S):
            while True:
                coming = coming or asyncio.ensure_future(anext(frames))
                waited = (coming, lost)
                done, _ = await asyncio.wait(waited, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                if lost in done:
                    return
                if not done:
                    yield b": heartbeat\n\n"
                    continue
                frame = coming.result()
                coming = None
                number = frame.get("to", frame.get("seq"))
                mark = b"" if number is None else b"id: %d\n" % number
                yield b"%sevent: %s\ndata: %s\n\n" % (mark, frame["t"].encode(), encode_json(frame))
    except (StopAsyncIteration, TimeoutError):
        return
    finally:
        lost.cancel()
        if coming is not None:
            coming.cancel()
