"""The clock that follows the database's."""

import time

import pytest

from linkflow.adapters.sql.clock import SqlClock
from linkflow.adapters.sql.database import Database

NEAR_S = 1.0


@pytest.mark.parametrize("skew_s", [0.0, 300.0, -300.0])
async def test_a_machine_whose_clock_is_off(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch, skew_s: float
) -> None:
    """Whatever this machine takes for now, it says what the database does; within its answer's time."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew_s)
    database = await Database.open(database_dsn)
    clock = SqlClock(database)
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
    clock = SqlClock(database)
    await clock.set()
    ahead_s = clock.now() - clock.monotonic()
    for _ in range(10):
        await clock.look()
    left_s = clock.now() - clock.monotonic()
    await database.close()

    assert abs(ahead_s - left_s) < NEAR_S
