"""Deliveries: what happens becomes messages to subscriptions, and messages arrive.

    engine.followed (starts, ends) ──┬─▶ alerting
    audit log, from where it was told ┴─▶ control.webhook_deliveries ──▶ POST, signed; again after 1 min … 2 h

Both sources are durable and read again after a crash; the id of a message follows from what happened, so it
is kept once. It may be sent twice, under the same id.
Gathering never waits for sending, and a slow receiver holds at most its own share of what is under way.
What breaks: the receiver (tried five times in two and a half hours, then the subscription is switched off
and owners are told), this process (what it claimed is due again after CLAIM_S), the database (tried again).
"""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from linkflow.control.alerting import Alerting
from linkflow.control.notices import Notices
from linkflow.control.sending import Limits, Sending, quietly
from linkflow.control.subscriptions import TOPIC, secrets_of
from linkflow.domain.audit import AuditLine
from linkflow.domain.errors import LinkFlowError, NotFound
from linkflow.domain.subscription import (
    FROM_AUDIT,
    GONE,
    instant,
    message_headers,
    message_id,
    next_try_s,
    wanted,
)
from linkflow.domain.values import Json, encode_json
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import EventBus
from linkflow.ports.outbound import HttpClient, HttpRequest
from linkflow.ports.records import Records
from linkflow.ports.subscriptions import Delivery, FollowedExecution, FollowedExecutions, Subscription
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import logger

LOG = logger("deliveries")
BATCH = 50
TIMEOUT_S = 15.0
CLAIM_S = 60.0
LOOK_S = 1.0
REST_S = 0.05
LIMITS = Limits(most=128, of_workspace=32, of_place=8)
ANSWER_BYTES = 64 * 1024
LONGEST_ERROR = 500


class Deliveries:
    """Tells subscriptions what happens."""

    def __init__(
        self,
        records: Records,
        followed: FollowedExecutions,
        http: HttpClient,
        box: SecretBox,
        notices: Notices,
        alerting: Alerting,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._records, self._followed, self._alerting = records, followed, alerting
        self._http, self._box, self._notices = http, box, notices
        self._bus, self._clock = bus, clock
        self._sending = Sending(records.subscriptions.claim, self._send, clock, LIMITS, claim_s=CLAIM_S)

    async def run(self) -> None:
        """Gather and send until cancelled."""
        with self._bus.subscribe(TOPIC) as news, self._bus.subscribe(TOPIC) as nudges:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._sending.run(nudges))
                while True:
                    made = await quietly(self.gather)
                    if made:
                        self._sending.wake()
                    await news.nudged(REST_S if made else LOOK_S)

    async def gather(self) -> int:
        """Make messages of what happened since; how many.

        Who asks to be told is read last: whatever happened after somebody had asked is told to them, and
        nobody who begins to follow a workspace meanwhile is forgotten.
        """
        marks = await self._followed.followed()
        happened = await self._followed.pending(BATCH)
        active = await self._records.subscriptions.active()
        workspaces = await self._alerting.workspaces()
        workspaces |= {each.workspace_id for each in active}
        if workspaces - marks.keys():
            await self._followed.follow(sorted(workspaces - marks.keys()))
        if marks.keys() - workspaces:
            await self._followed.unfollow({each: marks[each] for each in marks.keys() - workspaces})
        made = await self._of_executions(active, happened)
        return made + await self._of_audits(
            [each for each in active if any(wanted(each.events, event) for event in FROM_AUDIT.values())]
        )

    async def _of_executions(
        self, active: Sequence[Subscription], happened: Sequence[FollowedExecution]
    ) -> int:
        """Make messages of starts and ends of executions."""
        made = [
            self._message(subscription, f"{each.what} {each.execution_id}", event, _about(each))
            for each in happened
            for subscription, event in _followers(active, each)
        ]
        await self._records.subscriptions.add(made)
        if happened:
            await self._alerting.consider(happened)
            await self._followed.settle(happened)
        return len(happened)

    async def _of_audits(self, following: Sequence[Subscription]) -> int:
        """Make messages of new lines of the audit logs; those without one cost one question together."""
        if not following:
            return 0
        ends = await self._records.audit_log.ends(sorted({each.workspace_id for each in following}))
        behind = [each for each in following if each.audit_number < ends.get(each.workspace_id, 0)]
        return sum([await self._of_audit(each) for each in behind])

    async def _of_audit(self, subscription: Subscription) -> int:
        """Make messages of new lines of the audit log."""
        workspace_id = subscription.workspace_id
        lines = await self._records.audit_log.chain(workspace_id, subscription.audit_number, BATCH)
        made = [
            self._message(subscription, f"line {line.number}", FROM_AUDIT[line.action], _said(line), line.at)
            for line in lines
            if line.action in FROM_AUDIT and wanted(subscription.events, FROM_AUDIT[line.action])
        ]
        await self._records.subscriptions.add(made)
        if lines:
            await self._records.subscriptions.told(workspace_id, subscription.id, lines[-1].number)
        return len(made)

    def _message(
        self, subscription: Subscription, happening: str, event: str, data: Json, at: float | None = None
    ) -> Delivery:
        """Write a message."""
        now = self._clock.now()
        body = {
            "type": event,
            "timestamp": instant(at or now),
            "workspace_id": subscription.workspace_id,
            "data": data,
        }
        return Delivery(
            id=message_id(subscription.id, happening),
            workspace_id=subscription.workspace_id,
            subscription_id=subscription.id,
            event=event,
            body=encode_json(body),
            at=now,
            due_at=now,
        )

    async def send_due(self) -> int:
        """Send messages that are due and have room, and wait for them; how many were."""
        return await self._sending.once()

    async def _send(self, delivery: Delivery) -> None:
        """Try a message once, and write how it went."""
        try:
            subscription = await self._records.subscriptions.get(
                delivery.workspace_id, delivery.subscription_id
            )
            tried = await self._tried(subscription, delivery)
            await self._records.subscriptions.settle(tried)
            if tried.state == "failed":
                await self._switch_off(subscription, tried)
        except NotFound:
            return  # it was removed meanwhile

    async def _tried(self, subscription: Subscription, delivery: Delivery) -> Delivery:
        """Send a message; says how it stands now."""
        began = self._clock.monotonic()
        status, error = 0, ""
        try:
            status = await self._post(subscription, delivery)
            error = "" if 200 <= status < 300 else f"It answered with {status}."
        except LinkFlowError as failure:
            error = f"{failure.code}: {failure}"[:LONGEST_ERROR]
        except Exception:  # it gets its tries like any other, so that it comes to an end
            LOG.exception("not sent", delivery_id=delivery.id)
            error = "internal: something went wrong on our side; the log says more"
        attempts = delivery.attempts + 1
        wait_s = None if not error or status == GONE else next_try_s(attempts)
        return msgspec.structs.replace(
            delivery,
            state="delivered" if not error else "failed" if wait_s is None else "pending",
            due_at=None if wait_s is None else self._clock.now() + wait_s,
            attempts=attempts,
            status=status,
            error=error,
            duration_ms=round(1000 * (self._clock.monotonic() - began)),
        )

    async def _post(self, subscription: Subscription, delivery: Delivery) -> int:
        """Send a message, signed; the status of the answer."""
        now = self._clock.now()
        headers = message_headers(
            secrets_of(self._box, subscription, now), delivery.id, delivery.event, delivery.body, now
        )
        request = HttpRequest(
            method="POST",
            url=subscription.url,
            headers={**headers, "Content-Type": "application/json"},
            body=delivery.body,
            timeout_s=TIMEOUT_S,
            max_bytes=ANSWER_BYTES,
            follow_redirects=False,
        )
        return (await self._http.send(request)).status

    async def _switch_off(self, subscription: Subscription, delivery: Delivery) -> None:
        """Switch off a subscription that nobody answers for, and tell those who run the workspace."""
        reason = (
            "The receiver wants no more messages (410)."
            if delivery.status == GONE
            else f"A message was not taken in {delivery.attempts} tries: {delivery.error}"
        )
        async with self._records.transaction() as records:
            is_new = await records.subscriptions.disable(
                subscription.workspace_id, subscription.id, reason, self._clock.now()
            )
            if is_new:
                await self._notices.write(
                    records,
                    subscription.workspace_id,
                    "A webhook subscription was switched off",
                    f"Messages to {subscription.url} are no longer sent.\n{reason}\n"
                    "Switch it on again once the receiver works; what failed can be replayed.",
                )
        if is_new:
            LOG.warning("switched_off", subscription_id=subscription.id, reason=reason)
            self._notices.nudge()


def _followers(
    active: Sequence[Subscription], happened: FollowedExecution
) -> Iterator[tuple[Subscription, str]]:
    """List who is told of something that happened to an execution, and as which event."""
    event = f"execution.{'started' if happened.what == 'started' else happened.status}"
    for subscription in active:
        if (
            subscription.workspace_id == happened.workspace_id
            and subscription.workflow_id in ("", happened.workflow_id)
            and wanted(subscription.events, event)
        ):
            yield subscription, event


def _about(happened: FollowedExecution) -> Json:
    """Say an execution to others; its data is theirs to ask for."""
    closed_at = happened.closed_at if happened.what == "closed" else None
    return {
        "execution_id": happened.execution_id,
        "workflow_id": happened.workflow_id,
        "trigger_kind": happened.trigger_kind,
        "mode": happened.mode,
        "status": happened.status if happened.what == "closed" else "running",
        "started_at": instant(happened.started_at),
        "closed_at": None if closed_at is None else instant(closed_at),
        "duration_ms": None if closed_at is None else round(1000 * (closed_at - happened.started_at)),
        "error": {"code": happened.error_code, "message": happened.error_text}
        if happened.error_code
        else None,
    }


def _said(line: AuditLine) -> Json:
    """Say a line of the audit log to others: who did it to what."""
    kind, _, resource_id = line.resource.partition(":")
    return {f"{kind}_id": resource_id, "actor_id": line.actor_id}
