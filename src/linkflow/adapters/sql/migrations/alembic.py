"""Running Alembic over asyncpg, inside a program. Imported only when there is something to do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from alembic import command, op
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from linkflow.adapters.sql.migrations import FOLDER, VERSION_TABLE

TURN = 4_017_233_101_902_001
"""The advisory lock under which one process at a time changes the schema; any number nobody else takes."""


def config() -> Config:
    """Describe our revisions to Alembic; there is no ini file."""
    found = Config()
    found.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    found.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    return found


def script(sql: str) -> None:
    """Run a text of many statements within a revision's transaction."""
    bind = op.get_bind()
    bind.execute(text("SELECT 1"))  # the driver opens the transaction at the first statement it sees itself
    driver = bind.connection.dbapi_connection
    assert driver is not None
    driver.run_async(lambda connection: connection.execute(sql))


async def upgrade(dsn: str, target: str, say: Callable[[str], None]) -> None:
    """Apply the revisions up to a number, each in a transaction of its own."""
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )

    def run(connection: Connection) -> None:
        described = config()
        described.attributes |= {"connection": connection, "say": say}
        command.upgrade(described, target)

    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_lock({TURN})"))
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_TABLE.partition('.')[0]}"))
            await connection.commit()  # the lock is the session's and stays
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


Upgrade = Callable[[str, Callable[[str], None]], Awaitable[None]]
"""Applies the revisions up to a number, and tells somebody about each."""


@asynccontextmanager
async def one_transaction(
    dsn: str, settings: dict[str, str]
) -> AsyncIterator[tuple["asyncpg.Connection[asyncpg.Record]", Upgrade]]:
    """Open a transaction in which revisions can be applied between other statements; nothing else commits.

    Args:
        dsn: Where the database is.
        settings: Of the session.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(dsn, server_settings=settings),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection, connection.begin():
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))

            async def apply(target: str, say: Callable[[str], None]) -> None:
                def run(within: Connection) -> None:
                    described = config()
                    described.attributes |= {"connection": within, "say": say}
                    command.upgrade(described, target)

                schema = VERSION_TABLE.partition(".")[0]
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
                await connection.run_sync(run)  # Alembic leaves a transaction that is open already open

            driver: Any = (await connection.get_raw_connection()).driver_connection
            yield driver, apply
    finally:
        await engine.dispose()
