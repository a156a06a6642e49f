"""The life of a live view: the diagram turns green by WebSocket, by server-sent events, or by polling."""

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from linkflow.testing.live import Live
from linkflow.testing.receiver import GENEROUS_S

SPEC = {
    "trigger": {"id": "start", "type": "trigger.manual"},
    "nodes": [
        {"id": "first", "type": "data.set", "config": {"values": {"n": 1}}},
        {"id": "wait", "type": "logic.wait_event", "config": {"event": "go"}},
        {"id": "last", "type": "data.set", "config": {"values": {"n": 2}}},
    ],
    "edges": [
        {"source": "start", "target": "first"},
        {"source": "first", "target": "wait"},
        {"source": "wait", "target": "last"},
    ],
}


async def opened(live: Live) -> ClientConnection:
    """Open a socket with a ticket and take its greeting."""
    ticket = (await live.post("/ws/tickets")).json["ticket"]
    socket = await connect(f"{live.address}/api/v1/ws?ticket={ticket}".replace("http", "ws", 1))
    assert (await heard(socket))["t"] == "hello"
    return socket


async def heard(socket: ClientConnection) -> Any:
    """Take the next frame."""
    async with asyncio.timeout(GENEROUS_S):
        return json.loads(await socket.recv())


async def until_end(socket: ClientConnection) -> list[Any]:
    """Take frames until the topic ends."""
    frames = [await heard(socket)]
    while frames[-1]["t"] != "end":
        frames.append(await heard(socket))
    return frames


async def go(live: Live, execution_id: str) -> None:
    """Let the execution go on to its end."""
    sent = await live.post(f"/executions/{execution_id}/signal", {"name": "go"})
    assert sent.status == 202, sent.body


async def test_the_socket_tells_every_change(live: Live) -> None:
    """E7, E8, E10: a snapshot first, then what changed in order of events, then the end."""
    execution_id = await live.start(await live.made(SPEC))
    await live.waits(execution_id)
    async with await opened(live) as socket:
        await socket.send(json.dumps({"op": "sub", "id": 1, "topic": f"execution:{execution_id}"}))
        first = await heard(socket)
        await go(live, execution_id)
        frames = await until_end(socket)
    statuses = {key: run["status"] for key, run in first["data"]["nodes"].items()}
    changes = {each[2]: each[3]["status"] for frame in frames[:-1] for each in frame["ev"]}

    assert ("snapshot", "waiting", {"start": "success", "first": "success", "wait": "waiting"}) == (
        first["t"],
        first["data"]["status"],
        {key: status for key, status in statuses.items() if status != "pending"},
    )
    assert ("success", "success", "completed", first["seq"] + 1) == (
        changes["wait"],
        changes["last"],
        frames[-1]["reason"],
        frames[0]["from"],
    )


async def test_a_dropped_socket_resumes_where_it_was(live: Live) -> None:
    """E6, E8: a client that comes back with the last number it saw gets what came after it, no more."""
    execution_id = await live.start(await live.made(SPEC))
    await live.waits(execution_id)
    topic = f"execution:{execution_id}"
    async with await opened(live) as socket:
        await socket.send(json.dumps({"op": "sub", "id": 1, "topic": topic}))
        seen = (await heard(socket))["seq"]
    await go(live, execution_id)
    await live.ended(execution_id)
    async with await opened(live) as socket:
        await socket.send(json.dumps({"op": "sub", "id": 2, "topic": topic, "after": seen}))
        frames = await until_end(socket)

    assert ("batch", seen + 1, {"wait", "last", None}) == (
        frames[0]["t"],
        frames[0]["from"],
        {each[2] for frame in frames[:-1] for each in frame["ev"]},
    )


async def test_nobody_listens_without_a_ticket(live: Live) -> None:
    """A9: a socket without ticket or token is told why and closed; a ticket opens one socket only."""
    ticket = (await live.post("/ws/tickets")).json["ticket"]
    address = f"{live.address}/api/v1/ws".replace("http", "ws", 1)
    async with connect(f"{address}?ticket={ticket}") as good:
        hello = await heard(good)
    async with connect(f"{address}?ticket={ticket}") as used:
        refused = await heard(used)
    async with connect(address) as nobody:
        strange = await heard(nobody)

    assert ("hello", "error", "error") == (hello["t"], refused["t"], strange["t"])


async def test_the_list_is_live(live: Live) -> None:
    """E9: a client that follows the list hears of a new execution without asking."""
    workflow_id = await live.made(SPEC)
    async with await opened(live) as socket:
        await socket.send(json.dumps({"op": "sub", "id": 1, "topic": "executions"}))
        before = await heard(socket)
        execution_id = await live.start(workflow_id)
        after = await heard(socket)

    assert ([], [execution_id]) == (
        before["data"]["executions"],
        [row["id"] for row in after["data"]["executions"]],
    )


async def test_server_sent_events_say_the_same(live: Live) -> None:
    """E8: the stream sends the same frames, numbered so that a browser resumes by itself."""
    execution_id = await live.start(await live.made(SPEC))
    await live.waits(execution_id)
    address = f"{live.address}/api/v1/executions/{execution_id}/stream"
    headers = {"authorization": f"Bearer {live.token}"}
    async with asyncio.timeout(GENEROUS_S), live.http.get(address, headers=headers) as answer:
        kind = answer.headers["content-type"]
        first = await answer.content.readuntil(b"\n\n")
        await go(live, execution_id)
        rest = await answer.content.read()
    text = (first + rest).decode()

    assert (True, True, True) == (
        kind.startswith("text/event-stream"),
        '"t":"snapshot"' in text and '"t":"end"' in text,
        "\nid: " in f"\n{text}",
    )


async def test_polling_is_cheap(live: Live) -> None:
    """E8: a poll with the ETag of what is known is 304 until something changes."""
    execution_id = await live.start(await live.made(SPEC))
    await live.waits(execution_id)
    first = await live.get(f"/executions/{execution_id}")
    same = await live.get(f"/executions/{execution_id}", If_None_Match=first.headers["etag"])
    await go(live, execution_id)
    await live.ended(execution_id)
    changed = await live.get(f"/executions/{execution_id}", If_None_Match=first.headers["etag"])

    assert (304, b"", 200, "completed") == (same.status, same.body, changed.status, changed.json["status"])
