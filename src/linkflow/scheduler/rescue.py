"""The auditor of "nothing is ever stuck": finds open executions that nothing moves on, and wakes them.

The engine rescues its own: workers that died, tasks that a queue lost, wake-ups that are due (see
`engine/recovery`). This duty looks from outside whether that works. An execution is stuck when nothing
moves it on, or when all that should have done so is overdue. Whatever is found here is a fault; it is logged,
counted and kept as the result of the run, and the execution is woken.
"""

from linkflow.control.executions import Executions
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.services import Explanation
from linkflow.ports.upkeep import Stuck, Turn
from linkflow.telemetry import logger

LOG = logger("rescue")
PATIENCE_S = 60.0
"""An execution that moved less long ago is left alone."""

OVERDUE_S = 30.0
LOOKED_AT = 500
EXAMPLES = 10
FOLLOWS_AT_ONCE = frozenset({"ready"})


class Rescue:
    """Finds what is stuck and wakes it."""

    name = "rescue"

    def __init__(self, stuck: Stuck, executions: Executions, bus: EventBus, clock: Clock) -> None:
        self._stuck, self._executions = stuck, executions
        self._bus, self._clock = bus, clock

    async def do(self, turn: Turn) -> Json:
        """Look and wake: `{"stuck", "examples": [{"execution_id", "why"}], "pending_events"}`."""
        now = self._clock.now()
        examples = []
        for execution_id in await self._stuck.suspects(now - PATIENCE_S, LOOKED_AT):
            try:
                found = await self._executions.explanation(execution_id)
            except LinkFlowError as error:
                examples.append({"execution_id": execution_id, "why": f"{error.code}: {error}"})
                continue
            if is_stuck(found, now):
                examples.append({"execution_id": execution_id, "why": found.summary})
        pending = await self._stuck.pending(now - PATIENCE_S)
        if not turn.is_dry:
            if examples:
                LOG.error("stuck", count=len(examples), first=examples[0])
                await self._stuck.wake([each["execution_id"] for each in examples], turn.token)
            if pending.count:
                LOG.warning("trigger events wait", count=pending.count)
                self._bus.publish("inbox")
        return {
            "stuck": len(examples),
            "examples": examples[:EXAMPLES],
            "pending_events": pending.count,
            "oldest_pending_s": None if pending.oldest_at is None else round(now - pending.oldest_at),
        }


def is_stuck(found: Explanation, now: float) -> bool:
    """Say whether nothing moves an open execution on, or all that should have is overdue."""
    if found.status in ("completed", "failed", "cancelled", "timed_out"):
        return False
    return all(
        driver.kind in FOLLOWS_AT_ONCE or (driver.until is not None and driver.until < now - OVERDUE_S)
        for driver in found.drivers
    )
