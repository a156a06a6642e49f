"""What an execution has used of its budgets: a fold of its events, kept only where there is a budget."""

from collections.abc import Sequence
from typing import Any

import msgspec

from linkflow.domain.budget import METERS, REPORTED, WORKSPACE_METERS, reported
from linkflow.domain.execution import events as e
from linkflow.domain.execution.state import ExecutionState, Spending
from linkflow.domain.node import NodeClass
from linkflow.domain.values import Json

_BEGINNING = (e.NodeCompleted, e.NodeFailed, e.LoopStarted, e.TimerStarted, e.WaitOpened, e.ChildStarted)
_REPORTING = (e.ActivityTaskCompleted, e.ActivityTaskFailed, e.ActivityTaskTimedOut)
STOPPED = "the worker stopped"
"""Why an attempt is cancelled whose worker is dead; see `failing.worker_lost`."""

_ENDING = (*_REPORTING, e.ActivityTaskUnknown, e.ActivityTaskCancelled)


def begun(event: e.WorkflowExecutionStarted) -> Spending | None:
    """Say what an execution that starts has used: nothing; None when nobody counts."""
    if event.budget is None and not event.metered:
        return None
    return Spending(dict(event.budget.limits) if event.budget is not None else {})


def spend(state: ExecutionState, spending: Spending, event: e.Event, at: float) -> Spending:
    """Add what an event used.

    Args:
        state: As it was before the event.
        spending: What was used before the event.
        event: The next event.
        at: Its time, seconds since 1970.
    """
    used = _used(state, event, at)
    if not used:
        return spending
    total = dict(spending.used)
    for meter, amount in used.items():
        total[meter] = total.get(meter, 0) + amount
    return msgspec.structs.replace(spending, used=total)


def _used(state: ExecutionState, event: Any, at: float) -> dict[str, int]:
    if isinstance(event, e.ActivityTaskScheduled):
        return {"attempts": 1}
    if isinstance(event, _BEGINNING):
        return {"attempts": 1} if event.key in state.ready and not _is_free(state, event) else {}
    if not isinstance(event, _ENDING):
        return {}
    used = reported(event.meta) if isinstance(event, _REPORTING) else {}
    node = state.nodes.get(event.key)
    if node is not None and node.session and event.key in state.flying and not _is_lost(event):
        used["node_ms"] = max(0, round(1000 * (at - node.started_at)))
    return used


def _is_lost(event: Any) -> bool:
    """Say whether an attempt ended with its worker: how long it ran nobody knows, only when it was missed."""
    if isinstance(event, e.ActivityTaskCompleted):
        return False
    error = getattr(event, "error", None)
    return event.reason == STOPPED if error is None else error.code in ("node.worker_lost", "node.poison")


def _is_free(state: ExecutionState, event: Any) -> bool:
    """Say whether nothing is done for a node: it is the trigger, or its output was given beforehand."""
    is_pinned = isinstance(event, e.NodeCompleted) and event.pinned
    return is_pinned or key_is_trigger(state, event.key)


def key_is_trigger(state: ExecutionState, key: str) -> bool:
    """Say whether a key is a trigger's: its output is the input, so it is not recorded twice."""
    index = state.graph.by_id.get(key)
    return index is not None and state.graph.nodes[index].spec.node_class is NodeClass.TRIGGER


def on_exceeded(state: ExecutionState, event: e.BudgetExceeded, at: float) -> None:
    """A budget is used up: somebody is to decide."""
    state.spending = msgspec.structs.replace(state.spending or Spending(), pause=event)


def on_raised(state: ExecutionState, event: e.BudgetRaised, at: float) -> None:
    """Somebody decided, or there is room again."""
    spending = state.spending or Spending()
    waived = [*spending.waived, event.period] if event.period and event.by else spending.waived
    state.spending = Spending({**spending.limits, **event.limits}, spending.used, None, waived)


def exceeded(spending: Spending) -> str:
    """Name the meter of its own budget that has no room for another node; empty when there is room."""
    for meter in METERS:
        limit = spending.limits.get(meter)
        if limit is not None and spending.used.get(meter, 0) >= limit:
            return meter
    return ""


def since(before: Spending | None, after: Spending | None, meters: Sequence[str]) -> dict[str, int]:
    """Say what was used between two states, of these meters."""
    if after is None:
        return {}
    earlier = before.used if before is not None else {}
    rose = {meter: after.used.get(meter, 0) - earlier.get(meter, 0) for meter in meters}
    return {meter: amount for meter, amount in rose.items() if amount}


def reports(events: Sequence[e.Event]) -> dict[str, int]:
    """Sum what nodes reported in events, by meter."""
    total: dict[str, int] = {}
    for event in events:
        if isinstance(event, _REPORTING) and event.meta:
            for meter in REPORTED:
                if meter in event.meta:
                    break
            else:
                continue
            for meter, amount in reported(event.meta).items():
                total[meter] = total.get(meter, 0) + amount
    return total


KEY = "$budget"
"""The key under which a budget is decided; no node can have it."""


def question(event: e.BudgetExceeded) -> dict[str, Json]:
    """Say what is asked about a budget that is used up, as an approval does, with the facts beside it."""
    sentence = said(event)
    facts: dict[str, Json] = {"meter": event.meter, "limit": event.limit, "used": event.used}
    limit = {"type": "integer", "minimum": event.used + 1, "title": f"New limit of {METERS.get(event.meter)}"}
    return {
        **facts,
        "period": event.period,
        "title": "The budget is used up: raise it and go on, or stop?",
        "description": f"{sentence[0].upper()}{sentence[1:]} No further node begins until somebody decides.",
        "payload": facts,
        "form": {"type": "object", "properties": {"limit": limit}},
    }


def said(event: e.BudgetExceeded) -> str:
    """Say in a sentence which budget is used up."""
    whose = f"the workspace's budget of the {event.period}" if event.period else "the execution's budget"
    meter = WORKSPACE_METERS.get(event.meter, event.meter)
    return f"{whose} is used up: {event.used} of {event.limit} {meter}."
