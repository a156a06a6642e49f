"""Which schema the database holds, and bringing it to what this code needs."""

import re
from collections.abc import Callable
from typing import Any, Literal

import asyncpg

from linkflow.adapters.sql.database import CONNECT_S, SESSION, SchemaRefused, connecting
from linkflow.adapters.sql.migrations import FOLDER, VERSION_TABLE

Phase = Literal["pre", "post"]
REVISION = re.compile(r"v(\d{4})_(pre|post)_\w+")


def revisions(phase: Phase = "post") -> list[tuple[str, str]]:
    """List the schema revisions this code brings, oldest first, as (number, name of the file).

    Args:
        phase: `pre` ends before the first revision that old code could not live with.
    """
    known = []
    for path in sorted((FOLDER / "versions").glob("v*.py")):
        match = REVISION.fullmatch(path.stem)
        assert match, f"{path.name} is not named v<four digits>_<pre|post>_<what>.py"
        known.append((match[1], path.stem, match[2]))
    first_post = next((number for number, _, label in known if label == "post"), "9999")
    return [(number, name) for number, name, _ in known if phase == "post" or number < first_post]


async def schema_version(dsn: str) -> str | None:
    """Read the number of the newest revision in the database; None where there is no schema yet.

    Raises:
        DatabaseUnavailable: Nobody answers there.
    """
    with connecting():
        connection = await asyncpg.connect(dsn, timeout=CONNECT_S, server_settings=SESSION)
    try:
        found: Any = await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return None
    finally:
        await connection.close()
    return None if found is None else str(found)


async def migrate(dsn: str, say: Callable[[str], None], *, phase: Phase = "post") -> None:
    """Bring the schema of a database to what this code needs; safe to repeat, and safe at the same time.

    Where nothing is to be done it costs one connection and one statement.

    Args:
        dsn: Where the database is.
        say: Told about each revision applied, one line each.
        phase: `pre` applies what is safe while old code still runs; `post` applies everything.

    Raises:
        DatabaseUnavailable: Nobody answers there.
        SchemaRefused: The schema is newer than this code; nothing was changed.
    """
    current = await schema_version(dsn)
    newest = revisions()[-1][0]
    if current is not None and current > newest:
        raise SchemaRefused(
            f"The database was written by a newer LinkFlow: its schema is {current}, and this version knows "
            f"revisions up to {newest}. Start the newer version, or give this one another database."
        )
    target = revisions(phase)[-1][0]
    if current is not None and current >= target:
        return
    from linkflow.adapters.sql.migrations import alembic  # noqa: PLC0415  half a second that most starts save

    await alembic.upgrade(dsn, target, say)
