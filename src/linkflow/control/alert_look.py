"""What only time shows: rules about what does not move, takes too long, was given up on or used up.

The scheduler's duty `alerts` looks; `alerting.py` tells, once for each thing that is found.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from linkflow.control.alerting import Alerting
from linkflow.domain.alert import Occasion, is_about, span
from linkflow.domain.notification import moment
from linkflow.domain.subscription import instant
from linkflow.domain.values import Json
from linkflow.ports.alerts import Alert, AlertSources, IdleExecution
from linkflow.ports.clock import Clock
from linkflow.ports.records import Records
from linkflow.ports.stores import DeadLetters

MOST = 1000
"""What a rule looks at in one look, the longest unmoved or open first."""

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
            told += await self._alerting.guarded(alert, self._tell(alert))
        return told + await self._alerting.sum_up()

    async def _tell(self, alert: Alert) -> int:
        """Tell of what a rule finds; how many messages were written."""
        return sum([await self._alerting.fire(alert, each) for each in await self._news(alert)])

    async def _news(self, alert: Alert) -> Sequence[Occasion]:
        """Find what a rule is about and did not hear of yet: most looks find what the one before found."""
        found = await self._found(alert)
        if not found:
            return found
        happenings = [each.happening for each in found]
        news = await self._records.alerts.unheard(alert.workspace_id, alert.id, happenings)
        return [each for each in found if each.happening in news]

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
        before = now - (alert.over_s or 0.0)
        idle = await self._sources.idle(alert.workspace_id, alert.workflow_ids, before, MOST)
        names = await self._names(alert.workspace_id, idle)
        return [
            _of_open(
                each,
                happening=f"idle {each.execution_id} {each.since:.3f}",
                title=f"{names[each.workflow_id]} does not move",
                text=f"An execution is {each.status}, and nothing moved it for {span(now - each.since)}.",
                data={"since": instant(each.since)},
            )
            for each in idle
        ]

    async def _slow(self, alert: Alert) -> Sequence[Occasion]:
        """Find open executions that take too long already; they are not told of again at their end."""
        if alert.over_s is None:
            return ()
        now = self._clock.now()
        running = await self._sources.long(alert.workspace_id, alert.workflow_ids, now - alert.over_s, MOST)
        names = await self._names(alert.workspace_id, running)
        return [
            _of_open(
                each,
                happening=f"slow {each.execution_id}",
                title=f"{names[each.workflow_id]} is slow",
                text=f"An execution is {each.status} after {span(now - each.since)}.",
                data={"started_at": instant(each.since), "closed_at": None, "error": None},
            )
            for each in running
        ]

    async def _names(self, workspace_id: str, found: Sequence[IdleExecution]) -> Mapping[str, str]:
        """Say the names of the workflows of executions, by id."""
        ids = {each.workflow_id for each in found}
        return {each: await self._alerting.workflow_name(workspace_id, each) for each in ids}

    async def _given_up(self, alert: Alert) -> Sequence[Occasion]:
        """Find dead letters since the rule is there."""
        since = max(alert.created_at, self._clock.now() - LETTERS_SINCE_S)
        letters_ = await self._dead_letters.list(alert.workspace_id, "", MOST)
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


def _of_open(
    found: IdleExecution, *, happening: str, title: str, text: str, data: Mapping[str, Json]
) -> Occasion:
    """Say an occasion about an open execution."""
    return Occasion(
        happening=happening,
        subject=f"workflow:{found.workflow_id}",
        title=title,
        text=text,
        path=f"/executions/{found.execution_id}",
        data={
            "execution_id": found.execution_id,
            "workflow_id": found.workflow_id,
            "status": found.status,
            **data,
        },
    )
