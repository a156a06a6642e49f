"""The nodes that the decider interprets itself: loops, merges, delays, waits, children.

Each function begins one node: it reads the resolved config and decides events.
"""

from collections.abc import Callable, Mapping
from itertools import product

from linkflow.domain.delay import delay_s
from linkflow.domain.errors import Invalid
from linkflow.domain.execution import events as e
from linkflow.domain.execution.loops import start_loop
from linkflow.domain.execution.retry import draw
from linkflow.domain.execution.turn import Turn
from linkflow.domain.execution.waiting import match_mailbox
from linkflow.domain.values import Json, derived_execution_id, started_at_ms
from linkflow.domain.workflow.graph import GraphNode

MAX_DEPTH = 16
"""Sub-workflows may be nested this deep."""

WEEK_S = 7 * 24 * 3600.0
DAY_S = 24 * 3600.0
LONGEST_WAIT_S = 366 * DAY_S


def _config(turn: Turn, node: GraphNode, scope_id: str, key: str) -> Mapping[str, Json]:
    config = turn.scope(node.index, scope_id, key).render(node.template)
    assert isinstance(config, dict)
    return config


def _timeout_at(turn: Turn, config: Mapping[str, Json], default_s: float) -> float:
    raw = config.get("timeout_s")
    try:
        timeout_s = default_s if raw is None else float(raw)
    except (TypeError, ValueError) as error:
        raise Invalid(f"timeout_s must be a number of seconds, not {raw!r}.", code="node.config") from error
    return turn.at + min(max(timeout_s, 0.0), LONGEST_WAIT_S)


def token_for(turn: Turn, key: str) -> str:
    """Make the token that resolves a wait: unguessable, and the same in every replay."""
    seed = turn.state.start.seed
    parts = [int(draw(seed, "token", turn.state.execution_id, key, part) * (1 << 52)) for part in range(3)]
    return "".join(f"{part:013x}" for part in parts)


def _delay(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    seconds = delay_s(_config(turn, node, scope_id, key), turn.at)
    turn.emit(e.TimerStarted(key, turn.at + min(max(seconds, 0.0), LONGEST_WAIT_S)))


def _wait_event(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    config = _config(turn, node, scope_id, key)
    name = str(config.get("event") or config.get("name") or "")
    match = config.get("key")
    turn.emit(
        e.WaitOpened(
            key,
            "event",
            _timeout_at(turn, config, WEEK_S),
            name=name,
            match="" if match is None else str(match),
            token=token_for(turn, key),
        )
    )
    match_mailbox(turn, key)


def _approval(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    config = _config(turn, node, scope_id, key)
    shown = {
        name: config[name]
        for name in ("title", "description", "payload", "deciders", "form")
        if name in config
    }
    until = _timeout_at(turn, config, DAY_S)
    turn.emit(e.WaitOpened(key, "approval", until, token=token_for(turn, key), data=shown))


def _merge(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    from_edges = turn.state.scopes[scope_id].arrived.get(node.index, ((), ()))[0]
    if node.need > len(from_edges):
        raise Invalid(
            f"Only {len(from_edges)} of the {node.need} branches that this merge waits for arrived.",
            code="merge.not_enough",
        )
    scope = turn.scope(node.index, scope_id, key)
    config = _config(turn, node, scope_id, key)
    output = _merged(str(config.get("mode") or "wait"), scope.inputs(), scope.input)
    dead: tuple[int, ...] = ()
    turn.emit(e.NodeCompleted(key, output, ("out",), dead))
    if config.get("cancel_rest"):
        _cancel_rest(turn, node, scope_id)


def _merged(mode: str, inputs: list[Json], everything: Json) -> Json:
    match mode:
        case "append":
            return [item for value in inputs for item in (value if isinstance(value, list) else [value])]
        case "combine" | "merge":
            combined: dict[str, Json] = {}
            for value in inputs:
                combined.update(value if isinstance(value, dict) else {"value": value})
            return combined
        case "multiplex":
            lists = [value if isinstance(value, list) else [value] for value in inputs]
            return [_joined(row) for row in product(*lists)]
        case "choose" | "chooseBranch":
            return inputs[0] if inputs else None
        case _:
            return everything


def _joined(row: tuple[Json, ...]) -> Json:
    if all(isinstance(value, dict) for value in row):
        return {name: field for value in row for name, field in value.items()}
    return list(row)


def _cancel_rest(turn: Turn, merge: GraphNode, scope_id: str) -> None:
    """Cancel activities of this scope whose every way leads to the merge."""
    state = turn.state
    waiting = [key for key in (*state.flying, *state.retries) if state.nodes[key].scope == scope_id]
    for key in waiting:
        node = state.nodes[key]
        if _leads_only_to(turn, node.index, merge.index):
            turn.emit(e.ActivityTaskCancelled(key, node.attempt, f"'{merge.id}' needs it no more"))


def _leads_only_to(turn: Turn, start: int, goal: int) -> bool:
    graph = turn.state.graph
    seen: set[int] = set()
    stack = [start]
    while stack:
        index = stack.pop()
        if index == goal or index in seen:
            continue
        seen.add(index)
        targets = [edge.target for edge in graph.nodes[index].all_edges]
        if not targets:
            return False
        stack.extend(targets)
    return True


def _sub_workflow(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    state = turn.state
    if state.start.depth >= MAX_DEPTH:
        raise Invalid(f"Sub-workflows are nested more than {MAX_DEPTH} deep.", code="workflow.too_deep")
    scope = turn.scope(node.index, scope_id, key)
    config = _config(turn, node, scope_id, key)
    workflow_id = str(config.get("workflow_id") or config.get("workflowId") or "")
    if not workflow_id:
        raise Invalid("Say which workflow to start: workflow_id is empty.", code="node.config")
    passed = config.get("input", config.get("inputData"))
    waits = config.get("mode", "wait") != "fire_and_forget"
    child_id = derived_execution_id(started_at_ms(state.execution_id), state.execution_id, key)
    policy = str(config.get("parent_close") or ("cancel" if waits else "abandon"))
    turn.emit(
        e.ChildStarted(
            key,
            child_id,
            workflow_id,
            input=scope.raw_input() if passed is None else passed,
            waits=waits,
            close_policy=policy,
            deadline_at=_timeout_at(turn, config, LONGEST_WAIT_S) if waits else 0.0,
        )
    )
    if not waits:
        turn.emit(e.NodeCompleted(key, {"execution_id": child_id, "status": "started"}))


CONTROL: Mapping[str, Callable[[Turn, GraphNode, str, str], None]] = {
    "logic.loop": start_loop,
    "logic.merge": _merge,
    "logic.delay": _delay,
    "logic.wait_event": _wait_event,
    "logic.approval": _approval,
    "flow.sub_workflow": _sub_workflow,
}
