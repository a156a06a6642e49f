"""A database read as it was at one moment, and written into another one, whole or not at all.

::

    Snapshot   one transaction, REPEATABLE READ, READ ONLY: every table as COPY text, beside writers
    Filling    one transaction: the schema as it was, partitions, rows, sequences, then newer revisions

PostgreSQL can take back changes of a schema, so a filling that breaks off leaves the target as it was.
COPY's text does not depend on the major version; everything else is read from the catalogue of the source.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from graphlib import TopologicalSorter
from typing import Any

import asyncpg
import msgspec
from sqlalchemy.exc import DBAPIError

from linkflow.adapters.sql.database import (
    CONNECT_S,
    OLDEST_MAJOR,
    SESSION,
    Connection,
    SchemaRefused,
    connecting,
)
from linkflow.adapters.sql.migrations import VERSION_TABLE
from linkflow.adapters.sql.schema import revisions, schema_version
from linkflow.domain.errors import Conflict, Unavailable

SCHEMAS = ("control", "engine")
"""Every database of ours has both; with two databases each has rows in one of them."""

NAME = "linkflow-copy"
"""What our connections call themselves, so that they are not taken for a running LinkFlow."""

LOOK = {**SESSION, "application_name": NAME, "row_security": "off"}
"""With `row_security` off a user who may not see every row is refused, instead of shown some."""

TABLES = """
    SELECT n.nspname AS schema, c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname || '.' || c.relname <> $2
    GROUP BY 1, 2 ORDER BY 1, 2
"""
REFERENCES = """
    SELECT n.nspname || '.' || c.relname AS needs, fn.nspname || '.' || f.relname AS needed
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND n.nspname = ANY($1)
"""
PARTITIONS = """
    SELECT n.nspname AS schema, c.relname AS name, pn.nspname || '.' || p.relname AS parent,
           pg_get_expr(c.relpartbound, c.oid) AS bound, coalesce(c.reloptions, '{}') AS options,
           array(
               SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attcompression = 'l'
           ) AS lz4
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_inherits i ON i.inhrelid = c.oid
    JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
    WHERE n.nspname = ANY($1) AND c.relispartition AND c.relkind = 'r'
    ORDER BY 1, 2
"""
SEQUENCES = (
    "SELECT schemaname || '.' || sequencename AS path, last_value FROM pg_sequences "
    "WHERE schemaname = ANY($1) AND last_value IS NOT NULL"
)
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name = $1"
)


class TargetTaken(Conflict):
    """The target already holds data."""

    code = "data.target_taken"


class StillRunning(Conflict):
    """A LinkFlow is at work on this database."""

    code = "data.still_running"


class CopyBroken(Unavailable):
    """The copy broke off; the target is as it was."""

    code = "data.copy_broken"


class Table(msgspec.Struct, frozen=True):
    """A table and the columns that are written."""

    schema: str
    name: str
    columns: list[str]

    @property
    def path(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"


class Partition(msgspec.Struct, frozen=True):
    """A partition: whose it is, which rows it takes, how it stores them."""

    schema: str
    name: str
    parent: str
    bound: str
    options: list[str]
    lz4: list[str]


class Layout(msgspec.Struct, frozen=True):
    """What a database consists of.

    Attributes:
        revision: Number of its newest schema revision.
        tables: So ordered that a table comes after those it refers to.
        sequences: Where each one stands, by `schema.name`.
    """

    revision: str
    tables: list[Table]
    partitions: list[Partition]
    sequences: dict[str, int]

    @property
    def schemas(self) -> list[str]:
        """The schemas its tables lie in."""
        return sorted({table.schema for table in self.tables})

    def only(self, schemas: Sequence[str]) -> "Layout":
        """Leave out the other schemas."""
        return Layout(
            revision=self.revision,
            tables=[each for each in self.tables if each.schema in schemas],
            partitions=[each for each in self.partitions if each.schema in schemas],
            sequences={
                path: value for path, value in self.sequences.items() if path.partition(".")[0] in schemas
            },
        )


class Snapshot:
    """A database as it was at one moment, for as long as `snapshot` is open."""

    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self.layout = layout

    async def rows(self, table: Table, take: Callable[[bytes], Coroutine[Any, Any, None]]) -> int:
        """Hand over the rows of a table as COPY text, piece by piece; how many there were.

        Raises:
            CopyBroken: Not all of it can be read.
        """
        columns = ", ".join(f'"{column}"' for column in table.columns)
        try:
            said = await self._connection.copy_from_query(
                f'SELECT {columns} FROM "{table.schema}"."{table.name}"', output=take, format="text"
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise CopyBroken(
                f"{table.path} cannot be read: {error}. Use the user that owns the tables."
            ) from error
        return int(said.rpartition(" ")[2])


@asynccontextmanager
async def snapshot(dsn: str, schemas: Sequence[str]) -> AsyncIterator[Snapshot]:
    """Look at a database as it is now, whoever writes on.

    Raises:
        DatabaseUnavailable: Nobody answers there.
        SchemaRefused: It holds no LinkFlow, or one newer than this.
    """
    async with (
        _connected(dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Snapshot(connection, await _layout(connection, schemas))


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Connection]:
    """Connect under a name of our own."""
    with connecting():
        connection: Connection = await asyncpg.connect(dsn, timeout=CONNECT_S, server_settings=LOOK)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_S)


async def _layout(connection: Connection, schemas: Sequence[str]) -> Layout:
    try:
        revision = await connection.fetchval(f"SELECT version_num FROM {VERSION_TABLE}")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError) as error:
        raise SchemaRefused("This database holds no LinkFlow: it has no schema to copy.") from error
    if revision > revisions()[-1][0]:
        raise SchemaRefused(
            f"This database was written by a newer LinkFlow (schema {revision}). Copy it with that version."
        )
    tables = {
        f"{row['schema']}.{row['name']}": Table(row["schema"], row["name"], list(row["columns"]))
        for row in await connection.fetch(TABLES, schemas, VERSION_TABLE)
    }
    order: TopologicalSorter[str] = TopologicalSorter({path: set() for path in tables})
    for row in await connection.fetch(REFERENCES, schemas):
        if row["needs"] in tables and row["needed"] in tables:
            order.add(row["needs"], row["needed"])
    return Layout(
        revision=revision,
        tables=[tables[path] for path in order.static_order()],
        partitions=[
            msgspec.convert(dict(row), Partition) for row in await connection.fetch(PARTITIONS, schemas)
        ],
        sequences={row["path"]: row["last_value"] for row in await connection.fetch(SEQUENCES, schemas)},
    )


async def require_quiet(dsn: str) -> None:
    """Refuse a database that a running LinkFlow is connected to.

    Raises:
        StillRunning: One is.
    """
    async with _connected(dsn) as connection:
        others = await connection.fetchval(OTHERS, SESSION["application_name"])
    if others:
        raise StillRunning(
            f"A LinkFlow is at work on this database ({others} connections). Stop every process of it first."
        )


async def require_empty(dsn: str, schemas: Sequence[str]) -> None:
    """Refuse a database that holds rows of ours, or tables that are not ours.

    Raises:
        TargetTaken: It does; nothing was changed.
        SchemaRefused: The server is older than PostgreSQL 15.
    """
    revision = await schema_version(dsn)
    async with _connected(dsn) as connection:
        major = connection.get_server_version().major
        if major < OLDEST_MAJOR:
            raise SchemaRefused(f"LinkFlow needs PostgreSQL {OLDEST_MAJOR} or newer; this server is {major}.")
        found = await connection.fetch(TABLES, schemas, VERSION_TABLE)
        for row in found:
            path = f'"{row["schema"]}"."{row["name"]}"'
            if revision is None or await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {path})"):
                whose = "a LinkFlow" if revision else "somebody else"
                raise TargetTaken(
                    f"The target already holds data of {whose} ({row['schema']}.{row['name']}). "
                    "Name an empty database, or say --force to replace what is there."
                )


class Filling:
    """A database being written, for as long as `filling` is open."""

    def __init__(self, connection: Connection, layout: Layout) -> None:
        self._connection = connection
        self.layout = layout

    async def rows(self, table: Table, source: AsyncIterable[bytes]) -> int:
        """Write rows that `Snapshot.rows` handed over; how many there were."""
        said = await self._connection.copy_to_table(
            table.name, schema_name=table.schema, columns=table.columns, source=source, format="text"
        )
        return int(said.rpartition(" ")[2])


@asynccontextmanager
async def filling(dsn: str, layout: Layout, say: Callable[[str], None]) -> AsyncIterator[Filling]:
    """Replace what a database holds, in one transaction that commits when the block ends well.

    Args:
        dsn: Where the database is.
        layout: Of the database whose rows will come.
        say: Told about schema revisions that are applied after the rows, one line each.

    Raises:
        SchemaRefused: The rows are of a newer LinkFlow than this.
        CopyBroken: The target refused something; it is as it was.
    """
    from linkflow.adapters.sql.migrations import alembic  # noqa: PLC0415  half a second that most starts save

    known = [number for number, _ in revisions()]
    if layout.revision not in known:
        raise SchemaRefused(
            f"The data has schema {layout.revision}, and this version knows revisions up to {known[-1]}. "
            "Use the version that wrote it, or a newer one."
        )
    try:
        async with alembic.one_transaction(dsn, LOOK) as (connection, upgrade):
            for schema in SCHEMAS:
                await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
            await upgrade(layout.revision, lambda text: None)
            await _make_partitions(connection, layout)
            yield Filling(connection, layout)
            for path, value in layout.sequences.items():
                await connection.execute("SELECT setval($1::regclass, $2)", path, value)
            await upgrade(known[-1], say)
    except (asyncpg.PostgresError, DBAPIError) as error:
        reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise CopyBroken(f"The target refused: {reason}. It is as it was before.") from error
    async with _connected(dsn) as connection:
        await connection.execute("ANALYZE")


async def _make_partitions(connection: Connection, layout: Layout) -> None:
    """Make the partitions that migrations do not make."""
    for each in layout.partitions:
        options = f" WITH ({', '.join(each.options)})" if each.options else ""
        await connection.execute(
            f'CREATE TABLE IF NOT EXISTS "{each.schema}"."{each.name}" '
            f"PARTITION OF {each.parent} {each.bound}{options}"
        )
        for column in each.lz4:
            try:
                async with connection.transaction():
                    await connection.execute(
                        f'ALTER TABLE "{each.schema}"."{each.name}" '
                        f'ALTER COLUMN "{column}" SET COMPRESSION lz4'
                    )
            except asyncpg.FeatureNotSupportedError:
                continue  # this server was built without; the column is stored its own way
