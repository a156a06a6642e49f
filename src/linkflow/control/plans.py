"""Plans: what a workspace may use, asked before anything is queued.

A start asks memory: what the workspace used so far is looked up every few seconds, and what this process
started since is counted on top. So a process never starts more than the plan allows by its own count; with
several processes a limit can be passed by what the others start within LOOKED_S. Usage itself is exact.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.notices import Notices
from linkflow.control.standing import ASK, STARTS, BudgetLine, Standing, lines_of
from linkflow.domain.budget import Budget, OnExceeded, period_ends_at
from linkflow.domain.errors import Invalid
from linkflow.domain.plan import (
    ANY,
    FEATURES,
    METERS,
    PLANS,
    SELF_HOSTED,
    FeatureMissing,
    LimitReached,
    reached,
)
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Prepared
from linkflow.ports.plans import Subscribed, UsageAlert
from linkflow.ports.records import Records
from linkflow.ports.services import Frontend, StartedExecution, StartExecution
from linkflow.ports.upkeep import DAY_S
from linkflow.ports.usage import UsageStore

LOOKED_S = 5.0


class MeterLine(msgspec.Struct, frozen=True):
    """How one meter stands: what was used, and the limit (ANY for none)."""

    meter: str
    used: int
    limit: int


class Plans:
    """Knows plans and refuses what is beyond them.

    Args:
        default: Name of the plan of workspaces that nobody put on another.
    """

    def __init__(
        self,
        usage: UsageStore,
        records: Records,
        prepared: Prepared,
        audit: Audit,
        notices: Notices,
        clock: Clock,
        *,
        default: str = SELF_HOSTED,
    ) -> None:
        self._usage, self._records, self._prepared = usage, records, prepared
        self._audit, self._notices, self._clock, self._default = audit, notices, clock, default

    async def standing(self, workspace_id: str) -> Standing:
        """Say how a workspace stands, as of a few seconds ago."""
        key = f"plan:{workspace_id}"
        found: Standing | None = self._prepared.get(key)
        if found is None:
            looked_up = await self._looked_up(workspace_id)
            found = self._prepared.get(key)  # of those who looked at the same time, one counts for all
            if found is None:
                found = looked_up
                self._prepared.put(key, found, LOOKED_S)
        return found

    async def _looked_up(self, workspace_id: str) -> Standing:
        """Look up how a workspace stands."""
        subscribed = await self._records.plans.get(workspace_id)
        plan = PLANS[subscribed.plan or self._default]
        limits = {**plan.limits, **subscribed.limits}
        budgets = {
            each.period: each for each in await self._records.plans.budgets(workspace_id) if each.limits
        }
        now, started = self._clock.now(), 0
        lines: list[BudgetLine] = []
        default = budgets.pop("execution", None)
        if limits[STARTS] != ANY or budgets:
            today = datetime.fromtimestamp(now, UTC).date()
            days = await self._usage.days(workspace_id, today.replace(day=1), today)
            started = sum(day.started for day in days)
            for budget in budgets.values():
                of_period = [day for day in days if budget.period == "month" or day.day == today]
                lines += lines_of(budget, of_period, now)
        return Standing(
            plan,
            limits,
            started,
            is_locked=subscribed.is_locked,
            month_ends_at=period_ends_at("month", now),
            budgets=lines,
            default=None if default is None else Budget(default.limits, OnExceeded(default.on_exceeded)),
        )

    async def fresh(self, workspace_id: str) -> Standing:
        """Say how a workspace stands now."""
        return await self._looked_up(workspace_id)

    def forget(self, workspace_id: str) -> None:
        """Look a workspace up again the next time: its plan or a budget changed."""
        self._prepared.drop(f"plan:{workspace_id}")

    async def budgeted(self, asked: StartExecution) -> StartExecution:
        """Say with a start what it may use; for starts that were admitted before."""
        return (await self.standing(asked.workspace_id)).budgeted(asked)

    async def admit(self, workspace_id: str) -> None:
        """Let one more execution start; asked before anything is queued.

        Raises:
            WorkspaceLocked: Nothing may start here.
            LimitReached: `usage_limit_exceeded`.
        """
        (await self.standing(workspace_id)).admit()

    def starter(self, frontend: Frontend) -> Callable[[StartExecution], Awaitable[StartedExecution]]:
        """Make what starts executions that the plan has room for; it raises what `admit` does."""

        async def start(asked: StartExecution) -> StartedExecution:
            standing = await self.standing(asked.workspace_id)
            standing.admit()
            return await frontend.start(standing.budgeted(asked))

        return start

    async def room(self, workspace_id: str, meter: str, promised: int = 0) -> None:
        """Go on only when the plan has room for one more of something.

        Args:
            workspace_id: Whose plan.
            meter: One of METERS that counts things.
            promised: How many more there will be soon.

        Raises:
            LimitReached: `plan_limit_exceeded`.
        """
        standing = await self.standing(workspace_id)
        limit = standing.limits[meter]
        if limit == ANY:
            return
        used = (await self._records.plans.counts(workspace_id)).get(meter, 0) + promised
        if used >= limit:
            raise _full(standing, meter, used)

    async def counts(self, records: Records, workspace_id: str) -> Mapping[str, int]:
        """Count what is there by meter, for `within`; nothing where the plan has no limits."""
        standing = await self.standing(workspace_id)
        if all(limit == ANY for limit in standing.limits.values()):
            return {}
        return await records.plans.counts(workspace_id)

    async def within(self, records: Records, workspace_id: str, before: Mapping[str, int]) -> None:
        """Go on only when nothing grew beyond the plan; within the transaction that let it grow.

        Raises:
            LimitReached: `plan_limit_exceeded`.
        """
        if not before:
            return
        standing = await self.standing(workspace_id)
        for meter, used in (await records.plans.counts(workspace_id)).items():
            limit = standing.limits[meter]
            if limit != ANY and used > limit and used > before.get(meter, 0):
                raise _full(standing, meter, before.get(meter, 0))

    async def include(self, workspace_id: str, feature: str) -> None:
        """Go on only when the plan includes a feature.

        Raises:
            FeatureMissing: `feature_not_available`.
        """
        plan = (await self.standing(workspace_id)).plan
        if feature in plan.features:
            return
        needed = next(
            each
            for each in PLANS.values()
            if each.limits != PLANS[SELF_HOSTED].limits and feature in each.features
        )
        raise FeatureMissing(
            f"The {plan.title} plan does not include {FEATURES[feature]}; the {needed.title} plan does. "
            f"{ASK[0].upper()}{ASK[1:]}",
            feature=feature,
            plan=plan.name,
            required_plan=needed.name,
        )

    async def shown_since(self, kept_days: int) -> Mapping[str, float]:
        """Say since when ended executions are shown in workspaces whose plan shows fewer days than all.

        Args:
            kept_days: What the installation keeps, days; 0 for ever.

        Returns:
            Seconds since 1970, by workspace id.
        """
        found = {}
        for workspace_id in await self._records.plans.workspaces():
            days = (await self.fresh(workspace_id)).limits["retention_days"]
            if days != ANY and (not kept_days or days < kept_days):
                found[workspace_id] = self._clock.now() - days * DAY_S
        return found

    async def read(self, actor: Actor) -> tuple[Standing, Sequence[MeterLine]]:
        """Say the plan of the actor's workspace and how each meter stands."""
        actor.require("workspace.view")
        standing = await self._looked_up(actor.workspace_id)
        counts = await self._records.plans.counts(actor.workspace_id)
        used = {**counts, STARTS: standing.started}
        if standing.limits[STARTS] == ANY:
            used[STARTS] = await self._started(actor.workspace_id)
        lines = [MeterLine(meter, used[meter], standing.limits[meter]) for meter in METERS if meter in used]
        return standing, lines

    async def _started(self, workspace_id: str) -> int:
        """Count the executions that started this month."""
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        return sum(day.started for day in await self._usage.days(workspace_id, today.replace(day=1), today))

    async def change(
        self, actor: Actor, workspace_id: str, *, plan: str, is_locked: bool, limits: Mapping[str, int]
    ) -> Subscribed:
        """Put a workspace on a plan, with other limits than the plan's where some were agreed on.

        Raises:
            Invalid: `plan.unknown`: there is no such plan or meter.
            NotFound: No such workspace.
        """
        actor.require_operator()
        unknown = [meter for meter in limits if meter not in METERS]
        if plan not in ("", *PLANS) or unknown:
            raise Invalid(
                f"There is no {unknown[0] if unknown else plan!r}; plans are {', '.join(PLANS)}, meters are "
                f"{', '.join(METERS)}.",
                code="plan.unknown",
            )
        found = Subscribed(
            workspace_id=workspace_id,
            plan=plan,
            is_locked=is_locked,
            limits=limits,
            changed_at=self._clock.now(),
        )
        there = msgspec.structs.replace(actor, workspace_id=workspace_id)
        async with self._records.transaction() as records:
            before = await records.plans.get(workspace_id)
            await records.plans.put(found)
            await self._audit.note(
                records.ledger,
                there,
                "plan.update",
                f"workspace:{workspace_id}",
                old=msgspec.to_builtins(before),
                new=msgspec.to_builtins(found),
            )
        self.forget(workspace_id)
        return found

    async def alert(self) -> int:
        """Tell those whose month's executions reached 50, 80 or 100 %, once for each; how many were told."""
        told = 0
        period = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m")
        for workspace_id in await self._records.plans.workspaces():
            standing = await self._looked_up(workspace_id)
            limit = standing.limits[STARTS]
            percent = reached(standing.started, limit)
            if not percent:
                continue
            end = "No more start until next month." if percent >= 100 else "Nothing is refused yet."
            text = f"{standing.started} of {limit} executions of {period} were started ({percent} %). {end}"
            async with self._records.transaction() as records:
                if await records.plans.alerted(UsageAlert(workspace_id, STARTS, period, percent)):
                    subject = f"{percent} % of this month's executions"
                    await self._notices.write(records, workspace_id, subject, text)
                    told += 1
        if told:
            self._notices.nudge()
        return told


def _full(standing: Standing, meter: str, used: int) -> LimitReached:
    """Say that a plan has no room for one more."""
    limit = standing.limits[meter]
    return LimitReached(
        f"The {standing.plan.title} plan allows {limit} {meter.replace('_', ' ')}, and there are {used}; "
        f"remove one, or {ASK}",
        meter=meter,
        limit=limit,
        used=used,
        plan=standing.plan.name,
    )
