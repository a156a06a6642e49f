"""Due schedules to executions: each fire is a start named by the schedule and its nominal time."""

from linkflow.control.schedules import Schedules
from linkflow.domain.errors import Overloaded, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.records import Records
from linkflow.ports.upkeep import Turn
from linkflow.telemetry import logger

LOG = logger("cron")
BATCH = 100
IDLE_S = 5.0
"""Longest rest: another process may have changed a schedule."""


class Cron:
    """Fires schedules when their time has come; a watch, and a duty for those who ask."""

    name = "cron"

    def __init__(self, records: Records, schedules: Schedules, bus: EventBus, clock: Clock) -> None:
        self._records, self._schedules = records, schedules
        self._bus, self._clock = bus, clock

    async def run(self) -> None:
        """Fire whatever is due, then rest until the next is; until cancelled."""
        with self._bus.subscribe("schedules") as changes:
            while True:
                try:
                    fired = await self.fire_due()
                    rest_s = 0.0 if fired == BATCH else await self._rest_s()
                except Unavailable as error:
                    rest_s = error.retry_after_s if isinstance(error, Overloaded) else 1.0
                if rest_s > 0:
                    await changes.nudged(rest_s)

    async def do(self, turn: Turn) -> Json:
        """Fire what is due now, `{"fired": count}`; nothing is fired when it is dry."""
        if turn.is_dry:
            return {"due": len(await self._records.schedules.due(self._clock.now(), BATCH))}
        return {"fired": await self.fire_due()}

    async def fire_due(self) -> int:
        """Fire every schedule that is due, at most a batch; how many were."""
        now = self._clock.now()
        due = await self._records.schedules.due(now, BATCH)
        for schedule in due:
            started = await self._schedules.fire(schedule, now)
            LOG.info("fired", schedule_id=schedule.id, executions=len(started))
        return len(due)

    async def _rest_s(self) -> float:
        """Say how long nothing is due."""
        next_at = await self._records.schedules.next_due_at()
        if next_at is None:
            return IDLE_S
        return min(IDLE_S, max(0.01, next_at - self._clock.now()))
