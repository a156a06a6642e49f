"""Instants of start policies: every implementation keeps the same promises."""

from functools import partial

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.expiry import SqlUpkeep
from linkflow.adapters.sql.slots import SqlSlots
from linkflow.domain.pacing import KEPT_S, RatePolicy
from linkflow.testing.fakes import NOW
from linkflow.testing.history_suites import new_id
from linkflow.testing.memory_slots import MemorySlots
from linkflow.testing.past import write_closed
from linkflow.testing.slots_suite import FIVE_S, TWO_A_MINUTE, SlotsSuite
from linkflow.testing.store_suites import Close


class TestMemorySlots(SlotsSuite):
    """Instants in memory."""

    @pytest.fixture
    def store(self) -> MemorySlots:
        """An empty store."""
        self.over: set[str] = set()
        return MemorySlots(self.over.__contains__)

    @pytest.fixture
    def close(self, store: MemorySlots) -> Close:
        """Let an execution be over."""

        async def close(execution_id: str) -> None:
            self.over.add(execution_id)

        return close


class TestPostgresSlots(SlotsSuite):
    """Instants in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlSlots:
        """An empty store."""
        return SqlSlots(database)

    @pytest.fixture
    def close(self, database: Database) -> Close:
        """Make an execution that is over."""
        return partial(write_closed, database)

    async def test_another_process_hears_the_same(self, database: Database, store: SqlSlots) -> None:
        """What one process was told is durable: another one is told the same, and counts it."""
        a, b, c = new_id(), new_id(), new_id()
        one_an_hour = RatePolicy("rate:hour", 1, 3600.0)
        first = await store.reserve(one_an_hour, a, NOW)
        other = SqlSlots(database)

        assert [first, NOW + 3600, NOW + 7200] == [
            await other.reserve(one_an_hour, a, NOW + 9),
            await other.reserve(one_an_hour, b, NOW + 9),
            await store.reserve(one_an_hour, c, NOW + 9),
        ]

    async def test_what_is_past_goes(self, database: Database, store: SqlSlots) -> None:
        """Instants that no question can be about any more are deleted, and no others."""
        await store.reserve(TWO_A_MINUTE, new_id(), NOW - KEPT_S - 1)
        await store.reserve(TWO_A_MINUTE, new_id(), NOW)
        await store.debounce(FIVE_S, new_id(), NOW - KEPT_S - 10)
        gone = await SqlUpkeep(database, database).expire({"now": NOW}, 0, is_dry=True)

        assert (1, 1) == (gone["start_slots"], gone["debounces"])
