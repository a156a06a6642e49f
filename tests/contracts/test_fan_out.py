"""FanOut: the starts of one event go to every process that takes part, and nothing depends on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aio_pika
import pytest
from structlog.testing import capture_logs

from linkflow.adapters.rabbitmq.fan_out import AT_ONCE, RabbitFanOut
from linkflow.ports.triggers import PartOfEvent
from linkflow.testing.servers import free_port

pytestmark = [pytest.mark.external, pytest.mark.timeout(60)]  # a broker takes a while to start
PATIENCE_S = 10.0
Starting = Callable[[PartOfEvent], Awaitable[bool]]


def parts(count: int) -> list[PartOfEvent]:
    """Say so many parts of one event."""
    return [PartOfEvent("w1", "e1", place) for place in range(count)]


@asynccontextmanager
async def member(
    url: str, prefix: str, start: Starting, *, answered_s: float = PATIENCE_S
) -> AsyncIterator[RabbitFanOut]:
    """Take part until the block is left."""
    opened = RabbitFanOut(url, prefix=prefix, answered_s=answered_s)
    serving = asyncio.create_task(opened.serve(start))
    await asyncio.wait_for(opened.is_serving.wait(), PATIENCE_S)
    try:
        yield opened
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_every_process_takes_a_share(rabbitmq_url: str, queue_prefix: str) -> None:
    """E4: a batch is started once each, by all members, and whoever spread it hears of every one."""
    here: list[PartOfEvent] = []
    there: list[PartOfEvent] = []
    both = asyncio.Event()

    def starting(mine: list[PartOfEvent]) -> Starting:
        async def start(part: PartOfEvent) -> bool:
            mine.append(part)
            if here and there:
                both.set()
            await both.wait()
            return True

        return start

    async with (
        member(rabbitmq_url, queue_prefix, starting(here)) as spreading,
        member(rabbitmq_url, queue_prefix, starting(there)),
    ):
        started = await spreading.spread(parts(100))

    assert (set(range(100)), parts(100)) == (started, sorted(here + there, key=lambda part: part.place))


async def test_what_was_not_started_is_said(rabbitmq_url: str, queue_prefix: str) -> None:
    """A part that could not be started is missing from the answer, at once."""

    async def start(part: PartOfEvent) -> bool:
        return part.place != 3

    async with member(rabbitmq_url, queue_prefix, start) as spreading:
        started = await spreading.spread(parts(5))

    assert {0, 1, 2, 4} == started


async def test_a_wipe_between_spreading_and_starting(rabbitmq_url: str, queue_prefix: str) -> None:
    """L2: parts that the broker lost are missing from the answer, and later ones are spread again."""
    asked, goes_on = asyncio.Event(), asyncio.Event()
    taken: list[int] = []

    async def start(part: PartOfEvent) -> bool:
        taken.append(part.place)
        asked.set()
        await goes_on.wait()
        return True

    async with member(rabbitmq_url, queue_prefix, start, answered_s=1.0) as spreading:
        spread = asyncio.create_task(spreading.spread(parts(100)))
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
        async with await aio_pika.connect(rabbitmq_url) as connection:
            await (await connection.channel()).queue_delete(f"{queue_prefix}.webhook_events")
        lost = await spread
        goes_on.set()
        async with asyncio.timeout(PATIENCE_S):
            again = await spreading.spread(parts(3))
            while again != {0, 1, 2}:
                await spreading.is_serving.wait()
                again = await spreading.spread(parts(3))

    assert (set(), True) == (lost, len(taken) < 100)


async def test_a_broker_that_is_away() -> None:
    """Without a broker nothing was started by others, and nobody waits or fails."""

    async def start(part: PartOfEvent) -> bool:
        return True

    alone = RabbitFanOut(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    serving = asyncio.create_task(alone.serve(start))
    started = await asyncio.wait_for(alone.spread(parts(3)), PATIENCE_S)
    serving.cancel()
    (ended,) = await asyncio.gather(serving, return_exceptions=True)

    assert (set(), asyncio.CancelledError) == (started, type(ended))


async def test_a_start_that_breaks_keeps_no_place(rabbitmq_url: str, queue_prefix: str) -> None:
    """More starts than a process has hands may break: each is answered, and what comes later is started."""

    async def start(part: PartOfEvent) -> bool:
        if part.place < AT_ONCE:
            raise KeyError("a bug")
        return True

    with capture_logs():  # what is logged of each takes longer than the start
        async with member(rabbitmq_url, queue_prefix, start) as spreading:
            started = await spreading.spread(parts(AT_ONCE + 8))

    assert set(range(AT_ONCE, AT_ONCE + 8)) == started


async def test_who_is_told_to_stop_stops(rabbitmq_url: str, queue_prefix: str) -> None:
    """Wherever it is when it is told to, a process stops taking part."""

    async def start(part: PartOfEvent) -> bool:
        return True

    for turns in range(0, 150, 5):
        serving = asyncio.create_task(RabbitFanOut(rabbitmq_url, prefix=queue_prefix).serve(start))
        for _ in range(turns):
            await asyncio.sleep(0)
        serving.cancel()
        done, _ = await asyncio.wait([serving], timeout=PATIENCE_S)

        assert {serving} == done
