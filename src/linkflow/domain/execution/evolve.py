"""evolve(state, event): fold one event into a state. The only code that changes an `ExecutionState`.

What follows from an event (nodes that are ready or dead now) is noted in the state; what is done
about it is `decide`'s business, and shows as further events.
"""

from collections.abc import Callable, Sequence
from typing import Any

from linkflow.domain.errors import NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution import slots
from linkflow.domain.execution.keys import locate
from linkflow.domain.execution.settle import arrive, close_scope, finish, opened, push, settle
from linkflow.domain.execution.snapshot import thaw
from linkflow.domain.execution.spending import begun, key_is_trigger, on_exceeded, on_raised, spend
from linkflow.domain.execution.state import ROOT, ExecutionState, Loop, NodeState, NodeStatus, Scope, Wait
from linkflow.domain.workflow.graph import ExecutionGraph


def evolve(state: ExecutionState, event: e.Event, at: float) -> None:
    """Fold one event into a state, in place.

    Args:
        state: Changed in place.
        event: The next event of the history.
        at: Seconds since 1970 of the record that holds it.

    Raises:
        LookupError: The event does not fit the history: it was written by a newer release, or is damaged.
    """
    state.version += 1
    if state.spending is not None:
        state.spending = spend(state, state.spending, event, at)
    _FOLDS[type(event)](state, event, at)


def fold(execution_id: str, graph: ExecutionGraph, records: Sequence[Any]) -> ExecutionState:
    """Fold loaded records (`ports.stores.Recorded`), oldest first, into a state.

    Args:
        execution_id: Whose they are.
        graph: The graph it pins.
        records: The whole history, or a later run of it, which begins with a snapshot.

    Raises:
        LookupError: There is a gap between two records, or an event does not fit.
    """
    state = ExecutionState(execution_id, graph)
    if records and records[0].first > 1:
        state = _thawed(execution_id, graph, records[0])
    for record in records:
        if record.first != state.version + 1:
            raise LookupError(f"event {state.version + 1} is missing before event {record.first}")
        for event in record.events:
            evolve(state, event, record.at)
    return state


def _thawed(execution_id: str, graph: ExecutionGraph, record: Any) -> ExecutionState:
    for event in record.events:
        if isinstance(event, e.Snapshot):
            return thaw(execution_id, graph, event.state, record.first - 1)
    raise LookupError(f"the history begins with event {record.first}, and that is no snapshot")


# ---------------------------------------------------------------- nodes


def _on_completed(state: ExecutionState, event: Any, at: float) -> None:
    output = event.output
    if output is None and key_is_trigger(state, event.key):
        output = state.start.input
    finish(state, event.key, NodeStatus.SUCCESS, at, output=output, handles=event.handles, dead=event.dead)


def _on_node_failed(state: ExecutionState, event: e.NodeFailed, at: float) -> None:
    _end(state, event, NodeStatus.ERROR, at)


def _end(state: ExecutionState, event: Any, status: NodeStatus, at: float) -> None:
    """The node of an event is done for good, with what the event says."""
    finish(
        state,
        event.key,
        status,
        at,
        output=event.output,
        error=event.error,
        handles=event.handles,
        dead=event.dead,
    )


def _go_on(
    state: ExecutionState,
    key: str,
    status: NodeStatus,
    *,
    attempt: int,
    error: NodeError | None,
    started_at: float | None = None,
    session: str = "",
    retry_at: float = 0.0,
    begins: bool = False,
    look_up: int | None = None,
) -> None:
    """An activity stands differently; where it is, since when, and what is None, stay."""
    before = state.nodes[key]
    look_up = before.look_up if look_up is None else look_up
    state.nodes[key] = NodeState(
        before.index,
        before.scope,
        status,
        before.at,
        attempt=attempt,
        session=session,
        started_at=before.started_at if started_at is None else started_at,
        retry_at=retry_at,
        error=error,
        begins=begins,
        tries=before.tries + (attempt > before.attempt and not look_up),
        look_up=look_up,
    )


def _on_failed(state: ExecutionState, event: e.ActivityTaskFailed, at: float) -> None:
    status = NodeStatus.TIMEOUT if isinstance(event, e.ActivityTaskTimedOut) else NodeStatus.ERROR
    if event.final:
        _end(state, event, status, at)
        return
    state.flying.pop(event.key, None)
    attempt = state.nodes[event.key].attempt
    _go_on(state, event.key, NodeStatus.RUNNING, attempt=attempt, error=event.error)


def _on_scheduled(state: ExecutionState, event: e.ActivityTaskScheduled, at: float) -> None:
    before = state.nodes.get(event.key)
    index, scope_id = opened(state, event.key)
    state.retries.pop(event.key, None)
    state.waits.pop(event.key, None)
    state.flying[event.key] = None
    look_up, within_s = before.look_up if before else 0, state.graph.nodes[index].start_within_s
    state.nodes[event.key] = NodeState(
        index,
        scope_id,
        NodeStatus.PENDING,
        at if before is None else before.at,
        attempt=event.attempt,
        error=before.error if before is not None else None,
        begin_by=at + within_s if within_s and not look_up else 0.0,
        tries=before.tries + (event.attempt > before.attempt) if before else 0,
        look_up=look_up,
    )


def _on_started(state: ExecutionState, event: e.ActivityTaskStarted, at: float) -> None:
    _go_on(
        state,
        event.key,
        NodeStatus.RUNNING,
        attempt=event.attempt,
        error=state.nodes[event.key].error,
        started_at=at,
        session=event.session,
        begins=event.begins,
    )


def _on_retry(state: ExecutionState, event: Any, at: float) -> None:
    """A further attempt, or a look-up of one, follows at an instant."""
    state.flying.pop(event.key, None)
    state.waits.pop(event.key, None)
    state.retries[event.key] = None
    error, look_up = state.nodes[event.key].error, getattr(event, "look_up", 0)
    _go_on(
        state,
        event.key,
        NodeStatus.RUNNING,
        attempt=event.attempt,
        error=error,
        retry_at=event.at,
        look_up=look_up,
    )


def _on_unknown(state: ExecutionState, event: e.ActivityTaskUnknown, at: float) -> None:
    state.flying.pop(event.key, None)
    if event.policy == "park":
        state.waits[event.key] = Wait("person", at, event.deadline_at, name=event.reason)
    _go_on(state, event.key, NodeStatus.WAITING, attempt=event.attempt, error=event.error)


def _open(state: ExecutionState, key: str, status: NodeStatus, at: float) -> None:
    """A node that no worker runs begins."""
    index, scope_id = opened(state, key)
    state.nodes[key] = NodeState(index, scope_id, status, at, started_at=at)


def _on_cancelled(state: ExecutionState, event: Any, at: float) -> None:
    finish(state, event.key, NodeStatus.CANCELLED, at)


def _on_skipped(state: ExecutionState, event: e.NodesSkipped, at: float) -> None:
    for key in event.keys:
        index, scope_id = locate(state, key)
        if (index, scope_id) in state.dead:
            state.dead.remove((index, scope_id))
        scope = state.scopes[scope_id]
        scope.visits[index] = scope.visits.get(index, 0) + 1
        settle(state, NodeState(index, scope_id, NodeStatus.SKIPPED, at), (), ())


# ---------------------------------------------------------------- loops


def _on_loop(state: ExecutionState, event: e.LoopStarted, at: float) -> None:
    _open(state, event.key, NodeStatus.RUNNING, at)
    state.loops[event.key] = Loop(event.mode, event.count, event.items, event.parallelism)


def _on_iteration(state: ExecutionState, event: e.IterationStarted, at: float) -> None:
    loop, node = state.loops[event.key], state.nodes[event.key]
    parent = state.scopes[node.scope]
    path = f"{parent.path}.{event.iteration}" if parent.path else str(event.iteration)
    loop_id = state.graph.nodes[node.index].id
    base = state.bases.get(f"{loop_id}#{parent.path}", 0)
    scope = Scope(f"{loop_id}#{path}", parent.id, path, event.key, event.iteration, base)
    state.scopes[scope.id] = scope
    loop.running[event.iteration] = scope.id
    loop.begun = event.iteration
    for edge in state.graph.nodes[node.index].edges.get("body", ()):
        arrive(state, scope, edge, is_taken=edge.index not in event.dead)


def _on_iteration_completed(state: ExecutionState, event: e.IterationCompleted, at: float) -> None:
    loop = state.loops[event.key]
    scope_id = loop.running.pop(event.iteration)
    if event.error is not None:
        loop.errors[event.iteration] = event.error
    else:
        loop.results[event.iteration] = event.output
    close_scope(state, scope_id)


# ---------------------------------------------------------------- waits


def _on_timer(state: ExecutionState, event: e.TimerStarted, at: float) -> None:
    _open(state, event.key, NodeStatus.WAITING, at)
    state.waits[event.key] = Wait("delay", at, event.fire_at)


def _on_wait(state: ExecutionState, event: e.WaitOpened, at: float) -> None:
    _open(state, event.key, NodeStatus.WAITING, at)
    state.waits[event.key] = Wait(
        event.kind,
        at,
        event.deadline_at,
        name=event.name,
        match=event.match,
        token=event.token,
        data=event.data,
    )


def _on_wait_resolved(state: ExecutionState, event: e.WaitResolved, at: float) -> None:
    state.mailbox.pop(event.signal, None)
    _on_completed(state, event, at)


def _on_wait_ended(state: ExecutionState, event: Any, at: float) -> None:
    status = NodeStatus.SUCCESS if event.error is None else NodeStatus.ERROR
    if isinstance(event, e.ChildClosed):
        state.children.pop(event.key, None)
        if event.key not in state.waits:
            return
    elif status is NodeStatus.ERROR:
        status = NodeStatus.TIMEOUT
    _end(state, event, status, at)


def _on_child(state: ExecutionState, event: e.ChildStarted, at: float) -> None:
    state.children[event.key] = (event.child_id, event.close_policy)
    _open(state, event.key, NodeStatus.WAITING, at)
    if event.waits:
        state.waits[event.key] = Wait(
            "child", at, event.deadline_at, child_id=event.child_id, close_policy=event.close_policy
        )


def _on_signal(state: ExecutionState, event: e.SignalReceived, at: float) -> None:
    state.seen[event.id] = None
    state.mailbox[event.id] = event


# ---------------------------------------------------------------- the execution


def _on_start(state: ExecutionState, event: e.WorkflowExecutionStarted, at: float) -> None:
    state.started = event
    state.started_at = at
    state.spending = begun(event)
    root = Scope(ROOT, ROOT, "", "", 0, 0)
    state.scopes[ROOT] = root
    fired = state.graph.by_id.get(event.trigger, state.graph.start)
    push(state, root, fired)
    for index in (state.graph.start, *state.graph.idle):
        if index != fired:
            state.dead.append((index, ROOT))


def _on_closed(state: ExecutionState, event: e.Event, at: float) -> None:
    state.closed = event
    state.closed_at = at
    state.ticket_since = 0.0
    state.fault = None
    for open_things in (state.ready, state.flying, state.retries, state.waits, state.loops, state.dead):
        open_things.clear()


def _on_cancel(state: ExecutionState, event: e.CancelRequested, at: float) -> None:
    state.cancel = event


def _on_failure(state: ExecutionState, event: e.FailureDecided, at: float) -> None:
    state.failure = event
    state.fault = None


def _on_quarantined(state: ExecutionState, event: e.Quarantined, at: float) -> None:
    state.quarantine = event.reason


def _on_released(state: ExecutionState, event: e.Released, at: float) -> None:
    state.quarantine = ""


def _on_continued(state: ExecutionState, event: e.WorkflowExecutionContinuedAsNew, at: float) -> None:
    state.run = event.run
    state.run_event = state.version


def _on_noted(state: ExecutionState, event: e.Event, at: float) -> None:
    """The event matters to readers only."""


_FOLDS: dict[type[e.Event], Callable[[ExecutionState, Any, float], None]] = {
    e.WorkflowExecutionStarted: _on_start,
    e.WorkflowExecutionCompleted: _on_closed,
    e.WorkflowExecutionFailed: _on_closed,
    e.WorkflowExecutionTimedOut: _on_closed,
    e.WorkflowExecutionCancelled: _on_closed,
    e.WorkflowExecutionTerminated: _on_closed,
    e.CancelRequested: _on_cancel,
    e.FailureDecided: _on_failure,
    e.ActivityTaskScheduled: _on_scheduled,
    e.ActivityTaskStarted: _on_started,
    e.ActivityTaskCompleted: _on_completed,
    e.ActivityTaskFailed: _on_failed,
    e.ActivityTaskTimedOut: _on_failed,
    e.ActivityTaskCancelled: _on_cancelled,
    e.ActivityTaskRetryScheduled: _on_retry,
    e.ActivityTaskUnknown: _on_unknown,
    e.ActivityTaskLookUp: _on_retry,
    e.ActivityTaskResolved: _on_noted,
    e.NodeCompleted: _on_completed,
    e.NodeFailed: _on_node_failed,
    e.NodesSkipped: _on_skipped,
    e.LoopStarted: _on_loop,
    e.IterationStarted: _on_iteration,
    e.IterationCompleted: _on_iteration_completed,
    e.TimerStarted: _on_timer,
    e.TimerFired: _on_completed,
    e.TimerCancelled: _on_cancelled,
    e.SignalReceived: _on_signal,
    e.SignalSent: _on_noted,
    e.WaitOpened: _on_wait,
    e.WaitResolved: _on_wait_resolved,
    e.WaitTimedOut: _on_wait_ended,
    e.ChildStarted: _on_child,
    e.ChildClosed: _on_wait_ended,
    **slots.FOLDS,
    e.MocksApplied: _on_noted,
    e.WorkflowExecutionContinuedAsNew: _on_continued,
    e.Snapshot: _on_noted,
    e.Quarantined: _on_quarantined,
    e.Released: _on_released,
    e.BudgetExceeded: on_exceeded,
    e.BudgetRaised: on_raised,
}
