"""Notifications in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.notifications import Notification

NOTIFICATIONS = Table("control.notifications", Notification)
_notification = NOTIFICATIONS.reader(Notification)


class SqlNotifications:
    """Messages on a table; see `Notifications`."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, notification: Notification) -> bool:
        """Keep a message; see `Notifications`."""
        done = await self._sql.of(notification.workspace_id).run(
            f"{NOTIFICATIONS.insert} ON CONFLICT (id) DO NOTHING", *NOTIFICATIONS.values(notification)
        )
        return done == 1

    async def list(self, workspace_id: str, source: str, after: str, limit: int) -> Sequence[Notification]:
        """List messages; see `Notifications`."""
        found = await self._sql.of(workspace_id).rows(
            f"{NOTIFICATIONS.select} WHERE workspace_id = $1 AND starts_with(source, $2)"
            " AND ($3 = '' OR (at, id) < (SELECT at, id FROM control.notifications"
            " WHERE workspace_id = $1 AND id = $3)) ORDER BY at DESC, id DESC LIMIT $4",
            workspace_id,
            source,
            after,
            limit,
        )
        return [_notification(row) for row in found]

    async def claim(self, now: float, until: float, limit: int) -> Sequence[Notification]:
        """Take messages that are due; see `Notifications`."""
        found = await self._sql.rows(
            f"""UPDATE control.notifications SET due_at = $2
                WHERE id IN (SELECT id FROM control.notifications WHERE due_at <= $1
                             ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                RETURNING {", ".join(NOTIFICATIONS.columns)}""",
            now,
            until,
            limit,
        )
        return [_notification(row) for row in found]

    async def settle(self, notification: Notification) -> None:
        """Write how a message stands; see `Notifications`."""
        await self._sql.of(notification.workspace_id).run(
            "UPDATE control.notifications SET state = $3, due_at = $4, attempts = $5, error = $6, sealed = $7"
            " WHERE workspace_id = $1 AND id = $2",
            notification.workspace_id,
            notification.id,
            notification.state,
            notification.due_at,
            notification.attempts,
            text_without_nul(notification.error),
            notification.sealed,
        )

    async def next_due_at(self) -> float | None:
        """Say when the next message is due; see `Notifications`."""
        found = await self._sql.row("SELECT min(due_at) AS at FROM control.notifications")
        return None if found is None else found["at"]
