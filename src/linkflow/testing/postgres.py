"""A real PostgreSQL for tests, as a pytest plugin: `pytest_plugins = ["linkflow.testing.postgres"]`.

Each pytest process starts one embedded server when the first test asks for it, in memory where there is room.
Each test gets a database of its own, copied from a template with LinkFlow's schema (about 20 ms).
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest_asyncio

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.schema import migrate

TEMPLATE = "template_linkflow"
MEMORY = Path("/dev/shm")  # noqa: S108  a folder of our own is made in it
ROOM_BYTES = 2_000_000_000
PREFIX = f"linkflow-test-{os.getuid()}-"
NUMBERS = count(1)
FAST = {
    # A test kills processes, never the machine: what the kernel has is safe.
    "fsync": "off",
    "full_page_writes": "off",
    "wal_compression": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "autovacuum_naptime": "10min",  # a vacuum that holds the template would make copies of it fail
    "max_connections": "100",
}


def _folder() -> Path:
    """Make a folder for the server, and remove those whose tests were killed."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    place = MEMORY if roomy else Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        lock = left / "postgres" / "server.lock"
        if not lock.exists():
            continue  # one that starts just now
        with lock.open() as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
        shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """Start the server of this pytest process."""
    home = _folder()
    server = await EmbeddedPostgres.start(home, settings=FAST)
    try:
        yield server
    finally:
        await server.stop()
        shutil.rmtree(home)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """Make the database with LinkFlow's schema that every test's own is a copy of."""
    await migrate(await postgres.create_database(TEMPLATE), lambda text: None)
    return TEMPLATE


@asynccontextmanager
async def vacuumed(database: Database) -> AsyncIterator[None]:
    """Let the server vacuum every minute, as one outside of tests does: for storms of a quarter hour."""
    for each in ("ALTER SYSTEM SET autovacuum_naptime = '1min'", "SELECT pg_reload_conf()"):
        await database.pool.execute(each)
    try:
        yield
    finally:
        for each in ("ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()"):
            await database.pool.execute(each)


@pytest_asyncio.fixture
async def database_dsn(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """Make a database of the test's own, with LinkFlow's schema and no rows; drop it afterwards."""
    name = f"test_{next(NUMBERS)}"
    yield await postgres.create_database(name, template)
    await postgres.drop_database(name)


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    """Connect to the test's own database."""
    connected = await Database.open(database_dsn)
    yield connected
    await connected.close()
