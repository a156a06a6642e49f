"""HistoryStore on PostgreSQL: concurrent appends become one statement (group commit).

    append ─┐
    append ─┼─► pending ──► one statement on a held connection ──► every caller hears its own outcome
    append ─┘               (flushed when the one before has returned)

The statement inserts new heads, moves the others on where their version is the expected one, and writes
events, outbox and idempotency rows of the winners only. A loser costs the others nothing. The version check
is the only arbiter between writers, in this process or any other.

When the connection breaks in the middle, nobody knows whether the batch was committed: its callers get
`OutcomeUnknown`, load and compare. When the disk is full, nothing was written: its callers get `StoreFull`.
When the statement fails otherwise, the batch is halved until the guilty record is alone; the others pass.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg

from linkflow.adapters.sql.append_statement import arguments, statement
from linkflow.adapters.sql.database import LOST, Connection, Database, driver_errors
from linkflow.adapters.sql.gathered import Gathered
from linkflow.adapters.sql.outbox_statements import CLAIM, NAMED, SHARD
from linkflow.adapters.sql.samples import measured
from linkflow.domain.errors import (
    AlreadyStarted,
    LinkFlowError,
    OutcomeUnknown,
    StoreFull,
    Unavailable,
    VersionConflict,
)
from linkflow.domain.execution.events import decode
from linkflow.domain.values import SHARDS, decode_json
from linkflow.ports.stores import Lane, Message, Record, Recorded
from linkflow.telemetry import metrics

BATCH = 250
"""Records in one statement; more was measured slower."""

COMMIT_S = 30.0
"""A statement that takes longer counts as lost: a database that went away in silence must not hang us."""

RECONNECT_S = (0.05, 0.1, 0.2, 0.5, 1.0)
PAGE = 1_000
NOBODY = "00000000-0000-0000-0000-000000000000"  # before every id


_commits = metrics.histogram("linkflow_history_commit_seconds")
_batches = metrics.histogram("linkflow_history_batch_records")
_reconnects = metrics.counter("linkflow_db_reconnects_total")


class _Pending(NamedTuple):
    record: Record
    done: "asyncio.Future[None]"


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
WHERE x.closed_at IS NULL AND x.status <> 'waiting' ORDER BY x.execution_id"""


class SqlHistoryStore:
    """The event history of every execution in PostgreSQL; see the module."""

    def __init__(self, database: Database, committed: Callable[[float], None] = lambda took_s: None) -> None:
        """Put it together; `committed` is told what each commit took, in seconds."""
        self._database = database
        self._committed = committed
        self._pending: list[_Pending] = []
        self._work = asyncio.Event()
        self._connection: Connection | None = None
        self._flusher: asyncio.Task[None] | None = None
        self._is_open = False
        self._runs = Gathered(self.load_runs)
        self._versions = Gathered(self._versions_of)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SqlHistoryStore"]:
        """Commit appends for as long as the context lasts; what is pending at its end is still committed."""
        self._connection = await self._database.held()
        self._is_open = True
        async with asyncio.TaskGroup() as group:
            self._flusher = group.create_task(self._flush_for_ever(), name="group commit")
            reading = [group.create_task(each.run()) for each in (self._runs, self._versions)]
            try:
                with measured(self._database, lambda: self.backlog):
                    yield self
            finally:
                self._is_open = False
                self._work.set()
                for task in reading:
                    task.cancel()
        if self._connection is not None:
            await self._database.release(self._connection)

    @property
    def backlog(self) -> int:
        """How many records wait to be committed."""
        return len(self._pending)

    async def append(self, record: Record) -> None:
        """Append one record; see `HistoryStore`."""
        if not self._is_open:
            raise Unavailable("The history store is closed.")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append(_Pending(record, done))
        self._work.set()
        await done

    async def _flush_for_ever(self) -> None:
        while self._is_open or self._pending:
            await self._work.wait()
            self._work.clear()
            while self._pending:
                await self._commit(self._next_batch())

    def _next_batch(self) -> Sequence[_Pending]:
        """Take records for one statement: one of an execution, one by a request key; the others come next."""
        batch: list[_Pending] = []
        later: list[_Pending] = []
        taken: set[str] = set()
        for pending in self._pending[:BATCH]:
            execution_id, request_key = pending.record.execution_id, pending.record.request_key
            if execution_id in taken or request_key in taken:
                later.append(pending)
                continue
            taken.add(execution_id)
            if request_key:
                taken.add(request_key)
            batch.append(pending)
        self._pending = later + self._pending[BATCH:]
        return batch

    async def _commit(self, batch: Sequence[_Pending]) -> None:
        try:
            losers = await self._execute([pending.record for pending in batch])
        except asyncpg.DiskFullError as error:  # it failed as a whole, and the connection is sound
            self._fail(batch, StoreFull, error)
        except LOST as error:
            self._fail(batch, OutcomeUnknown, error)
            await self._reconnect()
        except asyncpg.DeadlockDetectedError:
            await self._commit(batch)
        except (asyncpg.PostgresError, ValueError, TypeError, OverflowError) as error:
            if len(batch) == 1:
                refused = LinkFlowError(f"The database refuses this record: {error}", code="store.refused")
                refused.__cause__ = error
                _settle(batch[0].done, refused)
                return
            half = len(batch) // 2
            await self._commit(batch[:half])
            await self._commit(batch[half:])
        else:
            for index, pending in enumerate(batch):
                _settle(pending.done, _refusal(pending.record, losers[index]) if index in losers else None)

    async def _execute(self, records: Sequence[Record]) -> dict[int, str | None]:
        """Run the statement; the losers by position, with the execution that holds their request key."""
        if self._connection is None or self._connection.is_closed():
            raise OSError("not connected")
        began = time.perf_counter()
        rows = await self._connection.fetch(statement(records), *arguments(records), timeout=COMMIT_S)
        took_s = time.perf_counter() - began
        _commits.observe(took_s)
        self._committed(took_s)
        _batches.observe(len(records))
        return {row[0]: row[1] for row in rows}

    def _fail(self, batch: Sequence[_Pending], kind: type[Unavailable], cause: BaseException) -> None:
        for pending in batch:
            error = kind()
            error.__cause__ = cause
            _settle(pending.done, error)

    async def _reconnect(self) -> None:
        """Get a new connection; until there is one, appends fail at once and nothing is kept in memory."""
        if self._connection is not None:
            await self._database.release(self._connection)
            self._connection = None
        _reconnects.inc()
        tries = 0
        while self._is_open and self._connection is None:
            try:
                self._connection = await self._database.held()
            except Unavailable as error:
                batch, self._pending = self._pending, []
                self._fail(batch, Unavailable, error)
                await asyncio.sleep(RECONNECT_S[min(tries, len(RECONNECT_S) - 1)])
                tries += 1

    # ------------------------------------------------------------ reading

    async def load(self, execution_id: str, after: int = 0) -> Sequence[Recorded]:
        """Load records; see `HistoryStore`."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT first_event, extract(epoch FROM at)::float8, data FROM engine.history_events "
                "WHERE execution_id = $1 AND first_event + count - 1 > $2 ORDER BY first_event",
                execution_id,
                after,
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


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():  # its caller was cancelled
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _refusal(record: Record, holder: str | None) -> LinkFlowError:
    if record.request_key and holder is not None and holder != record.execution_id:
        return AlreadyStarted(holder)
    return VersionConflict()
