"""FanOut over RabbitMQ: the starts of one event, spread in one batch over every process.

    spread ─► exchange webhooks ─ webhook.start ─► queue webhook_events ─► serve, in any process ─► start
       ▲                                                                                              │
       └──────────────────── queue of the process that spreads ◄── which one was started ─────────────┘

What fails and what happens then. The broker is away, full, slow or was wiped: what nobody said to have
started is missing from the answer, and whoever spreads starts it. A process dies with starts in its hands:
the broker gives them to another one. A start comes twice: its execution has its id already, so there is one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

from linkflow import telemetry
from linkflow.adapters.rabbitmq.broken import BROKEN, pass_on_a_stop, quietly
from linkflow.domain.errors import Unavailable
from linkflow.ports.triggers import PartOfEvent

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection

AT_ONCE = 32
"""Starts that a process has in its hands."""

MOST = 100_000
KEPT_MS = 60_000
"""A start that nobody took for so long was started by whoever spread it."""

DELIVERIES = 5
ANSWERED_S = 10.0
BEAT_S = 1.0
TIMEOUT_S = 5.0
log = telemetry.logger("rabbitmq")


class _Answer(msgspec.Struct, frozen=True):
    """What became of a part: which call of `spread`, which number, whether it was started."""

    call: str
    number: int
    is_started: bool


class _Link:
    """What is open at the broker."""

    def __init__(self, exchange: AbstractExchange, channel: AbstractChannel, answers_to: str) -> None:
        self.exchange, self.channel, self.answers_to = exchange, channel, answers_to


class _Call:
    """A call of `spread` that waits for answers."""

    def __init__(self, count: int) -> None:
        self.missing = set(range(count))
        self.started: set[int] = set()
        self.is_over = asyncio.Event()

    def hear(self, answer: _Answer) -> None:
        """Note an answer, which may come again."""
        self.missing.discard(answer.number)
        if answer.is_started:
            self.started.add(answer.number)
        if not self.missing:
            self.is_over.set()


class RabbitFanOut:
    """One process among those that spread starts, and that start what is spread."""

    def __init__(self, url: str, *, prefix: str = "linkflow", answered_s: float = ANSWERED_S) -> None:
        self._url, self._prefix, self._answered_s = url, prefix, answered_s
        self._link: _Link | None = None
        self._calls: dict[str, _Call] = {}
        self.is_serving = asyncio.Event()

    async def spread(self, parts: Sequence[PartOfEvent]) -> set[int]:
        """Publish parts as one batch with confirms, and wait until they are started; see the port."""
        link = self._link
        if link is None:
            return set()
        name, call = uuid4().hex, _Call(len(parts))
        self._calls[name] = call
        try:
            sending = (self._send(link, name, number, part) for number, part in enumerate(parts))
            ends = await asyncio.gather(*sending, return_exceptions=True)
            for number, end in enumerate(ends):
                if isinstance(end, BaseException):
                    call.hear(_Answer(name, number, is_started=False))
            if call.missing:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._answered_s):
                        await call.is_over.wait()
            return call.started
        finally:
            del self._calls[name]

    async def _send(self, link: _Link, call: str, number: int, part: PartOfEvent) -> None:
        message = aio_pika.Message(
            msgspec.json.encode(part),
            correlation_id=f"{call}:{number}",
            reply_to=link.answers_to,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await link.exchange.publish(message, "webhook.start", timeout=TIMEOUT_S)

    async def serve(self, start: Callable[[PartOfEvent], Awaitable[bool]]) -> None:
        """Start what is spread, for ever; see the port."""
        while True:
            try:
                await self._serve(start)
            except BROKEN as error:
                pass_on_a_stop()
                log.warning("no fan-out by RabbitMQ; every process starts its own", error=str(error))
            finally:
                self._link = None
                self.is_serving.clear()
            await asyncio.sleep(BEAT_S)

    async def _serve(self, start: Callable[[PartOfEvent], Awaitable[bool]]) -> None:
        """Take part until the connection or a queue is gone."""
        async with await aio_pika.connect(self._url, timeout=TIMEOUT_S) as connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            await channel.set_qos(prefetch_count=AT_ONCE)
            exchange = await channel.declare_exchange(
                f"{self._prefix}.webhooks", aio_pika.ExchangeType.DIRECT, durable=True
            )
            parts = await channel.declare_queue(
                f"{self._prefix}.webhook_events",
                durable=True,
                arguments={
                    "x-queue-type": "quorum",
                    "x-delivery-limit": DELIVERIES,
                    "x-message-ttl": KEPT_MS,
                    "x-max-length": MOST,
                    "x-overflow": "reject-publish",
                },
            )
            await parts.bind(exchange, "webhook.start")
            answers = await channel.declare_queue(exclusive=True)

            async def came(message: AbstractIncomingMessage) -> None:
                await self._start(channel, message, start)

            await answers.consume(self._answered, no_ack=True)
            await parts.consume(came)
            self._link = _Link(exchange, channel, answers.name)
            self.is_serving.set()
            await self._watch(connection, [parts.name, answers.name])

    async def _watch(self, connection: "AbstractConnection", names: Sequence[str]) -> None:
        """Look every BEAT_S whether the queues are there; what is gone is an AMQPError."""
        looking = await connection.channel(publisher_confirms=False)
        while True:
            pass_on_a_stop()
            await asyncio.sleep(BEAT_S)
            for name in names:
                await looking.declare_queue(name, passive=True, timeout=TIMEOUT_S)

    async def _start(
        self,
        channel: AbstractChannel,
        message: AbstractIncomingMessage,
        start: Callable[[PartOfEvent], Awaitable[bool]],
    ) -> None:
        """Start a part, tell whoever spread it, and be done with it."""
        is_started = False
        try:
            is_started = await start(msgspec.json.decode(message.body, type=PartOfEvent))
        except (msgspec.DecodeError, Unavailable) as error:
            log.warning("a start is left to whoever spread it", error=str(error))
        except Exception:  # a bug with one start must not keep its place among those AT_ONCE
            log.exception("a start is left to whoever spread it")
        call, _, number = (message.correlation_id or "").rpartition(":")
        with quietly():
            if message.reply_to and number.isdigit():
                answer = msgspec.json.encode(_Answer(call, int(number), is_started))
                await channel.default_exchange.publish(
                    aio_pika.Message(answer), message.reply_to, mandatory=False, timeout=TIMEOUT_S
                )
            await message.ack()

    async def _answered(self, message: AbstractIncomingMessage) -> None:
        """Hear what became of a part."""
        answer = msgspec.json.decode(message.body, type=_Answer)
        call = self._calls.get(answer.call)
        if call is not None:
            call.hear(answer)
