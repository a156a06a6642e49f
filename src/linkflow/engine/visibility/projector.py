"""Events to rows that lists are made from; and the nudge that a list has changed."""

import asyncio
from collections.abc import Callable

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError
from linkflow.ports.clock import Clock
from linkflow.ports.services import History
from linkflow.ports.stores import Message, VisibilityStore

BATCH = 200
GATHER_S = 0.05
"""How long changes are gathered, so that a short execution is written once."""

log = telemetry.logger("projector")


class Projector:
    """Writes the read model. Reads each execution as it stands, so order and repeats do not matter."""

    def __init__(self, store: VisibilityStore, clock: Clock, changed: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed
        self._history: History | None = None
        self.queue: asyncio.Queue[Message] = asyncio.Queue()

    def connect(self, history: History) -> None:
        """Say which History is read."""
        self._history = history

    async def run(self) -> None:
        """Project for ever."""
        while True:
            messages = [await self.queue.get()]
            if self.queue.qsize() < BATCH:
                await self._clock.sleep(GATHER_S)
            while not self.queue.empty() and len(messages) < BATCH:
                messages.append(self.queue.get_nowait())
            try:
                await self.project(messages)
            except LinkFlowError as error:
                log.warning("projection failed; the outbox brings it again", error=str(error))
                await self._clock.sleep(1.0)

    async def project(self, messages: list[Message]) -> None:
        """Write the rows of the executions that messages are about. Safe to repeat."""
        assert self._history is not None, "connect comes first"
        ids = list(dict.fromkeys(message.execution_id for message in messages))
        projected = await self._history.projected(ids)
        await self._store.write(projected, messages)
        for workspace_id in {item.row.workspace_id for item in projected}:
            self._changed(workspace_id)
