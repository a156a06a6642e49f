"""HistoryStore on PostgreSQL: what is appended goes through `group_commit.py`, the rest is read here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.gathered import Gathered
from linkflow.adapters.sql.group_commit import COMMIT_S, GroupCommit
from linkflow.adapters.sql.outbox_statements import CLAIM, NAMED, SHARD
from linkflow.adapters.sql.samples import measured
from linkflow.domain.execution.events import decode
from linkflow.domain.values import SHARDS, decode_json
from linkflow.ports.stores import Lane, Message, Record, Recorded

PAGE = 1_000
NOBODY = "00000000-0000-0000-0000-000000000000"  # before every id

_RUNS = """
SELECT x.execution_id::text, e.first_event, extract(epoch FROM e.at)::float8, e.data
FROM engine.executions x CROSS JOIN LATERAL (
    SELECT * FROM engine.history_events h
    WHERE h.execution_id = x.execution_id AND h.first_event + h.count > x.run_event OFFSET 0) AS e
WHERE x.execution_id = ANY($1::uuid[]) ORDER BY x.execution_id, e.first_event"""


# OFFSET and LIMIT make it look at each execution by itself: it may never read through all events there are.
_NAMING = """
SELECT x.execution_id::text FROM engine.executions x CROSS JOIN LATERAL (
    SELECT FROM engine.history_events e, unnest($1::bytea[]) s
    WHERE e.execution_id = x.execution_id AND position(s IN e.data) > 0 LIMIT 1) AS named
WHERE x.closed_at IS NULL AND x.status NOT IN ('waiting', 'queued') ORDER BY x.execution_id"""


class SqlHistoryStore:
    """The event history of every execution in PostgreSQL; see the module."""

    def __init__(self, database: Database, committed: Callable[[float], None] = lambda took_s: None) -> None:
        """Put it together; `committed` is told what each commit took, in seconds."""
        self._database = database
        self._commits = GroupCommit(database, committed)
        self._is_open = False
        self._runs = Gathered(self.load_runs)
        self._versions = Gathered(self._versions_of)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SqlHistoryStore"]:
        """Commit appends for as long as the context lasts; what is pending at its end is still committed."""
        async with self._commits.running(), asyncio.TaskGroup() as group:
            self._is_open = True
            reading = [group.create_task(each.run()) for each in (self._runs, self._versions)]
            try:
                with measured(self._database, lambda: self.backlog):
                    yield self
            finally:
                self._is_open = False
                for task in reading:
                    task.cancel()

    @property
    def backlog(self) -> int:
        """How many records wait to be committed."""
        return self._commits.backlog

    async def append(self, record: Record) -> None:
        """Append one record; see `HistoryStore`."""
        await self._commits.append(record)

    # ------------------------------------------------------------ reading

    async def load(self, execution_id: str, after: int = 0, limit: int = 0) -> Sequence[Recorded]:
        """Load records; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT first_event, extract(epoch FROM at)::float8, data FROM engine.history_events "
                "WHERE execution_id = $1 AND first_event + count - 1 > $2 ORDER BY first_event LIMIT $3",
                execution_id,
                after,
                limit or None,
            )
        return [Recorded(first=row[0], at=row[1], events=decode(row[2])) for row in rows]

    async def load_run(self, execution_id: str) -> Sequence[Recorded]:
        """Load the newest run; see `HistoryStore`."""
        if not self._is_open:
            return (await self.load_runs([execution_id])).get(execution_id, ())
        return await self._runs.get(execution_id) or ()

    async def load_runs(self, execution_ids: Sequence[str]) -> Mapping[str, Sequence[Recorded]]:
        """Load newest runs; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(_RUNS, list(execution_ids), timeout=COMMIT_S)
        found: dict[str, list[Recorded]] = {}
        for row in rows:
            found.setdefault(row[0], []).append(Recorded(first=row[1], at=row[2], events=decode(row[3])))
        return found

    async def naming(self, sessions: Sequence[str]) -> Sequence[str]:
        """List executions that name sessions; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(_NAMING, [session.encode() for session in sessions])
        return [row[0] for row in rows]

    async def versions(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        """Count events; see `HistoryStore`."""
        if not self._is_open or len(execution_ids) != 1:
            return await self._versions_of(execution_ids)
        found = await self._versions.get(execution_ids[0])
        return {} if found is None else {execution_ids[0]: found}

    async def _versions_of(self, execution_ids: Sequence[str]) -> Mapping[str, int]:
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT execution_id::text, version FROM engine.executions "
                "WHERE execution_id = ANY($1::uuid[])",
                list(execution_ids),
                timeout=COMMIT_S,
            )
        return {row[0]: row[1] for row in rows}

    async def begin_run(self, execution_id: str, first_event: int) -> None:
        """Note where a run begins; see `HistoryStore`."""
        with driver_errors():
            await self._database.pool.execute(
                "UPDATE engine.executions SET run_event = $2 WHERE execution_id = $1 AND run_event < $2",
                execution_id,
                first_event,
            )

    async def find_request(self, request_key: str, now: float) -> str | None:
        """Find the execution that a request key started; see `HistoryStore`."""
        with driver_errors():
            found = await self._database.pool.fetchval(
                "SELECT execution_id::text FROM engine.idempotency WHERE request_key = $1 AND until > $2",
                request_key,
                datetime.fromtimestamp(now, UTC),
            )
        return None if found is None else str(found)

    async def open_executions(self) -> AsyncIterator[tuple[str, str, float | None]]:
        """Iterate over open executions; see `HistoryStore`."""
        last = NOBODY
        while True:
            with driver_errors():
                rows = await self._database.pool.fetch(
                    "SELECT execution_id::text, status, extract(epoch FROM wakeup_at)::float8 "
                    "FROM engine.executions WHERE closed_at IS NULL AND execution_id > $1 "
                    "ORDER BY execution_id LIMIT $2",
                    last,
                    PAGE,
                )
            for row in rows:
                yield row[0], row[1], row[2]
            if len(rows) < PAGE:
                return
            last = rows[-1][0]

    async def due(
        self, now: float, limit: int, *, shards: tuple[int, int] = (0, SHARDS)
    ) -> Sequence[tuple[str, float]]:
        """List executions to wake; see `HistoryStore`."""
        is_part = (
            "" if shards == (0, SHARDS) else f"AND {SHARD} >= {shards[0]:d} AND {SHARD} < {shards[1]:d} "
        )
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT execution_id::text, extract(epoch FROM wakeup_at)::float8 FROM engine.executions "
                f"WHERE wakeup_at <= $1 {is_part}ORDER BY wakeup_at LIMIT $2",
                datetime.fromtimestamp(now, UTC),
                limit,
            )
        return [(row[0], row[1]) for row in rows]

    async def awaiting(
        self, workspace_id: str, names: Sequence[str], after: str, limit: int
    ) -> Sequence[str]:
        """List executions that await an event; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT execution_id::text FROM engine.executions WHERE awaits && $2::text[] "
                "AND workspace_id = $1 AND closed_at IS NULL AND execution_id > $3 "
                "ORDER BY execution_id LIMIT $4",
                workspace_id,
                list(names),
                after or NOBODY,
                limit,
            )
        return [row[0] for row in rows]

    async def messages(self, limit: int, older_than: float, *, callbacks: bool = False) -> Sequence[Message]:
        """List unacknowledged messages; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT execution_id::text, number, kind, target, data, extract(epoch FROM at)::float8 "
                "FROM engine.outbox WHERE coalesce(due, at) < $1 AND (kind = 'callback') = $3 "
                "ORDER BY coalesce(due, at), execution_id, number LIMIT $2",
                datetime.fromtimestamp(older_than, UTC),
                limit,
                callbacks,
            )
        return [_message(row) for row in rows]

    async def claim(self, limit: int, older_than: float, until: float, lane: Lane) -> Sequence[Message]:
        """Take messages; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                CLAIM[lane],
                datetime.fromtimestamp(older_than, UTC),
                limit,
                datetime.fromtimestamp(until, UTC),
            )
        return [_message(row) for row in rows]

    async def postpone(self, messages: Sequence[Message], to: float) -> None:
        """Put messages off; see `HistoryStore`."""
        with driver_errors():
            await self._database.pool.execute(
                f"UPDATE engine.outbox o SET due = $5 FROM {NAMED}",
                *_identities(messages),
                datetime.fromtimestamp(to, UTC),
            )

    async def acknowledge(self, messages: Sequence[Message]) -> None:
        """Forget messages; see `HistoryStore`."""
        if not messages:
            return
        with driver_errors():
            await self._database.pool.execute(
                f"DELETE FROM engine.outbox o USING {NAMED}", *_identities(messages)
            )


def _message(row: Any) -> Message:
    """Read a row of the outbox."""
    return Message(
        execution_id=row[0], number=row[1], kind=row[2], to=row[3], body=decode_json(row[4]), at=row[5]
    )


def _identities(messages: Sequence[Message]) -> tuple[list[str], list[int], list[str], list[str]]:
    return (
        [message.execution_id for message in messages],
        [message.number for message in messages],
        [message.kind for message in messages],
        [message.to for message in messages],
    )
