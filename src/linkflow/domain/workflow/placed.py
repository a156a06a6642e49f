"""The nodes of a spec with their place in it and their type, for the checks."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.node import Catalog, NodeClass, NodeSpec
from linkflow.domain.workflow.shape import Shape, analyse
from linkflow.domain.workflow.spec import Edge, Node, Problem, Severity, WorkflowSpec


class PlacedNode(msgspec.Struct, frozen=True):
    """A node, its JSON path such as `$.nodes[2]`, and its type; None when that is unknown."""

    node: Node
    path: str
    spec: NodeSpec | None

    def problem(
        self, code: str, message: str, path: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """Say that something is wrong with the node, at a path below it such as `.config.url`."""
        return Problem(code, message, severity, self.path + path, self.node.id)


class PlacedEdge(msgspec.Struct, frozen=True):
    """An edge whose ends exist, its JSON path, and its ends as indexes of nodes."""

    edge: Edge
    path: str
    source: int
    target: int

    def problem(self, code: str, message: str, severity: Severity = Severity.ERROR) -> Problem:
        """Say that something is wrong with the edge."""
        return Problem(code, message, severity, self.path, edge_id=self.edge.id)


class Layout(msgspec.Struct, frozen=True):
    """A spec laid out for the checks.

    Attributes:
        spec: The spec.
        nodes: The trigger, then the others in order; of two with one id only the first.
        by_id: Index by id.
        edges: Edges with both ends.
    """

    spec: WorkflowSpec
    nodes: Sequence[PlacedNode]
    by_id: Mapping[str, int]
    edges: Sequence[PlacedEdge]

    def labels(self) -> Mapping[str, Sequence[int]]:
        """Index by label; a label may be used several times."""
        found: dict[str, list[int]] = {}
        for index, placed in enumerate(self.nodes):
            if placed.node.label:
                found.setdefault(placed.node.label, []).append(index)
        return found


def lay_out(spec: WorkflowSpec, catalog: Catalog) -> Layout:
    """Find the place and the type of every node, and the ends of every edge."""
    placed = [PlacedNode(spec.trigger, "$.trigger", catalog.find(spec.trigger.type))]
    by_id = {spec.trigger.id: 0}
    for at, node in enumerate(spec.nodes):
        if node.id not in by_id:
            by_id[node.id] = len(placed)
            placed.append(PlacedNode(node, f"$.nodes[{at}]", catalog.find(node.type)))
    edges = [
        PlacedEdge(edge, f"$.edges[{at}]", by_id[edge.source], by_id[edge.target])
        for at, edge in enumerate(spec.edges)
        if edge.source in by_id and edge.target in by_id
    ]
    return Layout(spec, placed, by_id, edges)


def shape_of_layout(layout: Layout, handles: Sequence[str]) -> Shape:
    """Analyse the shape of a spec whose types may be unknown.

    Args:
        layout: The spec.
        handles: The handle each edge leaves, in the order of `layout.edges`.
    """
    loops = [at for at, placed in enumerate(layout.nodes) if placed.spec and placed.spec.type == "logic.loop"]
    return analyse(
        [placed.node.id for placed in layout.nodes],
        [(edge.source, edge.target) for edge in layout.edges],
        loops=loops,
        bodies=[at for at, edge in enumerate(layout.edges) if edge.source in loops and handles[at] == "body"],
        waiting=sum(1 << at for at, placed in enumerate(layout.nodes) if placed.spec and placed.spec.waits),
        declared_back=sum(1 << at for at, edge in enumerate(layout.edges) if edge.edge.back),
        roots=[at for at, placed in enumerate(layout.nodes) if at == 0 or is_trigger(placed)],
    )


def is_trigger(placed: PlacedNode) -> bool:
    """Say whether a node starts executions."""
    return placed.spec is not None and placed.spec.node_class is NodeClass.TRIGGER
