"""Problems with edges and with the shape of the graph."""

from collections.abc import Iterator, Mapping, Sequence

from linkflow.domain.handles import output_handles
from linkflow.domain.workflow.graph import settle_handle
from linkflow.domain.workflow.placed import Layout, PlacedEdge, is_trigger
from linkflow.domain.workflow.shape import Shape
from linkflow.domain.workflow.spec import Problem, Severity

_ALWAYS = frozenset({"error", "out", "success"})
"""Handles every node has: `error` by setting, and the spellings of the default one."""


def settled_edges(layout: Layout) -> tuple[Sequence[str], Mapping[int, str]]:
    """Find the handle that each edge leaves, and the conditions that are expressions, by index."""
    handles: list[str] = []
    conditions: dict[int, str] = {}
    for at, placed in enumerate(layout.edges):
        spec = layout.nodes[placed.source].spec
        handle, condition = (
            (placed.edge.source_handle, "") if spec is None else settle_handle(spec, placed.edge)
        )
        handles.append(handle)
        if condition:
            conditions[at] = condition
    return handles, conditions


def edge_problems(layout: Layout, handles: Sequence[str]) -> Iterator[Problem]:
    """List what is wrong with each edge by itself."""
    yield from _ends(layout)
    ids: set[str] = set()
    known: dict[tuple[object, ...], str] = {}
    for at, placed in enumerate(layout.edges):
        edge = placed.edge
        if edge.id and edge.id in ids:
            message = f"The edge id '{edge.id}' is used twice; ids must be unique."
            yield placed.problem("DUPLICATE_CONNECTION_ID", message)
        ids.add(edge.id)
        key = (placed.source, handles[at], placed.target, edge.target_handle, edge.condition)
        if key in known:
            message = f"This edge says the same as {known[key]}; remove one."
            yield placed.problem("DUPLICATE_CONNECTION", message, Severity.WARNING)
        known.setdefault(key, placed.path)
        yield from _edge(layout, placed, handles[at])


def _ends(layout: Layout) -> Iterator[Problem]:
    for at, edge in enumerate(layout.spec.edges):
        for end, name, code in (
            (edge.source, "source", "INVALID_EDGE_SOURCE"),
            (edge.target, "target", "INVALID_EDGE_TARGET"),
        ):
            if end not in layout.by_id:
                message = (
                    f"The {name} of the edge, '{end}', does not exist; lead the edge elsewhere or remove it."
                )
                yield Problem(code, message, path=f"$.edges[{at}].{name}", edge_id=edge.id)


def _edge(layout: Layout, placed: PlacedEdge, handle: str) -> Iterator[Problem]:
    source, target = layout.nodes[placed.source], layout.nodes[placed.target]
    if placed.source == placed.target and not placed.edge.back and not (source.spec and source.spec.waits):
        message = f"The edge leads from '{source.node.id}' to itself; use a loop."
        yield placed.problem("SELF_LOOP", message)
    if is_trigger(target):
        message = f"An edge leads to the trigger '{target.node.id}'; triggers come first."
        yield placed.problem("TRIGGER_HAS_INCOMING_EDGES", message)
    if source.spec is None or handle in _ALWAYS:
        return
    offered = output_handles(source.spec, source.node.config)
    if handle not in offered:
        severity = Severity.WARNING if source.spec.dynamic_outputs else Severity.ERROR
        message = (
            f"'{source.node.id}' has no handle '{handle}', so the edge is never taken; "
            f"it has {', '.join(offered) or 'none'}."
        )
        yield placed.problem("UNKNOWN_HANDLE", message, severity)


def shape_problems(layout: Layout, shape: Shape) -> Iterator[Problem]:
    """List what is wrong with the graph as a whole."""
    refused = {placed.path for placed in layout.edges if placed.source == placed.target}
    for flaw in shape.flaws:
        if flaw.edge >= 0:
            placed = layout.edges[flaw.edge]
            if placed.path not in refused:
                yield placed.problem(flaw.code, flaw.message)
        else:
            yield layout.nodes[max(flaw.node, 0)].problem(flaw.code, flaw.message)
    touched = {end for placed in layout.edges for end in (placed.source, placed.target)}
    leaving = {placed.source for placed in layout.edges}
    for at, node in enumerate(layout.nodes):
        if at and at not in touched and not is_trigger(node):
            message = f"'{node.node.id}' is not connected, so it never runs; connect or remove it."
            yield node.problem("ORPHAN_NODE", message, severity=Severity.WARNING)
        elif at and not shape.reached >> at & 1:
            message = f"No trigger leads to '{node.node.id}', so it never runs."
            yield node.problem("UNREACHABLE_NODE", message, severity=Severity.WARNING)
        elif node.spec and (len(node.spec.outputs) > 1 or node.spec.dynamic_outputs) and at not in leaving:
            message = f"'{node.node.id}' chooses between ways, but no way leaves it."
            yield node.problem("DEAD_END_NODE", message, severity=Severity.WARNING)
