"""What follows when a node fails: the next attempt, the error handle, the loop's policy, the end."""

import msgspec

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution.edges import as_json, catch
from linkflow.domain.execution.retry import delay_s, draw, may_retry
from linkflow.domain.execution.state import ROOT, NodeState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Completion, NodeClass, Unknown
from linkflow.domain.workflow.graph import GraphNode
from linkflow.domain.workflow.spec import Retry

GRACE_S = 10.0
"""How long activities may tidy up when their execution is cancelled or fails."""

TIMEOUTS = frozenset({"node.timeout", "node.heartbeat_timeout", "node.no_worker"})
"""Codes of attempts that took too long, said nothing for too long, or waited too long for a worker."""

PARKED_S = 7 * 24 * 3600.0
"""How long a person may decide about an unknown outcome; then it counts as failed."""

LOOK_UPS = Retry(max_attempts=4, initial_delay_ms=5_000)
"""How soon and how often the receiver is asked what became of an attempt; then a person decides."""

MAX_CRASHES = 3
"""Worker crashes on one task after which it is poison."""

MAX_SPARED = 20
"""Crashes not held against a suspect, because it had not begun; what is met by more of them is the reason."""

APART_S, FARTHEST_S = 3.0, 30.0
"""Within how many seconds the attempt after a second crash follows, at a moment of each node's own; after
each further one it may be as much later: who is met by many waits for better times."""


def fail_ready(turn: Turn, node: GraphNode, scope_id: str, key: str, error: NodeError) -> None:
    """A pure or control node failed."""
    caught = catch(turn, node, scope_id, key, error)
    turn.emit(e.NodeFailed(key, error, caught.handles, caught.output, caught.dead))
    if caught.error is not None:
        fail_scope(turn, scope_id, key, caught.error)


def attempt_failed(turn: Turn, key: str, node: NodeState, error: NodeError, completion: Completion) -> None:
    """An attempt failed for a known reason: try again or give up."""
    compiled = turn.state.graph.nodes[node.index]
    if not turn.state.is_ending and may_retry(compiled.retry, error, node.tries, compiled.node_class):
        at = turn.at + delay_s(compiled.retry, node.tries, error, _chance(turn, key, node))
        if not turn.state.deadline_at or at < turn.state.deadline_at:
            turn.emit(_failure(key, error, node, completion))
            turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, at))
            return
    give_up(turn, key, node, error, completion)


def _chance(turn: Turn, key: str, node: NodeState) -> float:
    return draw(turn.state.start.seed, key, node.attempt)


def give_up(turn: Turn, key: str, node: NodeState, error: NodeError, completion: Completion) -> None:
    """No further attempt follows."""
    compiled = turn.state.graph.nodes[node.index]
    caught = catch(turn, compiled, node.scope, key, error)
    failure = _failure(key, error, node, completion)
    turn.emit(
        msgspec.structs.replace(
            failure, final=True, handles=caught.handles, output=caught.output, dead=caught.dead
        )
    )
    if caught.error is not None:
        fail_scope(turn, node.scope, key, caught.error)


def _failure(key: str, error: NodeError, node: NodeState, completion: Completion) -> e.ActivityTaskFailed:
    kind = e.ActivityTaskTimedOut if error.code in TIMEOUTS else e.ActivityTaskFailed
    return kind(key, error, node.effect_attempt, logs=completion.logs, meta=completion.meta)


def attempt_unknown(
    turn: Turn, key: str, node: NodeState, reason: str, error: NodeError, *, answer: NodeError | None = None
) -> None:
    """Nobody knows whether an attempt's effect happened: look up, fail, park or try again, by its policy.

    Args:
        turn: Where events go.
        key: Of the node.
        node: The attempt, or the look-up that gave no answer.
        reason: Why, in a word.
        error: What the attempt ended with.
        answer: What the look-up ended with instead of an answer.
    """
    policy = _policy(turn, node)
    turn.emit(
        e.ActivityTaskUnknown(
            key, node.attempt, reason, policy.value, turn.at + PARKED_S, error, look_up=node.look_up
        )
    )
    if policy == Unknown.LOOK_UP:
        after_s = delay_s(LOOK_UPS, node.look_up + 1, answer or error, _chance(turn, key, node))
        turn.emit(e.ActivityTaskLookUp(key, node.attempt + 1, node.look_up + 1, turn.at + after_s))
    elif policy == Unknown.RETRY and node.tries < turn.state.graph.nodes[node.index].retry.max_attempts:
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at))
    elif policy != Unknown.PARK:
        give_up(turn, key, turn.state.nodes[key], outcome_unknown(reason, error), Completion())


def _policy(turn: Turn, node: NodeState) -> Unknown:
    """Say what follows from an outcome that is unknown, or that a look-up did not find."""
    compiled = turn.state.graph.nodes[node.index]
    if turn.state.is_ending:
        return Unknown.FAIL  # nobody is left to decide
    if node.look_up:
        return Unknown.LOOK_UP if node.look_up < LOOK_UPS.max_attempts else Unknown.PARK
    return compiled.unknown


def not_found_out(turn: Turn, key: str, node: NodeState, error: NodeError) -> None:
    """A look-up gave no answer: the attempt stays unknown, for the reason it was, and the look-up's."""
    cause = node.error or error
    details = {**cause.details, "look_up": as_json(error)}
    attempt_unknown(
        turn, key, node, error.code, msgspec.structs.replace(cause, details=details), answer=error
    )


def not_done(turn: Turn, key: str, node: NodeState) -> None:
    """A look-up found that the effect of an attempt did not happen: it failed, and may be tried again."""
    cause = node.error or outcome_unknown("look_up", None)
    details = {name: value for name, value in cause.details.items() if name != "look_up"}
    error = msgspec.structs.replace(cause, kind=Kind.TRANSIENT, not_started=True, details=details)
    attempt_failed(turn, key, node, error, Completion())


def outcome_unknown(reason: str, error: NodeError | None) -> NodeError:
    """The error of an attempt whose outcome stays unknown."""
    details = {"reason": reason, **({"cause": as_json(error)} if error else {})}
    return NodeError(
        code="node.outcome_unknown",
        kind=Kind.PERMANENT,
        message="The effect may or may not have happened: " + (error.message if error else reason),
        details=details,
    )


def worker_lost(turn: Turn, key: str, node: NodeState) -> None:
    """The worker that ran an attempt is dead."""
    if turn.state.is_ending:
        turn.emit(e.ActivityTaskCancelled(key, node.attempt, "the worker stopped"))
        return
    compiled = turn.state.graph.nodes[node.index]
    if node.look_up:
        not_found_out(turn, key, node, NodeError("node.worker_lost", Kind.TRANSIENT, "The worker stopped."))
        return
    crashes, spared = _crashes(node, "crashes"), _crashes(node, "spared")
    if is_suspect(node) and not node.begins and spared < MAX_SPARED:
        spared += 1
    else:
        crashes += 1
    error = NodeError(
        code="node.worker_lost",
        kind=Kind.TRANSIENT,
        message="The worker stopped while it ran this node.",
        details={"crashes": crashes, **({"spared": spared} if spared else {})},
    )
    if compiled.node_class is NodeClass.ONCE:
        attempt_unknown(turn, key, node, "worker_lost", error)
    elif crashes >= MAX_CRASHES:
        message = f"This node stopped its worker {crashes} times; it is not tried again."
        poison = NodeError(code="node.poison", kind=Kind.PERMANENT, message=message, details=error.details)
        give_up(turn, key, node, poison, Completion())
    else:
        within_s = min(FARTHEST_S, APART_S * (crashes + spared - 1))
        apart_s = within_s * draw(turn.state.start.seed, key, node.attempt)
        turn.emit(e.ActivityTaskFailed(key, error, node.attempt))
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at + apart_s))


def is_suspect(node: NodeState) -> bool:
    """Say whether a node may be what stopped its worker.

    What ran beside a node that stops its worker stops with it. So the next attempts of each run alone, and a
    further crash counts only once the worker has said that it begins.
    """
    return _crashes(node, "crashes") > 0


def _crashes(node: NodeState, which: str) -> int:
    """Count the crashes on a node so far: those held against it, or those it was spared."""
    if node.error is None or node.error.code != "node.worker_lost":
        return 0
    return int(node.error.details.get(which, 0))


def fail_scope(turn: Turn, scope_id: str, key: str, error: NodeError) -> None:
    """A node failed and nothing caught it: the iteration around it fails, or the execution."""
    state = turn.state
    if state.is_ending:
        return
    scope = state.scopes.get(scope_id)
    if scope_id == ROOT or scope is None:
        if any(state.nodes[flying].session for flying in state.flying):
            turn.emit(e.FailureDecided(error, key, turn.at + GRACE_S))
            drop_unstarted(turn)
        else:
            turn.emit(e.WorkflowExecutionFailed(error, key))
        return
    loop_key, iteration = scope.loop, scope.iteration
    loop_node = state.graph.nodes[state.nodes[loop_key].index]
    abandon(turn, scope_id, f"'{key}' failed")
    turn.emit(e.IterationCompleted(loop_key, iteration, error=error))
    if loop_node.node.config.get("on_item_error", "fail") == "fail":
        fail_loop(turn, loop_key, error)


def fail_loop(turn: Turn, loop_key: str, error: NodeError) -> None:
    """A loop fails: its other iterations are given up."""
    state = turn.state
    for running in list(state.loops[loop_key].running.values()):
        abandon(turn, running, f"the loop '{loop_key}' failed")
    node = state.nodes[loop_key]
    fail_ready(turn, state.graph.nodes[node.index], node.scope, loop_key, error)


def drop_unstarted(turn: Turn) -> None:
    """Cancel activities that no worker has begun."""
    state = turn.state
    for key in [key for key in state.flying if not state.nodes[key].session]:
        turn.emit(e.ActivityTaskCancelled(key, state.nodes[key].attempt, "not started"))


def abandon(turn: Turn, scope_id: str, reason: str) -> None:
    """Cancel everything that is under way in a scope and in the scopes inside it."""
    state = turn.state
    scopes = {scope_id}
    grows = True
    while grows:
        inner = {scope.id for scope in state.scopes.values() if scope.parent in scopes and scope.id != ROOT}
        grows = not inner <= scopes
        scopes |= inner
    for key in [*state.flying, *state.retries, *state.waits]:
        if state.nodes[key].scope in scopes:
            cancel_open(turn, key, reason)


def cancel_open(turn: Turn, key: str, reason: str) -> None:
    """Cancel one node that is ready, under way or waiting; its edges die."""
    wait = turn.state.waits.get(key)
    if wait is not None and wait.kind == "delay":
        turn.emit(e.TimerCancelled(key))
    else:
        node = turn.state.nodes.get(key)
        turn.emit(e.ActivityTaskCancelled(key, node.attempt if node is not None else 1, reason))
