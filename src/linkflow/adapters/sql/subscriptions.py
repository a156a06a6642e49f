"""Subscriptions and messages in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.claiming import claim_arguments, claiming
from linkflow.adapters.sql.database import text_without_nul
from linkflow.adapters.sql.owned import Owned
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.ports.sending import Room
from linkflow.ports.subscriptions import Delivery, Subscription

SUBSCRIPTIONS = Table("control.webhook_subscriptions", Subscription)
DELIVERIES = Table("control.webhook_deliveries", Delivery)
DUE = """
SELECT d.id, s.workspace_id, s.id AS place, d.due_at FROM control.webhook_subscriptions s
CROSS JOIN LATERAL (
  SELECT id, due_at FROM control.webhook_deliveries
  WHERE subscription_id = s.id AND due_at <= $1 ORDER BY due_at LIMIT $4) d
WHERE s.is_active"""
CLAIM = claiming(DELIVERIES, DUE)
_subscription = SUBSCRIPTIONS.reader(Subscription)
_delivery = DELIVERIES.reader(Delivery)


class SqlSubscriptions:
    """Subscriptions and messages on two tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._owned = Owned(statements, SUBSCRIPTIONS, Subscription, "subscription")
        self._messages = Owned(statements, DELIVERIES, Delivery, "delivery")

    async def create(self, subscription: Subscription) -> None:
        """Keep a new subscription."""
        await self._sql.of(subscription.workspace_id).run(
            SUBSCRIPTIONS.insert, *SUBSCRIPTIONS.values(subscription)
        )

    async def change(self, subscription: Subscription) -> None:
        """Replace a subscription."""
        await self._owned.change(subscription, grows=("audit_number",))

    async def get(self, workspace_id: str, subscription_id: str) -> Subscription:
        """Read a subscription."""
        return await self._owned.get(workspace_id, subscription_id)

    async def list(self, workspace_id: str) -> Sequence[Subscription]:
        """List subscriptions, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{SUBSCRIPTIONS.select} WHERE workspace_id = $1 ORDER BY created_at DESC, id LIMIT 1000",
            workspace_id,
        )
        return [_subscription(row) for row in found]

    async def delete(self, workspace_id: str, subscription_id: str) -> None:
        """Remove a subscription with its messages."""
        await self._owned.delete(workspace_id, subscription_id)

    async def active(self) -> Sequence[Subscription]:
        """List the active subscriptions of every workspace."""
        found = await self._sql.rows(f"{SUBSCRIPTIONS.select} WHERE is_active LIMIT 100000")
        return [_subscription(row) for row in found]

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Keep messages that are not known."""
        for delivery in deliveries:
            await self._sql.of(delivery.workspace_id).run(
                f"{DELIVERIES.insert} ON CONFLICT (id) DO NOTHING", *DELIVERIES.values(delivery)
            )

    async def told(self, workspace_id: str, subscription_id: str, audit_number: int) -> None:
        """Note up to where a subscription was told."""
        await self._sql.of(workspace_id).run(
            "UPDATE control.webhook_subscriptions SET audit_number = greatest(audit_number, $3)"
            " WHERE workspace_id = $1 AND id = $2",
            workspace_id,
            subscription_id,
            audit_number,
        )

    async def deliveries(
        self, workspace_id: str, subscription_id: str, state: str, before: float | None, limit: int
    ) -> Sequence[Delivery]:
        """List messages, newest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{DELIVERIES.select} WHERE workspace_id = $1 AND subscription_id = $2"
            " AND $3 IN ('', state) AND ($4::float8 IS NULL OR at < $4) ORDER BY at DESC, id LIMIT $5",
            workspace_id,
            subscription_id,
            state,
            before,
            limit,
        )
        return [_delivery(row) for row in found]

    async def delivery(self, workspace_id: str, delivery_id: str) -> Delivery:
        """Read a message."""
        return await self._messages.get(workspace_id, delivery_id)

    async def claim(self, now: float, until: float, room: Room) -> Sequence[Delivery]:
        """Take messages that are due."""
        found = await self._sql.rows(CLAIM, *claim_arguments(now, until, room))
        return sorted((_delivery(row) for row in found), key=lambda each: each.at)

    async def settle(self, delivery: Delivery) -> None:
        """Write how a message stands."""
        await self._sql.of(delivery.workspace_id).run(
            "UPDATE control.webhook_deliveries SET state = $3, due_at = $4, attempts = $5, status = $6,"
            " error = $7, duration_ms = $8 WHERE workspace_id = $1 AND id = $2",
            delivery.workspace_id,
            delivery.id,
            delivery.state,
            delivery.due_at,
            delivery.attempts,
            delivery.status,
            text_without_nul(delivery.error),
            delivery.duration_ms,
        )

    async def disable(self, workspace_id: str, subscription_id: str, reason: str, at: float) -> bool:
        """Switch a subscription off; what waits for it has failed."""
        await self._sql.of(workspace_id).run(
            "UPDATE control.webhook_deliveries SET state = 'failed', due_at = NULL,"
            " error = CASE error WHEN '' THEN 'The subscription was switched off.' ELSE error END"
            " WHERE workspace_id = $1 AND subscription_id = $2 AND state = 'pending'",
            workspace_id,
            subscription_id,
        )
        done = await self._sql.of(workspace_id).run(
            "UPDATE control.webhook_subscriptions SET is_active = false, disabled_reason = $3,"
            " updated_at = $4 WHERE workspace_id = $1 AND id = $2 AND is_active",
            workspace_id,
            subscription_id,
            text_without_nul(reason),
            at,
        )
        return done == 1
