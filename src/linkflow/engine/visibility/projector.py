"""Events to rows that lists are made from; and the nudge that a list has changed."""

import asyncio
from collections.abc import Callable

from linkflow import telemetry
from linkflow.domain.errors import LinkFlowError, Unavailable
from linkflow.ports.clock import Clock
from linkflow.ports.services import History
from linkflow.ports.stores import HistoryStore, Message, VisibilityStore
from linkflow.telemetry import metrics

BATCH = 200
GATHER_S = 0.05
"""How long changes are gathered, so that a short execution is written once."""
PAUSE_S = 1.0

CLAIM_S = 30.0
"""How long messages are ours; what was not projected by then is claimed again, by whoever is there."""

AHEAD_S = 10.0
"""How much the clock of the History that wrote a message may be ahead of ours."""

LOOK_S = 0.2
"""How often new messages are looked for when there were none."""

log = telemetry.logger("projector")
_projected = metrics.counter("linkflow_projections_total")


class Projector:
    """Writes the read model. Reads each execution as it stands, so order and repeats do not matter.

    The row of a message stays in the outbox until what it asks for is written. What cannot be written while
    the store is away is written once it is back; what a bug keeps out, the outbox brings again.
    """

    def __init__(self, store: VisibilityStore, clock: Clock, changed: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed
        self._history: History | None = None
        self._waiting: dict[tuple[str, int, str], Message] = {}
        self._arrived = asyncio.Event()

    def connect(self, history: History) -> None:
        """Say which History is read."""
        self._history = history

    @property
    def backlog(self) -> int:
        """How many messages wait to be projected."""
        return len(self._waiting)

    def add(self, message: Message) -> None:
        """Project an execution soon. Safe to repeat."""
        self._waiting[message.execution_id, message.number, message.kind] = message
        self._arrived.set()

    async def run(self) -> None:
        """Project for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if len(self._waiting) < BATCH:
                await self._clock.sleep(GATHER_S)
            while self._waiting:
                batch = [
                    self._waiting.pop(next(iter(self._waiting)))
                    for _ in range(min(BATCH, len(self._waiting)))
                ]
                await self._project_or_leave(batch)

    async def _project_or_leave(self, messages: list[Message]) -> None:
        """Write rows; when a batch cannot be written, one by one, so that one bad row holds nobody up."""
        try:
            await self.project(messages)
        except Unavailable as error:
            log.warning("not projected; it is tried again", error=str(error))
            await self._clock.sleep(PAUSE_S)
            for message in messages:
                self.add(message)
        except Exception as error:  # a bug or a value the store refuses must not stop the others
            if len(messages) > 1:
                for message in messages:
                    await self._project_or_leave([message])
                return
            log.exception("cannot be projected", execution_id=messages[0].execution_id, error=str(error))

    async def project(self, messages: list[Message]) -> None:
        """Write the rows of the executions that messages are about. Safe to repeat."""
        assert self._history is not None, "connect comes first"
        used = [message for message in messages if message.kind == "usage"]
        if used:
            await self._store.meter(used)
            messages = [message for message in messages if message.kind != "usage"]
        if not messages:
            return
        ids = list(dict.fromkeys(message.execution_id for message in messages))
        projected = await self._history.projected(ids)
        await self._store.write(projected, messages)
        _projected.inc(len(projected))
        for workspace_id in {item.row.workspace_id for item in projected}:
            self._changed(workspace_id)


class Claims:
    """Brings a projector what other processes' Histories left for it; several of them share the work.

    It takes no more than the projector is about to write: what it has taken waits when it dies.
    """

    def __init__(self, store: HistoryStore, projector: Projector, clock: Clock) -> None:
        self._store = store
        self._projector = projector
        self._clock = clock

    async def run(self) -> None:
        """Claim for ever."""
        while True:
            count = 0
            try:
                if self._projector.backlog < BATCH:
                    count = await self._claim()
            except LinkFlowError as error:
                log.warning("nothing claimed; tried again", error=str(error))
            except Exception:  # a bug must not end the claims
                log.exception("nothing claimed; tried again")
            await self._clock.sleep(GATHER_S if count == BATCH or self._projector.backlog else LOOK_S)

    async def _claim(self) -> int:
        now = self._clock.now()
        messages = await self._store.claim(BATCH, now + AHEAD_S, now + CLAIM_S, "projections")
        for message in messages:
            self._projector.add(message)
        return len(messages)
