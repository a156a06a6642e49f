"""Which wake-ups the timer knows: those that come near, once each."""

from linkflow.domain.execution.state import ExecutionState
from linkflow.engine.history.entries import Entries, Entry
from linkflow.ports.clock import Clock
from linkflow.ports.services import Timer

HORIZON_S = 60.0
"""Wake-ups nearer than this are kept in memory by the timer; farther ones are found in the store."""


class Wakeups:
    """Tells the timer when executions want to be woken."""

    def __init__(self, entries: Entries, timer: Timer, clock: Clock) -> None:
        self._entries, self._timer, self._clock = entries, timer, clock

    def plan(self, entry: Entry, state: ExecutionState) -> None:
        """Plan the next wake-up of an execution, when it comes near and was not planned. Safe to repeat."""
        due, now = state.wakeup_at(), self._clock.now()
        if due is None or due == entry.wake_at or due > now + HORIZON_S:
            return
        if entry.wake_at <= now or due < entry.wake_at:
            entry.wake_at = due
            self._timer.schedule(entry.execution_id, due)

    def plan_of(self, execution_id: str, state: ExecutionState) -> None:
        """Plan the wake-up of an execution that may not be in memory."""
        entry = self._entries.find(execution_id)
        self.plan(entry if entry is not None else Entry(execution_id), state)

    def plan_again(self) -> None:
        """Plan every wake-up that comes near once more."""
        for entry in self._entries:
            entry.wake_at = 0.0
            if entry.state is not None and not entry.state.is_closed:
                self.plan(entry, entry.state)
