"""Every journal of duties."""

import pytest

from linkflow.adapters.sql.coordination import SqlLeases
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.duties import SqlDutyRuns
from linkflow.adapters.sql.statements import Statements
from linkflow.ports.upkeep import LEASE
from linkflow.testing.memory_upkeep import MemoryDutyRuns
from linkflow.testing.upkeep_suites import DutyRunsSuite


class TestMemory(DutyRunsSuite):
    """The fake of the tests."""

    @pytest.fixture
    def store(self) -> MemoryDutyRuns:
        """An empty journal."""
        return MemoryDutyRuns()


class TestPostgres(DutyRunsSuite):
    """The journal in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlDutyRuns:
        """An empty journal."""
        return SqlDutyRuns(database, database)

    async def test_the_leader_is_known(self, database: Database, store: SqlDutyRuns) -> None:
        """Whoever holds the scheduler's lease is told, and nobody once it is given back."""
        leases = SqlLeases(Statements(database.pool))
        lease = await leases.acquire(LEASE, "me", 60.0)
        assert lease is not None
        led = await store.leader()
        await leases.release(lease)

        assert (lease, None) == (led, await store.leader())
