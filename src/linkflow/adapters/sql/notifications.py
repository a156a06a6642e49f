"""Notifications in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.claiming import LOOKED_AT, claim_arguments, claiming
from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.notifications import Notification
from linkflow.ports.sending import Room

NOTIFICATIONS = Table("control.notifications", Notification)
PLACE = "CASE kind WHEN 'email' THEN receiver ELSE workspace_id || ' ' || kind || ' ' || receiver END"
DUE = f"""
SELECT id, workspace_id, {PLACE} AS place, due_at FROM control.notifications
WHERE due_at <= $1 AND (kind = 'email') = $10
AND {PLACE} <> ALL (SELECT name FROM unnest($6::text[], $7::int[]) AS b (name, n) WHERE n >= $4)
AND workspace_id <> ALL (SELECT name FROM unnest($8::text[], $9::int[]) AS b (name, n) WHERE n >= $5)
ORDER BY due_at LIMIT {LOOKED_AT}"""
CLAIM = claiming(NOTIFICATIONS, DUE)
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

    async def claim(self, now: float, until: float, room: Room, *, is_mail: bool) -> Sequence[Notification]:
        """Take messages that are due; see `Notifications`."""
        found = await self._sql.rows(CLAIM, *claim_arguments(now, until, room), is_mail)
        return sorted((_notification(row) for row in found), key=lambda each: each.at)

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
