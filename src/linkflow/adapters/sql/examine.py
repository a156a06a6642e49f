"""Look at a database as somebody who wants to know whether it is well; nothing is changed."""

from dataclasses import dataclass

import asyncpg

from linkflow.adapters.sql.database import CONNECT_S, SESSION, connecting

DEFAULTS = ("executions", "history_events", "visibility", "execution_logs")


@dataclass(frozen=True)
class Examined:
    """A database as it is.

    Attributes:
        server: Its version, as `16.4`.
        major: The first number of it.
        now: What it takes for now, seconds since 1970.
        settled: Tables whose rows lie in no month's partition; retention moves them by hand only.
        members: Processes seen in the last 10 s.
        left: Connections that could still be opened.
    """

    server: str
    major: int
    now: float
    settled: tuple[str, ...]
    members: int
    left: int


async def examine(dsn: str) -> Examined:
    """Look at a database.

    Raises:
        DatabaseUnavailable: Nobody answers there.
    """
    with connecting():
        connection = await asyncpg.connect(dsn, timeout=CONNECT_S, server_settings=SESSION)
    try:
        version = connection.get_server_version()
        now = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        left = await connection.fetchval(
            "SELECT current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend')"
        )
        settled = [name for name in DEFAULTS if await _has_rows(connection, f"engine.{name}_default")]
        members = 0
        if await connection.fetchval("SELECT to_regclass('engine.members') IS NOT NULL"):
            members = await connection.fetchval(
                "SELECT count(*) FROM engine.members WHERE seen_at > clock_timestamp() - interval '10 s'"
            )
    finally:
        await connection.close()
    return Examined(f"{version.major}.{version.minor}", version.major, now, tuple(settled), members, left)


async def _has_rows(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> bool:
    """Say whether a table is there and not empty."""
    if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table):
        return False
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"))
