"""What LinkFlow keeps in Redis: under the seeds' names, with an end, and never the only place of anything."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from linkflow.adapters.redis.connection import connect
from linkflow.domain.values import decode_json
from linkflow.testing.control import OWNER, PASSWORD
from linkflow.testing.coordination_suites import until
from linkflow.testing.live import Live, settings_of, started

pytestmark = pytest.mark.external
DAY_MS = 24 * 3600 * 1000
HOOK: dict[str, Any] = {
    "trigger": {"id": "hook", "type": "trigger.webhook"},
    "nodes": [
        {"id": "wait", "type": "logic.delay", "config": {"milliseconds": 200}},
        {"id": "note", "type": "data.set", "config": {"values": {"n": "{{trigger.body.n}}"}}},
    ],
    "edges": [{"source": "hook", "target": "wait"}, {"source": "wait", "target": "note"}],
}


@pytest_asyncio.fixture
async def cached(database_dsn: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Live]:
    """Run a LinkFlow that has a Redis, which is empty."""
    async with connect(redis_url) as redis:
        await redis.flushall()
    settings = dataclasses.replace(settings_of(database_dsn, tmp_path), redis_url=redis_url)
    async with started(settings) as live:
        yield live


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    """Look into that Redis."""
    async with connect(redis_url) as redis:
        yield redis


async def kept(redis: "Redis", key: str) -> Any:
    """Wait until a key is there, and read it."""

    async def is_there() -> bool:
        return bool(await redis.exists(key))

    await until(is_there)
    found: Any = await redis.get(key)
    return decode_json(found)


async def test_the_keys_of_the_seeds(cached: Live, redis: "Redis") -> None:
    """E10, K7, L9: an ended execution and a webhook's counter are found under their names, with an end."""
    workflow_id = await cached.active(HOOK)
    hook = await cached.hook(workflow_id)
    calls = [await cached.knock(hook, {"n": number}) for number in range(3)]
    ids = [call.json["execution_id"] for call in calls]
    ended = [await kept(redis, f"execution:{each}") for each in ids]

    async def is_counted() -> bool:
        return bool(await kept(redis, f"webhook:{hook}:count") == 3)

    await until(is_counted)
    ends_ms = [await redis.pttl(f"webhook:{hook}:count"), await redis.pttl(f"execution:{ids[0]}")]

    assert [("completed", each) for each in ids] == [(each["status"], each["execution_id"]) for each in ended]
    assert all(0 < each <= DAY_MS for each in ends_ms)


async def test_a_published_version_is_read_from_the_cache(cached: Live, redis: "Redis") -> None:
    """D40, L3: a published workflow is cached by its first start, and forgotten before a change is seen."""
    workflow_id = await cached.active(HOOK | {"trigger": {"id": "hook", "type": "trigger.manual"}})
    await redis.delete(f"workflow:{workflow_id}")  # a change keeps it out for a while
    cached.running.plane.prepared.drop(f"executable:{cached.running.owner.user.workspace_id}:{workflow_id}")
    await cached.start(workflow_id)
    first = await kept(redis, f"workflow:{workflow_id}")
    changed = HOOK | {"nodes": [], "edges": [], "trigger": {"id": "hook", "type": "trigger.manual"}}
    await cached.put(f"/workflows/{workflow_id}", {"spec": changed})
    forgotten = await kept(redis, f"workflow:{workflow_id}")

    assert (1, None) == (first["workflow_version"], forgotten)


async def test_a_reused_key_is_refused(cached: Live, redis: "Redis") -> None:
    """D26: a request is done once per key, also when Redis forgets; a key used for another one is refused."""
    body = {"name": "Once", "spec": HOOK}
    first = await cached.post("/workflows", body, idempotency_key="k1")
    (name,) = [str(key, "ascii") async for key in redis.scan_iter("idempotency:*")]
    ends_ms = await redis.pttl(name)
    other = await cached.post("/workflows", body | {"name": "Other"}, idempotency_key="k1")
    await redis.flushall()
    others = [await cached.post("/workflows", body | {"name": "Other"}, idempotency_key="k1") for _ in "ab"]
    again = await cached.post("/workflows", body, idempotency_key="k1")

    assert (201, [409, 409, 409], 201) == (
        first.status,
        [other.status, *(each.status for each in others)],
        again.status,
    )
    assert (first.json["id"], True) == (again.json["id"], 0 < ends_ms <= DAY_MS)
    assert name.startswith(f"idempotency:{cached.running.owner.user.id}:workflows:-:create:")


async def test_a_flushed_redis_loses_nothing(cached: Live, redis: "Redis") -> None:
    """L2: Redis is flushed over and over while webhooks come in: every call runs once, to its end."""
    hook = await cached.hook(await cached.active(HOOK))
    ids: list[str] = []

    async def call(number: int) -> None:
        reply = await cached.knock(hook, {"n": number})
        ids.append(reply.json["execution_id"])
        await redis.flushall()

    for start in range(0, 40, 4):
        await asyncio.gather(*(call(start + number) for number in range(4)))
    ended = [await cached.ended(each) for each in ids]
    outputs = {(await cached.output(each, "note"))["n"] for each in ids}
    signed_in = await cached.get("/auth/me")

    assert ({"completed"}, 40, set(range(40)), 200) == (
        {each["status"] for each in ended},
        len(set(ids)),
        outputs,
        signed_in.status,
    )


async def test_who_is_signed_in(cached: Live, redis: "Redis") -> None:
    """B6, C19: every sign-in of a user is under `session:<user>` for a day; one that ends is gone at once.

    A Redis that forgot them lets nobody out.
    """
    key = f"session:{cached.running.owner.user.id}"
    credentials = {"email": OWNER, "password": PASSWORD}
    first, second = [(await cached.post("/auth/login", credentials)).json["access_token"] for _ in range(2)]
    signed_in, lasts_ms = await kept(redis, key), await redis.pttl(key)
    await cached.post("/auth/logout", authorization=f"Bearer {second}")
    left = await kept(redis, key)
    await redis.flushall()
    forgotten = await cached.get("/auth/me", authorization=f"Bearer {first}")
    refused = await cached.get("/auth/me", authorization=f"Bearer {second}")

    assert 1 == len(signed_in) - len(left)
    assert left.items() <= signed_in.items()
    assert 0 < lasts_ms <= DAY_MS
    assert (200, 401) == (forgotten.status, refused.status)
