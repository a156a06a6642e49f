"""The nodes that the decider interprets itself: loops, merges, delays, waits, children.

Each function begins one node: it reads the resolved config and decides events.
"""

from collections.abc import Callable, Mapping
from itertools import product

from linkflow.domain.delay import delay_s
from linkflow.domain.errors import Invalid
from linkflow.domain.execution import events as e
from linkflow.domain.execution.completing import complete
from linkflow.domain.execution.failing import abandon, cancel_open
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

ASKED = (
    "title",
    "description",
    "payload",
    "deciders",
    "form",
    "on_timeout",
    "escalate_to",
    "remind_every_s",
)
"""What of an approval's config goes along with the question."""


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
    match = config.get("key")
    turn.emit(
        e.WaitOpened(
            key,
            "event",
            _timeout_at(turn, config, WEEK_S),
            name=str(config.get("event") or ""),
            match="" if match is None else str(match),
            token=token_for(turn, key),
        )
    )
    match_mailbox(turn, key)


def _approval(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    config = _config(turn, node, scope_id, key)
    shown = {name: config[name] for name in ASKED if name in config}
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
    output = _merged(config, scope.inputs_by_id(), scope.raw_input())
    complete(turn, node, scope_id, key, output)
    if config.get("cancel_rest"):
        _cancel_rest(turn, node, scope_id)


def _merged(config: Mapping[str, Json], by_id: Mapping[str, Json], everything: Json) -> Json:
    inputs = list(by_id.values())
    match config.get("mode") or "wait":
        case "append":
            return [item for value in inputs for item in _as_list(value)]
        case "combine" | "merge":
            combined: dict[str, Json] = {}
            for value in inputs:
                combined.update(value if isinstance(value, dict) else {"value": value})
            return combined
        case "multiplex":
            return [_joined(row) for row in product(*map(_as_list, inputs))]
        case "mergeByPosition" | "merge_by_position":
            return [_joined(row) for row in zip(*map(_as_list, inputs), strict=False)]
        case "choose" | "chooseBranch" | "passThrough":
            return by_id.get(str(config.get("choose") or ""), inputs[0] if inputs else None)
        case _:
            return everything


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _joined(row: tuple[Json, ...]) -> Json:
    if all(isinstance(value, dict) for value in row):
        return {name: field for value in row for name, field in value.items()}
    return list(row)


def _cancel_rest(turn: Turn, merge: GraphNode, scope_id: str) -> None:
    """Cancel what is open in this scope and whose every way leads to the merge."""
    state = turn.state
    under_way = [*state.flying, *state.retries, *state.waits, *state.loops]
    indexes = {key: state.nodes[key].index for key in under_way if state.nodes[key].scope == scope_id}
    indexes |= {key: index for key, (_, index, scope) in state.ready.items() if scope == scope_id}
    reason = f"'{merge.id}' needs it no more"
    for key, index in indexes.items():
        if not _leads_only_to(turn, index, merge.index):
            continue
        if key in state.loops:
            for running in list(state.loops[key].running.values()):
                abandon(turn, running, reason)
        cancel_open(turn, key, reason)


def _leads_only_to(turn: Turn, start: int, goal: int) -> bool:
    graph = turn.state.graph
    seen: set[int] = set()
    stack = [start]
    while stack:
        index = stack.pop()
        if index == goal or index in seen:
            continue
        seen.add(index)
        is_loop = graph.nodes[index].spec.type == "logic.loop"  # its body returns to it
        edges = graph.nodes[index].all_edges
        targets = [edge.target for edge in edges if not (is_loop and edge.handle == "body")]
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
    workflow_id = str(config.get("workflow_id") or "")
    if not workflow_id:
        raise Invalid("Say which workflow to start: workflow_id is empty.", code="node.config")
    passed = config.get("input")
    if passed is None and config.get("pass_input", True):
        passed = scope.raw_input()
    waits = config.get("mode", "wait") != "fire_and_forget"
    child_id = derived_execution_id(started_at_ms(state.execution_id), state.execution_id, key)
    policy = str(config.get("parent_close") or ("cancel" if waits else "abandon"))
    turn.emit(
        e.ChildStarted(
            key,
            child_id,
            workflow_id,
            input=passed,
            waits=waits,
            close_policy=policy,
            deadline_at=_timeout_at(turn, config, LONGEST_WAIT_S) if waits else 0.0,
        )
    )
    if not waits:
        complete(turn, node, scope_id, key, {"execution_id": child_id, "status": "started"})


CONTROL: Mapping[str, Callable[[Turn, GraphNode, str, str], None]] = {
    "logic.loop": start_loop,
    "logic.merge": _merge,
    "logic.delay": _delay,
    "logic.wait_event": _wait_event,
    "logic.approval": _approval,
    "flow.sub_workflow": _sub_workflow,
}
