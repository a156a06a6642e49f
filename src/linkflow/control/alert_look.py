"""What only time shows: rules about what does not move, takes too long, was given up on or used up.

The scheduler's duty `alerts` looks; `alerting.py` tells, once for each thing that is found.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from linkflow.control.alerting import Alerting
from linkflow.domain.alert import Occasion, is_about, span
from linkflow.domain.errors import Unavailable
from linkflow.domain.notification import moment
from linkflow.domain.subscription import instant
from linkflow.ports.alerts import Alert, AlertSources
from linkflow.ports.clock import Clock
from linkflow.ports.records import Records
from linkflow.ports.stores import DeadLetters
from linkflow.telemetry import logger

LOG = logger("alerting")
BATCH = 100
LETTERS_SINCE_S = 24 * 3600.0


class AlertLook:
    """Looks for what time-based rules are about."""

    def __init__(
        self,
        records: Records,
        alerting: Alerting,
        sources: AlertSources,
        dead_letters: DeadLetters,
        clock: Clock,
    ) -> None:
        self._records, self._alerting, self._sources = records, alerting, sources
        self._dead_letters, self._clock = dead_letters, clock

    async def look(self) -> int:
        """Look, and sum up what was missed; how many messages were written. Safe to repeat."""
        told = 0
        for alert in await self._records.alerts.active():
            try:
                for occasion in await self._found(alert):
                    told += await self._alerting.fire(alert, occasion)
            except Unavailable:
                raise
            except Exception:  # a bug with one rule must not silence the others
                LOG.exception("not looked for", alert_id=alert.id, kind=alert.kind)
        return told + await self._alerting.sum_up()

    async def _found(self, alert: Alert) -> Sequence[Occasion]:
        """Find what a rule is about."""
        match alert.kind:
            case "stuck":
                return await self._stuck(alert)
            case "slow":
                return await self._slow(alert)
            case "dead_letter":
                return await self._given_up(alert)
            case "quota" | "budget":
                return await self._used(alert)
            case "schedule":
                return await self._unfired(alert)
        return ()

    async def _stuck(self, alert: Alert) -> Sequence[Occasion]:
        """Find executions that nothing moved."""
        now = self._clock.now()
        idle = await self._sources.idle(
            alert.workspace_id, alert.workflow_ids, now - (alert.over_s or 0.0), BATCH
        )
        found = []
        for each in idle:
            name = await self._alerting.workflow_name(alert.workspace_id, each.workflow_id)
            found.append(
                Occasion(
                    happening=f"idle {each.execution_id} {each.since:.3f}",
                    subject=f"workflow:{each.workflow_id}",
                    title=f"{name} does not move",
                    text=f"An execution is {each.status}, and nothing moved it for {span(now - each.since)}.",
                    path=f"/executions/{each.execution_id}",
                    data={
                        "execution_id": each.execution_id,
                        "workflow_id": each.workflow_id,
                        "status": each.status,
                        "since": instant(each.since),
                    },
                )
            )
        return found

    async def _slow(self, alert: Alert) -> Sequence[Occasion]:
        """Find open executions that take too long already; they are not told of again at their end."""
        if alert.over_s is None:
            return ()
        now = self._clock.now()
        running = await self._sources.long(alert.workspace_id, alert.workflow_ids, now - alert.over_s, BATCH)
        found = []
        for each in running:
            name = await self._alerting.workflow_name(alert.workspace_id, each.workflow_id)
            found.append(
                Occasion(
                    happening=f"slow {each.execution_id}",
                    subject=f"workflow:{each.workflow_id}",
                    title=f"{name} is slow",
                    text=f"An execution is {each.status} after {span(now - each.since)}.",
                    path=f"/executions/{each.execution_id}",
                    data={
                        "execution_id": each.execution_id,
                        "workflow_id": each.workflow_id,
                        "status": each.status,
                        "started_at": instant(each.since),
                        "closed_at": None,
                        "error": None,
                    },
                )
            )
        return found

    async def _given_up(self, alert: Alert) -> Sequence[Occasion]:
        """Find dead letters since the rule is there."""
        since = max(alert.created_at, self._clock.now() - LETTERS_SINCE_S)
        letters_ = await self._dead_letters.list(alert.workspace_id, "", BATCH)
        return [
            Occasion(
                happening=f"letter {each.id}",
                subject=f"dead letters of kind {each.kind}",
                title="Work was given up on",
                text=f"{each.kind}: {each.reason}",
                path="/dead-letters",
                data={"letter_id": each.id, "kind": each.kind, "execution_id": each.execution_id},
            )
            for each in letters_
            if each.at >= since
        ]

    async def _used(self, alert: Alert) -> Sequence[Occasion]:
        """Find the steps of plan or budgets that were reached this month."""
        month = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m")
        is_budget = alert.kind == "budget"
        return [
            Occasion(
                happening=f"{step.meter} {step.period} {step.percent}",
                subject=f"{step.meter} {step.period} {step.percent}",
                title=f"{step.percent} % of {'a budget' if is_budget else 'the plan'} is used",
                text=f"{step.meter.replace('_', ' ')} reached {step.percent} % in {step.period}.",
                path="/admin/usage",
                data={"meter": step.meter, "period": step.period, "percent": step.percent},
            )
            for step in await self._records.alerts.usage_steps(alert.workspace_id, month)
            if step.percent >= (alert.percent or 0) and step.meter.startswith("budget.") == is_budget
        ]

    async def _unfired(self, alert: Alert) -> Sequence[Occasion]:
        """Find schedules that are overdue or switched off by themselves."""
        found, limit = [], self._clock.now() - (alert.over_s or 0.0)
        for each in await self._records.schedules.list(alert.workspace_id):
            if each.is_paused or not is_about(alert.rule, each.workflow_id):
                continue
            is_late = each.next_at is not None and each.next_at < limit
            if not is_late and not each.disabled_reason:
                continue
            what = each.disabled_reason or f"It was due at {moment(each.next_at or 0.0)} and did not fire."
            found.append(
                Occasion(
                    happening=f"schedule {each.id} {each.disabled_reason or each.next_at}"[:500],
                    subject=f"schedule:{each.id}",
                    title=f"The schedule “{each.name}” does not fire",
                    text=what,
                    path="/triggers",
                    data={"schedule_id": each.id, "workflow_id": each.workflow_id, "reason": what},
                )
            )
        return found
