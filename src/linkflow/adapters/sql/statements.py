"""Statements of the control plane: in one workspace, or everywhere; on the pool, or in one transaction.

A statement `of` a workspace runs under a role that sees rows of that workspace only (row-level security), so
that a WHERE that was forgotten shows nothing of others. A plain statement sees everything: it is for what
spans workspaces or comes before one is known, and `tests/architecture/test_one_door.py` lists each.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol, TypeVar

import asyncpg
import msgspec

from linkflow.adapters.sql.database import PooledConnection, driver_errors, text_without_nul
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.values import decode_json, encode_json

R = TypeVar("R", bound=msgspec.Struct)
ROLE = "linkflow_tenant"
"""Made by a migration where the database's user may make roles; without it the second lock stays open."""
HAS_ROLE = f"""
SELECT CASE WHEN EXISTS (
  SELECT FROM pg_roles WHERE rolname = '{ROLE}' AND pg_has_role(current_user, oid, 'MEMBER'))
THEN has_table_privilege('{ROLE}', 'control.workflows', 'SELECT') ELSE false END
"""


class TenantLock:
    """Whether the database itself keeps workspaces apart; asked once."""

    def __init__(self) -> None:
        self._is_closed: bool | None = None

    async def is_closed(self, connection: PooledConnection) -> bool:
        """Say whether statements can run under the tenants' role."""
        if self._is_closed is None:
            self._is_closed = bool(await connection.fetchval(HAS_ROLE))
        return self._is_closed


def _entering(workspace_id: str) -> str:
    """Say the statement that lets a transaction see one workspace and no other."""
    quoted = workspace_id.replace("'", "''")
    return f"SET LOCAL ROLE {ROLE}; SET LOCAL linkflow.workspace = '{quoted}'"


class Runner(ABC):
    """Runs hand-written SQL; a lost connection becomes `Unavailable`."""

    @abstractmethod
    def _connection(self) -> AbstractAsyncContextManager[PooledConnection]:
        """Borrow a connection that sees what this runner may see."""

    async def rows(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read every row."""
        with driver_errors():
            async with self._connection() as connection:
                return await connection.fetch(sql, *arguments)

    async def row(self, sql: str, *arguments: Any) -> asyncpg.Record | None:
        """Read the first row."""
        with driver_errors():
            async with self._connection() as connection:
                return await connection.fetchrow(sql, *arguments)

    async def run(self, sql: str, *arguments: Any) -> int:
        """Change rows and say how many."""
        with driver_errors():
            async with self._connection() as connection:
                done = await connection.execute(sql, *arguments)
        return int(done.rpartition(" ")[2])

    async def insert(self, taken: LinkFlowError, sql: str, *arguments: Any) -> None:
        """Insert a row; raise `taken` when a unique key is taken."""
        try:
            await self.run(sql, *arguments)
        except asyncpg.UniqueViolationError as error:
            raise taken from error


class Source(Protocol):
    """Where connections come from: the pool, or the one connection of a transaction."""

    def everywhere(self) -> AbstractAsyncContextManager[PooledConnection]:
        """Borrow a connection that sees everything."""
        ...

    def within(self, workspace_id: str) -> AbstractAsyncContextManager[PooledConnection]:
        """Borrow a connection that sees one workspace."""
        ...


class FromPool:
    """Borrows a connection for each statement."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", lock: TenantLock) -> None:
        self._pool, self._lock = pool, lock

    @asynccontextmanager
    async def everywhere(self) -> AsyncIterator[PooledConnection]:
        """Borrow a connection."""
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def within(self, workspace_id: str) -> AsyncIterator[PooledConnection]:
        """Borrow a connection for one transaction in a workspace."""
        async with self._pool.acquire() as connection:
            if not await self._lock.is_closed(connection):
                yield connection
                return
            await connection.execute(f"BEGIN; {_entering(workspace_id)}")
            try:
                yield connection
            except BaseException:
                await _end(connection, "ROLLBACK")
                raise
            await _end(connection, "COMMIT")


async def _end(connection: PooledConnection, how: str) -> None:
    """End a transaction; a connection that stays in one, under its role, must not go back to the pool."""
    try:
        await connection.execute(how)
    except BaseException:
        connection.terminate()
        raise


class FromTransaction:
    """Uses the one connection of a transaction, and changes what it sees when that changes."""

    def __init__(self, connection: PooledConnection, lock: TenantLock) -> None:
        self._connection, self._lock = connection, lock
        self._workspace_id = ""

    @asynccontextmanager
    async def everywhere(self) -> AsyncIterator[PooledConnection]:
        """See everything."""
        if self._workspace_id:
            await self._connection.execute("SET LOCAL ROLE NONE")
            self._workspace_id = ""
        yield self._connection

    @asynccontextmanager
    async def within(self, workspace_id: str) -> AsyncIterator[PooledConnection]:
        """See one workspace."""
        if self._workspace_id != workspace_id and await self._lock.is_closed(self._connection):
            await self._connection.execute(_entering(workspace_id))
            self._workspace_id = workspace_id
        yield self._connection


class Statements(Runner):
    """Runs SQL that sees everything; `of` gives what sees one workspace."""

    def __init__(
        self, executor: "asyncpg.Pool[asyncpg.Record] | PooledConnection", lock: TenantLock | None = None
    ) -> None:
        self.lock = lock or TenantLock()
        self._source: Source = (
            FromPool(executor, self.lock)
            if isinstance(executor, asyncpg.Pool)
            else FromTransaction(executor, self.lock)
        )

    def _connection(self) -> AbstractAsyncContextManager[PooledConnection]:
        """See everything."""
        return self._source.everywhere()

    def of(self, workspace_id: str) -> Runner:
        """See one workspace and nothing else, whatever a statement says."""
        return InWorkspace(self._source, workspace_id)


class InWorkspace(Runner):
    """Runs SQL in one workspace."""

    def __init__(self, source: Source, workspace_id: str) -> None:
        self._source, self._workspace_id = source, workspace_id

    def _connection(self) -> AbstractAsyncContextManager[PooledConnection]:
        """See one workspace."""
        return self._source.within(self._workspace_id)


class Table:
    """How records of one type become rows and back: columns by the names of the record's fields."""

    def __init__(self, name: str, record: type[msgspec.Struct], json: tuple[str, ...] = ()) -> None:
        self.name = name
        self.record = record
        self.json = frozenset(json)
        self.columns = record.__struct_fields__
        listed = ", ".join(self.columns)
        places = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        self.select = f"SELECT {listed} FROM {name}"
        self.insert = f"INSERT INTO {name} ({listed}) VALUES ({places})"
        changed = ", ".join(f"{column} = excluded.{column}" for column in self.columns if column != "id")
        self.put = f"{self.insert} ON CONFLICT (id) DO UPDATE SET {changed}"

    def values(self, record: msgspec.Struct) -> list[Any]:
        """Say a record as the arguments of `insert`; texts without NUL, which PostgreSQL cannot keep."""
        return [self._value(column, getattr(record, column)) for column in self.columns]

    def _value(self, column: str, value: Any) -> Any:
        """Say a field as an argument."""
        if column in self.json:
            return encode_json(value)
        return text_without_nul(value) if isinstance(value, str) else value

    def reader(self, record: type[R]) -> Callable[[asyncpg.Record], R]:
        """Make the function that reads a row as a record."""

        def read(row: asyncpg.Record) -> R:
            return record(
                **{
                    column: decode_json(row[column]) if column in self.json else row[column]
                    for column in self.columns
                }
            )

        return read
