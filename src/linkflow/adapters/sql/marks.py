"""Which blobs are named in PostgreSQL: by histories, messages, letters, trigger events, schedules, drafts.

Each schema is read in one snapshot. What looks like a name counts as one: a value too many is kept, never one
too few.
"""

import re
from collections.abc import AsyncIterator

from linkflow.adapters.sql.database import Database, driver_errors

PREFETCH = 50
_NAME = re.compile(rb"\$blob\W{1,8}([0-9a-f]{64})")
_HAS = "position('\\x24626c6f62'::bytea in {column}) > 0"

PLACES = (
    ("engine", "engine.history_events", "data"),
    ("engine", "engine.outbox", "data"),
    ("engine", "engine.dead_letters", "convert_to(body::text, 'UTF8')"),
    ("control", "control.trigger_events", "data"),
    ("control", "control.trigger_events", "starts"),
    ("control", "control.schedules", "input"),
    ("control", "control.workflows", "draft"),
)
"""Where a blob may be named: schema, table, column as bytes. A new place of references joins by a line."""


class SqlBlobMarks:
    """Names of blobs in both schemas; see `BlobMarks`."""

    def __init__(self, control: Database, engine: Database) -> None:
        self._databases = {"control": control, "engine": engine}

    async def named(self) -> AsyncIterator[str]:
        """Iterate over what is named; see `BlobMarks`."""
        for schema, database in self._databases.items():
            with driver_errors():
                async with (
                    database.pool.acquire() as connection,
                    connection.transaction(isolation="repeatable_read", readonly=True),
                ):
                    for place, table, column in PLACES:
                        if place != schema:
                            continue
                        rows = f"SELECT {column} FROM {table} WHERE {_HAS.format(column=column)}"
                        async for row in connection.cursor(rows, prefetch=PREFETCH):
                            for name in _NAME.findall(row[0]):
                                yield name.decode()
