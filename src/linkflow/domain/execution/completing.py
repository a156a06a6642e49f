"""How a node is done well: one of the decider's own, or an attempt."""

from collections.abc import Sequence

from linkflow.domain.execution import events as e
from linkflow.domain.execution.edges import dead_edges
from linkflow.domain.execution.failing import fail_scope
from linkflow.domain.execution.state import NodeState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import Completion, NodeClass
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode


def complete(
    turn: Turn,
    node: GraphNode,
    scope_id: str,
    key: str,
    output: Json,
    handles: tuple[str, ...] = ("out",),
    *,
    pinned: bool = False,
    logs: Sequence[Json] = (),
) -> None:
    """A pure or control node is done."""
    if node.node_class is NodeClass.TRIGGER and output is None:
        edge_output = turn.state.start.input
    else:
        edge_output = output
    dead, error = dead_edges(turn, node, scope_id, key, handles, edge_output)
    turn.emit(e.NodeCompleted(key, output, handles, dead, pinned, logs))
    if error is not None:
        fail_scope(turn, scope_id, key, error)


def complete_attempt(turn: Turn, key: str, node: NodeState, completion: Completion) -> None:
    """An attempt ended well, or was found to have."""
    compiled = turn.state.graph.nodes[node.index]
    handles = tuple(completion.handles) or (completion.handle,)
    dead, error = dead_edges(turn, compiled, node.scope, key, handles, completion.output)
    turn.emit(
        e.ActivityTaskCompleted(
            key, node.effect_attempt, completion.output, handles, dead, completion.logs, completion.meta
        )
    )
    if error is not None:
        fail_scope(turn, node.scope, key, error)
