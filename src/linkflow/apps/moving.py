"""Everything a LinkFlow keeps in PostgreSQL, from one place to another: `linkflow migrate-data`.

`source` looks at one moment of the databases of an installation, `replace` fills others; both
hide whether control plane and engine share a database. Backup, restore and upgrade use them as well.
"""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linkflow.adapters.embedded import attached, is_running
from linkflow.adapters.sql.copying import (
    CopyBroken,
    Filling,
    Layout,
    Snapshot,
    StillRunning,
    Table,
    filling,
    require_empty,
    require_quiet,
    snapshot,
)
from linkflow.apps.settings import Settings, database_urls
from linkflow.domain.errors import Invalid

CONTROL, ENGINE = "control", "engine"
EMBEDDED = "embedded"
AHEAD = 16
"""Pieces that are read ahead of those being written."""

TELL_S = 3.0

Say = Callable[[str], None]


class PlaceUnknown(Invalid):
    """That is no place data can be at."""

    code = "data.place_unknown"


@dataclass(frozen=True)
class Databases:
    """Where the data is.

    Attributes:
        parts: Each database with the schemas in it; the control plane's first. A trigger that is pending in
            an older look at the control plane is started again, once; one that is done must be in the engine.
    """

    parts: Sequence[tuple[str, Sequence[str]]]

    @classmethod
    def at(cls, dsn: str, engine_dsn: str | None = None) -> "Databases":
        """Name one database, or two."""
        if engine_dsn is None or engine_dsn == dsn:
            return cls([(dsn, [CONTROL, ENGINE])])
        return cls([(dsn, [CONTROL]), (engine_dsn, [ENGINE])])


@asynccontextmanager
async def databases_of(settings: Settings, say: Say) -> AsyncIterator[Databases]:
    """Reach the databases of an installation; its embedded one is started when it does not run."""
    urls = list(database_urls(settings).values())
    if urls:
        yield Databases.at(*urls)
        return
    async with attached(settings.home, say) as dsn:
        yield Databases.at(dsn)


@dataclass
class Progress:
    """Tells a person how far it is: a line for each table, and now and then within a large one."""

    say: Say
    rows: dict[str, int] = field(default_factory=dict)
    bytes_read: int = 0
    _told_at: float = field(default_factory=time.monotonic)
    _within: int = 0

    def piece(self, table: Table, size: int) -> None:
        """Count a piece of a table."""
        self.bytes_read += size
        self._within += size
        if time.monotonic() - self._told_at > TELL_S:
            self._told_at = time.monotonic()
            self.say(f"  {table.path}: {self._within / 1e6:,.0f} MB so far ...")

    async def told(self, table: Table, pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Pass on the pieces of a table, and count them."""
        async for piece in pieces:
            self.piece(table, len(piece))
            yield piece

    def table(self, table: Table, rows: int) -> None:
        """Count a table that is done."""
        self.rows[table.path] = rows
        if rows:
            self.say(f"  {table.path}: {rows:,} rows, {self._within / 1e6:,.1f} MB")
        self._within = 0


class Source:
    """Databases as they were at one moment."""

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self._by_schema = {schema: each for each in snapshots for schema in each.layout.schemas}
        first = snapshots[0].layout
        self.layout = Layout(
            revision=first.revision,
            tables=[table for each in snapshots for table in each.layout.tables],
            partitions=[part for each in snapshots for part in each.layout.partitions],
            sequences={path: value for each in snapshots for path, value in each.layout.sequences.items()},
        )

    async def rows(self, table: Table, take: Callable[[bytes], Coroutine[Any, Any, None]]) -> int:
        """Hand over the rows of a table, piece by piece; how many there were."""
        return await self._by_schema[table.schema].rows(table, take)


@asynccontextmanager
async def source(databases: Databases) -> AsyncIterator[Source]:
    """Look at databases as they are now, whoever writes on."""
    async with AsyncExitStack() as stack:
        yield Source(
            [await stack.enter_async_context(snapshot(dsn, schemas)) for dsn, schemas in databases.parts]
        )


async def replace(
    databases: Databases, layout: Layout, say: Say, write: Callable[[Filling], Coroutine[Any, Any, None]]
) -> None:
    """Replace what is in databases, each in one transaction that commits when everything is written.

    Two databases are replaced one after the other, the control plane's last: what migrations do to roles of
    the server would let two open transactions wait for each other.

    Args:
        databases: Where to write.
        layout: Of what will be written.
        say: Told about schema revisions that are applied after the rows.
        write: Writes the tables of one database.

    Raises:
        CopyBroken: It broke off; when the engine's database was done already, the message says so.
    """
    done: list[str] = []
    for dsn, schemas in reversed(databases.parts):
        try:
            async with filling(dsn, layout.only(schemas), say) as here:
                await write(here)
        except CopyBroken as error:
            if not done:
                raise
            raise CopyBroken(
                f"{error} The database of {done[0]} is replaced: repeat with --force."
            ) from error
        done += schemas


async def require_free(databases: Databases, *, force: bool) -> None:
    """Refuse databases that are in use or, unless forced, hold rows.

    Raises:
        StillRunning: A LinkFlow is at work there.
        TargetTaken: There are rows.
    """
    for dsn, schemas in databases.parts:
        await require_quiet(dsn)
        if not force:
            await require_empty(dsn, schemas)


async def carry(come_from: Databases, go_to: Databases, say: Say) -> Progress:
    """Copy everything; the target is replaced whole or stays as it was.

    Returns:
        How many rows of which tables, how many bytes.
    """
    progress = Progress(say)
    async with source(come_from) as there:

        async def write(here: Filling) -> None:
            for table in here.layout.tables:
                progress.table(table, await _pipe(there, here, table, progress))

        await replace(go_to, there.layout, say, write)
    return progress


async def _pipe(there: Source, here: Filling, table: Table, progress: Progress) -> int:
    """Read and write a table at the same time."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue(AHEAD)

    async def take(piece: bytes) -> None:
        progress.piece(table, len(piece))
        await pieces.put(piece)

    async def read() -> int:
        rows = await there.rows(table, take)
        await pieces.put(b"")
        return rows

    async def arriving() -> AsyncIterator[bytes]:
        while piece := await pieces.get():
            yield piece

    reading = asyncio.ensure_future(read())
    try:
        found = await here.rows(table, arriving())
        rows = await reading
    finally:
        reading.cancel()
    if rows != found:
        raise CopyBroken(f"{table.path} has {rows} rows and {found} arrived. Nothing was changed.")
    return rows


@asynccontextmanager
async def _reached(name: str, home: Path, say: Say) -> AsyncIterator[str]:
    """Reach a place that a person named."""
    if name == EMBEDDED:
        if is_running(home):
            raise StillRunning(
                f"A LinkFlow runs on {home}. Stop it, so that nothing is written any more; then repeat this."
            )
        async with attached(home, say) as dsn:
            yield dsn
    elif name.startswith(("postgresql://", "postgres://")):
        yield name
    else:
        raise PlaceUnknown(
            f"{name!r} is no place; say {EMBEDDED}, or postgresql://user:password@host/database."
        )


@dataclass(frozen=True)
class Place:
    """Where data is or shall be.

    Attributes:
        name: `embedded`, or the URL of a database.
        engine: URL of a second database for the engine's schema; None when there is one.
    """

    name: str
    engine: str | None = None

    def __str__(self) -> str:
        """Name it without its passwords."""
        return " and ".join(shown(each) for each in (self.name, self.engine) if each is not None)

    @asynccontextmanager
    async def reach(self, home: Path, say: Say) -> AsyncIterator[Databases]:
        """Make sure that it can be reached and that nobody is at work there.

        Raises:
            PlaceUnknown: It is no place.
            StillRunning: A LinkFlow is at work there.
        """
        async with _reached(self.name, home, say) as dsn:
            if self.engine is None:
                found = Databases.at(dsn)
            else:
                async with _reached(self.engine, home, say) as engine_dsn:
                    found = Databases.at(dsn, engine_dsn)
            for each, _ in found.parts:
                await require_quiet(each)
            yield found


async def migrate_data(
    settings: Settings, come_from: Place, go_to: Place, say: Say, *, force: bool
) -> Progress:
    """Move all data of an installation to other databases; the source is left as it is.

    Args:
        settings: What a person set; LINKFLOW_HOME says which embedded database is meant.
        come_from: Where the data is.
        go_to: Where it shall be.
        say: Told what goes on, one line each.
        force: Whether rows in the target may be replaced.

    Raises:
        LinkFlowError: It was not done, and the target is as it was; the message says why.
    """
    if {come_from.name, come_from.engine} & {go_to.name, go_to.engine} - {None}:
        raise PlaceUnknown("Source and target have a database in common; name another target.")
    async with come_from.reach(settings.home, say) as there, go_to.reach(settings.home, say) as here:
        await require_free(here, force=force)
        say(f"copying from {come_from} to {go_to} ...")
        return await carry(there, here, say)


def shown(place: str) -> str:
    """Name a place without its password."""
    head, at, tail = place.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at and head else place
