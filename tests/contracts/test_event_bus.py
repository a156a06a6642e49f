"""EventBus and Prepared: every implementation keeps the same promises, over real servers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from linkflow.adapters.memory import MemoryEventBus, MemoryPrepared
from linkflow.adapters.redis.coordination import RedisEventBus, RedisPrepared
from linkflow.domain.errors import Unavailable
from linkflow.ports.coordination import EventBus

PATIENCE_S = 10.0


@pytest_asyncio.fixture(params=["embedded", pytest.param("redis", marks=pytest.mark.external)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[EventBus]:
    """Open a bus."""
    if request.param == "embedded":
        yield MemoryEventBus()
        return
    url, prefix = request.getfixturevalue("redis_url"), request.getfixturevalue("queue_prefix")
    async with RedisEventBus.running(url, MemoryEventBus(), MemoryPrepared(), prefix=prefix) as opened:
        yield opened


async def test_a_nudge_reaches_its_topic_only(bus: EventBus) -> None:
    """E6: whoever listens to a topic is nudged, and nobody else."""
    with bus.subscribe("execution:1") as one, bus.subscribe("execution:2") as two:
        bus.publish("execution:1")

        assert (True, False) == (await one.nudged(PATIENCE_S), await two.nudged(0.0))


async def test_nudges_that_come_together_are_one(bus: EventBus) -> None:
    """Nudges before the listener looks count as one."""
    with bus.subscribe("inbox") as listener:
        bus.publish("inbox")
        bus.publish("inbox")

        assert (True, False) == (await listener.nudged(PATIENCE_S), await listener.nudged(0.0))


@pytest.mark.external
async def test_redis_carries_nudges_between_processes(redis_url: str, queue_prefix: str) -> None:
    """E6, E7: what one process publishes nudges the listeners of another."""
    async with (
        RedisEventBus.running(redis_url, MemoryEventBus(), MemoryPrepared(), prefix=queue_prefix) as here,
        RedisEventBus.running(redis_url, MemoryEventBus(), MemoryPrepared(), prefix=queue_prefix) as there,
    ):
        with there.subscribe("execution:1") as listener:
            here.publish("execution:1")

            assert await listener.nudged(PATIENCE_S)


@pytest.mark.external
async def test_redis_carries_what_is_forgotten(redis_url: str, queue_prefix: str) -> None:
    """L3: a value that one process drops is forgotten by all, and other values stay."""
    kept, bus = MemoryPrepared(), MemoryEventBus()
    async with (
        RedisEventBus.running(redis_url, MemoryEventBus(), MemoryPrepared(), prefix=queue_prefix) as here,
        RedisEventBus.running(redis_url, bus, kept, prefix=queue_prefix) as there,
    ):
        RedisPrepared(kept, there).put("workflow:1", {"version": 1}, 60.0)
        kept.put("workflow:2", {"version": 7}, 60.0)
        with there.subscribe("told") as listener:
            RedisPrepared(MemoryPrepared(), here).drop("workflow:1")
            here.publish("told")
            await listener.nudged(PATIENCE_S)

    assert (None, {"version": 7}) == (kept.get("workflow:1"), kept.get("workflow:2"))


async def test_an_old_redis_is_refused() -> None:
    """C17r: a Redis older than 7 is refused at the start, by its version."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            more = 2 * int(line[1:]) if line.startswith(b"*") else 0
            words = [line, *[await reader.readline() for _ in range(more)]]
            info = b"redis_version:6.2.14\r\n"
            is_asked = any(word.strip().upper() == b"INFO" for word in words)
            writer.write(b"$%d\r\n%b\r\n" % (len(info), info) if is_asked else b"+OK\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable, match=r"needs Redis 7 .* this is Redis 6\.2\.14"):
            async with RedisEventBus.running(
                f"redis://127.0.0.1:{port}/0", MemoryEventBus(), MemoryPrepared()
            ):
                pass
