"""Health, readiness and metrics: the right status, and details for those who watch."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from starlette.types import Message

from linkflow.api.health import ALIASES, Check, Health, health_app
from linkflow.domain.errors import Unavailable
from linkflow.testing.live import Live

TOKEN = "0123456789abcdef-metrics"


async def asked(
    health: Health, path: str, client: str = "127.0.0.1", method: str = "GET", **headers: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Ask the small application, as somebody at an address."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": given,
        "client": (client, 1),
    }
    await health_app(health)(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, sent[1]["body"]


def check(name: str, *, fails: bool = False, is_needed: bool = True) -> Check:
    async def look() -> str:
        if fails:
            raise Unavailable(f"{name} is away")
        return "fine"

    return Check(name, look, is_needed)


async def test_every_spelling_answers(live: Live) -> None:
    """Each alias of health and readiness answers as the path it stands for."""
    for alias, path in ALIASES.items():
        if path == "/metrics":
            continue
        async with live.http.get(live.address + alias) as answer:
            assert (200, "ok" if path == "/health" else "ready") == (
                answer.status,
                (await answer.json())["status"],
            ), alias


@pytest.mark.parametrize("state", ["starting", "draining"])
async def test_a_process_that_starts_or_drains_is_not_ready(state: Any) -> None:
    """While it starts or drains a process lives and is not ready, and says which of the two."""
    health = Health([check("database")], state=state)

    status, headers, body = await asked(health, "/ready")

    assert (503, True, True) == (status, "retry-after" in headers, state in json.loads(body)["detail"])
    assert 200 == (await asked(health, "/health"))[0]


async def test_what_is_needed_decides() -> None:
    """A needed part that is away makes it not ready; another one is only shown."""
    needed = Health([check("database", fails=True), check("redis")])
    spare = Health([check("database"), check("redis", fails=True, is_needed=False)])

    status, _, body = await asked(needed, "/ready")
    assert (503, False, True) == (
        status,
        json.loads(body)["checks"]["database"]["ok"],
        json.loads(body)["checks"]["redis"]["ok"],
    )
    status, _, body = await asked(spare, "/ready")
    assert (200, "redis is away") == (status, json.loads(body)["checks"]["redis"]["detail"])


async def test_others_learn_no_more_than_the_status() -> None:
    """A caller from elsewhere, or through a proxy, sees neither parts nor release nor metrics."""
    health = Health([check("database", fails=True)], token=None)
    for how in ({"client": "10.1.2.3"}, {"x_forwarded_for": "10.1.2.3"}, {"forwarded": "for=10.1.2.3"}):
        status, _, body = await asked(health, "/ready", **how)
        assert (503, False, False) == (status, "checks" in json.loads(body), b"database" in body), how
        assert {"status": "ok"} == json.loads((await asked(health, "/health", **how))[2])
        assert 403 == (await asked(health, "/metrics", **how))[0]


async def test_the_token_opens_from_anywhere_and_is_then_required() -> None:
    """With LINKFLOW_METRICS_TOKEN whoever carries it sees everything, and nobody else does, not even here."""
    health = Health([check("database")], token=TOKEN)

    status, _, body = await asked(health, "/metrics", client="10.1.2.3", authorization=f"Bearer {TOKEN}")
    assert (200, True) == (status, b"linkflow_history_events_total" in body)
    assert 403 == (await asked(health, "/metrics"))[0]
    assert 403 == (await asked(health, "/metrics", authorization="Bearer another-token-of-size"))[0]


async def test_there_is_nothing_else() -> None:
    """The small application answers health and nothing else, to GET and HEAD."""
    health = Health()

    assert 404 == (await asked(health, "/api/v1/workflows"))[0]
    assert 405 == (await asked(health, "/health", method="POST"))[0]


async def test_the_database_goes_away(live: Live) -> None:
    """A LinkFlow whose database is gone lives, is not ready, and is again once it is back."""
    url = urlsplit(live.running.database.dsn)
    name = url.path.lstrip("/")
    beside = await asyncpg.connect(urlunsplit(url._replace(path="/postgres")))

    async def until(status: int) -> None:
        async with asyncio.timeout(10):
            while (await live.call("GET", "/ready")).status != status:
                pass

    try:
        await beside.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await beside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        await until(503)
        lives = await live.call("GET", "/health")
        shown = (await live.call("GET", "/ready")).json
    finally:
        await beside.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await beside.close()
    await until(200)

    assert (200, False) == (lives.status, shown["checks"]["database"]["ok"])
