"""Group commit: concurrent appends become one statement.

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
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

import asyncpg

from linkflow.adapters.sql.append_statement import arguments, statement
from linkflow.adapters.sql.database import LOST, Connection, Database
from linkflow.domain.errors import (
    AlreadyStarted,
    LinkFlowError,
    OutcomeUnknown,
    StoreFull,
    Unavailable,
    VersionConflict,
)
from linkflow.ports.stores import Record
from linkflow.telemetry import metrics

BATCH = 250
"""Records in one statement; more was measured slower."""

COMMIT_S = 30.0
"""A statement that takes longer counts as lost: a database that went away in silence must not hang us."""

RECONNECT_S = (0.05, 0.1, 0.2, 0.5, 1.0)

_commits = metrics.histogram("linkflow_history_commit_seconds")
_batches = metrics.histogram("linkflow_history_batch_records")
_reconnects = metrics.counter("linkflow_db_reconnects_total")


class _Pending(NamedTuple):
    record: Record
    done: "asyncio.Future[None]"


class GroupCommit:
    """Appends records, on a connection of its own; see the module."""

    def __init__(self, database: Database, committed: Callable[[float], None]) -> None:
        """Put it together; `committed` is told what each commit took, in seconds."""
        self._database = database
        self._committed = committed
        self._pending: list[_Pending] = []
        self._work = asyncio.Event()
        self._connection: Connection | None = None
        self._is_open = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit for as long as the context lasts; what is pending at its end is still committed."""
        self._connection = await self._database.held()
        self._is_open = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_for_ever(), name="group commit")
            try:
                yield
            finally:
                self._is_open = False
                self._work.set()
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
