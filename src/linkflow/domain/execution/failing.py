"""What follows when a node fails: the next attempt, the error handle, the loop's policy, the end."""

from collections.abc import Sequence

import msgspec

from linkflow.domain.errors import Kind, LinkFlowError, NodeError, node_error
from linkflow.domain.execution import events as e
from linkflow.domain.execution.retry import delay_s, draw, may_retry
from linkflow.domain.execution.state import ROOT, NodeState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Completion, NodeClass
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode
from linkflow.domain.workflow.spec import OnError

GRACE_S = 10.0
"""How long activities may tidy up when their execution is cancelled or fails."""

PARKED_S = 7 * 24 * 3600.0
"""How long a person may decide about an unknown outcome; then it counts as failed."""

MAX_CRASHES = 3
"""Worker crashes on one task after which it is poison."""


def as_json(error: NodeError) -> Json:
    """Say an error as a JSON object."""
    return msgspec.to_builtins(error)


def caught(
    turn: Turn, node: GraphNode, scope_id: str, key: str, error: NodeError
) -> tuple[Sequence[str], Json]:
    """Say which handles a failed node takes and what they carry; none when nothing catches the error."""
    if node.on_error is OnError.BRANCH and "error" in node.edges:
        raw_input = turn.scope(node.index, scope_id, key).raw_input()
        return ("error",), {"error": as_json(error), "input": raw_input}
    if node.on_error is OnError.CONTINUE:
        handle = "out" if "out" in node.spec.outputs or not node.spec.outputs else node.spec.outputs[0]
        return (handle,), {"status": "error", "error": as_json(error)}
    return (), None


def dead_edges(
    turn: Turn, node: GraphNode, scope_id: str, key: str, handles: Sequence[str], output: Json
) -> tuple[tuple[int, ...], NodeError | None]:
    """Evaluate the conditions on edges that leave taken handles.

    Returns:
        Indexes of edges whose condition does not hold, and the error when a condition cannot be evaluated.
    """
    dead: tuple[int, ...] = ()
    for handle in handles:
        for edge in node.edges.get(handle, ()):
            if edge.condition is None:
                continue
            scope = turn.scope(node.index, scope_id, key, output=output if output is not None else {})
            try:
                holds = scope.render(edge.condition)
            except LinkFlowError as error:
                return tuple(edge.index for edge in node.all_edges), node_error(error)
            if not holds:
                dead = (*dead, edge.index)
    return dead, None


def fail_ready(turn: Turn, node: GraphNode, scope_id: str, key: str, error: NodeError) -> None:
    """A pure or control node failed."""
    handles, output = caught(turn, node, scope_id, key, error)
    dead, _ = dead_edges(turn, node, scope_id, key, handles, output)
    turn.emit(e.NodeFailed(key, error, handles=handles, output=output, dead=dead))
    if not handles:
        fail_scope(turn, scope_id, key, error)


def attempt_failed(turn: Turn, key: str, node: NodeState, error: NodeError, completion: Completion) -> None:
    """An attempt failed for a known reason: try again or give up."""
    compiled = turn.state.graph.nodes[node.index]
    if may_retry(compiled.retry, error, node.attempt, compiled.node_class):
        chance = draw(turn.state.start.seed, key, node.attempt)
        at = turn.at + delay_s(compiled.retry, node.attempt, error, chance)
        if not turn.state.start.deadline_at or at < turn.state.start.deadline_at:
            turn.emit(_failure(key, error, node, completion))
            turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, at))
            return
    give_up(turn, key, node, error, completion)


def give_up(turn: Turn, key: str, node: NodeState, error: NodeError, completion: Completion) -> None:
    """No further attempt follows."""
    compiled = turn.state.graph.nodes[node.index]
    handles, output = caught(turn, compiled, node.scope, key, error)
    dead, _ = dead_edges(turn, compiled, node.scope, key, handles, output)
    failure = _failure(key, error, node, completion)
    turn.emit(msgspec.structs.replace(failure, final=True, handles=handles, output=output, dead=dead))
    if not handles:
        fail_scope(turn, node.scope, key, error)


def _failure(key: str, error: NodeError, node: NodeState, completion: Completion) -> e.ActivityTaskFailed:
    kind = e.ActivityTaskTimedOut if error.code == "node.timeout" else e.ActivityTaskFailed
    return kind(key, error, node.attempt, logs=completion.logs, meta=completion.meta)


def attempt_unknown(turn: Turn, key: str, node: NodeState, reason: str, error: NodeError | None) -> None:
    """Nobody knows whether an attempt's effect happened: fail, park or try again, by the node's policy."""
    compiled = turn.state.graph.nodes[node.index]
    policy = compiled.unknown if compiled.unknown in ("fail", "retry") else "park"
    turn.emit(e.ActivityTaskUnknown(key, node.attempt, reason, policy, turn.at + PARKED_S, error))
    if policy == "retry" and node.attempt < compiled.retry.max_attempts:
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at))
    elif policy != "park":
        give_up(turn, key, turn.state.nodes[key], outcome_unknown(reason, error), Completion())


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
    compiled = turn.state.graph.nodes[node.index]
    crashes = 1
    if node.error is not None and node.error.code == "node.worker_lost":
        crashes += int(node.error.details.get("crashes", 0))
    error = NodeError(
        code="node.worker_lost",
        kind=Kind.TRANSIENT,
        message="The worker stopped while it ran this node.",
        details={"crashes": crashes},
    )
    if compiled.node_class is NodeClass.ONCE:
        attempt_unknown(turn, key, node, "worker_lost", error)
    elif crashes >= MAX_CRASHES:
        message = f"This node stopped its worker {crashes} times; it is not tried again."
        poison = NodeError(
            code="node.poison", kind=Kind.PERMANENT, message=message, details={"crashes": crashes}
        )
        give_up(turn, key, node, poison, Completion())
    else:
        turn.emit(e.ActivityTaskFailed(key, error, node.attempt))
        turn.emit(e.ActivityTaskRetryScheduled(key, node.attempt + 1, turn.at))


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
        for running in list(state.loops[loop_key].running.values()):
            abandon(turn, running, f"'{key}' failed")
        fail_ready(turn, loop_node, state.nodes[loop_key].scope, loop_key, error)


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
        node = state.nodes[key]
        if node.scope in scopes:
            turn.emit(e.ActivityTaskCancelled(key, node.attempt, reason))
