"""The one key of an execution of a node: node id, path, visit; `send`, `send#3`, `cell#2.7`, `send#2.7@3`."""

from linkflow.domain.execution.state import ROOT, ExecutionState, Scope


def node_key(node_id: str, path: str, visit: int) -> str:
    """Write a key.

    Args:
        node_id: Node in the spec.
        path: Iteration numbers of the enclosing loops, `"2.7"`; empty outside loops.
        visit: 1 or more.
    """
    key = f"{node_id}#{path}" if path else node_id
    return f"{key}@{visit}" if visit > 1 else key


def split_key(key: str) -> tuple[str, str, int]:
    """Read a key: node id, path, visit."""
    rest, _, visit = key.partition("@")
    node_id, _, path = rest.partition("#")
    return node_id, path, int(visit) if visit else 1


def next_key(state: ExecutionState, scope: Scope, index: int) -> str:
    """Write the key that the next execution of a node in a scope will have."""
    visit = scope.base + scope.visits.get(index, 0) + 1
    if visit == 1 and not scope.path:
        return state.graph.nodes[index].id
    return node_key(state.graph.nodes[index].id, scope.path, visit)


def locate(state: ExecutionState, key: str) -> tuple[int, str]:
    """Find node index and scope id that a key belongs to.

    Raises:
        KeyError: The graph has no such node.
    """
    index = state.graph.by_id.get(key)
    if index is not None and state.graph.nodes[index].loop < 0:
        return index, ROOT
    node_id, path, _ = split_key(key)
    index = state.graph.by_id[node_id]
    loop = state.graph.nodes[index].loop
    return index, f"{state.graph.nodes[loop].id}#{path}" if loop >= 0 else ROOT
