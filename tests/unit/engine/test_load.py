"""Load: a busy process promises no more, and does again as soon as there is room."""

import asyncio

import pytest

from linkflow.domain.errors import Overloaded
from linkflow.engine.frontend import MOST_PENDING, Frontend
from linkflow.engine.load import FEW, LATE_LOOKS, LATE_S, LOOK_S, SLOW_COMMIT_S, WINDOW_S, Load
from linkflow.ports.services import StartedExecution, StartExecution
from linkflow.telemetry import metrics
from linkflow.testing.fakes import FixedClock

COMMAND = StartExecution(workspace_id="w", workflow_id="f", spec_hash="h")


class Starts:
    """A History that takes every start."""

    def __init__(self) -> None:
        self.taken = 0

    async def start(self, command: StartExecution) -> StartedExecution:
        """Take a start."""
        self.taken += 1
        return StartedExecution(execution_id="e", status="running")


class LateClock(FixedClock):
    """A clock whose sleepers come back late."""

    late_s = 0.0

    async def sleep(self, delay_s: float) -> None:
        """Wait longer than asked."""
        await super().sleep(delay_s + self.late_s)


def shed(reason: str) -> float:
    return metrics.REGISTRY.get_sample_value("linkflow_requests_shed_total", {"reason": reason}) or 0.0


async def refused(frontend: Frontend) -> bool:
    try:
        await frontend.start(COMMAND)
    except Overloaded:
        return True
    return False


async def test_a_loop_that_stays_late_sheds_starts() -> None:
    """A start is refused once the loop was late several times in a row, until it is in time again."""
    clock = LateClock()
    load, history = Load(clock), Starts()
    frontend = Frontend(history, lambda: 0, load.reason)  # type: ignore[arg-type]  # it starts and nothing else
    watching = asyncio.ensure_future(load.run())
    before = shed("loop_lag")
    await asyncio.sleep(0)
    clock.late_s = LATE_S + 0.1
    seen = []
    for _ in range(LATE_LOOKS + 2):
        await clock.turn(LOOK_S + LATE_S + 0.1)
        seen.append(await refused(frontend))
    clock.late_s = 0.0
    for _ in range(4):
        await clock.turn(LOOK_S + LATE_S + 0.1)
    watching.cancel()

    assert ([False] * 3, True) == (seen[:3], seen[-1])
    assert not await refused(frontend)
    assert shed("loop_lag") - before == seen.count(True)


@pytest.mark.parametrize(("took_s", "commits", "is_refused"), [
    (SLOW_COMMIT_S * 2, FEW, True),
    (SLOW_COMMIT_S * 2, FEW - 1, False),
    (SLOW_COMMIT_S / 2, 100, False),
])  # fmt: skip
async def test_slow_commits_shed_starts(took_s: float, commits: int, *, is_refused: bool) -> None:
    """Starts are refused while commits are slow, and taken again when the last slow one is long ago."""
    clock = FixedClock()
    load = Load(clock)
    frontend = Frontend(Starts(), lambda: 0, load.reason)  # type: ignore[arg-type]  # it starts and nothing else
    for _ in range(commits):
        load.committed(took_s)

    assert is_refused == await refused(frontend)
    await clock.turn(WINDOW_S + 1)
    assert not await refused(frontend)


async def test_one_slow_commit_of_many_sheds_nothing() -> None:
    """A single slow commit among a hundred quick ones is no overload."""
    load = Load(FixedClock())
    for _ in range(120):
        load.committed(0.01)
    load.committed(SLOW_COMMIT_S * 2)

    assert (0.01, "") == (load.commit_p99_s(), load.reason())


async def test_a_refusal_is_counted_by_its_reason() -> None:
    """A backlog that is too long refuses a start before it reaches History, and says so in a metric."""
    history, before = Starts(), shed("backlog")
    frontend = Frontend(history, lambda: MOST_PENDING + 1)  # type: ignore[arg-type]  # it starts and nothing else

    assert await refused(frontend)
    assert (0, 1.0) == (history.taken, shed("backlog") - before)
