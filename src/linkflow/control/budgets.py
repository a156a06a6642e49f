"""Budgets of a workspace: set, shown, decided, and told to what is running when they are used up.

A start asks `Plans`, which knows what was used a few seconds ago. What is running is told here: the leader
looks at every budget of a day or a month, and tells each open execution of a workspace whose budget is used
up; it stops before its next node. Telling is repeatable: who is told twice, or by two leaders, stops once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence, Set

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.notices import Notices
from linkflow.control.plans import Plans
from linkflow.control.standing import BudgetLine
from linkflow.domain.budget import METERS, PERIODS, WORKSPACE_METERS, Budget, OnExceeded, period_of, problems
from linkflow.domain.errors import ExecutionClosed, Invalid, LinkFlowError, NotFound, Unavailable
from linkflow.domain.execution.budget import Exceeded
from linkflow.domain.execution.spending import KEY
from linkflow.domain.plan import reached
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.plans import UsageAlert, WorkspaceBudget
from linkflow.ports.records import Records
from linkflow.ports.services import Driver, ExecutionQuery, Frontend, ResolveWait, Visibility
from linkflow.ports.views import HEAD
from linkflow.telemetry import logger

LOG = logger("budgets")
PAGE = 100
MOVING = ("running", "queued")
OPEN = (*MOVING, "waiting")
DECISIONS: Mapping[str, str] = {"raise": "approved", "stop": "rejected"}


class Budgets:
    """Sets budgets and sees that they hold."""

    def __init__(
        self,
        records: Records,
        plans: Plans,
        frontend: Frontend,
        visibility: Visibility,
        audit: Audit,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._records, self._plans, self._frontend = records, plans, frontend
        self._visibility, self._audit, self._notices, self._clock = visibility, audit, notices, clock
        self._told: dict[tuple[str, str], set[str]] = {}
        self._lifted: dict[tuple[str, str], float] = {}
        self._warned: set[UsageAlert] = set()

    async def read(self, actor: Actor) -> tuple[Sequence[WorkspaceBudget], Sequence[BudgetLine]]:
        """List the budgets of the actor's workspace, and how those of the day and the month stand."""
        actor.require("workspace.view")
        found = await self._records.plans.budgets(actor.workspace_id)
        standing = await self._plans.fresh(actor.workspace_id)
        return [each for each in found if each.limits], standing.budgets

    async def put(
        self, actor: Actor, period: str, limits: Mapping[str, int], on_exceeded: str
    ) -> WorkspaceBudget:
        """Set the budget of a period; without limits there is none any more.

        Raises:
            Invalid: `budget.invalid`: no such period or meter, or no limit.
        """
        actor.require("workspace.update")
        if period not in PERIODS:
            raise Invalid(f"A budget is for one of {', '.join(PERIODS)}.", code="budget.invalid")
        meters = METERS if period == "execution" else WORKSPACE_METERS
        wrong = problems(Budget(limits, OnExceeded(on_exceeded)), meters) if limits else ()
        if wrong:
            raise Invalid(" ".join(f"{where}: {what}" for where, what in wrong), code="budget.invalid")
        budget = WorkspaceBudget(
            workspace_id=actor.workspace_id,
            period=period,
            limits=limits,
            on_exceeded=on_exceeded,
            changed_by=actor.email,
            changed_at=self._clock.now(),
        )
        async with self._records.transaction() as records:
            before = {each.period: each for each in await records.plans.budgets(actor.workspace_id)}
            await records.plans.put_budget(budget)
            await self._audit.note(
                records.ledger,
                actor,
                "budget.update" if limits else "budget.delete",
                f"budget:{period}",
                old=_said(before.get(period)),
                new=_said(budget),
            )
        self._plans.forget(actor.workspace_id)
        return budget

    async def decide(
        self, actor: Actor, execution_id: str, action: str, limits: Mapping[str, int] | None = None
    ) -> None:
        """Let an execution that waits for a budget go on, or stop it. Safe to repeat.

        Args:
            actor: Who decides; over the workspace's budget only whoever may change that.
            execution_id: Of the actor's workspace.
            action: `raise` or `stop`.
            limits: Its own limits from now on; by default as much again as it had.

        Raises:
            NotFound: There is no such execution, or it waits for no budget.
            Conflict: `budget.too_small`: the new limit is used up already.
        """
        actor.require("approval.decide")
        view = await self._frontend.view(execution_id, HEAD)
        if view.workspace_id != actor.workspace_id:
            raise NotFound("There is no such execution.", execution_id=execution_id)
        driver = await self._question(execution_id)
        if driver.match and action == "raise":
            actor.require("workspace.update")
        data: Json = {"limits": dict(limits)} if limits else None
        await self._frontend.resolve(
            ResolveWait(
                execution_id=execution_id, key=KEY, action=DECISIONS[action], data=data, by=actor.email
            )
        )
        async with self._records.transaction() as records:
            await self._audit.note(
                records.ledger, actor, f"budget.{action}", f"execution:{execution_id}", new=data
            )

    async def _question(self, execution_id: str) -> Driver:
        """Find what an execution asks about a budget."""
        for driver in (await self._frontend.explain(execution_id)).drivers:
            if driver.kind == "budget":
                return driver
        raise NotFound("The execution does not wait for a decision about a budget.", key=KEY)

    # ------------------------------------------------------------ what the leader does

    async def watched(self) -> Sequence[str]:
        """List the workspaces that have, or had, a budget of a day or a month."""
        return await self._records.plans.budgeted()

    async def enforce(self, workspaces: Sequence[str]) -> int:
        """Look at budgets of days and months, tell people and executions; how many were told.

        Raises:
            Unavailable: The database does not answer; look again.
        """
        told = 0
        self._forget_past()
        for workspace_id in workspaces:
            try:
                told += await self._enforce(workspace_id)
            except Unavailable:
                raise
            except Exception:  # a bug with one workspace must not let the others spend
                LOG.exception("budgets not looked at", workspace_id=workspace_id)
        return told

    async def _enforce(self, workspace_id: str) -> int:
        """Look at the budgets of a workspace; how many people and executions were told."""
        lines = (await self._plans.fresh(workspace_id)).budgets
        over = {line.period: line for line in lines if line.used >= line.limit and line.meter in METERS}
        told = 0
        for line in over.values():
            told += await self._stop(workspace_id, line)
        told += await self._lift(workspace_id, over.keys())
        return told + await self._warn(workspace_id, lines)

    def _forget_past(self) -> None:
        """Forget whom it told in periods that are over."""
        now = self._clock.now()
        periods = {period_of(each, now) for each in ("day", "month")}
        self._told = {place: known for place, known in self._told.items() if place[1] in periods}
        self._lifted = {place: at for place, at in self._lifted.items() if place[1] in periods}
        days = {each.partition(" ")[2] for each in periods}
        self._warned = {alert for alert in self._warned if alert.period in days}

    async def _warn(self, workspace_id: str, lines: Sequence[BudgetLine]) -> int:
        """Tell those who run the workspace at 50, 80 and 100 %, once for each."""
        told = 0
        for line in lines:
            percent = reached(line.used, line.limit)
            if not percent:
                continue
            day_or_month = line.period.partition(" ")[2]
            alert = UsageAlert(workspace_id, f"budget.{line.meter}", day_or_month, percent)
            if alert in self._warned:
                continue
            try:
                async with self._records.transaction() as records:
                    if await records.plans.alerted(alert):
                        subject = f"{percent} % of the budget of the {line.period}"
                        await self._notices.write(records, workspace_id, subject, _told(line, percent))
                        told += 1
            except NotFound:
                LOG.info("the workspace is gone; nobody is told", workspace_id=workspace_id)
            self._warned.add(alert)
        if told:
            self._notices.nudge()
        return told

    async def _stop(self, workspace_id: str, line: BudgetLine) -> int:
        """Tell open executions that a budget is used up: all at first, then those that were not told yet.

        What waits for something else is let wait where the others fail; it is told once it moves.
        """
        place = workspace_id, line.period
        statuses = MOVING if place in self._told or line.on_exceeded == "fail" else OPEN
        if place not in self._told:
            self._plans.forget(workspace_id)
        known = self._told.setdefault(place, set())
        self._lifted.pop(place, None)
        told = Exceeded(
            line.period, line.meter, line.limit, line.used, OnExceeded(line.on_exceeded), line.resets_at
        )
        count = 0
        async for execution_id in self._executions(workspace_id, statuses):
            if execution_id in known:
                continue
            if await self._tell(execution_id, "exceeded", msgspec.to_builtins(told)):
                known.add(execution_id)
                count += 1
        return count

    async def _lift(self, workspace_id: str, over: Set[str]) -> int:
        """Tell open executions that there is room: after a budget changed, and once to begin with."""
        count = 0
        for budget in await self._records.plans.budgets(workspace_id):
            place = workspace_id, period_of(budget.period, self._clock.now())
            if budget.period == "execution" or place[1] in over:
                continue
            if self._lifted.get(place) == budget.changed_at and place not in self._told:
                continue
            found = told = 0
            if await self._records.plans.was_used_up(workspace_id, place[1].partition(" ")[2]):
                async for execution_id in self._executions(workspace_id, OPEN):
                    found += 1
                    told += await self._tell(execution_id, "lifted", place[1])
            count += told
            if told == found:  # else they are told again
                self._told.pop(place, None)
                self._lifted[place] = budget.changed_at
        return count

    async def _executions(self, workspace_id: str, statuses: Sequence[str]) -> AsyncIterator[str]:
        """Iterate over the open executions of a workspace."""
        after = ""
        while True:
            page = await self._visibility.list(
                ExecutionQuery(workspace_id=workspace_id, status=statuses, after=after, limit=PAGE)
            )
            for row in page.rows:
                yield row.execution_id
            after = page.next
            if not after:
                return

    async def _tell(self, execution_id: str, action: str, data: Json) -> bool:
        """Tell an execution about a budget; whether it knows, or need not know any more."""
        try:
            await self._frontend.resolve(
                ResolveWait(execution_id=execution_id, key=KEY, action=action, data=data)
            )
        except (ExecutionClosed, NotFound):
            return True
        except LinkFlowError as error:
            LOG.warning("not told; it is tried again", execution_id=execution_id, error=str(error))
            return False
        return True


def _said(budget: WorkspaceBudget | None) -> Json:
    """Say a budget for the audit log."""
    if budget is None or not budget.limits:
        return None
    return {"limits": dict(budget.limits), "on_exceeded": budget.on_exceeded}


def _told(line: BudgetLine, percent: int) -> str:
    """Say how a budget stands, to people."""
    used = f"{line.used} of {line.limit} {WORKSPACE_METERS[line.meter]}"
    text = f"{used} of the {line.period} are used ({percent} %)."
    if percent < 100:
        return f"{text} Nothing is stopped yet."
    what = "pauses and goes on when there is room again" if line.on_exceeded == "pause" else "fails"
    return f"{text} Nothing starts any more, and what is running {what}."
