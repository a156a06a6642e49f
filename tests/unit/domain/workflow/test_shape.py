"""Loops, back edges and what is illegal (semantics, section 4; C10)."""

import pytest

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.shape import EdgeKind
from linkflow.domain.workflow.spec import parse, to_json
from linkflow.testing.builders import catalog, node, spec, workflow

LOOP = node("logic.loop", items=[1])
NAP = node("logic.delay", seconds=1)


def kinds(graph: ExecutionGraph) -> dict[str, EdgeKind]:
    ids = [found.id for found in graph.nodes]
    return {f"{ids[edge.source]}>{ids[edge.target]}": edge.kind for edge in graph.edges}


def test_the_edge_from_a_body_to_its_loop_returns() -> None:
    """An edge from the body back to the loop is a return and counts for no readiness."""
    graph = workflow("t -> l", "l.body -> b -> l", "l.done -> d", l=LOOP)

    assert (EdgeKind.RETURN, 1) == (kinds(graph)["b>l"], graph.node("l").indegree)


def test_an_edge_to_a_dominator_through_a_wait_is_a_back_edge() -> None:
    """An edge to a node that every way passes is a back edge; a wait in the cycle makes it legal."""
    graph = workflow("t -> w -> a -> w", w=NAP)

    assert {"t>w": 0, "w>a": 0, "a>w": 2} == kinds(graph)


def test_a_cycle_without_a_wait_is_refused() -> None:
    """A cycle in which nothing waits would never end, and is refused by the edge that closes it."""
    with pytest.raises(SpecInvalid, match="from 'b' back to 'a' closes a cycle, and nothing in it waits"):
        workflow("t -> a -> b -> a")


def test_a_declared_back_edge_is_legal() -> None:
    """An import may mark an edge as going back."""
    raw = to_json(spec("t -> a -> b -> a"))
    raw["edges"][2]["back"] = True

    assert EdgeKind.BACK == kinds(ExecutionGraph(parse(raw), catalog()))["b>a"]


def test_a_cycle_with_two_entries_is_refused() -> None:
    """A cycle that can be entered in two places has no dominating entry."""
    with pytest.raises(SpecInvalid, match="no single entry"):
        workflow("t -> a -> b -> a", "t -> b", a=NAP)


@pytest.mark.parametrize(
    "paths",
    [
        ("t -> l", "l.body -> b", "t -> b"),
        ("t -> l", "l.body -> b -> x", "l.done -> x"),
        ("t -> l", "l.body -> b", "l.done -> d -> b"),
    ],
)
def test_a_body_is_entered_only_through_its_loop(paths: tuple[str, ...]) -> None:
    """An edge into a body from elsewhere, also from the loop's own `done`, is a leak."""
    with pytest.raises(SpecInvalid, match="enters the body"):
        workflow(*paths, l=LOOP)


def test_an_inner_body_cannot_jump_to_the_outer_loop() -> None:
    """A node of an inner body may return to its own loop only."""
    with pytest.raises(SpecInvalid, match="jumps over"):
        workflow("t -> o", "o.body -> i", "i.body -> b -> o", o=LOOP, i=LOOP)


def test_a_body_is_left_only_through_its_loop() -> None:
    """A cycle from a body to a loop before it is a leak, even when something waits in it."""
    with pytest.raises(SpecInvalid, match="leaves the body of the loop 'm'"):
        workflow("t -> l", "l.body -> b", "l.done -> m", "m.body -> w -> l", l=LOOP, m=LOOP, w=NAP)


def test_nodes_know_their_innermost_loop() -> None:
    """Each node belongs to the smallest body around it."""
    graph = workflow("t -> o", "o.body -> a -> i", "i.body -> b", "o.done -> d", o=LOOP, i=LOOP)
    around = {found.id: graph.nodes[found.loop].id if found.loop >= 0 else "" for found in graph.nodes}

    assert {"t": "", "o": "", "a": "o", "i": "o", "b": "i", "d": ""} == around


def test_only_what_can_come_before_is_visible() -> None:
    """A node's ancestors are the nodes with a way to it; a body comes before what follows its loop."""
    graph = workflow("t -> l", "l.body -> b", "l.done -> d", "t -> p", l=LOOP)
    mask = graph.node("d").ancestors

    assert {"t", "l", "b"} == {found.id for found in graph.nodes if mask >> found.index & 1}
