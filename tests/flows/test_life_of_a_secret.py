"""The life of twenty secrets of every type: used everywhere, echoed in every form, found nowhere.

`test_no_secret_is_left.py` tries the same in one process; here a broker carries the tasks, everything that
passes between LinkFlow and the broker is overheard, and traces, backups and live views are searched as well.
"""

import asyncio
import base64
import gzip
import html
import json
import logging
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
import pytest_asyncio
import structlog

from linkflow import telemetry
from linkflow.apps.backup import back_up
from linkflow.apps.settings import Settings, secrets_of
from linkflow.control.credential_types import TYPES
from linkflow.testing.live import Live, settings_of, started
from linkflow.testing.receiver import Receiver, Scripted
from linkflow.testing.split import Proxy

pytestmark = [pytest.mark.external, pytest.mark.timeout(180)]
MARK = "a mark that everybody may see"
PASSPHRASE = "a passphrase of some length"
EVERY_TABLE = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('control', 'engine')
"""
GIVEN: Mapping[str, Mapping[str, str]] = {
    "zapier_mcp": {"endpoint": "https://mcp.example"},
    "database_mysql": {"host": "h", "database": "d", "username": "ann"},
    "database_postgres": {"host": "h", "database": "d", "username": "ann"},
    "smtp": {"host": "h"},
}
"""What the types need besides secrets, where it matters."""


def secret(number: int) -> str:
    """Make a secret that every encoding writes in another way; the first parts tell them apart."""
    return f's3cr3t{number:02d}/"+ö<&{number:02d}t3rc3s'


def forms(text: str) -> set[bytes]:
    """Say how a secret may stand in what is searched: written in each usual way, and that in hexadecimal."""
    data = text.encode()
    written = {
        text, quote(text), quote(text, safe=""), quote_plus(text), html.escape(text), data.hex(),
        data.hex().upper(), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1],
        *(base64.b64encode(bytes(n) + data).decode()[4:-4] for n in range(3)),
        *(base64.urlsafe_b64encode(bytes(n) + data).decode()[4:-4] for n in range(3)),
    }  # fmt: skip
    return {form for each in written for form in (each.encode(), each.encode().hex().encode())}


def echoed(text: str) -> Any:
    """Answer as a server does that sends back what it was sent, in whatever form."""
    return {
        "mark": MARK,
        "plain": text,
        "said": f"Bearer {text}!",
        "json": json.dumps({"token": text}),
        "page": f"<p>{html.escape(text)}</p>",
        "address": [f"https://x.example/?key={quote(text, safe='')}", quote_plus(text)],
        "basic": base64.b64encode(f"ann:{text}".encode()).decode(),
        "longer": base64.urlsafe_b64encode(f'{{"a":"{text}"}}'.encode()).decode(),
        "hex": text.encode().hex(),
        text: 1,
    }


@pytest.fixture
def logged() -> Iterator[None]:
    """Give the next test the logging it expects."""
    before = structlog.get_config()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    structlog.configure(**before)
    telemetry.set_level("debug")
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


@dataclass(frozen=True)
class Scene:
    """A LinkFlow that logs and traces all it can, and the wire to its broker."""

    live: Live
    settings: Settings
    wire: Proxy
    world: Receiver


@pytest_asyncio.fixture(params=["redis", "rabbitmq"])
async def scene(
    request: pytest.FixtureRequest, logged: None, database_dsn: str, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[Scene]:
    """Open the scene."""
    queue = request.param
    url = urlsplit(request.getfixturevalue(f"{queue}_url"))
    wire = Proxy(f"{url.hostname}:{url.port}")
    wire.listen_in()
    await wire.start()
    receiver.answer("/v1/traces", Scripted(200, None))
    through = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@{wire.address}".lstrip("@")).geturl()
    settings = replace(
        settings_of(database_dsn, tmp_path / "home"),
        access_log=True,
        tracing_url=receiver.address,
        queue=queue,
        **{f"{queue}_url": through},
    )
    telemetry.set_up("debug", as_json=True, secrets=secrets_of(settings))
    async with started(settings) as live:
        yield Scene(live, settings, wire, receiver)
    await wire.stop()


async def kept(scene: Scene) -> list[tuple[str, str, str]]:
    """Keep one credential of each type and some secret variables.

    Returns:
        `(name, field, secret)` of each secret; `field` is empty for what no node can open.
    """
    live, found, number = scene.live, [], 0
    for kind in TYPES:
        data: dict[str, str] = {f.name: "x" for f in kind.fields if f.required and not f.secret}
        data |= GIVEN.get(kind.name, {})
        wanted = [f.name for f in kind.fields if f.secret] or ["anything"]
        for field in wanted:
            data[field] = secret(number)
            usable = "" if kind.provider else field
            found.append((f"c_{kind.name}", usable, data[field]))
            number += 1
        if kind.name == "oauth2":
            data |= {
                "authorize_url": f"{scene.world.address}/agree",
                "token_url": f"{scene.world.address}/token",
            }
        made = await live.post("/credentials", {"name": f"c_{kind.name}", "type": kind.name, "data": data})
        assert made.status == 201, made.body
    access, refresh = secret(number), secret(number + 1)
    answer = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600}
    scene.world.answer("/token", Scripted(200, answer))
    await connected(live, "c_oauth2")
    found += [("c_oauth2", "access_token", access), ("c_oauth2", "", refresh)]
    for place in range(number + 2, number + 5):
        key = f"V{place}"
        await live.post("/variables", {"key": key, "value": secret(place), "is_secret": True})
        found.append(("vars", key, secret(place)))
    return found


async def connected(live: Live, name: str) -> None:
    """Agree to a credential as its owner does."""
    begun = await live.post("/oauth/authorize", {"credential": name})
    state = parse_qs(urlsplit(begun.json["authorization_url"]).query)["state"][0]
    done = await live.post("/oauth/callback/custom", {"code": "a code", "state": state})
    assert (done.status, done.json["state"]) == (200, "ready"), done.body


def using(world: Receiver, number: int, name: str, field: str) -> dict[str, Any]:
    """Say a node that sends a secret somewhere in a request."""
    named = f"{{{{credential.{name}.{field}}}}}"
    config: dict[str, Any] = {"url": f"{world.address}/{number}", "method": "POST"}
    match number % 4:
        case 0:
            config["auth"] = {"type": "bearer", "token": named}
        case 1:
            config["body"] = {"deep": [{"token": named}]}
        case 2:
            config["query"] = {"key": named}
        case _:
            config["auth"] = {"type": "basic", "username": "ann", "password": named}
    return {"id": f"n{number}", "type": "http.request", "config": config, "onError": "continue"}


async def watched(live: Live, execution_id: str, frames: list[str]) -> None:
    """Follow an execution as a live view does, until it is over."""
    ticket = (await live.post("/ws/tickets")).json["ticket"]
    async with live.http.ws_connect(f"{live.address}/api/v1/ws?ticket={ticket}") as socket:
        await socket.send_json({"op": "sub", "topic": f"execution:{execution_id}"})
        async for message in socket:
            frames.append(str(message.data))  # noqa: PERF401  the caller ends this, and reads what came


async def dump(live: Live) -> bytes:
    """Write every row of every table as text, as pg_dump does."""
    pool, rows = live.running.database.pool, []
    for (table,) in await pool.fetch(EVERY_TABLE):
        rows += [row[0] for row in await pool.fetch(f"SELECT t::text FROM {table} AS t")]
    return "\n".join(rows).encode()


def unpacked(call: Any) -> bytes:
    """Read what an exporter sent."""
    return gzip.decompress(call.body) if call.headers.get("content-encoding") == "gzip" else call.body


async def test_no_secret_is_found_anywhere(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Done when 2: after use and echo, no store, wire, log, trace, view, export or backup holds one."""
    live, world = scene.live, scene.world
    secrets = await kept(scene)
    nodes = []
    for number, (name, field, text) in enumerate(secrets):
        if field:
            world.answer(f"/{number}", Scripted(500 if number % 5 == 4 else 200, echoed(text)))
            nodes.append(using(world, number, name, field))
    edges = [{"source": "start", "target": node["id"]} for node in nodes]
    spec = {
        "trigger": {"id": "start", "type": "trigger.manual"}, "nodes": nodes, "edges": edges,
        "settings": {"callbackUrl": f"{world.address}/done"},
    }  # fmt: skip
    workflow_id = await live.made(spec)
    execution_id = await live.start(workflow_id)
    frames: list[str] = []
    following = asyncio.create_task(watched(live, execution_id, frames))
    await live.ended(execution_id)
    await world.called("/done")
    await world.called("/v1/traces")  # they leave in batches
    views = [
        await live.get(path)
        for path in (
            f"/executions/{execution_id}", f"/executions/{execution_id}/events",
            f"/executions/{execution_id}/logs", f"/executions/{execution_id}/explain",
            f"/workflows/{workflow_id}/export", "/credentials", "/variables", "/audit-logs",
            "/audit-logs/export", "/executions", "/workflows", "/usage", "/dead-letters", "/metrics",
            *(f"/executions/{execution_id}/nodes/{node['id']}/output" for node in nodes),
        )
    ]  # fmt: skip
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await back_up(scene.settings, tmp_path / "a.backup", PASSPHRASE, lambda text: None)
    with zipfile.ZipFile(tmp_path / "a.backup") as archive:
        archived = [archive.read(name) for name in archive.namelist()]
    said = capsys.readouterr()
    places: dict[str, bytes] = {
        "database": await dump(live),
        "broker": b"".join(scene.wire.overheard or []),
        "log": (said.out + said.err).encode(),
        "files": b"".join(file.read_bytes() for file in live.home.rglob("*") if file.is_file()),
        "backup": b"".join(archived),
        "views": b"".join(view.body for view in views),
        "frames": "".join(frames).encode(),
        "traces": b"".join(unpacked(call) for call in world.to("/v1/traces")),
        "callbacks": b"".join(call.body for call in world.to("/done")),
    }
    used = {number for number, (_, field, _) in enumerate(secrets) if field and world.to(f"/{number}")}
    sent = [str(vars(call)) for call in world.calls if call.path[1:].isdigit()]
    leaks = [
        (place, number, form)
        for place, found in places.items()
        for number, (_, _, text) in enumerate(secrets)
        for form in forms(text)
        if form in found
    ]

    assert len(used) >= 20
    assert len(used) == len(nodes) == len(set(sent))
    assert {"database", "views", "backup"} <= {
        place for place, found in places.items() if any(form in found for form in forms(MARK))
    }, "what is no secret is found where it is kept, so a secret would be"
    assert all(places.values()), {place: len(found) for place, found in places.items()}
    assert leaks == []
