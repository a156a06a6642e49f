"""Which handles a node that is done takes, and which of the edges that leave them are dead."""

from collections.abc import Sequence

import msgspec

from linkflow.domain.errors import LinkFlowError, NodeError, node_error
from linkflow.domain.execution.turn import Turn
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode
from linkflow.domain.workflow.spec import OnError


def as_json(error: NodeError) -> Json:
    """Say an error as a JSON object."""
    return msgspec.to_builtins(error)


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
            scope = turn.scope(node.index, scope_id, key, output=output)
            try:
                holds = scope.render(edge.condition)
            except LinkFlowError as error:
                return tuple(edge.index for edge in node.all_edges), node_error(error)
            if not holds:
                dead = (*dead, edge.index)
    return dead, None


class Caught(msgspec.Struct, frozen=True):
    """What becomes of a node's error.

    Attributes:
        handles: Handles taken; none when nothing catches the error.
        output: What they carry.
        dead: Indexes of edges that leave a taken handle but whose condition does not hold.
        error: What fails the scope around the node; None when the error was caught.
    """

    handles: Sequence[str]
    output: Json
    dead: Sequence[int]
    error: NodeError | None


def catch(turn: Turn, node: GraphNode, scope_id: str, key: str, error: NodeError) -> Caught:
    """Say whether the error handle, or going on, catches a node's error."""
    if node.on_error is OnError.BRANCH and "error" in node.edges:
        raw_input = turn.scope(node.index, scope_id, key).raw_input()
        handles, output = ("error",), {"error": as_json(error), "input": raw_input}
    elif node.on_error is OnError.CONTINUE:
        handles, output = (node.default_handle,), {"status": "error", "error": as_json(error)}
    else:
        return Caught((), None, (), error)
    dead, condition_error = dead_edges(turn, node, scope_id, key, handles, output)
    return Caught(handles, output, dead, condition_error)
