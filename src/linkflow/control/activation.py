"""Triggers of active workflows: each trigger node has its webhook or schedule, kept over every publishing."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from linkflow.domain import schedule as times
from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json, encode_json
from linkflow.domain.workflow.spec import Node, WorkflowSpec
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import EventBus, Prepared
from linkflow.ports.records import Records, Workflow
from linkflow.ports.triggers import Schedule, Webhook
from linkflow.ports.vault import SecretBox

SECRET_FIELDS = ("secret", "signatureSecret", "signature_secret")


def canonical_type(catalog: Catalog, node: Node) -> str:
    """Say the canonical name of a node's type; its own spelling when the catalogue does not know it."""
    found = catalog.find(node.type)
    return found.type if found else node.type


class Activation:
    """Registers what the trigger nodes of a workflow need."""

    def __init__(
        self, catalog: Catalog, box: SecretBox, prepared: Prepared, bus: EventBus, clock: Clock, ids: IdSource
    ) -> None:
        self._catalog, self._box, self._prepared = catalog, box, prepared
        self._bus, self._clock, self._ids = bus, clock, ids
        self._touched: set[str] = set()

    def nudge(self) -> None:
        """Let everybody look at triggers again, once what was registered is durable."""
        for webhook_id in self._touched:
            self._prepared.drop(f"webhook:{webhook_id}")
        self._touched.clear()
        self._bus.publish("schedules")

    async def register(self, records: Records, workflow: Workflow, spec: WorkflowSpec) -> None:
        """Bring webhooks and schedules in step with the trigger nodes. Safe to repeat."""
        webhooks, schedules = {}, {}
        for node in spec.every_node():
            if node.disabled:
                continue
            match canonical_type(self._catalog, node):
                case "trigger.webhook":
                    webhooks[node.id] = node
                case "trigger.schedule":
                    schedules[node.id] = node
        await self._keep_webhooks(records, workflow, webhooks)
        await self._keep_schedules(records, workflow, spec, schedules)

    async def unregister(self, records: Records, workflow: Workflow, *, for_good: bool) -> None:
        """Let the triggers rest; `for_good` removes them, else their addresses stay the same."""
        for webhook in await records.webhooks.list(workflow.workspace_id, workflow.id):
            self._touched.add(webhook.id)
            if for_good:
                await records.webhooks.delete(workflow.workspace_id, webhook.id)
            else:
                await self._change(records, msgspec.structs.replace(webhook, is_active=False))
        for schedule in await records.schedules.list(workflow.workspace_id, workflow.id):
            if for_good or schedule.source == "workflow":
                await records.schedules.delete(workflow.workspace_id, schedule.id)

    async def _keep_webhooks(self, records: Records, workflow: Workflow, wanted: Mapping[str, Node]) -> None:
        """One webhook per webhook trigger; those of nodes that are gone take no calls any more."""
        known = await records.webhooks.list(workflow.workspace_id, workflow.id)
        of_node = {webhook.node_id: webhook for webhook in reversed(known) if webhook.source == "workflow"}
        for node_id, node in wanted.items():
            settings, secret = without_secret(node.config)
            known_before = of_node.pop(node_id, None)
            found = known_before or Webhook(
                id=self._ids.uuid(),
                workspace_id=workflow.workspace_id,
                workflow_id=workflow.id,
                node_id=node_id,
                source="workflow",
                created_at=self._clock.now(),
            )
            sealed = self.seal(found.id, secret) if secret else found.sealed
            webhook = msgspec.structs.replace(found, settings=settings, sealed=sealed, is_active=True)
            if known_before:
                await self._change(records, webhook)
            else:
                await records.webhooks.create(webhook)
                self._touched.add(webhook.id)
        for gone in of_node.values():
            await self._change(records, msgspec.structs.replace(gone, is_active=False))
        for webhook in known:
            if webhook.source == "api":
                await self._change(records, msgspec.structs.replace(webhook, is_active=True))

    async def _change(self, records: Records, webhook: Webhook) -> None:
        """Change a webhook unless it was removed meanwhile; `nudge` lets everybody look at it again."""
        with suppress(NotFound):
            await records.webhooks.change(webhook)
        self._touched.add(webhook.id)

    def seal(self, webhook_id: str, secret: str) -> bytes:
        """Seal the signing secret of a webhook."""
        return self._box.seal(secret.encode(), f"webhook:{webhook_id}")

    async def _keep_schedules(
        self, records: Records, workflow: Workflow, spec: WorkflowSpec, wanted: Mapping[str, Node]
    ) -> None:
        """One schedule per schedule trigger; a changed rule begins anew, an unchanged one keeps its place."""
        known = await records.schedules.list(workflow.workspace_id, workflow.id)
        of_node = {schedule.node_id: schedule for schedule in known if schedule.source == "workflow"}
        for node_id, node in wanted.items():
            before = of_node.pop(node_id, None)
            timezone = str(node.config.get("timezone") or spec.settings.timezone or "UTC")
            rule = dict(node.config)
            if before and (encode_json(before.rule), before.timezone) == (encode_json(rule), timezone):
                continue
            if before:
                await records.schedules.delete(workflow.workspace_id, before.id)
            await records.schedules.create(self.schedule(workflow, node, rule, timezone))
        for gone in of_node.values():
            await records.schedules.delete(workflow.workspace_id, gone.id)

    def schedule(self, workflow: Workflow, node: Node, rule: Mapping[str, Any], timezone: str) -> Schedule:
        """Build the schedule of a trigger node; one that cannot be read is disabled with the reason."""
        now = self._clock.now()
        schedule = Schedule(
            id=self._ids.uuid(),
            workspace_id=workflow.workspace_id,
            workflow_id=workflow.id,
            node_id=node.id,
            name=node.label or workflow.name,
            rule=rule,
            timezone=timezone,
            misfire="skip" if rule.get("skipMissed") else str(rule.get("misfire") or "once"),
            input=rule.get("input"),
            source="workflow",
            created_at=now,
        )
        return placed(schedule, now)


def times_of(schedule: Schedule) -> times.Schedule:
    """Read when a schedule fires out of what its trigger's config says.

    Raises:
        Invalid: `schedule.invalid`: it can never fire; says what to write.
    """
    rule = schedule.rule
    found = times.Schedule(
        cron=str(rule.get("cron") or rule.get("cronExpression") or rule.get("cron_expression") or ""),
        interval_s=_number(rule.get("interval_s") or rule.get("interval") or 0),
        timezone=schedule.timezone,
        misfire=times.Misfire(schedule.misfire),
        starts_at=_instant(rule.get("start_at") or rule.get("startDate") or rule.get("start_date")),
        ends_at=_instant(rule.get("end_at") or rule.get("endDate") or rule.get("end_date")),
        anchor=schedule.created_at,
    )
    times.check_schedule(found)
    return found


def _number(value: Json) -> float:
    """Read a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise Invalid("An interval is a number of seconds.", code="schedule.invalid")


def _instant(value: Json) -> float | None:
    """Read an instant in RFC 3339, or in seconds since 1970."""
    if value is None or isinstance(value, int | float):
        return value
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(
            f"{str(value)[:40]!r} is not an instant such as 2030-01-31T09:00:00Z.", code="schedule.invalid"
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def placed(schedule: Schedule, now: float) -> Schedule:
    """Set the next time of a schedule, or say why there is none."""
    try:
        return msgspec.structs.replace(
            schedule, next_at=times.next_fire(times_of(schedule), now), disabled_reason=""
        )
    except (Invalid, ValueError) as error:
        return msgspec.structs.replace(schedule, next_at=None, disabled_reason=str(error))


def without_secret(config: Mapping[str, Json]) -> tuple[Mapping[str, Json], str]:
    """Take the signing secret out of a webhook's settings: it is kept sealed."""
    found = [str(config[name]) for name in SECRET_FIELDS if config.get(name)]
    settings = {key: value for key, value in config.items() if key not in SECRET_FIELDS}
    signature = settings.get("signature")
    if isinstance(signature, Mapping) and signature.get("secret"):
        found.append(str(signature["secret"]))
        settings["signature"] = {key: value for key, value in signature.items() if key != "secret"}
    return settings, found[-1] if found else ""
