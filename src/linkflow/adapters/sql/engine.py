"""The engine's smaller stores on PostgreSQL: specs, worker sessions, dead letters, late results."""

from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from linkflow.adapters.sql.database import Database, driver_errors, text_without_nul, without_nul
from linkflow.domain.errors import NotFound
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.services import DeadLetter
from linkflow.ports.stores import ANY_LETTER, Message
from linkflow.ports.views import LetterFilter


class SqlSpecStore:
    """Immutable specs by content hash."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[tuple[str, str]] = set()

    async def put(self, workspace_id: str, spec_hash: str, spec: bytes) -> None:
        """Store a spec; see `SpecStore`. One that this process has stored already costs nothing."""
        key = (workspace_id, spec_hash)
        if key in self._known:
            return
        with driver_errors():
            await self._database.pool.execute(
                "INSERT INTO engine.specs (workspace_id, spec_hash, data) VALUES ($1, $2, $3) "
                "ON CONFLICT DO NOTHING",
                workspace_id,
                spec_hash,
                spec,
            )
        if len(self._known) > 10_000:
            self._known.clear()
        self._known.add(key)

    async def get(self, workspace_id: str, spec_hash: str) -> bytes:
        """Read a spec; see `SpecStore`."""
        with driver_errors():
            data = await self._database.pool.fetchval(
                "SELECT data FROM engine.specs WHERE workspace_id = $1 AND spec_hash = $2",
                workspace_id,
                spec_hash,
            )
        if data is None:
            raise NotFound("There is no such spec.", spec_hash=spec_hash)
        return bytes(data)


# A session that came back and ended again is one burial. What another one is just now telling is its own.
_BURY = """
WITH ended AS (
    DELETE FROM engine.worker_sessions WHERE lease_until < clock_timestamp() RETURNING session
), owed AS (
    SELECT session, buried_at FROM engine.buried_sessions
    WHERE told_at < clock_timestamp() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED
), told AS (
    SELECT session, clock_timestamp() AS buried_at FROM ended
    UNION ALL SELECT session, buried_at FROM owed WHERE session NOT IN (SELECT session FROM ended)
)
INSERT INTO engine.buried_sessions (session, buried_at, told_at)
SELECT session, buried_at, clock_timestamp() FROM told
ON CONFLICT (session) DO UPDATE SET buried_at = excluded.buried_at, told_at = excluded.told_at
RETURNING session"""


class SqlSessions:
    """Leases of worker sessions, timed by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def renew(self, session: str, lease_s: float) -> bool:
        """Keep a session alive; see `Sessions`."""
        with driver_errors():
            was_there = await self._database.pool.fetchval(
                "INSERT INTO engine.worker_sessions (session, lease_until) "
                "VALUES ($1, clock_timestamp() + make_interval(secs => $2)) "
                "ON CONFLICT (session) DO UPDATE SET lease_until = excluded.lease_until "
                "RETURNING xmax <> 0",
                session,
                lease_s,
            )
        return bool(was_there)

    async def expired(self) -> Sequence[str]:
        """List sessions that ended; see `Sessions`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT session FROM engine.worker_sessions WHERE lease_until < clock_timestamp()"
            )
        return [row[0] for row in rows]

    async def bury_expired(self, again_s: float) -> Sequence[str]:
        """Forget sessions that ended; see `Sessions`."""
        with driver_errors():
            rows = await self._database.pool.fetch(_BURY, again_s)
        return [row[0] for row in rows]

    async def settle(self, sessions: Sequence[str], after_s: float) -> None:
        """Note that attempts were ended; see `Sessions`."""
        with driver_errors():
            await self._database.pool.execute(
                "DELETE FROM engine.buried_sessions WHERE session = ANY($1::text[]) "
                "AND buried_at <= clock_timestamp() - make_interval(secs => $2)",
                list(sessions),
                after_s,
            )

    async def bury(self, sessions: Sequence[str]) -> None:
        """Forget sessions; see `Sessions`."""
        with driver_errors():
            await self._database.pool.execute(
                "DELETE FROM engine.worker_sessions WHERE session = ANY($1::text[])", list(sessions)
            )

    async def others(self, session: str) -> Sequence[str]:
        """List the other sessions; see `Sessions`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT session FROM engine.worker_sessions WHERE session <> $1", session
            )
        return [row[0] for row in rows]


class SqlDeadLetters:
    """Work given up on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, letter: DeadLetter) -> None:
        """Keep a letter; see `DeadLetters`."""
        with driver_errors():
            await self._database.pool.execute(
                "INSERT INTO engine.dead_letters (id, workspace_id, kind, execution_id, reason, at, body) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb) ON CONFLICT DO NOTHING",
                letter.id,
                letter.workspace_id,
                letter.kind,
                letter.execution_id,
                text_without_nul(letter.reason),
                datetime.fromtimestamp(letter.at, UTC),
                without_nul(encode_json(letter.body)).decode(),
            )

    async def list(
        self, workspace_id: str, after: str, limit: int, where: LetterFilter = ANY_LETTER
    ) -> Sequence[DeadLetter]:
        """List letters, newest first; see `DeadLetters`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                _LETTER + _MEANT,
                workspace_id,
                after,
                limit,
                where.kind,
                where.execution_id,
                where.workflow_id,
                where.reason,
                None if where.before is None else datetime.fromtimestamp(where.before, UTC),
            )
        return [_letter(row) for row in rows]

    async def get(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Read a letter; see `DeadLetters`."""
        with driver_errors():
            row = await self._database.pool.fetchrow(
                _LETTER + "WHERE workspace_id = $1 AND id = $2", workspace_id, letter_id
            )
        if row is None:
            raise NotFound("There is no such dead letter.", id=letter_id)
        return _letter(row)

    async def take(self, workspace_id: str, letter_id: str) -> DeadLetter:
        """Remove a letter; see `DeadLetters`."""
        with driver_errors():
            row = await self._database.pool.fetchrow(
                "WITH taken AS (DELETE FROM engine.dead_letters "
                "WHERE workspace_id = $1 AND id = $2 RETURNING *) "
                + _LETTER.replace("engine.dead_letters", "taken"),
                workspace_id,
                letter_id,
            )
        if row is None:
            raise NotFound("There is no such dead letter.", id=letter_id)
        return _letter(row)

    async def resend(self, letter: DeadLetter, message: Message) -> bool:
        """Put the message back and remove the letter; see `DeadLetters`."""
        with driver_errors():
            found = await self._database.pool.fetchval(
                _RESEND,
                letter.workspace_id,
                letter.id,
                message.execution_id,
                message.number,
                message.kind,
                message.to,
                datetime.fromtimestamp(message.at, UTC),
                encode_json(message.body),
            )
        return found is not None


def _letter(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(**{**row, "body": decode_json(row["body"])})


_MEANT = (
    "WHERE workspace_id = $1 AND ($2 = '' OR (at, id) < (SELECT at, id FROM engine.dead_letters "
    "WHERE id = $2)) AND ($4 = '' OR kind = $4) AND ($5 = '' OR execution_id = $5) "
    "AND ($6 = '' OR body->>'workflow_id' = $6) AND ($7 = '' OR strpos(lower(reason), lower($7)) > 0) "
    "AND ($8::timestamptz IS NULL OR at < $8) ORDER BY at DESC, id DESC LIMIT $3"
)

_RESEND = """
WITH taken AS (
    DELETE FROM engine.dead_letters WHERE workspace_id = $1 AND id = $2 RETURNING id
), sent AS (
    INSERT INTO engine.outbox (execution_id, number, kind, target, at, due, data)
    SELECT $3, $4, $5, $6, $7, '-infinity', $8 FROM taken ON CONFLICT DO NOTHING
)
SELECT id FROM taken"""

_LETTER = (
    "SELECT id, workspace_id::text, kind, execution_id, reason, extract(epoch FROM at)::float8 AS at, "
    "body::text AS body FROM engine.dead_letters "
)


class SqlLateResults:
    """Results that nobody wanted any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, execution_id: str, key: str, attempt: int, reason: str) -> None:
        """Remember a late result; see `LateResults`."""
        with driver_errors():
            await self._database.pool.execute(
                "INSERT INTO engine.late_results (execution_id, key, attempt, at, reason) "
                "VALUES ($1, $2, $3, clock_timestamp(), $4) ON CONFLICT DO NOTHING",
                execution_id,
                key,
                attempt,
                reason,
            )

    async def list(self, execution_id: str) -> Sequence[Json]:
        """List late results; see `LateResults`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT key, attempt, extract(epoch FROM at)::float8 AS at, reason "
                "FROM engine.late_results WHERE execution_id = $1 ORDER BY at",
                execution_id,
            )
        return [dict(row) for row in rows]
