"""What moves a wait on: a signal, a decision, a deadline, the end of a child."""

import msgspec

from linkflow.domain.errors import Conflict, Kind, NodeError, NotFound, RateLimited
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.activity_events import LOOKED_UP
from linkflow.domain.execution.completing import complete_attempt
from linkflow.domain.execution.edges import as_json, catch, dead_edges
from linkflow.domain.execution.failing import (
    TIMEOUTS,
    attempt_failed,
    attempt_unknown,
    fail_scope,
    give_up,
    not_done,
    not_found_out,
    outcome_unknown,
)
from linkflow.domain.execution.state import NodeState, Wait
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Completion, NodeClass, is_not_done
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode

MAILBOX = 1_000
"""Signals that an execution keeps for waits to come."""

DEADLINE = "deadline"
"""Who decided, where nobody did in time and the node says what holds then."""

BACKSTOP_S = 30.0
"""How much longer than its limit an attempt may stay unreported before History gives it up."""


def on_signal(turn: Turn, news: n.Signal) -> None:
    """A message came in: it goes to the oldest matching wait, or stays in the mailbox."""
    state = turn.state
    if news.id in state.seen:
        return
    if len(state.mailbox) >= MAILBOX:
        raise RateLimited(
            f"{MAILBOX} signals wait in the mailbox of this execution already.", code="signal.full"
        )
    turn.emit(e.SignalReceived(news.id, news.name, news.match, news.data))
    for key, wait in state.waits.items():
        if _matches(wait, news.name, news.match):
            _deliver(turn, key, state.mailbox[news.id])
            return


def match_mailbox(turn: Turn, key: str) -> None:
    """A wait was opened: a message may be there already."""
    wait = turn.state.waits[key]
    for signal in turn.state.mailbox.values():
        if _matches(wait, signal.name, signal.match):
            _deliver(turn, key, signal)
            return


def _matches(wait: Wait, name: str, match: str) -> bool:
    return wait.kind == "event" and wait.name == name and wait.match in ("", match)


def _deliver(turn: Turn, key: str, signal: e.SignalReceived) -> None:
    output = {"event": signal.name, "key": signal.match, "data": signal.data}
    resolve_wait(turn, key, output, "out", signal=signal.id)


def resolve_wait(turn: Turn, key: str, output: Json, handle: str, *, by: str = "", signal: str = "") -> None:
    """What was waited for came."""
    node = turn.state.nodes[key]
    compiled = turn.state.graph.nodes[node.index]
    dead, error = dead_edges(turn, compiled, node.scope, key, (handle,), output)
    turn.emit(e.WaitResolved(key, output, (handle,), dead, by, signal))
    if error is not None:
        fail_scope(turn, node.scope, key, error)


def on_resolve(turn: Turn, news: n.Resolve) -> None:
    """A decision about something that is waited for.

    Raises:
        NotFound: Nothing is open under the key or token.
        Conflict: The action does not fit what is waited for.
    """
    key = news.key or _by_token(turn, news.token)
    if key in turn.state.retries and news.action == "retry":
        _at_once(turn, key, turn.state.nodes[key])
        return
    wait = turn.state.waits.get(key)
    if wait is None:
        raise NotFound("Nothing is waited for under this key or token, or it was decided already.", key=key)
    node = turn.state.nodes[key]
    match wait.kind:
        case "approval" if news.action in ("approved", "rejected"):
            _decided(turn, key, news.action, news.data, by=news.by, comment=news.comment)
        case "event" | "webhook" if news.action == "done":
            output = {"event": wait.name, "key": wait.match, "data": news.data}
            resolve_wait(turn, key, output, "out", by=news.by)
        case "delay" if news.action in ("done", "skip"):
            _fire(turn, key, node)
        case "person" if news.action in ("done", "retry", "fail"):
            _resolve_unknown(turn, key, node, news)
        case _:
            raise Conflict(f"'{news.action}' is no answer to a wait of kind {wait.kind}.", code="wait.action")


def _at_once(turn: Turn, key: str, node: NodeState) -> None:
    """What follows at an instant follows now."""
    if node.look_up:
        turn.emit(e.ActivityTaskLookUp(key, node.attempt, node.look_up, turn.at))
    else:
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt, turn.at))


def _decided(turn: Turn, key: str, decision: str, answer: Json, *, by: str, comment: str = "") -> None:
    """An approval was decided, by a person or by its deadline."""
    output = {"approval_id": key, "decision": decision, "decision_payload": answer, "decided_by": by}
    resolve_wait(turn, key, output | ({"comment": comment} if comment else {}), decision, by=by)


def _by_token(turn: Turn, token: str) -> str:
    for key, wait in turn.state.waits.items():
        if token and wait.token == token:
            return key
    return ""


def _resolve_unknown(turn: Turn, key: str, node: NodeState, news: n.Resolve) -> None:
    turn.emit(e.ActivityTaskResolved(key, node.effect_attempt, news.action, news.by))
    if news.action == "done":
        complete_attempt(turn, key, node, Completion(output=news.data))
    elif news.action == "retry":
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at))
    else:
        give_up(turn, key, node, outcome_unknown("a person said that it failed", node.error), Completion())


def on_report(turn: Turn, news: n.Report) -> bool:
    """An attempt ended; say whether that was still wanted."""
    state = turn.state
    node = state.nodes.get(news.key)
    if node is None or not _is_wanted(turn, node, news):
        return False
    if node.look_up and news.attempt == node.attempt:
        _on_look_up(turn, news.key, node, news.completion)
        return True
    completion, error = news.completion, news.completion.error
    if error is None:
        complete_attempt(turn, news.key, node, completion)
    elif error.code == "node.cancelled" and state.is_ending:
        turn.emit(e.ActivityTaskCancelled(news.key, node.attempt, "cancelled"))
    elif state.graph.nodes[node.index].node_class is NodeClass.ONCE and _is_unknown(completion, error):
        if news.key in state.flying and not node.look_up:  # nobody is wiser for a second "unknown"
            attempt_unknown(turn, news.key, node, error.code, error)
    else:
        if error.code == "node.cancelled":  # by the worker itself: nobody here asked for it
            error = msgspec.structs.replace(error, kind=Kind.TRANSIENT)
        attempt_failed(turn, news.key, node, error, completion)
    return True


def _is_wanted(turn: Turn, node: NodeState, news: n.Report) -> bool:
    """Say whether an attempt may still end: it is under way, or its outcome is unknown."""
    state, key = turn.state, news.key
    is_parked = key in state.waits and state.waits[key].kind == "person"
    if news.attempt == node.attempt:  # else nobody, or somebody else, was given this attempt
        return news.session == node.session if key in state.flying else is_parked
    is_open = is_parked or key in state.flying or key in state.retries
    return is_open and news.attempt == node.effect_attempt


def _on_look_up(turn: Turn, key: str, node: NodeState, completion: Completion) -> None:
    """A look-up ended: the effect happened, or did not, or nobody knows yet."""
    error = completion.error
    if error is None:
        turn.emit(e.ActivityTaskResolved(key, node.effect_attempt, "done", LOOKED_UP))
        complete_attempt(turn, key, node, completion)
    elif is_not_done(error):
        turn.emit(e.ActivityTaskResolved(key, node.effect_attempt, "retry", LOOKED_UP))
        not_done(turn, key, node)
    elif key in turn.state.flying:
        not_found_out(turn, key, node, error)


def _is_unknown(completion: Completion, error: NodeError) -> bool:
    """Say whether the effect of a node of class `once` may or may not have happened."""
    if error.not_started or error.refused:
        return False
    return completion.unknown or error.code in TIMEOUTS or error.code == "node.cancelled"


def on_child(turn: Turn, news: n.ChildEnded) -> None:
    """A sub-workflow is over."""
    state = turn.state
    child = state.children.get(news.key)
    if child is None or child[0] != news.child_id:
        return
    node = state.nodes.get(news.key)
    if news.key not in state.waits or node is None:
        turn.emit(e.ChildClosed(news.key, news.child_id, news.status))
        return
    compiled = state.graph.nodes[node.index]
    if news.status == "completed":
        dead, error = dead_edges(turn, compiled, node.scope, news.key, ("out",), news.output)
        turn.emit(e.ChildClosed(news.key, news.child_id, news.status, news.output, ("out",), dead))
        if error is not None:
            fail_scope(turn, node.scope, news.key, error)
        return
    _child_failed(turn, news.key, node, compiled, news.status, news.error)


def _child_failed(
    turn: Turn, key: str, node: NodeState, compiled: GraphNode, status: str, cause: NodeError | None
) -> None:
    child_id = turn.state.children[key][0]
    why = f": {cause.message.rstrip('.')}" if cause is not None and status == "cancelled" else ""
    inside: dict[str, Json] = {"error": as_json(cause)} if cause is not None else {}
    error = NodeError(
        code=f"workflow.child_{status}",
        kind=Kind.PERMANENT,
        message=f"The sub-workflow ended as {status}{why}.",
        details={"execution_id": child_id, **inside},
    )
    caught = catch(turn, compiled, node.scope, key, error)
    turn.emit(e.ChildClosed(key, child_id, status, caught.output, caught.handles, caught.dead, error))
    if caught.error is not None:
        fail_scope(turn, node.scope, key, caught.error)


def fire_due(turn: Turn) -> None:
    """Fire every wait, and give up every attempt, whose time has come."""
    state = turn.state
    for key, wait in sorted(state.waits.items(), key=lambda item: item[1].until):
        if wait.until > turn.at or key not in state.waits:
            continue
        node = state.nodes[key]
        if wait.kind == "delay":
            _fire(turn, key, node)
        elif wait.kind == "person":
            give_up(turn, key, node, outcome_unknown("nobody decided in time", node.error), Completion())
        elif wait.kind == "child":
            _child_failed(turn, key, node, state.graph.nodes[node.index], "timed_out", None)
        elif wait.kind == "approval":
            _by_deadline(turn, key, node, wait)
        else:
            _time_out(turn, key, node)
    for key in list(state.flying):
        if key in state.nodes:
            _fire_attempt(turn, key, state.nodes[key])


def _fire_attempt(turn: Turn, key: str, node: NodeState) -> None:
    """Give an attempt up that should have been reported, or taken, by now."""
    if node.session and turn.at >= backstop_at(turn, node):
        _lost_track(turn, key, node)
    elif node.begin_by and turn.at >= node.begin_by:
        _no_worker(turn, key, node)


def _by_deadline(turn: Turn, key: str, node: NodeState, wait: Wait) -> None:
    """Do what an approval's node says about its deadline."""
    asked = wait.data if isinstance(wait.data, dict) else {}
    match asked.get("on_timeout"):
        case "approve":
            _decided(turn, key, "approved", None, by=DEADLINE)
        case "reject":
            _decided(turn, key, "rejected", None, by=DEADLINE)
        case "escalate" if asked.get("escalate_to"):
            others = {
                name: value for name, value in asked.items() if name not in ("on_timeout", "escalate_to")
            }
            others |= {"deciders": asked["escalate_to"], "escalated_from": asked.get("deciders") or []}
            until = turn.at + wait.until - wait.since
            turn.emit(e.WaitOpened(key, "approval", until, token=wait.token, data=others))
        case said:
            _time_out(turn, key, node, has_handle=said != "fail")


def backstop_at(turn: Turn, node: NodeState) -> float:
    """Say until when a started attempt must be reported, seconds since 1970."""
    return node.started_at + turn.state.graph.nodes[node.index].timeout_s + BACKSTOP_S


def _lost_track(turn: Turn, key: str, node: NodeState) -> None:
    error = NodeError(code="node.timeout", kind=Kind.TRANSIENT, message="The attempt took too long.")
    if node.look_up:
        not_found_out(turn, key, node, error)
    elif turn.state.graph.nodes[node.index].node_class is NodeClass.ONCE:
        attempt_unknown(turn, key, node, "timeout", error)
    else:
        attempt_failed(turn, key, node, error, Completion())


def _no_worker(turn: Turn, key: str, node: NodeState) -> None:
    """Nobody took an attempt in time; a further one would wait in the same line, so none follows."""
    limit_s = turn.state.graph.nodes[node.index].start_within_s
    error = NodeError(
        code="node.no_worker",
        kind=Kind.PERMANENT,
        message=f"No worker took this node within {limit_s:g} s; it did not begin.",
        details={"limit_s": limit_s},
        not_started=True,
    )
    attempt_failed(turn, key, node, error, Completion())


def _fire(turn: Turn, key: str, node: NodeState) -> None:
    compiled = turn.state.graph.nodes[node.index]
    output = {"resumed_at": turn.at}
    dead, error = dead_edges(turn, compiled, node.scope, key, ("out",), output)
    turn.emit(e.TimerFired(key, output, ("out",), dead))
    if error is not None:
        fail_scope(turn, node.scope, key, error)


def _time_out(turn: Turn, key: str, node: NodeState, *, has_handle: bool = True) -> None:
    compiled = turn.state.graph.nodes[node.index]
    if has_handle and "timeout" in compiled.edges:
        output = {"status": "timeout"}
        dead, failed = dead_edges(turn, compiled, node.scope, key, ("timeout",), output)
        turn.emit(e.WaitTimedOut(key, ("timeout",), output, dead))
    else:
        error = NodeError(
            code="node.timeout",
            kind=Kind.TRANSIENT,
            message="What this node waited for did not come in time.",
        )
        caught = catch(turn, compiled, node.scope, key, error)
        failed = caught.error
        turn.emit(e.WaitTimedOut(key, caught.handles, caught.output, caught.dead, error))
    if failed is not None:
        fail_scope(turn, node.scope, key, failed)
