"""The JSON of a workflow version (F2)."""

import pytest

from linkflow.domain.errors import SpecInvalid
from linkflow.domain.values import decode_json
from linkflow.domain.workflow.check import check_json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import canonical_spec, content_hash, parse, to_json
from linkflow.testing.builders import catalog, spec

RAW = {
    "metadata": {"name": "Hello", "workflowId": "w1", "version": 3, "createdBy": "ann"},
    "trigger": {"id": "t", "type": "trigger.webhook"},
    "nodes": [
        {"id": "a", "type": "http.request", "config": {"url": "x"}, "onError": "continue", "timeout": 5000}
    ],
    "edges": [{"id": "e1", "source": "t", "target": "a", "sourceHandle": "out", "condition": "x > 1"}],
    "settings": {"maxExecutionTimeMs": 1000},
    "errorHandling": {"continueOnError": True},
    "canvas": {
        "notes": [{"id": "note", "text": "# Hi", "position": {"x": 1, "y": 2}, "size": {"width": 200}}],
        "groups": [{"id": "group", "label": "Both", "nodes": ["t", "a"], "collapsed": True}],
    },
}


def test_field_names_are_those_of_the_seeds() -> None:
    """F2: a spec is read and written in camelCase, and nothing is lost on the way."""
    assert RAW == decode_json(canonical_spec(parse(RAW)))


def test_missing_edge_ids_are_filled_in() -> None:
    """Edges without an id get one from their ends, each its own."""
    raw = {**RAW, "edges": [{"source": "t", "target": "a"}, {"source": "t", "target": "a"}]}

    assert ["t-out-a", "t-out-a-2"] == [edge.id for edge in parse(raw).edges]


def test_the_content_hash_is_of_what_a_spec_does() -> None:
    """Names and authors do not change the hash; a node does."""
    renamed = {**RAW, "metadata": {"name": "Bye"}}
    changed = {**RAW, "nodes": []}
    hashes = [content_hash(parse(raw)) for raw in (RAW, renamed, changed)]

    assert (True, False) == (hashes[0] == hashes[1], hashes[0] == hashes[2])


def test_what_stands_on_the_canvas_runs_nowhere() -> None:
    """Notes and groups are no problem of a spec, and neither nodes nor edges of what runs."""
    bare = {key: value for key, value in RAW.items() if key != "canvas"}
    nodes = [[each.node for each in ExecutionGraph(parse(raw), catalog()).nodes] for raw in (RAW, bare)]

    assert (check_json(bare, catalog())[1], nodes[1]) == (check_json(RAW, catalog())[1], nodes[0])


def test_equal_specs_give_equal_bytes() -> None:
    """The canonical form does not depend on the order of keys."""
    shuffled = {key: RAW[key] for key in reversed(RAW)}

    assert canonical_spec(parse(RAW)) == canonical_spec(parse(shuffled))


def test_a_wrong_shape_says_where() -> None:
    """A spec of the wrong shape is refused with the path of what is wrong."""
    with pytest.raises(SpecInvalid, match=r"\$.nodes\[0\].timeout|`\$.nodes"):
        parse({**RAW, "nodes": [{"id": "a", "type": "x", "timeout": "soon"}]})


def test_a_trigger_among_the_nodes_counts_once() -> None:
    """A spec that repeats its trigger among the nodes has it once."""
    repeated = spec("t -> a")
    again = parse({**to_json(repeated), "nodes": [to_json(repeated)["trigger"], *to_json(repeated)["nodes"]]})

    assert ["t", "a"] == [node.id for node in again.every_node()]
