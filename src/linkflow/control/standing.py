"""How a workspace stands against its plan and its budgets: what was used, what may still start."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from linkflow.domain.budget import METERS, REPORTED, WORKSPACE_METERS, Budget, period_ends_at, period_of
from linkflow.domain.plan import ANY, BudgetUsedUp, LimitReached, Plan, WorkspaceLocked
from linkflow.ports.plans import WorkspaceBudget
from linkflow.ports.services import StartExecution
from linkflow.ports.usage import Usage

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
        self._metered = sorted({line.meter for line in budgets} & METERS.keys() - REPORTED.keys())
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


def lines_of(budget: WorkspaceBudget, days: Sequence[Usage], now: float) -> Sequence[BudgetLine]:
    """Say how the meters of a budget stand, from what was used on the days of its period."""
    used = {meter: sum(day.meters.get(meter, 0) for day in days) for meter in METERS}
    used["executions"] = sum(day.started for day in days)
    period, ends_at = period_of(budget.period, now), period_ends_at(budget.period, now)
    return [
        BudgetLine(period, meter, used[meter], limit, budget.on_exceeded, ends_at)
        for meter, limit in budget.limits.items()
    ]
