"""Sealed values in PostgreSQL, a page at a time."""

from collections.abc import AsyncIterator

from linkflow.adapters.sql.statements import Statements
from linkflow.ports.sealed import SealedValue

PAGE = 500
PLACES = {
    "credential": ("control.credentials", "id", "sealed"),
    "access": ("control.credentials", "id", "access"),
    "refresh": ("control.credentials", "id", "refresh"),
    "variable": ("control.variables", "key", "sealed"),
    "webhook": ("control.webhooks", "id", "sealed"),
    "subscription": ("control.webhook_subscriptions", "id", "sealed"),
    "notification": ("control.notifications", "id", "sealed"),
    "alert": ("control.alerts", "id", "sealed"),
    "approval": ("control.approval_links", "id", "sealed"),
    "reply": ("control.replies", "key", "sealed"),
}
"""Kind to table, column that names the row, column with the sealed bytes."""


class SqlSealedRows:
    """Sealed values on tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def every(self) -> AsyncIterator[SealedValue]:
        """Iterate over all of them, by workspace and name."""
        for kind, (table, name, column) in PLACES.items():
            workspace_id = last = ""
            while True:
                rows = await self._sql.rows(
                    f"SELECT workspace_id, {name} AS id, {column} AS sealed FROM {table}"
                    f" WHERE (workspace_id, {name}) > ($1, $2) AND {column} <> ''"
                    f" ORDER BY workspace_id, {name} LIMIT {PAGE}",
                    workspace_id,
                    last,
                )
                for row in rows:
                    yield SealedValue(kind, row["id"], row["workspace_id"], row["sealed"])
                if len(rows) < PAGE:
                    break
                workspace_id, last = rows[-1]["workspace_id"], rows[-1]["id"]

    async def replace(self, value: SealedValue, sealed: bytes) -> bool:
        """Put other bytes in place of a value, if it is still as it was read."""
        table, name, column = PLACES[value.kind]
        done = await self._sql.of(value.workspace_id).run(
            f"UPDATE {table} SET {column} = $4 WHERE workspace_id = $1 AND {name} = $2 AND {column} = $3",
            value.workspace_id,
            value.id,
            value.sealed,
            sealed,
        )
        return done == 1
