"""How a node that is ready begins: decided at once, opened as a wait, or scheduled for a worker."""

from collections.abc import Callable

from linkflow.domain.errors import Kind, LinkFlowError, NodeError, node_error
from linkflow.domain.execution import events as e
from linkflow.domain.execution.completing import complete
from linkflow.domain.execution.control_nodes import CONTROL
from linkflow.domain.execution.failing import fail_ready
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.execution.turn import Turn
from linkflow.domain.node import NodeClass, joined
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode

SECRET_HERE = NodeError(
    code="credential.not_here",
    kind=Kind.PERMANENT,
    message="Credentials are opened on workers only; use this one in a node that reaches outside.",
)

Opening = Callable[[Turn, GraphNode, str, str], None]


def begin(turn: Turn, key: str, index: int, scope_id: str) -> None:
    """Begin one ready node.

    Args:
        turn: Where events go.
        key: The key it runs under.
        index: Node in the graph.
        scope_id: Scope it runs in.
    """
    node = turn.state.graph.nodes[index]
    overrides = turn.state.start.overrides
    override = overrides.get(key, overrides.get(f"{node.id}#*")) if overrides else None
    if override is not None:
        _override(turn, node, scope_id, key, override)
    elif node.node.disabled:
        passed_on = turn.scope(index, scope_id, key).raw_input()
        complete(turn, node, scope_id, key, passed_on, (node.default_handle,))
    elif node.node_class is NodeClass.TRIGGER:
        complete(turn, node, scope_id, key, None)
    elif node.names_secrets and not node.runs_on_worker:
        fail_ready(turn, node, scope_id, key, SECRET_HERE)
    elif node.node_class is NodeClass.PURE:
        _decide_pure(turn, node, scope_id, key)
    elif node.node_class is NodeClass.CONTROL:
        try:
            CONTROL[node.spec.type](turn, node, scope_id, key)
        except LinkFlowError as error:
            fail_ready(turn, node, scope_id, key, node_error(error))
    else:
        schedule(turn, key, attempt=1)


def schedule(turn: Turn, key: str, *, attempt: int) -> None:
    """Schedule an attempt; `start_scheduled` starts it when it is still wanted at the end of the turn."""
    turn.emit(e.ActivityTaskScheduled(key, attempt))
    turn.scheduled.append(key)


def start_scheduled(turn: Turn) -> None:
    """Start what was scheduled in this turn, is still wanted, and finds a worker with room."""
    state = turn.state
    for key in turn.scheduled:
        if key in state.flying and not state.nodes[key].session:
            session = turn.take_session()
            if not session:
                return
            turn.emit(e.ActivityTaskStarted(key, session, state.nodes[key].attempt))


def _override(turn: Turn, node: GraphNode, scope_id: str, key: str, override: Json) -> None:
    handles = tuple(override.get("handles") or (node.default_handle,))
    complete(turn, node, scope_id, key, override.get("output"), handles, pinned=True)


def _decide_pure(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    assert node.pure is not None
    turn.budget -= 1
    scope = turn.scope(node.index, scope_id, key)
    try:
        config = scope.render(node.template)
        result = node.pure.evaluate(joined(config, node.raw) if node.raw else config, scope)
    except NeedsBlobs:
        schedule(turn, key, attempt=1)  # a worker reads large values
    except LinkFlowError as error:
        fail_ready(turn, node, scope_id, key, node_error(error))
    else:
        complete(turn, node, scope_id, key, result.output, tuple(result.handles), logs=result.logs)
