"""HistoryStore and VisibilityStore: every implementation keeps the same promises."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.testing.history_suites import HistoryStoreSuite
from linkflow.testing.memory_history import MemoryHistoryStore, MemoryVisibilityStore
from linkflow.testing.visibility_suites import VisibilityStoreSuite


class TestMemory(HistoryStoreSuite):
    """Histories in memory."""

    @pytest.fixture
    def store(self) -> MemoryHistoryStore:
        """An empty store."""
        return MemoryHistoryStore()


class TestMemoryVisibility(VisibilityStoreSuite):
    """The read model in memory."""

    @pytest.fixture
    def history(self) -> MemoryHistoryStore:
        """The histories it is made from."""
        return MemoryHistoryStore()

    @pytest.fixture
    def store(self, history: MemoryHistoryStore) -> MemoryVisibilityStore:
        """An empty store."""
        return MemoryVisibilityStore(history)


class TestPostgres(HistoryStoreSuite):
    """Histories in PostgreSQL."""

    @pytest_asyncio.fixture
    async def store(self, database: Database) -> AsyncIterator[SqlHistoryStore]:
        """An empty store."""
        async with SqlHistoryStore(database).running() as store:
            yield store


class TestPostgresVisibility(VisibilityStoreSuite):
    """The read model in PostgreSQL."""

    @pytest_asyncio.fixture
    async def history(self, database: Database) -> AsyncIterator[SqlHistoryStore]:
        """The histories it is made from."""
        async with SqlHistoryStore(database).running() as store:
            yield store

    @pytest.fixture
    def store(self, database: Database) -> SqlVisibilityStore:
        """An empty store."""
        return SqlVisibilityStore(database)
