"""Parts of a workflow: what a test of some nodes runs, and what it takes over."""

from typing import Any

from linkflow.domain.execution.partial import part_of, unpinned
from linkflow.domain.execution.retry_from import FinishedRun
from linkflow.domain.workflow.spec import WorkflowSpec, content_hash, parse


def spec(edges: str, **configs: Any) -> WorkflowSpec:
    """Build a spec of edges such as `start-a a-b`; a node's keywords are its fields."""
    pairs = [edge.split("-") for edge in edges.split()]
    ids = dict.fromkeys(each for pair in pairs for each in pair if each != "start")
    nodes = [{"id": each, "type": "data.set", **configs.get(each, {})} for each in ids]
    return parse(
        {
            "trigger": {"id": "start", "type": "trigger.manual"},
            "nodes": nodes,
            "edges": [{"source": source, "target": target} for source, target in pairs],
        }
    )


def ran(*ids: str) -> list[FinishedRun]:
    """Say that nodes ended well."""
    return [FinishedRun(each, each.partition("#")[0], each) for each in ids]


def ids(found: WorkflowSpec) -> list[str]:
    """List the nodes of a part."""
    return sorted(node.id for node in found.every_node())


DIAMOND = "start-a a-b a-c b-d c-d d-e start-x"


def test_up_to_a_node_is_what_leads_to_it() -> None:
    """All that leads to the node is there, and nothing beside or after it."""
    part = part_of(spec(DIAMOND), ran("a", "b"), last="d")

    assert (["a", "b", "c", "d", "start"], {}) == (ids(part.spec), dict(part.overrides))


def test_one_node_takes_over_what_came_before() -> None:
    """What is known does not run, nor what leads only to it; it hangs on the trigger instead."""
    part = part_of(spec(DIAMOND), ran("a", "b", "c", "d", "e"), first="d", last="d")

    assert (["b", "c", "d", "start"], ["b", "c"], {"start-b", "start-c", "b-d", "c-d"}) == (
        ids(part.spec),
        sorted(part.overrides),
        {f"{edge.source}-{edge.target}" for edge in part.spec.edges},
    )


def test_what_a_node_reads_comes_along() -> None:
    """A node that is read from afar is taken over, though nothing between is needed."""
    reads = spec("start-a a-b b-c", c={"config": {"values": {"x": "{{ node_a.output.x }}"}}})
    part = part_of(reads, ran("a", "b"), first="c", last="c")

    assert (["a", "b", "c", "start"], ["a", "b"]) == (ids(part.spec), sorted(part.overrides))


def test_what_nobody_has_data_for_runs() -> None:
    """Where the data of a node is missing, it and what leads to it run."""
    part = part_of(spec("start-a a-b b-c"), ran("a"), first="c", last="c")

    assert (["a", "b", "c", "start"], ["a"]) == (ids(part.spec), sorted(part.overrides))


def test_a_pin_stands_for_every_run_of_its_node() -> None:
    """A pin goes before an earlier output and ends the way back; a node that is named runs in spite of it."""
    pinned = {"pinned": {"output": 1}}
    found = spec("start-a a-b b-c", b=pinned, c=pinned)
    part = part_of(found, ran("a", "b"), first="c", last="c")

    assert (["b", "c", "start"], True, content_hash(unpinned(found)) == content_hash(found)) == (
        ids(part.spec),
        "b#*" in part.overrides and "c#*" not in part.overrides,
        False,
    )
