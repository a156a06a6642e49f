"""What a budget that is used up does to an execution: it fails, or pauses and asks.

Asked before a node begins, each attempt anew: so nothing begins that the budget has no room for, however the
execution runs away. The workspace's budgets are not known here; whoever knows them says so as news.
"""

import msgspec

from linkflow.domain.budget import WORKSPACE_METERS, OnExceeded
from linkflow.domain.errors import Conflict, Invalid, Kind, NodeError, NotFound
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.failing import fail_scope
from linkflow.domain.execution.spending import KEY, exceeded, said
from linkflow.domain.execution.state import ROOT, Spending
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import NodeClass

CODE = "execution.budget_exceeded"


class Exceeded(msgspec.Struct, frozen=True):
    """A budget of the workspace is used up; see `BudgetExceeded`."""

    period: str
    meter: str
    limit: int
    used: int
    on_exceeded: OnExceeded = OnExceeded.PAUSE
    deadline_at: float = 0.0


def is_free(turn: Turn, key: str, index: int) -> bool:
    """Say whether a ready node uses nothing: the trigger, or one whose output was given beforehand."""
    node, overrides = turn.state.graph.nodes[index], turn.state.start.overrides
    return node.node_class is NodeClass.TRIGGER or key in overrides or f"{node.id}#*" in overrides


def stops(turn: Turn, spending: Spending, key: str) -> bool:
    """Stop the execution before a node begins when its own budget has no room; whether it has none."""
    meter = exceeded(spending)
    if not meter:
        return False
    limit, used = spending.limits[meter], spending.used.get(meter, 0)
    budget = turn.state.start.budget
    found = e.BudgetExceeded(meter, limit, used)
    if budget is not None and budget.on_exceeded is OnExceeded.PAUSE:
        deadline_at = turn.at + budget.decide_within_ms / 1000
        turn.emit(msgspec.structs.replace(found, deadline_at=deadline_at))
    else:
        fail_scope(turn, ROOT, key, _error(found))
    return True


def fire_pause(turn: Turn) -> None:
    """Nobody decided in time: the execution fails; or the workspace's period is over, and it goes on."""
    pause = _pause(turn)
    if pause is None or turn.at < pause.deadline_at:
        return
    if pause.period:
        turn.emit(e.BudgetRaised(period=pause.period))
    else:
        fail_scope(turn, ROOT, "", _error(pause, "Nobody decided in time."))


def on_resolve(turn: Turn, news: n.Resolve) -> None:
    """A decision about a budget: raise it (`approved`), stop (`rejected`); or news of the workspace's.

    Raises:
        NotFound: It does not wait for a decision about a budget.
        Conflict: The new limit is used up already.
        Invalid: The new limits are no limits.
    """
    pause = _pause(turn)
    match news.action:
        case "exceeded":
            _on_workspace(turn, msgspec.convert(news.data, Exceeded))
        case "lifted":
            if pause is not None and pause.period and pause.period == news.data:
                turn.emit(e.BudgetRaised(period=pause.period))
        case "approved" if pause is not None and pause.period:
            turn.emit(e.BudgetRaised(period=pause.period, by=news.by))
        case "approved" if pause is not None:
            turn.emit(e.BudgetRaised(_raised(turn, pause, news), by=news.by))
        case "rejected" if pause is not None:
            fail_scope(turn, ROOT, "", _error(pause, f"{news.by or 'Somebody'} decided to stop."))
        case "approved" | "rejected":
            raise NotFound("The execution does not wait for a decision about a budget.", key=KEY)
        case _:
            raise Conflict(f"'{news.action}' is no answer about a budget.", code="wait.action")


def _pause(turn: Turn) -> e.BudgetExceeded | None:
    spending = turn.state.spending
    return spending.pause if spending is not None else None


def _on_workspace(turn: Turn, told: Exceeded) -> None:
    """A budget of the workspace is used up."""
    spending = turn.state.spending
    if spending is not None and (spending.pause is not None or told.period in spending.waived):
        return
    found = e.BudgetExceeded(told.meter, told.limit, told.used, told.period, told.deadline_at)
    if told.on_exceeded is OnExceeded.PAUSE:
        turn.emit(found)
    else:
        fail_scope(turn, ROOT, "", _error(found))


def _raised(turn: Turn, pause: e.BudgetExceeded, news: n.Resolve) -> dict[str, int]:
    """Say the new limits: those asked for, else as much again as the budget had at first."""
    given = news.data if isinstance(news.data, dict) else {}
    asked = {pause.meter: given["limit"]} if given.get("limit") is not None else given.get("limits")
    if asked:
        try:
            limits = msgspec.convert(asked, dict[str, int])
        except msgspec.ValidationError as error:
            raise Invalid(f"Limits are whole numbers by meter: {error}.", code="budget.limits") from error
    else:
        budget = turn.state.start.budget
        more = budget.limits.get(pause.meter, pause.limit) if budget is not None else pause.limit
        limits = {pause.meter: max(pause.limit, pause.used) + more}
    spending = msgspec.structs.replace(turn.state.spending or Spending(), pause=None)
    left = msgspec.structs.replace(spending, limits={**spending.limits, **limits})
    meter = exceeded(left)
    if meter:
        used = left.used.get(meter, 0)
        raise Conflict(
            f"{used} {WORKSPACE_METERS[meter]} are used already; the new limit must be more than that.",
            code="budget.too_small",
            meter=meter,
            used=used,
        )
    return limits


def _error(found: e.BudgetExceeded, ended: str = "") -> NodeError:
    """Say that an execution ends for its budget, and how to go on."""
    if found.period:
        mend = "Ask those who run the workspace to raise its budget, then try the execution again."
    else:
        mend = (
            f"Look for what used so much; to allow more, raise `budget.limits.{found.meter}` in the settings "
            "of the workflow or the default budget of the workspace, and try the execution again."
        )
    sentence = said(found)
    parts = (f"{sentence[0].upper()}{sentence[1:]}", ended, "No further node began.", mend)
    return NodeError(
        code=CODE,
        kind=Kind.PERMANENT,
        message=" ".join(part for part in parts if part),
        details={
            **({"ended": ended} if ended else {}),
            "meter": found.meter,
            "limit": found.limit,
            "used": found.used,
            "period": found.period or "execution",
        },
    )
