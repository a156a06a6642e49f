"""The background work of an installation, in both schemas."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.ports.backlogs import Backlog

MOST = 100_000
"""Rows that are counted; more are more than a person needs to know."""


class Outbox(msgspec.Struct, frozen=True):
    """Where work of one kind waits.

    Attributes:
        waiting: SQL of what is to be done.
        failed: SQL of what was given up on; empty when none of it is kept.
        since: SQL of the instant it waits from, seconds since 1970.
        again: SQL of what a retry sets, where `$1` is now; empty where there is none.
    """

    name: str
    summary: str
    schema: str
    table: str
    waiting: str
    since: str
    failed: str = ""
    again: str = ""


OUTBOXES = (
    Outbox(
        "inbox", "Calls and events that start executions", "control", "control.trigger_events",
        "state = 'pending'", "at_ms / 1000.0",
    ),
    Outbox("outbox", "What executions send", "engine", "engine.outbox", "true", "extract(epoch FROM at)"),
    Outbox("mails", "Letters about accounts", "control", "control.mails", "true", "created_at"),
    Outbox(
        "notifications", "Alerts and letters about approvals", "control", "control.notifications",
        "state = 'pending'", "at", "state = 'failed'",
        "state = 'pending', due_at = $1::float8, attempts = 0, error = ''",
    ),
    Outbox(
        "deliveries", "Messages to webhook subscriptions", "control", "control.webhook_deliveries",
        "state = 'pending'", "at",
        "state = 'failed'",
        "state = 'pending', due_at = $1::float8, attempts = 0, error = ''",
    ),
    Outbox(
        "dead-letters", "Work of executions that was given up on", "engine", "engine.dead_letters",
        "false", "extract(epoch FROM at)", "true",
    ),
)  # fmt: skip


class SqlBacklogs:
    """What stands in the outboxes; see `Backlogs`."""

    def __init__(self, control: Database, engine: Database) -> None:
        self._databases = {"control": control, "engine": engine}

    async def backlogs(self, now: float) -> Sequence[Backlog]:
        """Say how each outbox stands; see `Backlogs`."""
        return [await self._backlog(outbox, now) for outbox in OUTBOXES]

    async def _backlog(self, outbox: Outbox, now: float) -> Backlog:
        """Say how one stands."""
        table, failed = outbox.table, outbox.failed or "false"
        with driver_errors():
            row = await self._databases[outbox.schema].pool.fetchrow(
                f"SELECT (SELECT count(*) FROM (SELECT FROM {table} WHERE {outbox.waiting} LIMIT $1) w)"
                f" AS waiting,"
                f" (SELECT count(*) FROM (SELECT FROM {table} WHERE {failed} LIMIT $1) f) AS failed,"
                f" (SELECT min({outbox.since}) FROM {table} WHERE {outbox.waiting})::float8 AS since",
                MOST,
            )
        assert row is not None
        return Backlog(
            name=outbox.name,
            summary=outbox.summary,
            waiting=row["waiting"],
            failed=row["failed"],
            oldest_s=0.0 if row["since"] is None else max(0.0, now - row["since"]),
            can_retry=bool(outbox.again),
        )

    async def executions(self) -> Mapping[str, int]:
        """Count open executions; see `Backlogs`."""
        with driver_errors():
            rows = await self._databases["engine"].pool.fetch(
                "SELECT status, count(*) FROM (SELECT status FROM engine.executions WHERE closed_at IS NULL"
                " LIMIT $1) AS few GROUP BY status",
                MOST,
            )
        return {"queued": 0, "running": 0, "waiting": 0} | {row[0]: row[1] for row in rows}

    async def retry(self, name: str, now: float) -> int | None:
        """Try again what failed; see `Backlogs`."""
        outbox = next((each for each in OUTBOXES if each.name == name and each.again), None)
        if outbox is None:
            return None
        with driver_errors():
            done = await self._databases[outbox.schema].pool.execute(
                f"UPDATE {outbox.table} SET {outbox.again} WHERE {outbox.failed}", now
            )
        return int(done.rpartition(" ")[2])
