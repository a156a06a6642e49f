"""Rows that go when their time is over, as a table of rules; and vacuum.

A table of a later release joins by a line in `RULES`; one that is not there yet is passed over.
"""

from collections.abc import AsyncIterator, Mapping

import msgspec

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.adapters.sql.fences import pass_fence

PAGE = 5_000
LONGEST_S = 6 * 3600.0
"""A vacuum of one table that takes longer is given up."""


class Rule(msgspec.Struct, frozen=True):
    """Which rows of a table go.

    Attributes:
        table: With its schema.
        instant: SQL of the instant that counts, seconds since 1970.
        kept: Name in `Kept` of how long after it; empty when only `days` counts.
        days: How long after it where no name says so.
    """

    table: str
    instant: str
    kept: str = ""
    days: float = 0.0


RULES = (
    Rule("control.audit_logs", "at", "audit"),
    Rule("control.ai_history", "created_at", "ai_history"),
    Rule("control.replies", "created_at", days=1.0),
    Rule("control.sign_ins", "expires_at", days=30.0),
    Rule("control.webhook_deliveries", "at", days=30.0),
    Rule("control.duty_runs", "asked_at", days=90.0),
    Rule("control.notifications", "at", days=30.0),
    Rule("control.alert_happenings", "at", days=40.0),
    Rule("control.approval_links", "until", days=30.0),
    Rule("engine.approvals", "decided_at", "executions"),
    Rule("engine.dead_letters", "extract(epoch FROM at)", "executions"),
    Rule("engine.late_results", "extract(epoch FROM at)", "executions"),
    Rule("engine.idempotency", "extract(epoch FROM until)"),
    Rule("engine.start_slots", "kept_until"),
    Rule("engine.debounces", "kept_until"),
)

_WORKFLOWS = "(SELECT id FROM control.workflows WHERE deleted_at < $1)"
_PURGED = (
    ("schedules", f"control.schedules WHERE workflow_id IN {_WORKFLOWS}"),
    ("webhooks", f"control.webhooks WHERE workflow_id IN {_WORKFLOWS}"),
    ("workflow_versions", f"control.workflow_versions WHERE workflow_id IN {_WORKFLOWS}"),
    ("workflows", "control.workflows WHERE deleted_at < $1"),
)
"""What goes with a deleted workflow, what depends on it first."""

_WORKSPACES = "(SELECT id FROM control.workspaces WHERE deleted_at < $1)"
_OUTLIVES = ("audit_logs", "audit_heads", "users", "workspaces")
"""Tables of control with a column `workspace_id` that a deleted workspace does not empty: the log has its
own time, and nobody's own workspace is ever deleted."""
_OWNED = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
WHERE n.nspname = 'control' AND c.relkind = 'r' AND NOT c.relname = ANY($1)
ORDER BY c.relname <> 'workflow_versions', c.relname"""
"""What a workspace owns, versions before the workflows that they are of."""

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1"""


class SqlUpkeep:
    """What is let go of in both schemas; see `Upkeep`."""

    def __init__(self, control: Database, engine: Database) -> None:
        self._databases = {"control": control, "engine": engine}

    async def expire(self, before: Mapping[str, float], token: int, *, is_dry: bool) -> Mapping[str, int]:
        """Delete rows whose time is over; see `Upkeep`."""
        found: dict[str, int] = {}
        for rule in RULES:
            limit = before.get(rule.kept or "now")
            if limit is None:
                continue
            with driver_errors():
                count = await self._expire(rule, limit - rule.days * 86_400, token, is_dry=is_dry)
            if count is not None:
                found[rule.table.partition(".")[2]] = count
        return found

    async def _expire(self, rule: Rule, limit: float, token: int, *, is_dry: bool) -> int | None:
        """Delete rows by one rule, a page at a time; None when there is no such table."""
        schema = rule.table.partition(".")[0]
        database = self._databases[schema]
        if not await database.pool.fetchval("SELECT to_regclass($1) IS NOT NULL", rule.table):
            return None
        where = f"{rule.instant} < $1::float8"
        if is_dry:
            return int(
                await database.pool.fetchval(f"SELECT count(*) FROM {rule.table} WHERE {where}", limit)
            )
        deleted = 0
        while True:
            async with database.transaction() as connection:
                await pass_fence(connection, schema, token)
                done = await connection.execute(
                    f"DELETE FROM {rule.table} WHERE ctid = ANY(ARRAY("
                    f"SELECT ctid FROM {rule.table} WHERE {where} LIMIT {PAGE}))",
                    limit,
                )
            count = int(done.rpartition(" ")[2])
            deleted += count
            if count < PAGE:
                return deleted

    async def purge(self, before: float, token: int, *, is_dry: bool) -> Mapping[str, int]:
        """Delete what people deleted; see `Upkeep`."""
        found: dict[str, int] = {}
        database = self._databases["control"]
        with driver_errors():
            async with database.transaction() as connection:
                await pass_fence(connection, "control", token)
                for name, which in _PURGED:
                    found[name] = await connection.fetchval(f"SELECT count(*) FROM {which}", before)
                    if not is_dry:
                        await connection.execute(f"DELETE FROM {which}", before)
                which = f"FROM control.workspaces WHERE id IN {_WORKSPACES}"
                found["workspaces"] = await connection.fetchval(f"SELECT count(*) {which}", before)
                if found["workspaces"] and not is_dry:
                    for row in await connection.fetch(_OWNED, _OUTLIVES):
                        await connection.execute(
                            f"DELETE FROM control.{row[0]} WHERE workspace_id IN {_WORKSPACES}", before
                        )
                    await connection.execute(f"DELETE {which}", before)
        return found

    async def vacuum(self, token: int, *, is_dry: bool) -> AsyncIterator[str]:
        """Vacuum and analyse every table; see `Upkeep`."""
        for schema, database in self._databases.items():
            with driver_errors():
                names = [row[0] for row in await database.pool.fetch(_TABLES, schema)]
            connection = await database.held()
            try:
                for name in names:
                    with driver_errors():
                        async with database.transaction() as passing:
                            await pass_fence(passing, schema, token)
                        if not is_dry:
                            await connection.execute(f"VACUUM (ANALYZE) {name}", timeout=LONGEST_S)
                    yield name
            finally:
                await database.release(connection)
