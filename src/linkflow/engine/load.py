"""Load: how busy this process is, and whether it should promise more.

Two signs, besides the backlog that Frontend looks at itself. The event loop comes back late: everything here
takes longer than it says. Commits take long: the database cannot keep up. Either must last before a start is
refused, and is forgotten soon, so that a start is tried again as soon as there is hope.
"""

from collections import deque

from linkflow.ports.clock import Clock
from linkflow.telemetry import metrics

LOOK_S = 0.25
"""How often the loop is asked to come back."""

LATE_S, LATE_LOOKS = 0.5, 4
"""The loop is overloaded when it came back later than this so many times in a row."""

SLOW_COMMIT_S = 2.0
WINDOW_S = 10.0
"""Commits of this time are judged: the slowest hundredth must be quicker than `SLOW_COMMIT_S`."""

FEW = 5
"""Fewer commits than this say nothing."""

_lag = metrics.histogram("linkflow_loop_lag_seconds")


class Load:
    """Watches the event loop and the commits of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._late = 0
        self._commits: deque[tuple[float, float]] = deque(maxlen=1_000)

    async def run(self) -> None:
        """Watch the loop for ever."""
        while True:
            asked_at = self._clock.monotonic()
            await self._clock.sleep(LOOK_S)
            self.looked(self._clock.monotonic() - asked_at - LOOK_S)

    def looked(self, lag_s: float) -> None:
        """Take in how late the loop came back."""
        _lag.observe(max(0.0, lag_s))
        self._late = self._late + 1 if lag_s > LATE_S else 0

    def committed(self, took_s: float) -> None:
        """Take in how long a commit took."""
        self._commits.append((self._clock.monotonic(), took_s))

    def commit_p99_s(self) -> float:
        """Say what 99 of 100 commits of the last seconds took at most; 0 when there were only a few."""
        since = self._clock.monotonic() - WINDOW_S
        while self._commits and self._commits[0][0] < since:
            self._commits.popleft()
        if len(self._commits) < FEW:
            return 0.0
        took = sorted(took_s for _, took_s in self._commits)
        return took[min(len(took) - 1, len(took) * 99 // 100)]

    def reason(self) -> str:
        """Say why no more should be promised: `loop_lag`, `slow_commits`; empty when there is room."""
        if self._late >= LATE_LOOKS:
            return "loop_lag"
        if self._commits and self._commits[-1][1] > SLOW_COMMIT_S / 4 and self.commit_p99_s() > SLOW_COMMIT_S:
            return "slow_commits"
        return ""
