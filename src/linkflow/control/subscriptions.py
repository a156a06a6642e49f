"""Subscriptions: others ask to be told of what happens; `deliveries.py` tells them."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.plans import Plans
from linkflow.domain.audit import changed
from linkflow.domain.errors import Conflict, Invalid
from linkflow.domain.subscription import TEST, checked_events, checked_url, instant, message_id, secret_of
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus
from linkflow.ports.records import Records
from linkflow.ports.subscriptions import Delivery, FollowedExecutions, Subscription
from linkflow.ports.vault import SecretBox

TOPIC = "deliveries"
MOST = 50
"""Subscriptions of a workspace."""
OLD_SECRET_S = 24 * 3600.0
"""How long the secret before still signs too."""


def place_of(subscription_id: str) -> str:
    """What the sealed secrets of a subscription belong to."""
    return f"subscription:{subscription_id}"


def secrets_of(box: SecretBox, subscription: Subscription, now: float) -> Sequence[str]:
    """Open the secrets that are good now, the newest first."""
    kept = decode_json(box.open(subscription.sealed, place_of(subscription.id)))
    return [secret for secret, until in kept if until is None or until > now]


class Subscriptions:
    """Who outside is told of what."""

    def __init__(
        self,
        records: Records,
        followed: FollowedExecutions,
        box: SecretBox,
        audit: Audit,
        bus: EventBus,
        clock: Clock,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._plans = plans
        self._records, self._followed, self._box = records, followed, box
        self._audit, self._bus, self._clock, self._ids = audit, bus, clock, ids

    async def create(
        self, actor: Actor, url: str, events: Sequence[str], *, description: str = "", workflow_id: str = ""
    ) -> tuple[Subscription, str]:
        """Tell an address of events from now on; also returns the secret, which is shown this once.

        Raises:
            Invalid: `subscription.url`, `subscription.events`, `subscription.too_many`.
            NotFound: No such workflow.
            FeatureMissing: The plan does not include it.
        """
        actor.require("webhook.create")
        await self._plans.include(actor.workspace_id, "webhook_subscriptions")
        if workflow_id:
            await self._records.workflows.get(actor.workspace_id, workflow_id)
        if len(await self._records.subscriptions.list(actor.workspace_id)) >= MOST:
            raise Invalid(f"A workspace has at most {MOST} subscriptions.", code="subscription.too_many")
        subscription_id, now, secret = self._ids.uuid(), self._clock.now(), self._secret()
        head = await self._records.audit_log.head(actor.workspace_id)
        subscription = Subscription(
            id=subscription_id,
            workspace_id=actor.workspace_id,
            url=checked_url(url),
            events=checked_events(events),
            description=description,
            workflow_id=workflow_id,
            sealed=self._sealed(subscription_id, [(secret, None)]),
            audit_number=head.number,
            created_by=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        await self._write(actor, subscription, "subscription.create")
        return subscription, secret

    def _secret(self) -> str:
        """Make up a secret of 32 bytes."""
        return secret_of(bytes.fromhex(f"{self._ids.uuid()}{self._ids.uuid()}".replace("-", "")))

    def _sealed(self, subscription_id: str, secrets: Sequence[tuple[str, float | None]]) -> bytes:
        """Seal secrets."""
        return self._box.seal(encode_json([list(each) for each in secrets]), place_of(subscription_id))

    async def _write(
        self, actor: Actor, subscription: Subscription, action: str, before: Subscription | None = None
    ) -> None:
        """Write a subscription with its audit line; one that is on is told of what happens from then on."""
        if subscription.is_active:
            await self._followed.follow([subscription.workspace_id])
        async with self._records.transaction() as records:
            if before is None:
                said: Mapping[str, Json] = {"url": subscription.url}
                await records.subscriptions.create(subscription)
            else:
                said = changed(before, subscription)
                await records.subscriptions.change(subscription)
            await self._audit.note(records.ledger, actor, action, f"subscription:{subscription.id}", **said)
        if subscription.is_active:  # now that others see it, nobody forgets the workspace any more
            await self._followed.follow([subscription.workspace_id])
        self._bus.publish(TOPIC)

    async def list(self, actor: Actor) -> Sequence[Subscription]:
        """List subscriptions, newest first."""
        actor.require("webhook.view")
        return await self._records.subscriptions.list(actor.workspace_id)

    async def read(self, actor: Actor, subscription_id: str) -> Subscription:
        """Read a subscription."""
        actor.require("webhook.view")
        return await self._records.subscriptions.get(actor.workspace_id, subscription_id)

    async def change(
        self,
        actor: Actor,
        subscription_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        is_active: bool | None = None,
    ) -> Subscription:
        """Change a subscription; None keeps what it is. Switched on again, it is told from then on.

        Raises:
            Invalid: `subscription.url`, `subscription.events`.
        """
        actor.require("webhook.update")
        before = await self._records.subscriptions.get(actor.workspace_id, subscription_id)
        after = msgspec.structs.replace(
            before,
            url=before.url if url is None else checked_url(url),
            events=before.events if events is None else checked_events(events),
            description=before.description if description is None else description,
            is_active=before.is_active if is_active is None else is_active,
            updated_at=self._clock.now(),
        )
        if after.is_active and not before.is_active:
            head = await self._records.audit_log.head(actor.workspace_id)
            after = msgspec.structs.replace(after, disabled_reason="", audit_number=head.number)
        await self._write(actor, after, "subscription.update", before)
        return after

    async def rotate_secret(self, actor: Actor, subscription_id: str) -> tuple[Subscription, str]:
        """Replace the secret; the one before signs too for a day. The new one is shown this once."""
        actor.require("webhook.update")
        found = await self._records.subscriptions.get(actor.workspace_id, subscription_id)
        now, secret = self._clock.now(), self._secret()
        older = secrets_of(self._box, found, now)[:1]
        sealed = self._sealed(found.id, [(secret, None), *((each, now + OLD_SECRET_S) for each in older)])
        rotated = msgspec.structs.replace(found, sealed=sealed, updated_at=now)
        await self._write(actor, rotated, "subscription.rotate_secret", found)
        return rotated, secret

    async def delete(self, actor: Actor, subscription_id: str) -> None:
        """Remove a subscription with what waits for it."""
        actor.require("webhook.delete")
        await self._records.subscriptions.get(actor.workspace_id, subscription_id)
        async with self._records.transaction() as records:
            await records.subscriptions.delete(actor.workspace_id, subscription_id)
            await self._audit.note(
                records.ledger, actor, "subscription.delete", f"subscription:{subscription_id}"
            )

    async def test(self, actor: Actor, subscription_id: str) -> Delivery:
        """Send a message that says that it is a test.

        Raises:
            Conflict: `subscription.off`: it is switched off.
        """
        actor.require("webhook.update")
        found = await self._on(actor, subscription_id)
        now = self._clock.now()
        delivery = Delivery(
            id=message_id(found.id, self._ids.uuid()),
            workspace_id=found.workspace_id,
            subscription_id=found.id,
            event=TEST,
            body=encode_json(
                {"type": TEST, "timestamp": instant(now), "workspace_id": found.workspace_id, "data": {}}
            ),
            at=now,
            due_at=now,
        )
        await self._records.subscriptions.add([delivery])
        self._bus.publish(TOPIC)
        return delivery

    async def _on(self, actor: Actor, subscription_id: str) -> Subscription:
        """Read a subscription that is switched on."""
        found = await self._records.subscriptions.get(actor.workspace_id, subscription_id)
        if not found.is_active:
            raise Conflict("This subscription is switched off; switch it on first.", code="subscription.off")
        return found

    async def deliveries(
        self, actor: Actor, subscription_id: str, state: str, before: float | None, limit: int
    ) -> Sequence[Delivery]:
        """List the messages to a subscription, newest first."""
        actor.require("webhook.view")
        await self._records.subscriptions.get(actor.workspace_id, subscription_id)
        return await self._records.subscriptions.deliveries(
            actor.workspace_id, subscription_id, state, before, limit
        )

    async def replay(self, actor: Actor, subscription_id: str, delivery_id: str) -> Delivery:
        """Send a message once more, under the same id; it gets all its tries again.

        Raises:
            NotFound: No such message to this subscription.
            Conflict: `subscription.off`: it is switched off.
        """
        actor.require("webhook.update")
        await self._on(actor, subscription_id)
        found = await self._records.subscriptions.delivery(actor.workspace_id, delivery_id)
        if found.subscription_id != subscription_id:
            found = await self._records.subscriptions.delivery(actor.workspace_id, "")
        again = msgspec.structs.replace(found, state="pending", due_at=self._clock.now(), attempts=0)
        async with self._records.transaction() as records:
            await records.subscriptions.settle(again)
            await self._audit.note(
                records.ledger, actor, "subscription.replay", f"subscription:{subscription_id}",
                delivery=delivery_id,
            )  # fmt: skip
        self._bus.publish(TOPIC)
        return again
