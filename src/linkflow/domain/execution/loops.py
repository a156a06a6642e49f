"""Loops: each iteration is a scope of its own; results come in order at `done` (semantics, section 4)."""

from collections.abc import Mapping

from linkflow.domain.errors import Invalid, LinkFlowError, NodeError, node_error
from linkflow.domain.execution import events as e
from linkflow.domain.execution.completing import complete
from linkflow.domain.execution.edges import as_json
from linkflow.domain.execution.failing import fail_loop, fail_ready, fail_scope
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
        raise _too_many(str(count), limit)
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


def can_advance(loop: Loop) -> bool:
    """Say whether a loop has room for an iteration, or is done."""
    return not loop.running or (loop.begun < loop.count and len(loop.running) < loop.parallelism)


def advance_any(turn: Turn) -> bool:
    """Begin iterations of one loop that has room, or end one that is done; say whether there was one."""
    for key, loop in turn.state.loops.items():
        if can_advance(loop):
            _advance(turn, key, loop)
            return True
    return False


def _advance(turn: Turn, key: str, loop: Loop) -> None:
    state = turn.state
    while len(loop.running) < loop.parallelism:
        if turn.steps <= 0:
            return
        turn.steps -= 1
        if not _wants_more(turn, key, loop):
            break
        _begin_iteration(turn, key, loop)
    if key in state.loops and not loop.running:
        _finish(turn, key, loop)


def _begin_iteration(turn: Turn, key: str, loop: Loop) -> None:
    """Open the scope of the next iteration, with those edges of `body` whose condition holds."""
    node = turn.state.nodes[key]
    compiled = turn.state.graph.nodes[node.index]
    iteration = loop.begun + 1
    dead: tuple[int, ...] = ()
    error: NodeError | None = None
    if any(edge.condition is not None for edge in compiled.edges.get("body", ())):
        names = iteration_names(turn, key, loop, iteration)
        scope = turn.scope(node.index, node.scope, key, output=names["item"])
        for edge in compiled.edges["body"]:
            try:
                if edge.condition is not None and not scope.render(edge.condition, names):
                    dead = (*dead, edge.index)
            except LinkFlowError as raised:
                dead, error = tuple(edge.index for edge in compiled.edges["body"]), node_error(raised)
                break
    turn.emit(e.IterationStarted(key, iteration, dead))
    if error is not None:
        fail_scope(turn, loop.running[iteration], key, error)


def iteration_names(turn: Turn, key: str, loop: Loop, iteration: int) -> dict[str, Json]:
    """What an iteration's own names stand for: the loop, its item and its index."""
    node = turn.state.nodes[key]
    items = turn.scope(node.index, node.scope, key).open(loop.items)
    index = iteration - 1
    item = items[index] if loop.mode == "forEach" else index
    return {"loop": {"item": item, "index": index, "iteration": iteration}, "item": item, "index": index}


def _wants_more(turn: Turn, key: str, loop: Loop) -> bool:
    """Say whether one more iteration follows; a condition that cannot be evaluated fails the loop."""
    if loop.mode != "while":
        return loop.begun < loop.count
    node = turn.state.nodes[key]
    compiled = turn.state.graph.nodes[node.index]
    condition = str(compiled.node.config.get("while") or "")
    index = loop.begun
    names = {"loop": {"index": index, "iteration": index + 1, "results": _results(loop)}}
    try:
        scope = turn.scope(node.index, node.scope, key)
        holds = bool(scope.render(compile_cached(condition), names)) if condition else False
        if holds and loop.begun >= loop.count:
            raise _too_many(f"more than {loop.count}", loop.count)
    except LinkFlowError as error:
        fail_ready(turn, compiled, node.scope, key, node_error(error))
        return False
    return holds


def _too_many(times: str, limit: int) -> Invalid:
    message = f"The loop would go {times} times; max_items allows {limit}. Raise it, or filter first."
    return Invalid(message, code="loop.too_many")


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
        seen = turn.scope(node.index, scope.id, loop_key, output=output)
        try:
            output = seen.render(compile_cached(collect))
        except LinkFlowError as raised:
            output, error = None, node_error(raised)
    turn.emit(e.IterationCompleted(loop_key, scope.iteration, output, error))
    if error is not None and compiled.node.config.get("on_item_error", "fail") == "fail":
        fail_loop(turn, loop_key, error)


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
    output = {
        "results": results,
        "count": loop.begun,
        "loop_results": results,  # the names that imported workflows use
        "loop_count": loop.begun,
        "errors": errors,
    }
    complete(turn, compiled, node.scope, key, output, ("done",))
