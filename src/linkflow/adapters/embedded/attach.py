"""Reaching the embedded database from a second process, such as a command beside a running LinkFlow."""

import fcntl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from linkflow.adapters.embedded import place
from linkflow.adapters.embedded.failure import EmbeddedPostgresFailed
from linkflow.adapters.embedded.server import DATABASE, EmbeddedPostgres, dsn_of


def is_running(home: Path) -> bool:
    """Say whether a process holds LINKFLOW_HOME, and so runs its database."""
    lock = home.absolute() / "postgres.lock"
    if not lock.exists():
        return False
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@asynccontextmanager
async def attached(home: Path, say: Callable[[str], None]) -> AsyncIterator[str]:
    """Reach the database of LINKFLOW_HOME: the running one, else one started for as long as the block lasts.

    Args:
        home: LINKFLOW_HOME.
        say: Told, in one line each, about steps that take long.

    Returns:
        Where to connect.

    Raises:
        EmbeddedPostgresFailed: There is none, or it cannot be started; the message says what to do.
    """
    home = home.absolute()  # noqa: ASYNC240  no disk is asked
    if not (home / "postgres").exists():
        raise EmbeddedPostgresFailed(
            f"There is no database in {home}. Set LINKFLOW_HOME to the folder of your LinkFlow, "
            "or LINKFLOW_DATABASE_URL when it uses a PostgreSQL of your own."
        )
    if is_running(home):
        yield dsn_of(place.settle(home), DATABASE)
        return
    server = await EmbeddedPostgres.start(home, say=say)
    try:
        yield server.dsn
    finally:
        await server.stop()
