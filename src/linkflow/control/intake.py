"""Where calls of webhooks go once they are durable: started here, or left for whoever starts them.

`Inbox` starts them in this process. `Intake` has no engine beside it: it keeps them, nudges those who have
one, and needs nothing but the database, so that calls are taken while everything else is away.
"""

import asyncio
from collections import deque
from typing import Protocol

from linkflow.domain.errors import Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.records import Records
from linkflow.ports.services import StartedExecution
from linkflow.ports.triggers import TriggerEvent

PAUSE_S = 0.5


class Starters(Protocol):
    """What follows once a trigger event is durable."""

    @property
    def held_s(self) -> float:
        """How long events that go to `push` are held for it; 0 for not at all."""
        ...

    def push(self, event: TriggerEvent, data: Json) -> None:
        """Have an event's executions started soon."""
        ...

    def keep_later(self, event: TriggerEvent) -> None:
        """Keep an event that starts nothing, when there is time."""
        ...

    async def start_now(self, event: TriggerEvent, data: Json, wait_ms: int) -> StartedExecution:
        """Start an event's execution while its caller waits for the end.

        Raises:
            LinkFlowError: It could not be started; the event is marked, so that it does not start later.
        """
        ...


class Intake:
    """Leaves events to the inboxes of other processes."""

    def __init__(self, records: Records, bus: EventBus, clock: Clock) -> None:
        self._records, self._bus, self._clock = records, bus, clock
        self._refused: deque[TriggerEvent] = deque(maxlen=200)
        self._arrived = asyncio.Event()

    @property
    def held_s(self) -> float:
        """Nobody here starts anything."""
        return 0.0

    def push(self, event: TriggerEvent, data: Json) -> None:
        """Tell the inboxes; without word they look by themselves."""
        self._bus.publish("inbox")

    def keep_later(self, event: TriggerEvent) -> None:
        """Keep an event that starts nothing, when there is time."""
        self._refused.append(event)
        self._arrived.set()

    async def start_now(self, event: TriggerEvent, data: Json, wait_ms: int) -> StartedExecution:
        """Refuse: nobody here can wait for an end. The event is marked, so that it does not start later."""
        error = Unavailable("Nobody can answer this call just now; send it again.", code="edge.no_upstream")
        await self._records.trigger_events.refuse(event.id, f"{error.code}: {error}")
        raise error

    async def run(self) -> None:
        """Keep what was put off, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._refused:
                try:
                    await self._records.trigger_events.keep(self._refused[0])
                except Unavailable:
                    await self._clock.sleep(PAUSE_S)
                    continue
                self._refused.popleft()
