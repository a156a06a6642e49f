"""Connections to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self, TypeAlias

import asyncpg

from linkflow.domain.errors import Invalid, Kind, LinkFlowError, Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
PooledConnection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
AnyConnection: TypeAlias = "Connection | PooledConnection"

OLDEST_MAJOR = 15
CONNECT_S = 10.0
SESSION = {"application_name": "linkflow", "jit": "off", "timezone": "UTC"}

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when the server ends a connection under a new statement
    asyncpg.exceptions.OperatorInterventionError,  # shutting down, or starting up
    asyncpg.exceptions.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.exceptions.ObjectNotInPrerequisiteStateError,  # the database takes no connections for now
    OSError,
    TimeoutError,
)

UNSTORABLE = (
    asyncpg.exceptions.CharacterNotInRepertoireError,
    asyncpg.exceptions.UntranslatableCharacterError,
)
"""What the server says of a text with a NUL: it came from outside, and can be nowhere in the store."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database.unavailable"


class SchemaRefused(LinkFlowError):
    """The database holds a schema this LinkFlow cannot work with."""

    code = "database.schema_refused"
    kind = Kind.PERMANENT


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn a lost connection into `DatabaseUnavailable`, a NUL into `Invalid`; wrong SQL stays loud: a bug.

    Not for commits, whose outcome is unknown when the connection breaks: the store says so itself.
    """
    try:
        yield
    except LOST as error:
        raise DatabaseUnavailable(
            f"The database does not answer: {str(error) or type(error).__name__}."
        ) from error
    except UNSTORABLE as error:
        raise Invalid(
            "A text holds a NUL character; nothing that is stored has one. Leave it out.", code="text.nul"
        ) from error


def without_nul(data: bytes) -> bytes:
    """Take NUL out of encoded JSON that PostgreSQL is to read as text or jsonb; it can hold no NUL."""
    return data.replace(b"\\u0000", b"\\ufffd") if b"\\u0000" in data else data


def text_without_nul(text: str) -> str:
    """Take NUL out of a text that others said; PostgreSQL can keep none with it."""
    return text.replace("\0", "\ufffd")


async def _keep_session(connection: Connection) -> None:
    """Give a connection back without a round trip; nobody may change session state on a pooled one."""


class Database:
    """Connections to one PostgreSQL database.

    A long-lived service holds a connection of its own: a statement costs a quarter of what it costs through
    the pool, and session state is allowed. Everything else borrows from the pool and leaves no state behind.

    Attributes:
        dsn: Where the database is.
        pool: Connections to borrow.
    """

    def __init__(self, dsn: str, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.dsn = dsn
        self.pool = pool
        self._held: set[Connection] = set()

    @classmethod
    async def open(cls, dsn: str, *, pool_size: int = 8) -> Self:
        """Connect.

        Args:
            dsn: `postgresql://user:password@host/database`, or with `?host=<socket folder>`.
            pool_size: Most connections in the pool; they are made when they are needed.

        Raises:
            DatabaseUnavailable: Nobody answers there, or not to us.
            SchemaRefused: The server is older than PostgreSQL 15.
        """
        with connecting():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=pool_size,
                max_inactive_connection_lifetime=0,
                timeout=CONNECT_S,
                reset=_keep_session,
                server_settings=SESSION,
            )
        async with pool.acquire() as connection:
            major = connection.get_server_version().major
        if major < OLDEST_MAJOR:
            await pool.close()
            raise SchemaRefused(f"LinkFlow needs PostgreSQL {OLDEST_MAJOR} or newer; this server is {major}.")
        return cls(dsn, pool)

    async def held(self) -> Connection:
        """Open a connection that is the caller's alone; `release` it, or leave that to `close`.

        Raises:
            DatabaseUnavailable: Nobody answers there.
        """
        with connecting():
            connection: Connection = await asyncpg.connect(
                self.dsn, timeout=CONNECT_S, server_settings=SESSION
            )
        self._held.add(connection)
        return connection

    async def release(self, connection: Connection) -> None:
        """Close a held connection, broken or not; safe to repeat."""
        self._held.discard(connection)
        try:
            await connection.close(timeout=CONNECT_S)
        except LOST:
            connection.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PooledConnection]:
        """Borrow a connection for one transaction: committed at the end, rolled back when an error leaves."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    async def close(self) -> None:
        """Close every connection, those still held too; safe to repeat."""
        for connection in tuple(self._held):
            await self.release(connection)
        try:
            await asyncio.wait_for(self.pool.close(), CONNECT_S)
        except LOST:
            self.pool.terminate()


@contextmanager
def connecting() -> Iterator[None]:
    """Say in words why a connection could not be made."""
    try:
        yield
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise DatabaseUnavailable(
            f"The database refuses us: {error}. Look at LINKFLOW_DATABASE_URL."
        ) from error
    except LOST as error:
        raise DatabaseUnavailable(
            f"No PostgreSQL answers: {str(error) or type(error).__name__}. "
            "Look at LINKFLOW_DATABASE_URL and at the server."
        ) from error
