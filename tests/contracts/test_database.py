"""Connections and schema on a real PostgreSQL."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from linkflow.adapters.embedded import EmbeddedPostgres
from linkflow.adapters.sql.database import Database, DatabaseUnavailable, SchemaRefused, driver_errors
from linkflow.adapters.sql.schema import migrate, revisions, schema_version
from linkflow.domain.errors import Invalid

EXERCISE = """
import asyncio, sys
from linkflow.adapters.sql.schema import migrate
asyncio.run(migrate(sys.argv[1], lambda text: None))
print("sqlalchemy" in sys.modules, "alembic" in sys.modules)
"""


async def test_migrating_makes_the_schema_and_says_so(postgres: EmbeddedPostgres) -> None:
    """Migrating an empty database applies every revision once, in order, and names each."""
    dsn = await postgres.create_database("empty_one")
    said: list[str] = []
    before = await schema_version(dsn)
    await migrate(dsn, said.append)
    await migrate(dsn, said.append)
    after = await schema_version(dsn)
    await postgres.drop_database("empty_one")

    assert (None, revisions()[-1][0]) == (before, after)
    assert [number for number, _ in revisions()] == [line.split()[1].rstrip(":") for line in said]


async def test_two_may_migrate_at_once(postgres: EmbeddedPostgres) -> None:
    """Two processes that migrate the same database at the same time take turns, and both succeed."""
    dsn = await postgres.create_database("empty_two")
    said: list[str] = []
    await asyncio.gather(migrate(dsn, said.append), migrate(dsn, said.append))
    await postgres.drop_database("empty_two")

    assert len(revisions()) == len(said)


async def test_a_current_schema_costs_nothing(database_dsn: str) -> None:
    """Where the schema is current, neither SQLAlchemy nor Alembic is imported."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", EXERCISE, database_dsn, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()

    assert "False False" == said.decode().strip()


async def test_a_nul_is_a_mistake_of_the_caller(database_dsn: str) -> None:
    """A text with a NUL, which PostgreSQL cannot hold, is refused in words and is no error of ours."""
    database = await Database.open(database_dsn)
    with pytest.raises(Invalid) as refused, driver_errors():
        await database.pool.fetchval("SELECT $1::text", "a\0b")
    await database.close()

    assert "text.nul" == refused.value.code


async def test_a_newer_schema_is_refused_in_words(database_dsn: str) -> None:
    """A database written by a newer LinkFlow is refused, and nothing in it is changed."""
    connection = await asyncpg.connect(database_dsn)
    await connection.execute("UPDATE control.schema_version SET version_num = '9998'")
    await connection.close()

    with pytest.raises(SchemaRefused, match=r"newer LinkFlow: its schema is 9998"):
        await migrate(database_dsn, lambda text: None)

    assert "9998" == await schema_version(database_dsn)


async def test_a_revision_that_fails_leaves_no_trace(postgres: EmbeddedPostgres) -> None:
    """A revision is one transaction: when a later statement fails, the earlier ones are undone."""
    dsn = await postgres.create_database("empty_three")
    connection = await asyncpg.connect(dsn)
    # The first revision makes two schemas and then comments on them: here it may not comment.
    await connection.execute(
        "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;"
        "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('COMMENT') EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(Exception, match="refused"):
        await migrate(dsn, lambda text: None)
    left = await connection.fetchval("SELECT count(*) FROM pg_namespace WHERE nspname = 'engine'")
    version = await schema_version(dsn)
    await connection.close()
    await postgres.drop_database("empty_three")

    assert (0, None) == (left, version)


async def test_a_transaction_is_all_or_nothing(database_dsn: str) -> None:
    """What is written in a transaction that ends in an error is not there."""
    database = await Database.open(database_dsn)
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE control.probe (n int)")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO control.probe VALUES (1)")
            raise ZeroDivisionError
    left = await database.pool.fetchval("SELECT count(*) FROM control.probe")
    await database.close()

    assert 0 == left


async def test_held_connections_are_ones_own(database_dsn: str) -> None:
    """A held connection is nobody else's, and closing the database closes it."""
    database = await Database.open(database_dsn)
    held = [await database.held(), await database.held()]
    processes = {connection.get_server_pid() for connection in held}
    await database.release(held[0])
    await database.release(held[0])
    await database.close()
    await database.close()

    assert (2, [True, True]) == (len(processes), [connection.is_closed() for connection in held])


async def test_nobody_there_is_said_in_words(tmp_path: Path) -> None:
    """An address where no PostgreSQL answers is an error that names the setting to look at."""
    with pytest.raises(DatabaseUnavailable, match="LINKFLOW_DATABASE_URL"):
        await Database.open(f"postgresql://linkflow@/linkflow?host={tmp_path}")


async def test_a_lost_connection_is_translated(postgres: EmbeddedPostgres, database_dsn: str) -> None:
    """A connection that the server ends becomes `DatabaseUnavailable`; wrong SQL stays what it is."""
    database = await Database.open(database_dsn)
    victim, other = await database.held(), await database.held()
    await other.execute("SELECT pg_terminate_backend($1)", victim.get_server_pid())
    with pytest.raises(DatabaseUnavailable), driver_errors():
        await victim.execute("SELECT 1")
    with pytest.raises(asyncpg.PostgresSyntaxError), driver_errors():
        await other.execute("SELEKT")
    await database.close()


def test_revisions_form_one_line() -> None:
    """Revision numbers have no gaps, and every file is named after its number, label and subject."""
    numbers = [int(number) for number, _ in revisions()]

    assert list(range(len(numbers))) == numbers
