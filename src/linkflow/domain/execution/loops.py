"""Loops: each iteration is a scope of its own; results come in order at `done` (semantics, section 4)."""

from collections.abc import Mapping

from linkflow.domain.errors import Invalid, LinkFlowError, NodeError, node_error
from linkflow.domain.execution import events as e
from linkflow.domain.execution.failing import abandon, as_json, dead_edges, fail_ready, fail_scope
from linkflow.domain.execution.scope import compile_cached
from linkflow.domain.execution.state import Loop, Scope
from linkflow.domain.execution.turn import Turn
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import GraphNode

MAX_ITEMS = 10_000


def start_loop(turn: Turn, node: GraphNode, scope_id: str, key: str) -> None:
    """Begin a loop node: settle what it goes over. `advance` begins the iterations."""
    config = turn.scope(node.index, scope_id, key).render(node.template)
    assert isinstance(config, dict)
    mode = str(config.get("mode") or "forEach")
    limit = _whole(config, "max_items", MAX_ITEMS)
    parallelism = max(1, _whole(config, "parallelism", 1))
    items: Json = None
    if mode == "times":
        count = _whole(config, "times", 1)
    elif mode == "while":
        count, parallelism = limit, 1
    else:
        mode = "forEach"
        items = _items(turn, node, scope_id, key, config)
        count = len(items)
    if count > limit:
        raise Invalid(
            f"The loop would go {count} times; max_items allows {limit}. Raise it, or filter first.",
            code="loop.too_many",
        )
    turn.emit(e.LoopStarted(key, mode, count, items, parallelism))


def _items(turn: Turn, node: GraphNode, scope_id: str, key: str, config: Mapping[str, Json]) -> list[Json]:
    items = config.get("items")
    if items is None and "items_field" in config:
        items = turn.scope(node.index, scope_id, key).evaluate("input." + str(config["items_field"]))
    if items is None and "items" not in config:
        items = turn.scope(node.index, scope_id, key).input
    if isinstance(items, dict):
        items = [{"key": name, "value": value} for name, value in items.items()]
    if not isinstance(items, list):
        shown = type(items).__name__
        raise Invalid(f"A loop goes over a list, and `items` gave {shown}.", code="loop.items")
    size = _whole(config, "batch_size", 0)
    return [items[start : start + size] for start in range(0, len(items), size)] if size > 1 else items


def _whole(config: Mapping[str, Json], name: str, default: int) -> int:
    value = config.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise Invalid(f"{name} must be a whole number, not {value!r}.", code="node.config") from error
    if number < 0:
        raise Invalid(f"{name} must not be negative.", code="node.config")
    return number


def advance_any(turn: Turn) -> bool:
    """Begin iterations of one loop that has room, or end one that is done; say whether there was one."""
    for key, loop in turn.state.loops.items():
        if not loop.running or (loop.begun < loop.count and len(loop.running) < loop.parallelism):
            _advance(turn, key, loop)
            return True
    return False


def _advance(turn: Turn, key: str, loop: Loop) -> None:
    state = turn.state
    while loop.begun < loop.count and len(loop.running) < loop.parallelism:
        if loop.mode == "while" and not _holds(turn, key, loop):
            break
        if key not in state.loops:
            return  # the condition could not be evaluated, and the loop failed
        turn.emit(e.IterationStarted(key, loop.begun + 1))
    if not loop.running:
        _finish(turn, key, loop)


def _holds(turn: Turn, key: str, loop: Loop) -> bool:
    node = turn.state.nodes[key]
    compiled = turn.state.graph.nodes[node.index]
    condition = str(compiled.node.config.get("while") or compiled.node.config.get("condition") or "")
    scope = turn.scope(node.index, node.scope, key)
    index = loop.begun
    names = {"loop": {"index": index, "iteration": index + 1, "results": _results(loop)}}
    try:
        return bool(scope.render(compile_cached(condition), names)) if condition else False
    except LinkFlowError as error:
        fail_ready(turn, compiled, node.scope, key, node_error(error))
        return True  # the loop is gone; the caller looks


def complete_iteration(turn: Turn, scope: Scope) -> None:
    """Every node of an iteration is done: take its result and go on with the loop."""
    state = turn.state
    loop_key = scope.loop
    node = state.nodes[loop_key]
    compiled = state.graph.nodes[node.index]
    last = state.nodes.get(scope.last)
    output = last.output if last is not None else None
    collect = str(compiled.node.config.get("collect") or "")
    error: NodeError | None = None
    if collect:
        index = last.index if last is not None else node.index
        try:
            output = turn.scope(index, scope.id, loop_key, output=output).render(compile_cached(collect))
        except LinkFlowError as raised:
            output, error = None, node_error(raised)
    turn.emit(e.IterationCompleted(loop_key, scope.iteration, output, error))
    if error is not None and compiled.node.config.get("on_item_error", "fail") == "fail":
        for running in list(state.loops[loop_key].running.values()):
            abandon(turn, running, f"the loop '{loop_key}' failed")
        fail_ready(turn, compiled, node.scope, loop_key, error)


def _results(loop: Loop) -> list[Json]:
    return [loop.results[iteration] for iteration in sorted(loop.results)]


def _finish(turn: Turn, key: str, loop: Loop) -> None:
    node = turn.state.nodes[key]
    compiled = turn.state.graph.nodes[node.index]
    collects = compiled.node.config.get("on_item_error") == "collect"
    numbers = sorted({*loop.results, *(loop.errors if collects else ())})
    results = [
        loop.results[number] if number in loop.results else {"error": as_json(loop.errors[number])}
        for number in numbers
    ]
    errors = [{"index": number - 1, "error": as_json(loop.errors[number])} for number in sorted(loop.errors)]
    output = {"results": results, "count": loop.begun, "errors": errors}
    dead, error = dead_edges(turn, compiled, node.scope, key, ("done",), output)
    turn.emit(e.NodeCompleted(key, output, ("done",), dead))
    if error is not None:
        fail_scope(turn, node.scope, key, error)
