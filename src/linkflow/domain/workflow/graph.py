"""ExecutionGraph: a spec compiled for the decider. Immutable; cached by content hash."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.http_class import http_class
from linkflow.domain.node import LOOK_UP, Catalog, NodeClass, NodeSpec, PureNode, Unknown, looks_up, parted
from linkflow.domain.parameters import respell
from linkflow.domain.values import Json
from linkflow.domain.workflow.shape import EdgeKind, Shape, analyse
from linkflow.domain.workflow.spec import Edge, Node, OnError, Retry, WorkflowSpec, content_hash
from linkflow.domain.workflow.template import (
    ExpressionError,
    Template,
    compile_expression,
    compile_template,
    credentials_of,
    references,
)

DEFAULT_RETRY = Retry()
_ACTIVITIES = (NodeClass.IDEMPOTENT, NodeClass.KEYED, NodeClass.ONCE)
DEFAULT_TIMEOUT_S = 60.0
_PLAIN_WORD = re.compile(r"^[\w .\-+]+$")
_SAME_AS_OUT = frozenset({"", "out", "success", "output", "source", "main", "default"})


class GraphEdge:
    """An edge with its ends as node indexes, its handle settled and its condition compiled."""

    __slots__ = (
        "back",
        "condition",
        "handle",
        "id",
        "index",
        "kind",
        "max_visits",
        "resets",
        "source",
        "target",
    )

    def __init__(self, index: int, edge: Edge, ends: tuple[int, int], handle: str, condition: str) -> None:
        self.index = index
        self.id = edge.id
        self.source, self.target = ends
        self.handle = handle
        self.condition: Template | None = compile_expression(condition) if condition else None
        self.kind = EdgeKind.FORWARD
        self.back = edge.back
        self.max_visits = edge.max_visits
        self.resets: tuple[int, ...] = ()


class GraphNode:
    """A node with everything the decider needs settled beforehand.

    Attributes:
        index: Position in `ExecutionGraph.nodes`.
        rank: Position in canvas order: top to bottom, left to right, then id.
        spec: The node type.
        node_class: Effective side-effect contract.
        pure: The evaluator when it is decided in History.
        template: The config, compiled; raw parameters are left out.
        default_handle: The handle that `out` means for this type.
        names_secrets: Its config names credentials, which only workers open.
        raw: Raw parameters by path, as written; a pure node and a worker get them beside the rendered rest.
        roots: What a worker needs to see: the roots of the template and of raw expressions.
        heartbeat_s: How long an attempt may say nothing, seconds; 0 means as long as it may take.
        start_within_s: How long an attempt may wait for a worker, seconds; 0 means without a limit.
        edges: Edges that leave, by handle.
        indegree: Forward edges that arrive.
        loop: Index of the innermost loop around it, -1 for none.
        need: Taken edges a merge waits for; 0 means all that can still arrive.
        ancestors: Mask of nodes whose outputs its expressions may see.
    """

    __slots__ = (
        "all_edges",
        "ancestors",
        "default_handle",
        "edges",
        "heartbeat_s",
        "id",
        "indegree",
        "index",
        "loop",
        "names_secrets",
        "need",
        "node",
        "node_class",
        "on_error",
        "pure",
        "rank",
        "raw",
        "retry",
        "roots",
        "spec",
        "start_within_s",
        "template",
        "timeout_s",
        "unknown",
    )

    def __init__(
        self, index: int, node: Node, spec: NodeSpec, pure: PureNode | None, defaults: WorkflowSpec
    ) -> None:
        node = msgspec.structs.replace(node, config=respell(spec, node.config))
        self.index = index
        self.id = node.id
        self.node = node
        self.spec = spec
        self.pure = pure
        self.node_class = http_class(node.config) if spec.type == "http.request" else spec.node_class
        if self.node_class is NodeClass.PURE and pure is None:
            self.node_class = NodeClass.IDEMPOTENT
        settled, self.raw = parted(node.config, spec.raw)
        self.template: Template = compile_template(settled)
        self.names_secrets = bool(credentials_of(self.template.roots))
        self.roots = self.template.roots | raw_roots(self.raw)
        self.default_handle = default_handle(spec)
        self.edges: dict[str, tuple[GraphEdge, ...]] = {}
        self.all_edges: tuple[GraphEdge, ...] = ()
        self.indegree = 0
        self.loop = -1
        self.need = _need(node.config, spec)
        self.ancestors = 0
        self.rank = 0
        self.retry = node.retry or defaults.error_handling.default_retry or DEFAULT_RETRY
        self.timeout_s = node.timeout / 1000 if node.timeout else spec.timeout_s or DEFAULT_TIMEOUT_S
        self.heartbeat_s = (
            node.heartbeat_timeout / 1000 if node.heartbeat_timeout else spec.heartbeat_s or 0.0
        )
        self.start_within_s = (node.schedule_to_start or 0) / 1000
        self.on_error = node.on_error or (
            OnError.CONTINUE if defaults.error_handling.continue_on_error else OnError.FAIL
        )
        self.unknown = _unknown(node, spec)

    @property
    def runs_on_worker(self) -> bool:
        """Whether it is an activity."""
        return self.node_class in _ACTIVITIES


def raw_roots(value: Json) -> frozenset[str]:
    """List what the expressions in raw parameters may read; text that is none reads nothing."""
    if isinstance(value, str):
        try:
            return references(value) if "{{" in value else compile_expression(value).roots
        except ExpressionError:
            return frozenset()
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return frozenset().union(*map(raw_roots, parts))


class ExecutionGraph:
    """A compiled workflow version.

    Attributes:
        spec_hash: Content hash of the spec.
        nodes: All nodes, the trigger first.
        by_id: Index of each node id.
        by_label: Index of each label that is not used twice.
        start: Index of the spec's trigger.
        limits_starts: Whether some node limits how long it waits for a worker.
        idle: Indexes of nodes nothing leads to, besides the trigger.
        responders: Mask of nodes whose output answers the caller.
    """

    def __init__(self, spec: WorkflowSpec, catalog: Catalog) -> None:
        self.spec = spec
        self.spec_hash = content_hash(spec)
        self.nodes: tuple[GraphNode, ...] = tuple(
            _compile_node(index, node, spec, catalog) for index, node in enumerate(spec.every_node())
        )
        self.limits_starts = any(node.start_within_s for node in self.nodes)
        self.by_id = {node.id: node.index for node in self.nodes}
        if len(self.by_id) < len(self.nodes):
            raise SpecInvalid("Two nodes have the same id; ids must be unique.")
        self.by_label = _labels(self.nodes)
        self.start = 0
        self.edges = self._compile_edges()
        shape = shape_of(self.nodes, self.edges)
        if shape.flaws:
            raise SpecInvalid(shape.flaws[0].message, problem=shape.flaws[0].code)
        self._settle(shape)
        self.idle = tuple(node.index for node in self.nodes if not node.indegree and node.index != self.start)
        self.responders = sum(
            1 << node.index for node in self.nodes if node.spec.is_responder and not node.node.disabled
        )

    def _compile_edges(self) -> tuple[GraphEdge, ...]:
        edges: list[GraphEdge] = []
        for edge in self.spec.edges:
            ends = self.by_id.get(edge.source), self.by_id.get(edge.target)
            if ends[0] is None or ends[1] is None:
                missing = edge.source if ends[0] is None else edge.target
                raise SpecInvalid(f"The edge '{edge.id}' names the node '{missing}', which does not exist.")
            handle, condition = settle_handle(self.nodes[ends[0]].spec, edge)
            edges.append(GraphEdge(len(edges), edge, (ends[0], ends[1]), handle, condition))
        return tuple(edges)

    def _settle(self, shape: Shape) -> None:
        for rank, node in enumerate(sorted(self.nodes, key=_canvas)):
            node.rank = rank
        for edge, kind in zip(self.edges, shape.kinds, strict=True):
            edge.kind = kind
            edge.resets = shape.resets.get(edge.index, ())
            self.nodes[edge.target].indegree += kind == EdgeKind.FORWARD
        for node in self.nodes:
            node.all_edges = tuple(edge for edge in self.edges if edge.source == node.index)
            node.edges = {
                handle: tuple(edge for edge in node.all_edges if edge.handle == handle)
                for handle in {edge.handle for edge in node.all_edges}
            }
            node.loop = shape.loops[node.index]
            node.ancestors = shape.ancestors[node.index]
            if "error" in node.edges and node.node.on_error is None:
                node.on_error = OnError.BRANCH

    def node(self, node_id: str) -> GraphNode:
        """Find a node by id.

        Raises:
            KeyError: No such node.
        """
        return self.nodes[self.by_id[node_id]]


def _compile_node(index: int, node: Node, spec: WorkflowSpec, catalog: Catalog) -> GraphNode:
    found = catalog.find(node.type)
    if found is None:
        raise SpecInvalid(f"The node '{node.id}' has the unknown type '{node.type}'.")
    return GraphNode(index, node, found, catalog.pure(found.type, found.version), spec)


def _unknown(node: Node, spec: NodeSpec) -> Unknown:
    """Say what follows from an unknown outcome; who says where to look up wants that."""
    can_look_up = looks_up(spec, node.config)
    has_config = can_look_up and bool(node.config.get(LOOK_UP))
    said = node.unknown or (Unknown.LOOK_UP if has_config else spec.unknown)
    if said not in tuple(Unknown) or (said == Unknown.LOOK_UP and not can_look_up):
        return Unknown.PARK
    return Unknown(said)


def _need(config: Mapping[str, Json], spec: NodeSpec) -> int:
    """Taken edges after which a node runs at once; 0 for the ordinary rule."""
    if spec.type != "logic.merge":
        return 0
    match config.get("strategy"):
        case "any" | "first":
            return 1
        case "n_of":
            return max(1, int(config.get("n") or 1))
        case _:
            return 0


def default_handle(spec: NodeSpec) -> str:
    """Say which handle of a node type `out` means: `out` itself, else its first."""
    return "out" if "out" in spec.outputs or not spec.outputs else spec.outputs[0]


def settle_handle(source: NodeSpec, edge: Edge) -> tuple[str, str]:
    """Say which output handle an edge leaves and which expression is left as its condition."""
    handle, condition = edge.source_handle, edge.condition.strip()
    if handle in _SAME_AS_OUT and handle not in source.outputs:
        handle = ""
    if not handle and condition and _names_handle(source, condition):
        handle, condition = condition, ""
    if not handle and source.dynamic_outputs and edge.label:
        handle = edge.label
    if handle in _SAME_AS_OUT and handle not in source.outputs:
        handle = default_handle(source)
    return handle, "" if condition == handle else condition


def _names_handle(source: NodeSpec, condition: str) -> bool:
    if condition in source.outputs or condition in ("error", "success"):
        return True
    return source.dynamic_outputs and _PLAIN_WORD.match(condition) is not None


def shape_of(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge]) -> Shape:
    """Analyse the shape of compiled nodes and edges."""
    loops = [node.index for node in nodes if node.spec.type == "logic.loop"]
    return analyse(
        [node.id for node in nodes],
        [(edge.source, edge.target) for edge in edges],
        loops=loops,
        bodies=[edge.index for edge in edges if edge.source in loops and edge.handle == "body"],
        waiting=sum(1 << node.index for node in nodes if node.spec.waits),
        declared_back=sum(1 << edge.index for edge in edges if edge.back),
        roots=[node.index for node in nodes if node.spec.node_class is NodeClass.TRIGGER],
    )


def _canvas(node: GraphNode) -> tuple[float, float, str]:
    position: Mapping[str, Json] = node.node.position
    return float(position.get("y") or 0), float(position.get("x") or 0), node.id


def _labels(nodes: Sequence[GraphNode]) -> dict[str, int]:
    found: dict[str, int] = {}
    twice: set[str] = set()
    for node in nodes:
        if node.node.label:
            if node.node.label in found:
                twice.add(node.node.label)
            found[node.node.label] = node.index
    return {label: index for label, index in found.items() if label not in twice}
