"""decide(state, news, at): what follows from what an execution is told. Pure, and the heart of LinkFlow.

The same history, graph and evaluators give the same decisions, in any process and release. Time is `at`;
chance is drawn from the seed in the first event; identity derives from the execution id and node keys.

    news ──► handle each ──► drain: dead nodes are skipped, ready nodes begin, iterations and loops
                             advance, until nothing is left that can be decided now ──► close

Every decision is an event, folded at once (`Turn.emit`), so the state after a turn is by construction
the fold of its events.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linkflow.domain.errors import ExecutionClosed, NotFound
from linkflow.domain.execution import budget
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.begin import begin, schedule, start_scheduled
from linkflow.domain.execution.failing import GRACE_S, drop_unstarted, fail_scope, worker_lost
from linkflow.domain.execution.keys import next_key
from linkflow.domain.execution.loops import advance_any, can_advance, complete_iteration
from linkflow.domain.execution.queueing import fire_slot, line_up, on_promised, on_refused
from linkflow.domain.execution.snapshot import freeze
from linkflow.domain.execution.spending import KEY
from linkflow.domain.execution.state import ROOT, ExecutionState, Scope
from linkflow.domain.execution.turn import Turn
from linkflow.domain.execution.waiting import fire_due, on_child, on_report, on_resolve, on_signal
from linkflow.domain.values import Json

EVENTS_PER_RUN = 20_000
"""A run this long goes on in the next one (semantics, section 7)."""


def decide(
    state: ExecutionState,
    news: Sequence[n.News],
    at: float,
    *,
    sessions: Sequence[str] = (),
    blobs: Mapping[str, Json] | None = None,
) -> Turn:
    """Decide what follows from news.

    Args:
        state: Where the execution stands; it is not changed.
        news: What it is told, oldest first. Repeats change nothing.
        at: Seconds since 1970: the time of the record to come.
        sessions: Credits of worker sessions; an activity scheduled now is started on one of them.
        blobs: Large values by SHA-256, for what the decision reads.

    Returns:
        The turn: its events in order, the state after them, and which news was wanted.

    Raises:
        NeedsBlobs: A large value must be fetched; then decide again.
        NotFound, Conflict: A `Resolve` fits nothing that is waited for; nothing else was decided.
        ExecutionClosed: The execution is over and the news wants an answer.
    """
    turn = Turn(state.copy(), at, sessions, blobs or {})
    for item in news:
        turn.accepted.append(bool(_HANDLERS[type(item)](turn, item)))
    _drain(turn)
    _close(turn)
    start_scheduled(turn)
    return turn


def roll_over(state: ExecutionState, at: float, events_per_run: int = EVENTS_PER_RUN) -> Turn | None:
    """Begin the next run of a long history with a snapshot: it can be loaded without the earlier ones.

    Returns:
        The turn, or None while the run is short or the execution is over.
    """
    is_long = state.version - state.run_event >= events_per_run
    if not is_long or state.is_closed or state.fault is not None:
        return None
    turn = Turn(state.copy(), at, (), {})
    turn.emit(e.WorkflowExecutionContinuedAsNew(state.run + 1))
    turn.emit(e.Snapshot(freeze(turn.state)))
    return turn


def has_more(state: ExecutionState) -> bool:
    """Say whether the last turn stopped for its budget, so that the next should follow at once."""
    if state.is_ending or state.ticket_since or state.slot is not None or state.quarantine:
        return False
    if (state.ready and not state.is_paused) or state.dead or state.fault is not None:
        return True
    return any(map(can_advance, state.loops.values())) or _idle_iteration(state) is not None


def _drain(turn: Turn) -> None:
    state = turn.state
    while turn.steps > 0 and not (
        state.is_ending or state.ticket_since or state.slot is not None or state.quarantine
    ):
        turn.steps -= 1
        if state.fault is not None:
            fail_scope(turn, *state.fault)
        elif state.dead:
            _skip(turn)
        elif state.ready and not state.is_paused:
            if turn.budget <= 0:
                break
            ready = state.ready
            key = next(iter(ready)) if len(ready) == 1 else min(ready, key=ready.__getitem__)
            _, index, scope_id = ready[key]
            spending = state.spending
            if spending is None or budget.is_free(turn, key, index) or not budget.stops(turn, spending, key):
                begin(turn, key, index, scope_id)
        elif (idle := _idle_iteration(state)) is not None:
            complete_iteration(turn, idle)
        elif not advance_any(turn):
            break


def _skip(turn: Turn) -> None:
    state = turn.state
    index, scope_id = state.dead[0]
    scope = state.scopes.get(scope_id)
    if scope is None:
        state.dead.pop(0)
        return
    turn.emit(e.NodesSkipped([next_key(state, scope, index)]))


def _idle_iteration(state: ExecutionState) -> Scope | None:
    """Find an iteration whose every node is done."""
    if len(state.scopes) > 1:
        for scope in state.scopes.values():
            if scope.id != ROOT and not scope.open:
                return scope
    return None


def _close(turn: Turn) -> None:
    """End the execution when nothing is left to do."""
    state = turn.state
    if state.is_closed or state.started is None:
        return
    if state.cancel is not None:
        if not state.flying or turn.at >= state.cancel.grace_until:
            turn.emit(e.WorkflowExecutionCancelled(state.cancel.reason))
    elif state.quarantine:
        return
    elif state.failure is not None:
        if not state.flying or turn.at >= state.failure.grace_until:
            turn.emit(e.WorkflowExecutionFailed(state.failure.error, state.failure.key))
    elif not (state.ticket_since or state.slot or state.scopes[ROOT].open or state.dead or _awaited(state)):
        turn.emit(e.WorkflowExecutionCompleted(result_of(state)))


def _awaited(state: ExecutionState) -> bool:
    return any(policy == "wait" for _, policy in state.children.values())


def result_of(state: ExecutionState) -> Json:
    """The result: the responder's output, else the only finished leaf's, else an object of leaves by id."""
    if state.has_responded:
        return state.responded
    leaves = state.leaves
    if len(leaves) == 1:
        return state.nodes[next(iter(leaves.values()))].output
    nodes = state.graph.nodes
    return {nodes[index].id: state.nodes[key].output for index, key in sorted(leaves.items())}


# ---------------------------------------------------------------- one function per kind of news


def _on_begin(turn: Turn, news: n.Begin) -> bool:
    if turn.state.started is not None:
        return False
    turn.emit(news.started)
    line_up(turn)
    return True


def _on_report(turn: Turn, news: n.Report) -> bool:
    return not turn.state.is_closed and on_report(turn, news)


def _on_claim(turn: Turn, news: n.Claim) -> bool:
    state = turn.state
    node = state.nodes.get(news.key)
    if state.is_ending or node is None or news.key not in state.flying or node.attempt != news.attempt:
        return False
    if node.session and node.session != news.session:
        return False
    if not node.session or (news.begins and not node.begins):
        turn.emit(e.ActivityTaskStarted(news.key, news.session, news.attempt, news.begins))
    return True


def _on_wake(turn: Turn, news: n.Wake) -> bool:
    state = turn.state
    if state.is_ending or state.quarantine or state.started is None:
        return not state.is_closed
    if state.deadline_at and turn.at >= state.deadline_at:
        turn.emit(e.WorkflowExecutionTimedOut())
        return True
    fire_slot(turn)
    fire_due(turn)
    budget.fire_pause(turn)
    _try_again(turn, [key for key in state.retries if state.nodes[key].retry_at <= turn.at])
    return True


def _try_again(turn: Turn, keys: Sequence[str]) -> None:
    """Schedule the next attempts of nodes, as far as the execution may go on."""
    state = turn.state
    for key in keys:
        if state.is_ending or state.is_paused:
            return
        if state.spending is None or not budget.stops(turn, state.spending, key):
            schedule(turn, key, attempt=state.nodes[key].attempt)


def _on_sessions_lost(turn: Turn, news: n.SessionsLost) -> bool:
    state = turn.state
    if state.is_closed:
        return False
    for key in list(state.flying):
        node = state.nodes.get(key)
        if node is None or not node.session:
            continue
        if node.session in news.sessions or (news.alive is not None and node.session not in news.alive):
            worker_lost(turn, key, node)
    _on_wake(turn, n.Wake())
    return True


def _on_signal(turn: Turn, news: n.Signal) -> bool:
    if turn.state.is_ending and news.id not in turn.state.seen:
        raise ExecutionClosed
    on_signal(turn, news)
    return True


def _on_resolve(turn: Turn, news: n.Resolve) -> bool:
    if turn.state.is_ending:
        raise ExecutionClosed
    if news.key == KEY:
        budget.on_resolve(turn, news)
    else:
        on_resolve(turn, news)
    _on_wake(turn, n.Wake())
    return True


def _on_cancel(turn: Turn, news: n.Cancel) -> bool:
    if turn.state.is_closed or turn.state.cancel is not None:
        return False
    turn.emit(e.CancelRequested(news.reason, news.by, turn.at + GRACE_S))
    drop_unstarted(turn)
    return True


def _on_terminate(turn: Turn, news: n.Terminate) -> bool:
    if turn.state.is_closed:
        return False
    turn.emit(e.WorkflowExecutionTerminated(news.reason))
    return True


def _on_child(turn: Turn, news: n.ChildEnded) -> bool:
    if turn.state.is_ending:
        return False
    on_child(turn, news)
    return True


def _on_granted(turn: Turn, news: n.Granted) -> bool:
    if turn.state.is_ending or not turn.state.ticket_since:
        return False
    turn.emit(e.TicketGranted(news.ticket))
    return True


def _on_quarantine(turn: Turn, news: n.Quarantine) -> bool:
    if turn.state.is_closed or turn.state.quarantine:
        return False
    turn.emit(e.Quarantined(news.reason))
    return True


def _on_release(turn: Turn, news: n.Release) -> bool:
    if turn.state.is_closed or not turn.state.quarantine:
        raise NotFound("The execution is not quarantined.")
    turn.emit(e.Released(news.by))
    return True


_HANDLERS: Mapping[type[n.News], Callable[[Turn, Any], bool]] = {
    n.Begin: _on_begin,
    n.Report: _on_report,
    n.Claim: _on_claim,
    n.Wake: _on_wake,
    n.SessionsLost: _on_sessions_lost,
    n.Signal: _on_signal,
    n.Resolve: _on_resolve,
    n.Cancel: _on_cancel,
    n.Terminate: _on_terminate,
    n.ChildEnded: _on_child,
    n.Granted: _on_granted,
    n.Promised: on_promised,
    n.Refused: on_refused,
    n.Quarantine: _on_quarantine,
    n.Release: _on_release,
}
