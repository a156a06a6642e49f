"""How edges are settled: which nodes that makes ready and which dead (semantics, section 2).

Used by `evolve` only. Works on the state in place.
"""

from collections.abc import Sequence

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution.keys import locate, next_key
from linkflow.domain.execution.state import ROOT, ExecutionState, NodeState, NodeStatus, Scope
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphEdge
from linkflow.domain.workflow.shape import EdgeKind


def push(state: ExecutionState, scope: Scope, index: int) -> None:
    """A node is ready."""
    key = next_key(state, scope, index)
    scope.visits[index] = scope.visits.get(index, 0) + 1
    scope.open += 1
    state.ready[key] = (state.graph.nodes[index].rank, index, scope.id)


def arrive(state: ExecutionState, scope: Scope, edge: GraphEdge, *, is_taken: bool) -> None:
    """Settle a forward edge, and with it perhaps its target."""
    target = state.graph.nodes[edge.target]
    if target.indegree == 1:
        scope.arrived[edge.target] = ((edge.index,), ()) if is_taken else ((), (edge.index,))
        if is_taken:
            push(state, scope, edge.target)
        else:
            state.dead.append((edge.target, scope.id))
        return
    taken, dead = scope.arrived.get(edge.target, ((), ()))
    if is_taken:
        taken = (*taken, edge.index)
    else:
        dead = (*dead, edge.index)
    scope.arrived[edge.target] = (taken, dead)
    if target.need and is_taken and len(taken) == target.need:
        push(state, scope, edge.target)
    elif len(taken) + len(dead) == target.indegree:
        if not taken:
            state.dead.append((edge.target, scope.id))
        elif not target.need or len(taken) < target.need:
            push(state, scope, edge.target)


def _reopen(state: ExecutionState, scope: Scope, edge: GraphEdge) -> None:
    """Take a back edge: the next visit of its target begins, what follows it is pending again."""
    for index in edge.resets:
        for forward in state.graph.nodes[index].all_edges:
            if forward.kind == EdgeKind.FORWARD and forward.target in scope.arrived:
                taken, dead = scope.arrived[forward.target]
                scope.arrived[forward.target] = (
                    tuple(i for i in taken if i != forward.index),
                    tuple(i for i in dead if i != forward.index),
                )
    scope.arrived[edge.target] = ((edge.index,), ())
    push(state, scope, edge.target)
    if scope.visits[edge.target] > edge.max_visits:
        node_id = state.graph.nodes[edge.target].id
        message = (
            f"'{node_id}' was visited more than {edge.max_visits} times; raise maxVisits on the edge that "
            "leads back to it, or end the cycle."
        )
        error = NodeError(code="loop.max_visits", kind=Kind.PERMANENT, message=message)
        state.fault = (scope.id, node_id, error)


def settle(state: ExecutionState, node: NodeState, handles: Sequence[str], dead: Sequence[int]) -> bool:
    """Settle every edge that leaves a node; say whether any was taken."""
    scope = state.scopes.get(node.scope)
    if scope is None:
        return True
    went_on = False
    compiled = state.graph.nodes[node.index]
    is_loop = compiled.spec.type == "logic.loop"
    for edge in compiled.all_edges:
        if is_loop and edge.handle == "body":
            continue
        is_taken = edge.handle in handles and edge.index not in dead
        went_on = went_on or is_taken
        if edge.kind == EdgeKind.FORWARD:
            arrive(state, scope, edge, is_taken=is_taken)
        elif edge.kind == EdgeKind.BACK and is_taken:
            _reopen(state, scope, edge)
    return went_on


def opened(state: ExecutionState, key: str) -> tuple[int, str]:
    """Find where a key belongs: a ready node begins, an open one goes on."""
    entry = state.ready.pop(key, None)
    if entry is not None:
        return entry[1], entry[2]
    node = state.nodes.get(key)
    if node is not None:
        return node.index, node.scope
    return locate(state, key)


def finish(
    state: ExecutionState,
    key: str,
    status: NodeStatus,
    at: float,
    *,
    output: Json = None,
    error: NodeError | None = None,
    handles: Sequence[str] = (),
    dead: Sequence[int] = (),
) -> None:
    """A node is done for good: remember it and settle its edges."""
    index, scope_id = opened(state, key)
    before = state.nodes.get(key)
    node = NodeState(
        index,
        scope_id,
        status,
        before.at if before else at,
        attempt=before.attempt if before else 1,
        started_at=before.started_at if before else at,
        output=output,
        error=error,
    )
    state.nodes[key] = node
    if before is not None:
        state.flying.pop(key, None)
        state.retries.pop(key, None)
        state.waits.pop(key, None)
        loop = state.loops.pop(key, None)
        if loop is not None:
            for running in loop.running.values():
                close_scope(state, running)
            _close_loop(state, node)
    scope = state.scopes.get(scope_id)
    if scope is None:
        return
    scope.open -= 1
    if handles:
        scope.last = key
        scope.latest[index] = key
    went_on = settle(state, node, handles, dead)
    if scope_id == ROOT:
        state.leaves.pop(index, None)
        if handles and not went_on:
            state.leaves[index] = key
    if state.graph.responders >> index & 1 and status is NodeStatus.SUCCESS:
        state.responded = output
        state.has_responded = True


def _close_loop(state: ExecutionState, node: NodeState) -> None:
    scope = state.scopes.get(node.scope)
    prefix = f"{state.graph.nodes[node.index].id}#{scope.path if scope else ''}"
    used = state.bases.pop(prefix + "!", 0)
    if used:
        state.bases[prefix] = used


def close_scope(state: ExecutionState, scope_id: str) -> None:
    """Forget a scope and what hangs on it; its latest outputs stay visible from the enclosing one."""
    for inner in [
        inner.id for inner in state.scopes.values() if inner.parent == scope_id and inner.id != ROOT
    ]:
        close_scope(state, inner)
    scope = state.scopes.pop(scope_id)
    if state.fault is not None and state.fault[0] == scope_id:
        state.fault = None
    parent = state.scopes[scope.parent]
    prefix = f"{scope_id.partition('#')[0]}#{parent.path}!"
    used = scope.base + max(scope.visits.values(), default=0)
    state.bases[prefix] = max(used, state.bases.get(prefix, 0))
    kept = set(scope.latest.values())
    for index, key in scope.latest.items():
        earlier = parent.latest.get(index)
        if earlier is not None and earlier != key and state.nodes[earlier].scope != parent.id:
            del state.nodes[earlier]
        parent.latest[index] = key
    for key in [key for key, node in state.nodes.items() if node.scope == scope_id and key not in kept]:
        del state.nodes[key]
        for open_keys in (state.flying, state.retries, state.waits, state.loops):
            open_keys.pop(key, None)
    if state.ready:
        state.ready = {key: entry for key, entry in state.ready.items() if entry[2] != scope_id}
    if state.dead:
        state.dead = [entry for entry in state.dead if entry[1] != scope_id]
