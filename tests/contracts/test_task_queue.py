"""TaskQueue: every implementation keeps the same promises, over real servers."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractQueue

from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.adapters.rabbitmq.queue import BANDS, PARTITIONS, RabbitTaskQueue
from linkflow.adapters.redis.connection import connect
from linkflow.adapters.redis.streams import RedisTaskQueue
from linkflow.domain.errors import Unavailable
from linkflow.testing.coordination_suites import until
from linkflow.testing.queue_suite import (
    PATIENCE_S,
    BrokerSuite,
    TaskQueueSuite,
    known,
    taken,
    task,
)
from linkflow.testing.servers import start_redis

QUICKLY_DEAD_S = 1.5


def names_of(prefix: str) -> list[str]:
    """Name the quorum queues of the task queue `default`."""
    return [f"{prefix}.jobs.default.{band}.{number}" for band in BANDS for number in range(PARTITIONS)]


async def wiped(url: str, prefix: str, *, purge_only: bool = False) -> None:
    """Delete the queues at the broker, or only what is in them."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for name in names_of(prefix):
            queue = await channel.get_queue(name)
            await (queue.purge() if purge_only else queue.delete(if_unused=False, if_empty=False))


async def letter_of(letters: AbstractQueue) -> bytes:
    """Wait for a dead letter and read it."""
    async with letters.iterator(timeout=PATIENCE_S) as arriving:
        async for letter in arriving:
            await letter.ack()
            return letter.body
    raise AssertionError("no letter came")


class TestMemory(TaskQueueSuite):
    """Tasks in this process."""

    @pytest.fixture
    def queue(self) -> MemoryTaskQueue:
        """An empty queue."""
        return MemoryTaskQueue()


@pytest.mark.external
class TestRedis(BrokerSuite):
    """C17r, E1, E2: tasks on Redis Streams."""

    @pytest_asyncio.fixture
    async def queue(self, redis_url: str, queue_prefix: str) -> AsyncIterator[RedisTaskQueue]:
        """An empty queue."""
        async with RedisTaskQueue.running(redis_url, prefix=queue_prefix) as queue:
            yield queue

    @pytest_asyncio.fixture
    async def peer(self, redis_url: str, queue_prefix: str) -> AsyncIterator[RedisTaskQueue]:
        """Another member."""
        async with RedisTaskQueue.running(redis_url, prefix=queue_prefix, dead_s=QUICKLY_DEAD_S) as peer:
            yield peer

    async def test_a_wipe_is_noticed(self, queue: RedisTaskQueue, redis_url: str) -> None:
        """A flushed Redis is told as a loss, and what is published again is taken."""
        await queue.publish([task(1)])
        async with connect(redis_url) as redis:
            await redis.flushall()
        await asyncio.wait_for(queue.lost(), PATIENCE_S)
        await queue.publish([task(1)])

        assert [task(1)] == await taken(queue, 1)

    async def test_a_dead_members_tasks_wait_again(
        self, queue: RedisTaskQueue, peer: RedisTaskQueue, redis_url: str, queue_prefix: str
    ) -> None:
        """D34: what a member had taken when it died is taken by another; the living keep theirs."""
        async with connect(redis_url) as redis:
            dead = RedisTaskQueue(redis, prefix=queue_prefix)  # it never beats
            await dead.publish([task(1), task(2), task(3)])
            orphaned = list(await dead.take(["default"], 2))
        held = list(await queue.take(["default"], 1))
        await known(peer, 2)

        assert ([task(1), task(2)], [task(3)]) == (orphaned, held)
        assert orphaned == await taken(peer, 2)

    async def test_a_redis_that_was_away(self) -> None:
        """While Redis is away calls say so, and when it is back the loss is told and work goes on."""
        first = start_redis()
        port = urlsplit(first.url).port
        async with RedisTaskQueue.running(first.url) as queue:
            first.stop()
            with pytest.raises(Unavailable):
                await queue.publish([task(1)])
            second = start_redis(port)
            await asyncio.wait_for(queue.lost(), PATIENCE_S)
            await queue.publish([task(1)])
            found = await taken(queue, 1)
        second.stop()

        assert [task(1)] == found

    async def test_what_is_done_is_said_again(self) -> None:
        """A task that was done while Redis did not answer is not kept there as taken for ever."""
        server = start_redis()
        async with RedisTaskQueue.running(server.url) as queue, connect(server.url) as redis:
            await queue.publish([task(1)])
            await queue.done(await taken(queue, 1))
            server.pause()
            with pytest.raises(Unavailable):
                await queue.take(["default"], 1)
            server.resume()

            async def is_forgotten() -> bool:
                return not await redis.keys("*:partition:*")

            await until(is_forgotten)
        server.stop()

    async def test_nothing_is_left_behind(
        self, queue: RedisTaskQueue, redis_url: str, queue_prefix: str
    ) -> None:
        """A queue whose tasks are dealt with keeps no streams in Redis."""
        await queue.publish([task(number, f"w{number % 3}", priority=number % 2) for number in range(20)])
        await taken(queue, 20)
        await queue.take(["default"], 1)
        async with connect(redis_url) as redis:
            left = sorted([key async for key in redis.scan_iter(f"{queue_prefix}:*")])

        tag = f"{queue_prefix}:jobs:{{default}}"
        assert [f"{tag}:epoch".encode(), f"{tag}:members".encode()] == left

    async def test_what_cannot_be_read_is_kept_for_people(
        self, queue: RedisTaskQueue, redis_url: str, queue_prefix: str
    ) -> None:
        """D35: a payload that is no task goes to the dead letters and hinders nobody."""
        await queue.publish([task(1)])
        async with connect(redis_url) as redis:
            stream = f"{queue_prefix}:jobs:{{default}}:partition:w1:5"
            await redis.xadd(stream, {"payload": b"?"})
            await queue.publish([task(2)])
            found = await taken(queue, 2)
            letters = await redis.xlen(f"{queue_prefix}:jobs:dlq")

        assert ([task(1), task(2)], 1) == (found, letters)


@pytest.mark.external
class TestRabbitmq(BrokerSuite):
    """E3: tasks on RabbitMQ quorum queues."""

    @pytest_asyncio.fixture
    async def queue(self, rabbitmq_url: str, queue_prefix: str) -> AsyncIterator[RabbitTaskQueue]:
        """An empty queue."""
        async with RabbitTaskQueue.running(rabbitmq_url, MemoryTaskQueue(), prefix=queue_prefix) as queue:
            yield queue

    @pytest_asyncio.fixture
    async def peer(self, rabbitmq_url: str, queue_prefix: str) -> AsyncIterator[RabbitTaskQueue]:
        """Another member."""
        async with RabbitTaskQueue.running(rabbitmq_url, MemoryTaskQueue(), prefix=queue_prefix) as peer:
            yield peer

    async def test_a_wipe_is_noticed(
        self, queue: RabbitTaskQueue, rabbitmq_url: str, queue_prefix: str
    ) -> None:
        """Queues that were deleted are told as a loss, and what is published again is taken."""
        await queue.publish([task(1)])
        await wiped(rabbitmq_url, queue_prefix)
        await asyncio.wait_for(queue.lost(), PATIENCE_S)
        await queue.publish([task(1)])

        assert [task(1)] == await taken(queue, 1)

    async def test_a_purge_is_noticed(
        self, queue: RabbitTaskQueue, rabbitmq_url: str, queue_prefix: str
    ) -> None:
        """Queues that were emptied are told as a loss."""
        await queue.publish([task(1)])
        await wiped(rabbitmq_url, queue_prefix, purge_only=True)
        await asyncio.wait_for(queue.lost(), PATIENCE_S)
        await queue.publish([task(1)])

        assert [task(1)] == await taken(queue, 1)

    async def test_a_dead_members_tasks_wait_again(
        self, queue: RabbitTaskQueue, rabbitmq_url: str, queue_prefix: str
    ) -> None:
        """D34: what a member had taken when it ended is taken by another."""
        async with RabbitTaskQueue.running(rabbitmq_url, MemoryTaskQueue(), prefix=queue_prefix) as dead:
            await dead.publish([task(1), task(2)])
            orphaned = await dead.take(["default"], 2)

        assert [task(1), task(2)] == list(orphaned) == await taken(queue, 2)

    async def test_what_cannot_be_read_is_kept_for_people(
        self, queue: RabbitTaskQueue, rabbitmq_url: str, queue_prefix: str
    ) -> None:
        """D35: a payload that is no task goes through the dead letter exchange and hinders nobody."""
        await queue.publish([task(1)])
        async with await aio_pika.connect(rabbitmq_url) as connection:
            channel = await connection.channel()
            name = next(each for each in names_of(queue_prefix) if each.endswith("default.default.0"))
            await channel.default_exchange.publish(aio_pika.Message(b"?"), name)
            await queue.publish([task(2)])
            found = await taken(queue, 2)
            letters = await channel.get_queue(f"{queue_prefix}.jobs.dlq")
            letter = await letter_of(letters)

        assert ({task(1), task(2)}, b"?") == (set(found), letter)
