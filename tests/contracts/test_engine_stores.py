"""The engine's smaller stores: every implementation keeps the same promises."""

from functools import partial

import pytest

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.engine import SqlDeadLetters, SqlLateResults, SqlSessions, SqlSpecStore
from linkflow.adapters.sql.history import SqlHistoryStore
from linkflow.adapters.sql.tickets import SqlTickets
from linkflow.ports.stores import Message
from linkflow.testing.fakes import NOW, FixedClock
from linkflow.testing.history_suites import new_id
from linkflow.testing.memory_stores import (
    MemoryDeadLetters,
    MemoryLateResults,
    MemorySessions,
    MemorySpecStore,
    MemoryTickets,
)
from linkflow.testing.past import write_closed
from linkflow.testing.store_suites import (
    Close,
    DeadLettersSuite,
    LateResultsSuite,
    SessionsSuite,
    SpecStoreSuite,
    TicketsSuite,
    letter,
)


class TestMemorySpecs(SpecStoreSuite):
    """Specs in memory."""

    @pytest.fixture
    def store(self) -> MemorySpecStore:
        """An empty store."""
        return MemorySpecStore()


class TestPostgresSpecs(SpecStoreSuite):
    """Specs in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlSpecStore:
        """An empty store."""
        return SqlSpecStore(database)


class TestMemoryTickets(TicketsSuite):
    """Tickets in memory."""

    @pytest.fixture
    def store(self) -> MemoryTickets:
        """An empty store."""
        self.over: set[str] = set()
        return MemoryTickets(self.over.__contains__)

    @pytest.fixture
    def close(self, store: MemoryTickets) -> Close:
        """Let an execution be over."""

        async def close(execution_id: str) -> None:
            self.over.add(execution_id)

        return close


class TestPostgresTickets(TicketsSuite):
    """Tickets in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlTickets:
        """An empty store."""
        return SqlTickets(database)

    @pytest.fixture
    def close(self, database: Database) -> Close:
        """Make an execution that is over."""
        return partial(write_closed, database)


class TestMemorySessions(SessionsSuite):
    """Sessions in memory."""

    @pytest.fixture
    def store(self) -> MemorySessions:
        """An empty store."""
        return MemorySessions(FixedClock())


class TestPostgresSessions(SessionsSuite):
    """Sessions in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlSessions:
        """An empty store."""
        return SqlSessions(database)


class TestMemoryDeadLetters(DeadLettersSuite):
    """Dead letters in memory."""

    @pytest.fixture
    def store(self) -> MemoryDeadLetters:
        """An empty store."""
        return MemoryDeadLetters()


class TestPostgresDeadLetters(DeadLettersSuite):
    """Dead letters in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlDeadLetters:
        """An empty store."""
        return SqlDeadLetters(database)

    async def test_what_is_sent_again_is_due(self, database: Database, store: SqlDeadLetters) -> None:
        """A message that was put back is to be delivered, due at once, as old as it was told."""
        await store.add(letter(1))
        message = Message(execution_id=new_id(), number=3, kind="callback", to="u", body={"a": [1]}, at=NOW)
        await store.resend(letter(1), message)

        assert [message] == list(await SqlHistoryStore(database).messages(10, NOW - 1e6, callbacks=True))


class TestMemoryLateResults(LateResultsSuite):
    """Late results in memory."""

    @pytest.fixture
    def store(self) -> MemoryLateResults:
        """An empty store."""
        return MemoryLateResults(FixedClock())


class TestPostgresLateResults(LateResultsSuite):
    """Late results in PostgreSQL."""

    @pytest.fixture
    def store(self, database: Database) -> SqlLateResults:
        """An empty store."""
        return SqlLateResults(database)
