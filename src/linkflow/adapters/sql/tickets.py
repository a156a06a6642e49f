"""Concurrency tickets on PostgreSQL: rows in order of asking, serialised per ticket by an advisory lock.

A limit of one and a long line are what people make who want their work done one by one. So no question costs
more in a long line than in a short one, and those about one ticket go together (`lines.py`).
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

from linkflow.adapters.sql.database import Database, PooledConnection, driver_errors
from linkflow.adapters.sql.lines import Lines

_LEAVE = "DELETE FROM engine.tickets WHERE ticket = $1 AND execution_id = ANY($2::uuid[])"

# An execution that is over gives its ticket back once, with its last record: a question that comes after that
# may not get another one. And what it has all the same is free, so that a ticket can never be lost.
_ASK = """
WITH over AS (
    DELETE FROM engine.tickets t USING engine.executions x
    WHERE t.ticket = $1 AND t.granted_at IS NOT NULL AND x.execution_id = t.execution_id
      AND x.closed_at IS NOT NULL)
INSERT INTO engine.tickets (ticket, execution_id, places)
SELECT $1, asked.id, asked.places FROM unnest($2::uuid[], $3::int[]) WITH ORDINALITY AS asked (id, places, n)
WHERE NOT EXISTS (SELECT FROM engine.executions x WHERE x.execution_id = asked.id AND x.closed_at IS NOT NULL)
ORDER BY asked.n
ON CONFLICT (ticket, execution_id) DO UPDATE SET places = excluded.places
RETURNING execution_id::text, granted_at IS NOT NULL"""

# How many there may be says whoever came last: a changed limit holds from the next question on.
_GRANT = """
UPDATE engine.tickets SET granted_at = clock_timestamp()
WHERE ticket = $1 AND execution_id IN (
    SELECT execution_id FROM engine.tickets WHERE ticket = $1 AND granted_at IS NULL
    ORDER BY asked_at, execution_id
    LIMIT greatest(0,
        (SELECT places FROM engine.tickets WHERE ticket = $1
         ORDER BY asked_at DESC, execution_id DESC LIMIT 1)
        - (SELECT count(*) FROM engine.tickets WHERE ticket = $1 AND granted_at IS NOT NULL)))
RETURNING execution_id::text"""

_BEHIND = """
SELECT execution_id::text FROM (
    SELECT execution_id, row_number() OVER (PARTITION BY ticket ORDER BY asked_at, execution_id) AS place
    FROM engine.tickets WHERE granted_at IS NULL AND execution_id = ANY($1::uuid[])) AS lines
WHERE place > 1"""


class _Question(NamedTuple):
    """What one execution wants of a ticket.

    Attributes:
        execution_id: Whose.
        limit: How many may have one; None when it gives its own back.
    """

    execution_id: str
    limit: int | None = None


class SqlTickets:
    """See the module and `ports.coordination.Tickets`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lines: Lines[_Question, Sequence[str]] = Lines(self._answer)

    async def acquire(self, ticket: str, limit: int, execution_id: str) -> Sequence[str]:
        """Take a ticket or stand in line; see `Tickets`."""
        return await self._lines.ask(ticket, _Question(execution_id, limit))

    async def release(self, ticket: str, execution_id: str) -> Sequence[str]:
        """Give a ticket back; see `Tickets`."""
        return await self._lines.ask(ticket, _Question(execution_id))

    async def asked(self, ticket: str) -> Sequence[str]:
        """List who holds or waits; see `Tickets`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT execution_id::text FROM engine.tickets WHERE ticket = $1 "
                "ORDER BY asked_at, execution_id",
                ticket,
            )
        return [row[0] for row in rows]

    async def behind(self, execution_ids: Sequence[str]) -> Set[str]:
        """Say who stands in line behind others; see `Tickets`."""
        with driver_errors():
            rows = await self._database.pool.fetch(_BEHIND, list(execution_ids))
        return {row[0] for row in rows}

    async def _answer(self, ticket: str, batch: Sequence[_Question]) -> Sequence[Sequence[str]]:
        with driver_errors():
            async with self._database.transaction() as connection:
                granted = await _asked(connection, ticket, batch)
        return _share(granted, batch)


async def _asked(connection: PooledConnection, ticket: str, batch: Sequence[_Question]) -> Sequence[str]:
    """Ask in one transaction; who is to be told of a ticket."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ticket)
    leaving = [each.execution_id for each in batch if each.limit is None]
    asking = [(each.execution_id, each.limit) for each in batch if each.limit is not None]
    holders: Sequence[str] = ()
    if leaving:
        await connection.execute(_LEAVE, ticket, leaving)
    if asking:
        ids, limits = zip(*asking, strict=True)
        holders = [row[0] for row in await connection.fetch(_ASK, ticket, ids, limits) if row[1]]
    granted = await connection.fetch(_GRANT, ticket)
    return [*holders, *(row[0] for row in granted)]


def _share(granted: Sequence[str], batch: Sequence[_Question]) -> Sequence[Sequence[str]]:
    """Give the answers: to each what is its own, to the first what is nobody's."""
    asking = {each.execution_id for each in batch if each.limit is not None}
    others = [each for each in granted if each not in asking]
    told: list[Sequence[str]] = []
    for each in batch:
        own = [each.execution_id] if each.limit is not None and each.execution_id in granted else []
        told.append(own + others)
        others = []
    return told
