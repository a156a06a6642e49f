"""Webhooks: register addresses, and take calls from outside.

A call is answered after one durable statement: raw request, what the workflow will get, and the ids of the
executions it starts. The inbox starts them afterwards, and the ids make a repeat harmless.

A malformed body is 400 before anything is looked up; an unknown address and a wrong signature are the
same 401.
"""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.activation import Activation, without_secret
from linkflow.control.actor import Actor, Audit
from linkflow.control.arming import Armed, Arming, rules_of
from linkflow.control.intake import Starters
from linkflow.control.plans import Plans
from linkflow.domain.audit import changed
from linkflow.domain.errors import LinkFlowError
from linkflow.domain.signature import Signature, SignatureRefused, verify
from linkflow.domain.values import Json, derived_execution_id, encode_json
from linkflow.domain.webhook import Accepted, Call, accept, read
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records
from linkflow.ports.services import StartedExecution
from linkflow.ports.triggers import Start, TriggerEvent, Webhook

REFUSED_PER_MINUTE = 60


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call.

    Attributes:
        event: The trigger event, durable; None for a challenge.
        is_new: False when the dedup key was taken before.
        challenge: Text to send back instead.
        started: How the execution went, for those who wait.
    """

    armed: Armed
    event: TriggerEvent | None = None
    is_new: bool = True
    challenge: str = ""
    started: StartedExecution | None = None


class Webhooks:
    """Addresses that take calls from outside."""

    def __init__(
        self,
        records: Records,
        activation: Activation,
        arming: Arming,
        inbox: Starters,
        audit: Audit,
        prepared: Prepared,
        clock: Clock,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._plans = plans
        self._records, self._activation, self._arming = records, activation, arming
        self._inbox, self._audit = inbox, audit
        self._prepared, self._clock, self._ids = prepared, clock, ids
        self._refused: deque[float] = deque(maxlen=REFUSED_PER_MINUTE)

    async def register(
        self,
        actor: Actor,
        workflow_id: str,
        *,
        node_id: str = "",
        settings: Mapping[str, Json] | None = None,
        secret: str = "",
    ) -> Webhook:
        """Give a workflow one more address. It takes calls while the workflow is active.

        Raises:
            NotFound: No such workflow.
            Invalid: The settings could never work.
        """
        actor.require("webhook.create")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        await self._plans.room(actor.workspace_id, "webhooks")
        kept, written = without_secret(settings or {})
        rules_of(kept, has_secret=bool(secret or written))
        webhook_id = self._ids.uuid()
        sealed = self._activation.seal(webhook_id, secret or written) if secret or written else b""
        webhook = Webhook(
            id=webhook_id,
            workspace_id=actor.workspace_id,
            workflow_id=workflow_id,
            node_id=node_id,
            settings=kept,
            sealed=sealed,
            is_active=workflow.is_active,
            created_at=self._clock.now(),
        )
        await self._write(actor, webhook, "webhook.create")
        return webhook

    async def _write(
        self, actor: Actor, webhook: Webhook, action: str, before: Webhook | None = None
    ) -> None:
        """Write a webhook, a new one where there was none before, with its audit line."""
        differs = changed(before, webhook) if before else {}
        async with self._records.transaction() as records:
            if before is None:
                await records.webhooks.create(webhook)
            else:
                await records.webhooks.change(webhook)
            await self._audit.note(records.ledger, actor, action, f"webhook:{webhook.id}", **differs)
        self._prepared.drop(f"webhook:{webhook.id}")

    async def list(self, actor: Actor, workflow_id: str = "") -> Sequence[Webhook]:
        """List webhooks, newest first."""
        actor.require("webhook.view")
        return await self._records.webhooks.list(actor.workspace_id, workflow_id)

    async def read(self, actor: Actor, webhook_id: str) -> Webhook:
        """Read a webhook."""
        actor.require("webhook.view")
        return await self._records.webhooks.get(actor.workspace_id, webhook_id)

    async def change(
        self, actor: Actor, webhook_id: str, *, settings: Mapping[str, Json] | None, is_active: bool | None
    ) -> Webhook:
        """Change what a webhook asks of its callers, or whether it takes calls.

        Raises:
            Invalid: The settings could never work; nothing was written.
        """
        actor.require("webhook.update")
        webhook = before = await self._records.webhooks.get(actor.workspace_id, webhook_id)
        if settings is not None:
            kept, secret = without_secret(settings)
            rules_of(kept, has_secret=bool(secret or webhook.sealed))
            sealed = self._activation.seal(webhook.id, secret) if secret else webhook.sealed
            webhook = msgspec.structs.replace(webhook, settings=kept, sealed=sealed)
        if is_active is not None:
            webhook = msgspec.structs.replace(webhook, is_active=is_active)
        await self._write(actor, webhook, "webhook.update", before)
        return webhook

    async def regenerate_secret(self, actor: Actor, webhook_id: str, secret: str = "") -> tuple[Webhook, str]:
        """Replace the signing secret; the new one is shown this once."""
        actor.require("webhook.update")
        before = await self._records.webhooks.get(actor.workspace_id, webhook_id)
        made = secret or f"{self._ids.uuid()}{self._ids.uuid()}".replace("-", "")
        webhook = msgspec.structs.replace(before, sealed=self._activation.seal(before.id, made))
        await self._write(actor, webhook, "webhook.regenerate_secret", before)
        return webhook, made

    async def regenerate_address(self, actor: Actor, webhook_id: str) -> Webhook:
        """Move a webhook to a new address; the old one is unknown from now on."""
        actor.require("webhook.update")
        before = await self._records.webhooks.get(actor.workspace_id, webhook_id)
        moved_to = self._ids.uuid()
        secret = self._arming.secret(before)
        sealed = self._activation.seal(moved_to, secret) if secret else b""
        webhook = msgspec.structs.replace(before, id=moved_to, sealed=sealed)
        async with self._records.transaction() as records:
            await records.webhooks.change(before)  # what was removed meanwhile is not brought back
            await records.webhooks.delete(actor.workspace_id, before.id)
            await records.webhooks.create(webhook)
            await self._audit.note(records.ledger, actor, "webhook.regenerate", f"webhook:{webhook.id}")
        self._prepared.drop(f"webhook:{before.id}")
        return webhook

    async def delete(self, actor: Actor, webhook_id: str) -> None:
        """Remove a webhook."""
        actor.require("webhook.delete")
        await self._records.webhooks.get(actor.workspace_id, webhook_id)
        async with self._records.transaction() as records:
            await records.webhooks.delete(actor.workspace_id, webhook_id)
            await self._audit.note(records.ledger, actor, "webhook.delete", f"webhook:{webhook_id}")
        self._prepared.drop(f"webhook:{webhook_id}")

    async def is_waited_for(self, webhook_id: str) -> bool:
        """Say whether a caller of this webhook waits for the end of what it starts."""
        armed = await self._arming.armed(webhook_id)
        return armed.mode != "immediately" and armed.start is not None

    async def take(self, webhook_id: str, call: Call) -> Taken:
        """Take a call.

        Raises:
            Invalid: The body, the method or the schema is wrong.
            SignatureRefused: No such address, or signed wrongly.
            Overloaded: Too many calls wait already; nothing was kept.
            LimitReached: The plan allows no more; the call is kept as refused.
        """
        trigger = read(call)
        armed = await self._arming.armed(webhook_id)
        now = self._clock.now()
        webhook = armed.webhook
        if webhook is None:
            verify(Signature(), call.headers, call.body, armed.secrets, now)
            raise SignatureRefused("no such webhook")
        try:
            accepted = accept(armed.rules, call, trigger, armed.secrets, now)
            if armed.start is not None and accepted.challenge is None:
                await self._plans.admit(webhook.workspace_id)
        except LinkFlowError as error:
            self._keep_refused(webhook, call, error, now)
            raise
        if accepted.challenge is not None:
            return Taken(armed=armed, challenge=accepted.challenge)
        return await self._keep(armed, webhook, call, accepted, now)

    async def _keep(
        self, armed: Armed, webhook: Webhook, call: Call, accepted: Accepted, now: float
    ) -> Taken:
        """Write the trigger event and hand it to the inbox."""
        event = self._event(webhook, call, now, armed.start)
        event = msgspec.structs.replace(
            event,
            dedup_key=accepted.dedup_key or "",
            data=b"" if armed.rules.mapping is None else encode_json(accepted.trigger),
        )
        kept = await self._records.trigger_events.keep(event, self._inbox.held_s)
        if kept.id != event.id:
            return Taken(armed=armed, event=kept, is_new=False)
        if not event.starts:
            return Taken(armed=armed, event=event)
        if armed.mode == "immediately":
            self._inbox.push(event, accepted.trigger)
            return Taken(armed=armed, event=event)
        started = await self._inbox.start_now(event, accepted.trigger, armed.wait_ms)
        return Taken(armed=armed, event=event, started=started)

    def _event(self, webhook: Webhook, call: Call, now: float, start: Start | None) -> TriggerEvent:
        """Build the trigger event of a call; its executions' ids follow from it."""
        at_ms, event_id = int(now * 1000), self._ids.uuid()
        starts: Sequence[Start] = ()
        if start is not None:
            execution_id = derived_execution_id(at_ms, event_id, start.workflow_id)
            starts = (msgspec.structs.replace(start, execution_id=execution_id),)
        request = {
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "headers": call.headers,
            "ip": call.ip,
        }
        return TriggerEvent(
            id=event_id,
            workspace_id=webhook.workspace_id,
            source_id=webhook.id,
            at_ms=at_ms,
            request=encode_json(request),
            body=call.body,
            state="pending" if starts else "unclaimed",
            reason="" if starts else "The workflow is not active.",
            starts=starts,
        )

    def _keep_refused(self, webhook: Webhook, call: Call, error: LinkFlowError, now: float) -> None:
        """Keep a refused call for people to see, after the caller was answered; only so many a minute."""
        if len(self._refused) == REFUSED_PER_MINUTE and now - self._refused[0] < 60:
            return
        self._refused.append(now)
        reason = getattr(error, "reason", "") or str(error)
        event = self._event(webhook, call, now, None)
        self._inbox.keep_later(
            msgspec.structs.replace(event, state="refused", reason=f"{error.code}: {reason}"[:500])
        )

    async def inbox(
        self, actor: Actor, webhook_id: str = "", state: str = "", after: str = "", limit: int = 20
    ) -> tuple[Sequence[TriggerEvent], str]:
        """List what came in, newest first, and the cursor of the next page."""
        actor.require("webhook.view")
        found = await self._records.trigger_events.list(actor.workspace_id, webhook_id, state, after, limit)
        page = found[:limit]
        return page, page[-1].id if len(found) > limit else ""

    async def inbox_event(self, actor: Actor, event_id: str) -> TriggerEvent:
        """Read one request of the inbox."""
        actor.require("webhook.view")
        return await self._records.trigger_events.get(actor.workspace_id, event_id)

    async def replay(self, actor: Actor, event_id: str) -> Taken:
        """Take a kept request again, as it came, without asking for its signature or its dedup key.

        Raises:
            NotFound: No such request, or its webhook is gone.
            Invalid: The body does not match the schema.
            Conflict: The workflow does not take calls.
        """
        actor.require("webhook.update")
        event = await self._records.trigger_events.get(actor.workspace_id, event_id)
        webhook = await self._records.webhooks.get(actor.workspace_id, event.source_id)
        call = call_of(event)
        armed = await self._arming.armed(webhook.id)
        rules = msgspec.structs.replace(armed.rules, signature=None)
        accepted = accept(rules, call, read(call), (), self._clock.now())
        accepted = msgspec.structs.replace(accepted, dedup_key=None)
        later = msgspec.structs.replace(armed, mode="immediately")
        await self._audit.note(
            self._records.ledger, actor, "inbox.replay", f"event:{event_id}", webhook=webhook.id
        )
        return await self._keep(later, webhook, call, accepted, self._clock.now())


def call_of(event: TriggerEvent) -> Call:
    """Read the call that an event keeps."""
    request = msgspec.json.decode(event.request)
    return Call(
        method=request["method"],
        path=request["path"],
        headers=request["headers"],
        query=request["query"],
        body=event.body,
        ip=request["ip"],
    )
