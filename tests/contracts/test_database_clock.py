"""The clock that follows the database's."""

import pytest

from linkflow.adapters.sql.clock import SqlClock
from linkflow.adapters.sql.database import Database
from linkflow.adapters.system import SystemClock

NEAR_S = 1.0


class Skewed(SystemClock):
    """The clock of a machine that is off."""

    def __init__(self, skew_s: float) -> None:
        self._skew_s = skew_s

    def now(self) -> float:
        """Seconds since 1970, and off."""
        return super().now() + self._skew_s


@pytest.mark.parametrize("skew_s", [0.0, 300.0, -300.0])
async def test_a_machine_whose_clock_is_off(database_dsn: str, skew_s: float) -> None:
    """Whatever this machine takes for now, it says what the database does; within its answer's time."""
    database = await Database.open(database_dsn)
    clock = SqlClock(database, Skewed(skew_s))
    await clock.set()
    took_s = await clock.look()
    before = await database.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    now = clock.now()
    after = await database.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    await database.close()

    assert before - NEAR_S - took_s <= now <= after + NEAR_S + took_s


async def test_a_clock_that_is_right_is_left_alone(database_dsn: str) -> None:
    """An answer that may as well mean what is known already changes nothing: time does not jump about."""
    database = await Database.open(database_dsn)
    clock = SqlClock(database, SystemClock())
    await clock.set()
    ahead_s = clock.now() - clock.monotonic()
    for _ in range(10):
        await clock.look()
    left_s = clock.now() - clock.monotonic()
    await database.close()

    assert abs(ahead_s - left_s) < NEAR_S
