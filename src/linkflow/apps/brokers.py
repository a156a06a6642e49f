"""Redis, RabbitMQ and S3, where they are wanted: the task queue, what processes share, large values."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linkflow.adapters.blobs import FileBlobStore
from linkflow.adapters.memory import MemoryCache, MemoryEventBus, MemoryPrepared, MemoryRateLimits
from linkflow.adapters.memory_queue import MemoryTaskQueue
from linkflow.apps.settings import SettingInvalid, Settings
from linkflow.domain.values import Json
from linkflow.engine.recovery.service import BROKER_SWEEP_S, SWEEP_S
from linkflow.ports.coordination import Cache, EventBus, Prepared, RateLimits
from linkflow.ports.queue import TaskQueue
from linkflow.ports.triggers import FanOut

if TYPE_CHECKING:
    from linkflow.adapters.s3 import S3BlobStore


FRESH_S = 2.0
"""How long a process keeps what another may have changed, when nobody can tell it."""


@asynccontextmanager
async def open_queue(settings: Settings) -> AsyncIterator[TaskQueue]:
    """Be a member of the task queue for as long as the context lasts.

    Raises:
        SettingInvalid: The address of the broker was not said.
        Unavailable: The broker does not answer.
    """
    if settings.queue == "redis":
        from linkflow.adapters.redis.streams import RedisTaskQueue

        async with RedisTaskQueue.running(_said(settings.redis_url, "LINKFLOW_REDIS_URL")) as queue:
            yield queue
    elif settings.queue == "rabbitmq":
        from linkflow.adapters.rabbitmq.queue import RabbitTaskQueue

        url = _said(settings.rabbitmq_url, "LINKFLOW_RABBITMQ_URL")
        async with RabbitTaskQueue.running(url, MemoryTaskQueue()) as queue:
            yield queue
    else:
        yield MemoryTaskQueue()


class FreshPrepared(MemoryPrepared):
    """What nobody tells us of when it changes is kept for a moment only."""

    def put(self, key: str, value: object, ttl_s: float) -> None:
        """Keep a value."""
        super().put(key, value, min(ttl_s, FRESH_S))


class FreshCache(MemoryCache):
    """The same for values that processes would share."""

    async def put(self, key: str, value: Json, ttl_s: float) -> None:
        """Keep a value."""
        await super().put(key, value, min(ttl_s, FRESH_S))


@dataclass(frozen=True, kw_only=True)
class Coordination:
    """What the parts of one process, and all processes, share; by default within this process.

    Attributes:
        fan_out: Spreads the executions of large events over the processes; None where each starts its own.
    """

    bus: EventBus = field(default_factory=MemoryEventBus)
    prepared: Prepared = field(default_factory=MemoryPrepared)
    cache: Cache = field(default_factory=MemoryCache)
    limits: RateLimits = field(default_factory=MemoryRateLimits)
    fan_out: FanOut | None = None


@asynccontextmanager
async def open_coordination(settings: Settings) -> AsyncIterator[Coordination]:
    """Share nudges, values and limits for as long as the context lasts; by Redis if there is one.

    Raises:
        Unavailable: Redis does not answer.
    """
    here = Coordination(fan_out=_fan_out(settings))
    if settings.redis_url is None:
        yield here
        return
    from linkflow.adapters.redis.cache import RedisCache, RedisLine, RedisRateLimits
    from linkflow.adapters.redis.coordination import RedisEventBus, RedisPrepared

    async with (
        RedisEventBus.running(settings.redis_url, here.bus, here.prepared) as bus,
        RedisLine.running(settings.redis_url) as line,
    ):
        yield Coordination(
            bus=bus,
            prepared=RedisPrepared(here.prepared, bus),
            cache=RedisCache(line, here.cache),
            limits=RedisRateLimits(line, here.limits),
            fan_out=here.fan_out,
        )


def _fan_out(settings: Settings) -> FanOut | None:
    """Choose what spreads large events: RabbitMQ where there is one, whichever queue is chosen."""
    if settings.rabbitmq_url is None:
        return None
    from linkflow.adapters.rabbitmq.fan_out import RabbitFanOut

    return RabbitFanOut(settings.rabbitmq_url)


async def open_blobs(settings: Settings) -> "FileBlobStore | S3BlobStore":
    """Open the place of large values: a bucket if one was named, else files.

    Raises:
        SettingInvalid: A key without its secret, or the other way round.
        Unavailable: The bucket cannot be used; the message says why.
    """
    if settings.s3_bucket is None:
        return FileBlobStore(settings.home / "blobs")
    if (settings.s3_key is None) != (settings.s3_secret is None):
        raise SettingInvalid(
            "LINKFLOW_S3_KEY and LINKFLOW_S3_SECRET belong together; set both or neither.",
            setting="LINKFLOW_S3_SECRET",
        )
    from linkflow.adapters.s3 import S3BlobStore

    return await S3BlobStore.open(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        key=settings.s3_key,
        secret=settings.s3_secret,
        region=settings.s3_region,
        is_path_style=settings.s3_path_style,
    )


def sweep_s(settings: Settings) -> float:
    """Say how often open executions are looked at."""
    return SWEEP_S if settings.queue == "embedded" else BROKER_SWEEP_S


def _said(url: str | None, name: str) -> str:
    if url is None:
        raise SettingInvalid(f"LINKFLOW_QUEUE needs to know where the broker is; set {name}.", setting=name)
    return url
