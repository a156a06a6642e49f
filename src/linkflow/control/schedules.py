"""Schedules: rules that start executions as time passes. The scheduler's leader fires them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from linkflow.control.activation import Activation, placed, times_of
from linkflow.control.actor import Actor, Audit
from linkflow.control.executables import Executables
from linkflow.control.executions import Executions
from linkflow.control.plans import Plans
from linkflow.domain import schedule as times
from linkflow.domain.audit import changed
from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import Records
from linkflow.ports.services import StartedExecution
from linkflow.ports.triggers import Schedule

MISFIRES = ("skip", "once", "all")


class Schedules:
    """What people do with schedules, and what the scheduler does with a due one."""

    def __init__(
        self,
        records: Records,
        executables: Executables,
        executions: Executions,
        activation: Activation,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
        plans: Plans,
    ) -> None:
        self._plans = plans
        self._records, self._executables, self._executions = records, executables, executions
        self._activation, self._audit = activation, audit
        self._clock, self._ids = clock, ids

    async def create(
        self,
        actor: Actor,
        workflow_id: str,
        *,
        name: str,
        rule: Mapping[str, Json],
        timezone: str = "UTC",
        misfire: str = "once",
        data: Json = None,
        is_paused: bool = False,
    ) -> Schedule:
        """Let a workflow start as time passes.

        Raises:
            NotFound: No such workflow.
            Invalid: `schedule.invalid`: the rule can never fire.
            LimitReached: The plan has no room for one more.
        """
        actor.require("schedule.create")
        workflow = await self._records.workflows.get(actor.workspace_id, workflow_id)
        if misfire not in MISFIRES:
            raise Invalid(f"A misfire policy is one of {', '.join(MISFIRES)}.", code="schedule.invalid")
        now = self._clock.now()
        schedule = Schedule(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            workflow_id=workflow_id,
            name=name or workflow.name,
            rule=rule,
            timezone=timezone,
            misfire=misfire,
            input=data,
            is_paused=is_paused,
            created_at=now,
        )
        times_of(schedule)
        await self._plans.room(actor.workspace_id, "schedules")
        return await self._write(actor, placed(schedule, now), "schedule.create")

    async def _write(
        self, actor: Actor, schedule: Schedule, action: str, before: Schedule | None = None
    ) -> Schedule:
        """Write a schedule, a new one where there was none before, with its audit line."""
        differs = changed(before, schedule) if before else {}
        async with self._records.transaction() as records:
            if before is None:
                await records.schedules.create(schedule)
            else:
                await records.schedules.change(schedule)
            await self._audit.note(records.ledger, actor, action, f"schedule:{schedule.id}", **differs)
        self._activation.nudge()
        return schedule

    async def list(self, actor: Actor, workflow_id: str = "") -> Sequence[Schedule]:
        """List schedules, newest first."""
        actor.require("schedule.view")
        return await self._records.schedules.list(actor.workspace_id, workflow_id)

    async def read(self, actor: Actor, schedule_id: str) -> Schedule:
        """Read a schedule."""
        actor.require("schedule.view")
        return await self._records.schedules.get(actor.workspace_id, schedule_id)

    async def change(
        self,
        actor: Actor,
        schedule_id: str,
        *,
        name: str | None = None,
        rule: Mapping[str, Json] | None = None,
        timezone: str | None = None,
        misfire: str | None = None,
        data: Json = None,
        has_data: bool = False,
    ) -> Schedule:
        """Change a schedule; its next time is found anew.

        Raises:
            Invalid: `schedule.invalid`: the rule can never fire; nothing was written.
        """
        actor.require("schedule.update")
        before = await self._records.schedules.get(actor.workspace_id, schedule_id)
        after = msgspec.structs.replace(
            before,
            name=before.name if name is None else name,
            rule=before.rule if rule is None else rule,
            timezone=before.timezone if timezone is None else timezone,
            misfire=before.misfire if misfire is None else misfire,
            input=data if has_data else before.input,
        )
        if after.misfire not in MISFIRES:
            raise Invalid(f"A misfire policy is one of {', '.join(MISFIRES)}.", code="schedule.invalid")
        times_of(after)
        return await self._write(actor, placed(after, self._clock.now()), "schedule.update", before)

    async def pause(self, actor: Actor, schedule_id: str) -> Schedule:
        """Let a schedule rest. Safe to repeat."""
        actor.require("schedule.update")
        before = await self._records.schedules.get(actor.workspace_id, schedule_id)
        return await self._write(
            actor, msgspec.structs.replace(before, is_paused=True), "schedule.pause", before
        )

    async def resume(self, actor: Actor, schedule_id: str) -> Schedule:
        """Let a schedule fire again, from now on: what it missed while it rested is not made up for."""
        actor.require("schedule.update")
        before = await self._records.schedules.get(actor.workspace_id, schedule_id)
        after = msgspec.structs.replace(before, is_paused=False)
        return await self._write(actor, placed(after, self._clock.now()), "schedule.resume", before)

    async def delete(self, actor: Actor, schedule_id: str) -> None:
        """Remove a schedule."""
        actor.require("schedule.delete")
        await self._records.schedules.get(actor.workspace_id, schedule_id)
        async with self._records.transaction() as records:
            await records.schedules.delete(actor.workspace_id, schedule_id)
            await self._audit.note(records.ledger, actor, "schedule.delete", f"schedule:{schedule_id}")

    async def fire(self, schedule: Schedule, now: float) -> Sequence[StartedExecution]:
        """Fire whatever a due schedule owes, and move it on. Safe to repeat: a nominal time starts once.

        Raises:
            Unavailable: Something did not answer; what was fired stays, the rest follows at the next try.
        """
        started: Sequence[StartedExecution] = ()
        try:
            rule = times_of(schedule)
            published = await self._executables.published(schedule.workspace_id, schedule.workflow_id)
            owed = times.due(rule, (schedule.next_at or now) - 0.001, now)
            most = schedule.rule.get("max_executions") or schedule.rule.get("maxExecutions")
            if isinstance(most, int):
                owed = owed[: max(0, most - schedule.runs)]
            started = [
                await self._executions.launch(
                    published,
                    kind="schedule",
                    trigger=schedule.node_id,
                    data=_payload(schedule, nominal, now),
                    request_id=f"schedule:{schedule.id}:{nominal:.3f}",
                )
                for nominal in owed
            ]
            after = msgspec.structs.replace(
                schedule,
                next_at=times.next_fire(rule, now),
                last_at=owed[-1] if owed else schedule.last_at,
                runs=schedule.runs + len(owed),
            )
            if isinstance(most, int) and after.runs >= most:
                after = msgspec.structs.replace(after, next_at=None)
        except (Invalid, NotFound, ValueError) as error:
            after = msgspec.structs.replace(schedule, next_at=None, disabled_reason=str(error))
        await self._records.schedules.advance(after, schedule.next_at)
        return started


def _payload(schedule: Schedule, nominal: float, now: float) -> Json:
    """Say what a fire hands to the workflow."""
    shown = {"scheduled_time": _instant(nominal), "execution_time": _instant(now)}
    if schedule.input is None:
        return shown
    return {**schedule.input, **shown} if isinstance(schedule.input, dict) else schedule.input


def _instant(seconds: float) -> str:
    """Say an instant in RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
