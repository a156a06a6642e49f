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
from linkflow.domain.budget import METERS as BUDGET_METERS
from linkflow.domain.budget import REPORTED, WORKSPACE_METERS, Budget, OnExceeded, period_ends_at, period_of
from linkflow.domain.errors import Invalid
from linkflow.domain.plan import (
    ANY,
    METERS,
    PLANS,
    SELF_HOSTED,
    BudgetUsedUp,
    LimitReached,
    Plan,
    WorkspaceLocked,
    reached,
)
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Prepared
from linkflow.ports.plans import Subscribed, UsageAlert, WorkspaceBudget
from linkflow.ports.records import Records
from linkflow.ports.services import Frontend, StartedExecution, StartExecution
from linkflow.ports.usage import Usage, UsageStore

LOOKED_S = 5.0
STARTS = "executions_per_month"


class BudgetLine(msgspec.Struct, frozen=True):
    """How one meter of a workspace's budget stands.

    Attributes:
        period: `day 2026-01-31` or `month 2026-01`.
        on_exceeded: pause or fail.
        resets_at: When the period is over, seconds since 1970.
    """

    period: str
    meter: str
    used: int
    limit: int
    on_exceeded: str
    resets_at: float


class Standing:
    """How a workspace stands against its plan and its budgets.

    Attributes:
        limits: By meter.
        started: Executions of this month, as far as this process knows.
        month_ends_at: Seconds since 1970.
        budgets: Of days and months, and what was used of them.
        default: What an execution may use whose workflow does not say; None for any amount.
    """

    def __init__(
        self,
        plan: Plan,
        limits: Mapping[str, int],
        started: int,
        *,
        is_locked: bool,
        month_ends_at: float = 0.0,
        budgets: Sequence[BudgetLine] = (),
        default: Budget | None = None,
    ) -> None:
        self.plan, self.limits, self.started, self.is_locked = plan, limits, started, is_locked
        self.month_ends_at, self.budgets, self.default = month_ends_at, budgets, default
        self._metered = sorted({line.meter for line in budgets} & BUDGET_METERS.keys() - REPORTED.keys())
        self._more = 0

    def admit(self) -> None:
        """Count one more start.

        Raises:
            WorkspaceLocked: Nothing may start here.
            LimitReached: `usage_limit_exceeded`: the month's executions are used up.
            BudgetUsedUp: A budget of the workspace has no room.
        """
        if self.is_locked:
            raise WorkspaceLocked(
                "This workspace is locked, so nothing can be started in it. Ask whoever runs this LinkFlow."
            )
        limit = self.limits[STARTS]
        if limit != ANY and self.started >= limit:
            raise LimitReached(
                f"The {self.plan.title} plan allows {limit} executions a month, and they are used up until "
                f"{_day(self.month_ends_at)}; {ASK}",
                code="usage_limit_exceeded",
                meter=STARTS,
                limit=limit,
                used=self.started,
                plan=self.plan.name,
                resets_at=_instant(self.month_ends_at),
            )
        for line in self.budgets:
            self._admit(line)
        self.started += 1
        self._more += 1

    def _admit(self, line: BudgetLine) -> None:
        """Go on only when a budget has room."""
        used = line.used + (self._more if line.meter == "executions" else 0)
        if used >= line.limit:
            raise BudgetUsedUp(
                f"The workspace's budget of the {line.period} is used up: {used} of {line.limit} "
                f"{WORKSPACE_METERS[line.meter]}. Nothing starts until {_day(line.resets_at)}, unless an "
                "owner or admin of the workspace raises the budget.",
                meter=line.meter,
                limit=line.limit,
                used=used,
                period=line.period,
                resets_at=_instant(line.resets_at),
            )

    def budgeted(self, asked: StartExecution) -> StartExecution:
        """Say with a start what it may use, and what has to be counted."""
        if self.default is None and not self._metered:
            return asked
        return msgspec.structs.replace(asked, budget=self.default, metered=self._metered)


ASK = "ask whoever runs this LinkFlow for a larger plan."


def _instant(seconds: float) -> str:
    """Say an instant as the API does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(seconds: float) -> str:
    """Say the day of an instant, in words."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y} (UTC)"


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
        found: Standing | None = self._prepared.get(f"plan:{workspace_id}")
        if found is None:
            found = await self._looked_up(workspace_id)
            self._prepared.put(f"plan:{workspace_id}", found, LOOKED_S)
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
                lines += _lines(budget, of_period, now)
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

    async def room(self, workspace_id: str, meter: str) -> None:
        """Go on only when the plan has room for one more of something.

        Raises:
            LimitReached: `plan_limit_exceeded`.
        """
        standing = await self.standing(workspace_id)
        limit = standing.limits[meter]
        if limit == ANY:
            return
        used = (await self._records.plans.counts(workspace_id)).get(meter, 0)
        if used >= limit:
            raise LimitReached(
                f"The {standing.plan.title} plan allows {limit} {meter.replace('_', ' ')}, and there are "
                f"{used}; remove one, or {ASK}",
                meter=meter,
                limit=limit,
                used=used,
                plan=standing.plan.name,
            )

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


def _lines(budget: WorkspaceBudget, days: Sequence[Usage], now: float) -> Sequence[BudgetLine]:
    """Say how the meters of a budget stand, from what was used on the days of its period."""
    used = {meter: sum(day.meters.get(meter, 0) for day in days) for meter in BUDGET_METERS}
    used["executions"] = sum(day.started for day in days)
    period, ends_at = period_of(budget.period, now), period_ends_at(budget.period, now)
    return [
        BudgetLine(period, meter, used[meter], limit, budget.on_exceeded, ends_at)
        for meter, limit in budget.limits.items()
    ]
