"""What moves an open execution on, and why it stands where it stands (invariant "never stuck").

An open execution always has at least one driver; the auditor looks for those that have none.
"""

from collections.abc import Iterator, Sequence

from linkflow.domain.execution.decide import has_more
from linkflow.domain.execution.driving import Driver
from linkflow.domain.execution.events import BudgetExceeded
from linkflow.domain.execution.spending import KEY, question, said
from linkflow.domain.execution.state import ExecutionState, NodeState, Slot, Wait
from linkflow.domain.execution.waiting import BACKSTOP_S

CLOCK = frozenset({"timer", "retry", "look_up", "rate", "debounce"})
"""Kinds of drivers that need nothing but time."""

UNSURE = "may or may not have had its effect"


def drivers(state: ExecutionState) -> list[Driver]:
    """List what moves an execution on; empty when it is over."""
    if state.is_closed or state.started is None:
        return []
    found = list(_of_the_whole(state))
    if state.ticket_since or state.slot is not None or (state.quarantine and state.cancel is None):
        return found
    found += [_flying(state, key) for key in state.flying]
    if state.is_ending:
        return found
    if state.spending is not None and state.spending.pause is not None:
        found.insert(0, _paused(state.spending.pause))
    found += [_retry(state, key) for key in state.retries]
    found += [_waiting(state, key, wait) for key, wait in state.waits.items()]
    found += [
        Driver(
            kind="child", message="The execution waits for a sub-workflow to end.", key=key, child_id=child
        )
        for key, (child, policy) in state.children.items()
        if policy == "wait" and key not in state.waits
    ]
    return found


def _of_the_whole(state: ExecutionState) -> Iterator[Driver]:
    """What concerns the execution and no single node."""
    ending = state.cancel or state.failure
    if ending is not None:
        what = "cancelled" if state.cancel is not None else "failing"
        yield Driver(
            kind="grace",
            message=f"The execution is being {what}; what is under way may tidy up."
            if what == "cancelled"
            else "The execution has failed; what is under way may tidy up.",
            until=ending.grace_until,
            can=("terminate",),
        )
    elif state.quarantine:
        yield Driver(
            kind="quarantine",
            message=f"The engine could not decide what follows: {state.quarantine}",
            can=("release", "cancel"),
        )
    elif state.ticket_since:
        yield Driver(
            kind="ticket",
            message=f"It waits for its turn: at most {state.start.ticket_limit} of these run at once.",
            name=state.start.ticket,
            since=state.ticket_since,
            until=state.deadline_at or None,
            can=("grant", "cancel"),
        )
    elif state.slot is not None:
        yield _before_its_instant(state, state.slot)
    elif has_more(state):
        yield Driver(kind="ready", message="There is more to decide; the next turn follows at once.")


def _before_its_instant(state: ExecutionState, slot: Slot) -> Driver:
    """A start policy lets it begin later."""
    rate, debounce = state.start.rate, state.start.debounce
    if slot.policy == "rate" and rate is not None:
        message = f"It waits for its turn: at most {rate.limit} of these begin in {rate.period_s:g} s."
    else:
        quiet_s = debounce.quiet_s if debounce is not None else 0.0
        message = f"It begins when no other start of its kind has followed for {quiet_s:g} s."
    return Driver(
        kind=slot.policy,
        message=message,
        name=slot.key,
        since=slot.since,
        until=slot.begins_at or None,
        can=("cancel",),
    )


def _paused(pause: BudgetExceeded) -> Driver:
    """Somebody is to decide about a budget."""
    goes_on = "It goes on when there is room again" if pause.period else "It fails when nobody decides"
    return Driver(
        kind="budget",
        message=f"No further node begins: {said(pause)} Raise it and go on, or stop. {goes_on}.",
        key=KEY,
        name=pause.meter,
        match=pause.period,
        until=pause.deadline_at,
        can=("raise", "stop", "cancel"),
        data=question(pause),
    )


def _flying(state: ExecutionState, key: str) -> Driver:
    node = state.nodes[key]
    if not node.session:
        says = "waits for a worker" if not node.look_up else f"{UNSURE}; a look-up waits for a worker"
        until = node.begin_by or None
        return _driving(state, key, node, "task", says, since=node.at, until=until, can=("cancel",))
    return _driving(
        state,
        key,
        node,
        "worker",
        "runs on a worker" if not node.look_up else f"{UNSURE}; a worker asks the receiver",
        since=node.started_at,
        until=node.started_at + state.graph.nodes[node.index].timeout_s + BACKSTOP_S,
        can=("cancel",),
    )


def _retry(state: ExecutionState, key: str) -> Driver:
    node = state.nodes[key]
    if node.look_up:
        return _driving(
            state,
            key,
            node,
            "look_up",
            f"{UNSURE}; the receiver is asked what became of it (look-up {node.look_up})",
            since=node.started_at,
            until=node.retry_at,
            can=("retry", "cancel"),
        )
    why = f" after: {node.error.message}" if node.error is not None else ""
    return _driving(
        state,
        key,
        node,
        "retry",
        f"is tried again (attempt {node.attempt}){why}",
        since=node.started_at,
        until=node.retry_at,
        can=("retry", "cancel"),
    )


_WAITING: dict[str, tuple[str, str, Sequence[str]]] = {
    "delay": ("timer", "waits until its time has come", ("skip", "cancel")),
    "event": ("event", "waits for an event", ("signal", "resolve", "cancel")),
    "approval": ("approval", "waits for a person to approve or reject", ("resolve", "cancel")),
    "child": ("child", "waits for a sub-workflow", ("cancel",)),
    "person": (
        "person",
        f"{UNSURE}; a person decides",
        ("resolve", "retry", "cancel"),
    ),
}


def _waiting(state: ExecutionState, key: str, wait: Wait) -> Driver:
    kind, says, can = _WAITING.get(wait.kind, (wait.kind, f"waits for a {wait.kind}", ("resolve", "cancel")))
    if wait.kind == "event":
        says = f"waits for the event '{wait.name}'" + (f" with key '{wait.match}'" if wait.match else "")
    if wait.kind == "approval" and isinstance(wait.data, dict) and wait.data.get("title"):
        says = f"{says}: {wait.data['title']}"
    return _driving(
        state, key, state.nodes[key], kind, says, since=wait.since, until=wait.until, can=can, wait=wait
    )


def _driving(
    state: ExecutionState,
    key: str,
    node: NodeState,
    kind: str,
    says: str,
    *,
    since: float | None = None,
    until: float | None = None,
    can: Sequence[str] = (),
    wait: Wait | None = None,
) -> Driver:
    drawn = state.graph.nodes[node.index]
    return Driver(
        kind=kind,
        message=f"'{drawn.node.label or key}' {says}" + ("" if says.endswith((".", "?", "!")) else "."),
        key=key,
        node_id=drawn.id,
        label=drawn.node.label,
        attempt=node.attempt,
        since=since,
        until=until,
        name=wait.name if wait else "",
        match=wait.match if wait else "",
        child_id=wait.child_id if wait else "",
        token=wait.token if wait else "",
        data=wait.data if wait else None,
        can=can,
    )


def explain(state: ExecutionState, at: float) -> str:
    """Say in a sentence or two why an execution stands where it stands.

    Args:
        state: Where it stands.
        at: Now, seconds since 1970.
    """
    status = state.status().value.replace("_", " ")
    if state.is_closed:
        error = getattr(state.closed, "error", None)
        why = error.message if error is not None else getattr(state.closed, "reason", "")
        return f"It is over: {status}." + (f" {why[:1].upper()}{why[1:].rstrip('.')}." if why else "")
    found = drivers(state)
    if not found:
        return f"It is {status}, and nothing moves it on: this is a fault of the engine."
    first = found[0]
    more = f" And {len(found) - 1} more." if len(found) > 1 else ""
    until = f" At the latest in {_span(first.until - at)}." if first.until is not None else ""
    return f"It is {status}. {first.message}{until}{more}"


def _span(seconds: float) -> str:
    """Say how long something takes, roughly."""
    seconds = max(seconds, 0.0)
    for size, unit in ((86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
