"""Working together over Redis: nudges and forgotten values on pub/sub.

What a process has prepared stays in it, because some holds opened secrets: what travels is only "look again"
and "forget this". Pub/sub loses messages while a process is not connected; nudges may be lost by contract,
and values have an end.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from linkflow import telemetry
from linkflow.adapters.redis.connection import TIMEOUT_S, connect, require_redis
from linkflow.ports.coordination import EventBus, Prepared, Subscription

AGAIN_S = 0.2

log = telemetry.logger("redis")


class _Told(msgspec.Struct, frozen=True):
    """What one process tells the others.

    Attributes:
        member: Who tells.
        topics: What to look at again.
        keys: What to forget.
    """

    member: str
    topics: list[str]
    keys: list[str]


class RedisEventBus:
    """Nudges between the parts of many processes; make it with `running`.

    What is published while a message is on its way goes together into the next.
    """

    def __init__(self, redis: "Redis", bus: EventBus, prepared: Prepared, *, prefix: str) -> None:
        self._redis, self._bus, self._prepared = redis, bus, prepared
        self._channel = f"{prefix}:events"
        self._member = uuid4().hex
        self._topics: dict[str, None] = {}
        self._keys: dict[str, None] = {}
        self._published = asyncio.Event()
        self._hears = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, url: str, bus: EventBus, prepared: Prepared, *, prefix: str = "linkflow"
    ) -> AsyncIterator[Self]:
        """Be connected for as long as the context lasts.

        Args:
            url: redis:// or rediss:// address.
            bus: Carries nudges within this process.
            prepared: Forgets what others say; `RedisPrepared` tells them.
            prefix: Of the channel.

        Raises:
            Unavailable: Redis does not answer, or is too old.
        """
        async with connect(url) as redis:
            await require_redis(redis)
            shared = cls(redis, bus, prepared, prefix=prefix)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(shared._tell()), group.create_task(shared._hear())]
                await shared._hears.wait()
                try:
                    yield shared
                finally:
                    for task in tasks:
                        task.cancel()

    def publish(self, topic: str) -> None:
        """Nudge everybody who listens to a topic, here at once and elsewhere soon."""
        self._bus.publish(topic)
        self._topics[topic] = None
        self._published.set()

    def subscribe(self, topic: str) -> AbstractContextManager[Subscription]:
        """Listen to a topic until the block is left."""
        return self._bus.subscribe(topic)

    def forget(self, key: str) -> None:
        """Have every other process forget a value."""
        self._keys[key] = None
        self._published.set()

    async def _tell(self) -> None:
        """Send what was published, for ever."""
        while True:
            await self._published.wait()
            self._published.clear()
            told = _Told(self._member, list(self._topics), list(self._keys))
            self._topics, self._keys = {}, {}
            try:
                await self._redis.publish(self._channel, msgspec.json.encode(told))
            except (RedisError, OSError) as error:
                log.warning("nudges not sent", error=str(error))
                self._keys = dict.fromkeys(told.keys) | self._keys  # nudges may be lost, these should not
                if self._keys:
                    self._published.set()
                await asyncio.sleep(AGAIN_S)

    async def _hear(self) -> None:
        """Pass on what others publish, for ever."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self._channel)
                    self._hears.set()
                    while True:
                        message = await channel.get_message(timeout=TIMEOUT_S)
                        if message is not None:
                            self._pass_on(message["data"])
            except (RedisError, OSError, msgspec.DecodeError) as error:
                log.warning("no nudges from Redis", error=str(error))
                await asyncio.sleep(AGAIN_S)

    def _pass_on(self, data: bytes) -> None:
        told = msgspec.json.decode(data, type=_Told)
        if told.member == self._member:
            return
        for key in told.keys:
            self._prepared.drop(key)
        for topic in told.topics:
            self._bus.publish(topic)


class RedisPrepared:
    """Values of this process that are forgotten when any process says so."""

    def __init__(self, prepared: Prepared, bus: RedisEventBus) -> None:
        self._prepared, self._bus = prepared, bus

    def get(self, key: str) -> Any:
        """Read a value."""
        return self._prepared.get(key)

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value in this process."""
        self._prepared.put(key, value, ttl_s)

    def drop(self, key: str) -> None:
        """Forget a value, here at once and elsewhere soon."""
        self._prepared.drop(key)
        self._bus.forget(key)

    def sizes(self) -> Mapping[str, int]:
        """Count what is kept in this process."""
        return self._prepared.sizes()
