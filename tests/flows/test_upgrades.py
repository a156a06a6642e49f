"""What a process asks of the schema while releases are replaced one by one."""

import asyncpg
import pytest

from linkflow.adapters.sql.database import SchemaRefused
from linkflow.adapters.sql.schema import revisions
from linkflow.apps.schema import require_schema


async def written(dsn: str, revision: str) -> None:
    """Say that the database holds a revision."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE control.schema_version SET version_num = $1", revision)
    await connection.close()


async def test_a_release_runs_on_what_the_next_one_prepared(database_dsn: str) -> None:
    """A process that starts again after the next release's first migrations is taken, not refused."""
    await written(database_dsn, "9998")

    await require_schema("LinkFlow", database_dsn)


async def test_a_release_needs_what_it_prepared(database_dsn: str) -> None:
    """Revisions that may come last need not be there yet; those that come first must be."""
    first = revisions("pre")
    await written(database_dsn, first[-1][0])
    await require_schema("LinkFlow", database_dsn)
    await written(database_dsn, first[-2][0])

    with pytest.raises(SchemaRefused, match="linkflow migrate"):
        await require_schema("LinkFlow", database_dsn)
