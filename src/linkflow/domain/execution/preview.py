"""What the expressions of a node would see, without running anything: the decider on a part of the graph.

The graph is cut to what leads to the node, the node is made to wait, and `decide` runs with what is known as
overrides. So a preview has no rules of its own: joins, skips, loops and scopes are those of an execution.
"""

from collections.abc import Iterator, Mapping

import msgspec

from linkflow.domain.errors import NotFound
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide, has_more
from linkflow.domain.execution.events import IterationStarted, WorkflowExecutionStarted
from linkflow.domain.execution.evolve import evolve
from linkflow.domain.execution.keys import split_key
from linkflow.domain.execution.partial import node_in, only, upstream
from linkflow.domain.execution.scope import NodeScope
from linkflow.domain.execution.state import ROOT, ExecutionState
from linkflow.domain.node import Catalog
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import Node, WorkflowSpec

TURNS = 50
"""Turns of the decider before a preview takes what is known by then."""

_STANDS = "logic.wait_event"


def preview_graph(spec: WorkflowSpec, node_id: str, catalog: Catalog) -> ExecutionGraph:
    """Compile what leads to a node, with the node made to wait.

    Raises:
        NotFound: There is no such node.
        SpecInvalid: What leads to it has no meaning yet: an unknown type, a circle.
    """
    if all(node.id != node_id for node in spec.every_node()):
        raise NotFound(f"The workflow has no node {node_id!r}.", node=node_id)
    part = only(spec, upstream(spec, [node_id]))
    loops = {node.id for node in spec.nodes if _type(node.type, catalog) == "logic.loop"}
    if node_id not in loops:
        waits = {"type": _STANDS, "config": {"event": "preview"}, "disabled": False, "on_error": None}
        nodes = tuple(
            msgspec.structs.replace(node, **waits) if node.id == node_id else node for node in part.nodes
        )
        part = msgspec.structs.replace(part, nodes=nodes)
    return ExecutionGraph(part, catalog)


class Standing:
    """A node that is about to run.

    Attributes:
        key: The key it would run under.
        blobs: Large values by SHA-256; whoever meets `NeedsBlobs` puts the missing one in.
    """

    def __init__(
        self,
        state: ExecutionState,
        place: tuple[int, str, str],
        at: float,
        blobs: Mapping[str, Json],
    ) -> None:
        self._state, self._at = state, at
        self._index, self._scope_id, self.key = place
        self.blobs = blobs

    def scope(self) -> NodeScope:
        """Say what its expressions see; a scope of its own for each rendering, so that chance is the same."""
        return NodeScope(self._state, self._index, self._scope_id, self.key, self._at, self.blobs)

    def outputs(self) -> Iterator[tuple[Node, Json]]:
        """Iterate over what ran before it, the nearest last, blob references left as they are."""
        target = self._state.graph.nodes[self._index]
        for node in self._state.graph.nodes:
            found = self._state.latest(node.index, self._scope_id)
            if found is not None and target.ancestors >> node.index & 1 and node.index != self._index:
                yield node.node, found.output


def standing_at(
    graph: ExecutionGraph,
    node_id: str,
    started: WorkflowExecutionStarted,
    execution_id: str,
    at: float,
    blobs: Mapping[str, Json],
    key: str = "",
) -> Standing:
    """Decide until the node stands ready.

    Args:
        graph: Of `preview_graph`.
        node_id: The node.
        started: The first event; its overrides are what is known.
        execution_id: What `execution.id` reads.
        at: Seconds since 1970: what `now()` reads.
        blobs: Large values by SHA-256.
        key: Which run of the node, where it is inside loops: `note#3` is the third turn; empty or unknown
            means the first that is reached.

    Raises:
        NeedsBlobs: A large value must be fetched; then try again.
    """
    target = graph.node(node_id)
    around = _loops_around(graph, target.loop)
    known = {
        key: value
        for key, value in started.overrides.items()
        if node_in(key) != node_id and node_in(key) not in around
    }
    begin = n.Begin(msgspec.structs.replace(started, overrides=known, ticket="", rate=None, debounce=None))
    state = _settled(ExecutionState(execution_id, graph), begin, at, blobs)
    state = _turned(state, target.loop, split_key(key)[1], at, blobs)
    standing = [
        found
        for found, node in state.nodes.items()
        if node.index == target.index and node.scope in state.scopes
    ]
    if standing:
        found = key if key in standing else standing[0]
        return Standing(state, (target.index, state.nodes[found].scope, found), at, blobs)
    _lead_to(state, target.index)
    return Standing(state, (target.index, ROOT, node_id), at, blobs)


def _settled(state: ExecutionState, news: n.News, at: float, blobs: Mapping[str, Json]) -> ExecutionState:
    """Decide until nothing more follows by itself."""
    for _ in range(TURNS):
        state = decide(state, [news], at, blobs=blobs).state
        if not has_more(state):
            break
        news = n.Wake()
    return state


def _turned(
    state: ExecutionState, loop: int, path: str, at: float, blobs: Mapping[str, Json]
) -> ExecutionState:
    """Open the turns of a path in the loops around a node, the outermost first, beside those that are open.

    Args:
        state: Where the loops have begun.
        loop: Index of the innermost loop; -1 for none.
        path: Numbers of turns, `"2.7"`; of a turn that the loop has not, nothing is opened.
        at: Seconds since 1970.
        blobs: Large values by SHA-256.
    """
    around: list[int] = []
    while loop >= 0:
        around.insert(0, loop)
        loop = state.graph.nodes[loop].loop
    outer = ""
    for index, turn in zip(around, path.split(".") if path else (), strict=False):
        found = next(
            (key for key in state.loops if split_key(key)[:2] == (state.graph.nodes[index].id, outer)), ""
        )
        if not found or not 0 < int(turn) <= state.loops[found].count:
            break
        if int(turn) not in state.loops[found].running:
            state = state.copy()
            evolve(state, IterationStarted(found, int(turn), ()), at)
            state = _settled(state, n.Wake(), at, blobs)
        outer = f"{outer}.{turn}" if outer else turn
    return state


def _type(name: str, catalog: Catalog) -> str:
    found = catalog.find(name)
    return found.type if found else ""


def _loops_around(graph: ExecutionGraph, loop: int) -> set[str]:
    """List the ids of the loops around a node: they begin, whatever they said before."""
    found: set[str] = set()
    while loop >= 0:
        found.add(graph.nodes[loop].id)
        loop = graph.nodes[loop].loop
    return found


def _lead_to(state: ExecutionState, index: int) -> None:
    """Where the way to the node was not taken, or is not known yet: take every edge from what is known."""
    scope = state.scopes[ROOT]
    edges = tuple(
        edge.index
        for edge in state.graph.edges
        if edge.target == index and state.latest(edge.source, ROOT) is not None
    )
    if not scope.arrived.get(index, ((), ()))[0]:
        scope.arrived[index] = (edges, ())
