"""Webhooks and the inbox in PostgreSQL.

The inbox is written by group commit: one statement is under way at a time, and everything that arrives
meanwhile is the next one. So a caller waits for at most two commits, and a commit is shared by all who wait.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from linkflow.adapters.sql.database import (
    LOST,
    Connection,
    Database,
    DatabaseUnavailable,
    text_without_nul,
)
from linkflow.adapters.sql.owned import Owned
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import NotFound, Overloaded
from linkflow.domain.values import decode_json, encode_json, started_at_ms
from linkflow.ports.triggers import Start, TriggerEvent, Webhook

WEBHOOKS = Table("control.webhooks", Webhook, json=("settings",))
EVENTS = Table("control.trigger_events", TriggerEvent, json=("starts",))
BATCH = 250
QUEUE = 5_000
KINDS = (*("text[]",) * 3, "bigint[]", "text[]", *("bytea[]",) * 3, *("text[]",) * 3)
COLUMNS = TriggerEvent.__struct_fields__[:-1]
LISTED = f"{', '.join(COLUMNS)}, starts"
REFUSED = (asyncpg.PostgresError, ValueError, TypeError, OverflowError)
"""What a statement ends with that one of its rows does not fit."""

NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
INSERT = f"""
INSERT INTO control.trigger_events ({LISTED}, held_until_ms)
SELECT {LISTED}, CASE WHEN held_ms > 0 THEN {NOW_MS} + held_ms ELSE 0 END
FROM unnest({", ".join(f"${n}::{kind}" for n, kind in enumerate((*KINDS, "bytea[]", "bigint[]"), 1))})
    AS given({LISTED}, held_ms)
ON CONFLICT (source_id, dedup_key) WHERE dedup_key IS NOT NULL DO NOTHING
RETURNING id
"""
_webhook = WEBHOOKS.reader(Webhook)


def _event(row: asyncpg.Record) -> TriggerEvent:
    """Read a row as a trigger event."""
    found = dict(row) | {"dedup_key": row["dedup_key"] or ""}
    found["starts"] = [Start(**start) for start in decode_json(row["starts"])]
    return TriggerEvent(**found)


def _row(event: TriggerEvent, held_s: float) -> list[object]:
    """Say an event as the columns of `INSERT`."""
    values = {name: getattr(event, name) for name in COLUMNS} | {
        "dedup_key": text_without_nul(event.dedup_key or "") or None,
        "reason": text_without_nul(event.reason),
    }
    return [*values.values(), encode_json(event.starts), int(held_s * 1000)]


class SqlWebhooks:
    """Webhooks on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._owned = Owned(statements, WEBHOOKS, Webhook, "webhook")

    async def create(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        await self._sql.of(webhook.workspace_id).run(WEBHOOKS.insert, *WEBHOOKS.values(webhook))

    async def change(self, webhook: Webhook) -> None:
        """Replace a webhook."""
        await self._owned.change(webhook)

    async def find(self, webhook_id: str) -> Webhook | None:
        """Find a webhook by the UUID in its address."""
        found = await self._sql.row(f"{WEBHOOKS.select} WHERE id = $1", webhook_id)
        return None if found is None else _webhook(found)

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook:
        """Read a webhook."""
        return await self._owned.get(workspace_id, webhook_id)

    async def list(self, workspace_id: str, workflow_id: str = "") -> Sequence[Webhook]:
        """List webhooks, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{WEBHOOKS.select} WHERE workspace_id = $1 AND ($2 = '' OR workflow_id = $2)"
            " ORDER BY created_at DESC, id DESC LIMIT 1000",
            workspace_id,
            workflow_id,
        )
        return [_webhook(row) for row in found]

    async def delete(self, workspace_id: str, webhook_id: str) -> None:
        """Remove a webhook."""
        await self._owned.delete(workspace_id, webhook_id)


class InboxWriter:
    """Writes trigger events of concurrent callers with one statement on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._waiting: list[tuple[TriggerEvent, float, asyncio.Future[bool]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def write(self, event: TriggerEvent, held_s: float) -> bool:
        """Write an event that is held for so long; False when its dedup key was taken before.

        Raises:
            Overloaded: Too many wait already; nothing was written.
            Unavailable: The database does not answer; the event may have been written.
        """
        if len(self._waiting) >= QUEUE:
            raise Overloaded
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, held_s, written))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return await written

    async def _flush(self) -> None:
        """Write batch after batch until nobody waits."""
        await asyncio.sleep(0)  # whoever runs in this turn of the loop shares the first statement
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._settle(batch)
        finally:
            self._flushing = None

    async def _settle(self, batch: Sequence[tuple[TriggerEvent, float, asyncio.Future[bool]]]) -> None:
        """Write one batch and tell everybody in it; what the database refuses is refused alone."""
        try:
            won = await self._insert([_row(event, held_s) for event, held_s, _ in batch])
        except BaseException as error:
            if isinstance(error, REFUSED) and not isinstance(error, LOST) and len(batch) > 1:
                half = len(batch) // 2
                await self._settle(batch[:half])
                await self._settle(batch[half:])
                return
            refusal = DatabaseUnavailable() if isinstance(error, LOST) else error
            for _, _, written in batch:
                if not written.done():
                    written.set_exception(refusal)
            if isinstance(error, asyncio.CancelledError):
                raise
            return
        for event, _, written in batch:
            if not written.done():
                written.set_result(event.id in won)

    async def _insert(self, rows: Sequence[Sequence[object]]) -> set[str]:
        """Insert rows; the ids of those that were new."""
        if self._connection is None:
            self._connection = await self._database.held()
        try:
            found = await self._connection.fetch(INSERT, *map(list, zip(*rows, strict=True)))
        except LOST:
            broken, self._connection = self._connection, None
            await self._database.release(broken)
            raise
        return {row["id"] for row in found}


class SqlTriggerEvents:
    """The inbox on a table."""

    def __init__(self, statements: Statements, writer: InboxWriter) -> None:
        self._sql = statements
        self._writer = writer

    async def keep(self, event: TriggerEvent, held_s: float = 0.0) -> TriggerEvent:
        """Keep an event."""
        if await self._writer.write(event, held_s):
            return event
        found = await self._sql.row(
            f"{EVENTS.select} WHERE source_id = $1 AND dedup_key = $2",
            event.source_id,
            text_without_nul(event.dedup_key or ""),
        )
        return event if found is None else _event(found)

    async def claim(self, limit: int, held_s: float) -> Sequence[TriggerEvent]:
        """Take events that nobody holds."""
        found = await self._sql.rows(
            f"""WITH free AS (
                  SELECT id FROM control.trigger_events
                  WHERE state = 'pending' AND held_until_ms <= {NOW_MS}
                  ORDER BY at_ms LIMIT $1 FOR UPDATE SKIP LOCKED)
                UPDATE control.trigger_events SET held_until_ms = {NOW_MS} + $2
                WHERE id IN (SELECT id FROM free) RETURNING {LISTED}""",
            limit,
            int(held_s * 1000),
        )
        return sorted((_event(row) for row in found), key=lambda event: event.at_ms)

    async def release(self, event_ids: Sequence[str] | None = None) -> None:
        """Let anybody claim pending events."""
        await self._sql.run(
            "UPDATE control.trigger_events SET held_until_ms = 0"
            " WHERE state = 'pending' AND held_until_ms > 0 AND ($1::text[] IS NULL OR id = ANY ($1))",
            None if event_ids is None else list(event_ids),
        )

    async def started(self, event_ids: Sequence[str]) -> None:
        """Mark events as done."""
        await self._sql.run(
            "UPDATE control.trigger_events SET state = 'done' WHERE id = ANY ($1) AND state = 'pending'",
            list(event_ids),
        )

    async def refuse(self, event_id: str, reason: str) -> None:
        """Say why an event starts nothing."""
        await self._sql.run(
            "UPDATE control.trigger_events SET state = 'refused', reason = $2"
            " WHERE id = $1 AND state = 'pending'",
            event_id,
            text_without_nul(reason),
        )

    async def get(self, workspace_id: str, event_id: str) -> TriggerEvent:
        """Read an event."""
        found = await self._sql.of(workspace_id).row(
            f"{EVENTS.select} WHERE id = $1 AND workspace_id = $2", event_id, workspace_id
        )
        if found is None:
            raise NotFound("There is no such request in the inbox.", event_id=event_id)
        return _event(found)

    async def of_execution(self, workspace_id: str, execution_id: str) -> TriggerEvent | None:
        """Find the event that promised an execution, by the instant in its id."""
        found = await self._sql.of(workspace_id).rows(
            f"{EVENTS.select} WHERE workspace_id = $1 AND at_ms = $2 AND state IN ('pending', 'refused')",
            workspace_id,
            started_at_ms(execution_id),
        )
        for row in found:
            event = _event(row)
            if any(start.execution_id == execution_id for start in event.starts):
                return event
        return None

    async def list(
        self, workspace_id: str, source_id: str = "", state: str = "", after: str = "", limit: int = 20
    ) -> Sequence[TriggerEvent]:
        """List events, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"""{EVENTS.select} WHERE workspace_id = $1
                AND ($2 = '' OR source_id = $2) AND ($3 = '' OR state = $3)
                AND ($4 = '' OR (at_ms, id) < (SELECT at_ms, id FROM control.trigger_events WHERE id = $4))
                ORDER BY at_ms DESC, id DESC LIMIT $5""",
            workspace_id,
            source_id,
            state,
            after,
            limit + 1,
        )
        return [_event(row) for row in found]

    async def trim(self, kept: int, before_ms: int) -> int:
        """Forget old events."""
        return await self._sql.run(
            """WITH old AS (
                 SELECT id FROM (
                   SELECT id, row_number() OVER (PARTITION BY workspace_id ORDER BY at_ms DESC) AS place
                   FROM control.trigger_events WHERE state IN ('refused', 'unclaimed')) AS ranked
                 WHERE place > $1
                 UNION ALL
                 SELECT id FROM control.trigger_events WHERE state = 'done' AND at_ms < $2)
               DELETE FROM control.trigger_events WHERE id IN (SELECT id FROM old)""",
            kept,
            before_ms,
        )
