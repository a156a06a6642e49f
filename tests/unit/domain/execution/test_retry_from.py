"""Trying an execution again from a node."""

from linkflow.domain.execution.retry_from import FinishedRun, downstream, retry_overrides
from linkflow.domain.workflow.spec import parse

SPEC = parse({
    "trigger": {"id": "t", "type": "trigger.manual"},
    "nodes": [{"id": name, "type": "data.set"} for name in "abcd"],
    "edges": [
        {"source": "t", "target": "a"},
        {"source": "a", "target": "b"},
        {"source": "t", "target": "c"},
        {"source": "b", "target": "d"},
        {"source": "c", "target": "d"},
    ],
})  # fmt: skip
RUNS = [FinishedRun(name, name, name.upper()) for name in "tabcd"]


def test_everything_behind_the_node_runs_again() -> None:
    """D21: the chosen node and all that follows it are not taken over; the rest is, with its handles."""
    found = retry_overrides(SPEC, RUNS, ["b"])

    assert {"a": {"output": "A", "handles": ["out"]}, "c": {"output": "C", "handles": ["out"]}} == found


def test_the_trigger_always_runs() -> None:
    """The trigger is never taken over, so that a changed input arrives."""
    assert {} == retry_overrides(SPEC, RUNS, ["t"])


def test_runs_of_a_loop_body_are_taken_over_by_key() -> None:
    """Every iteration before the chosen node keeps its own output."""
    runs = [FinishedRun("a#1", "a", 1), FinishedRun("a#2", "a", 2)]

    assert {"a#1", "a#2"} == set(retry_overrides(SPEC, runs, ["d"]))


def test_cycles_are_walked_once() -> None:
    """A cycle makes everything on it run again, and the walk ends."""
    looped = parse({
        "trigger": {"id": "t", "type": "trigger.manual"},
        "nodes": [{"id": "l", "type": "logic.loop"}, {"id": "b", "type": "data.set"}],
        "edges": [
            {"source": "t", "target": "l"},
            {"source": "l", "target": "b"},
            {"source": "b", "target": "l"},
        ],
    })  # fmt: skip

    assert {"b", "l"} == downstream(looped, ["b"])
