"""What expressions of a node see (semantics, section 3)."""

import pytest

from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide
from linkflow.domain.execution.events import WorkflowExecutionStarted
from linkflow.domain.execution.scope import NeedsBlobs
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.values import Json, blob_reference
from linkflow.testing.builders import EXECUTION, Play, node, say, workflow
from linkflow.testing.fakes import NOW


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("trigger.n", 7),
        ("n", 7),
        ("input.a", 1),
        ("node_first.output.a", 1),
        ("$node['First'].output.a", 1),
        ("vars.CITY", "Nairobi"),
        ("env.CITY", "Nairobi"),
        ("execution.mode", "production"),
        ("execution.id", EXECUTION),
        ("workflow.id", "workflow"),
        ("session.data.step", "menu"),
    ],
)
def test_a_node_sees_what_comes_before_it(expression: str, value: Json) -> None:
    """A7: trigger, input, earlier nodes, variables, session and execution are visible under their names."""
    graph = workflow(
        "t -> first -> see",
        first={"type": "test.say", "label": "First", "config": {"value": {"a": 1}}},
        see=say(f"{{{{ {expression} }}}}"),
        workflow={"settings": {"variables": {"CITY": "Nairobi"}}},
    )

    assert value == Play(graph, {"n": 7}, session={"data": {"step": "menu"}}).result


def test_a_parallel_branch_is_not_visible() -> None:
    """A node does not see a finished node that does not come before it, whatever the timing."""
    graph = workflow("t -> a", "t -> b -> see", see=say("{{ node_a.output }}"))
    play = Play(graph)
    play.done("a", 1)
    play.done("b", 2)

    assert ("expression.unresolved", True) == (play.error.code, "node_a" in play.error.message)


def test_a_skipped_node_is_not_visible() -> None:
    """A node that was skipped has no output."""
    graph = workflow(
        "t -> c",
        "c.true -> x -> see",
        "c.false -> see",
        c=node("logic.condition", expression="{{ false }}"),
        see=say("{{ node_x.output }}"),
    )

    assert "expression.unresolved" == Play(graph).error.code


def test_absence_may_be_allowed() -> None:
    """`?.` and `default()` make absence a value."""
    graph = workflow("t -> see", see=say("{{ default(trigger?.missing, 'none') }}"))

    assert "none" == Play(graph, {}).result


def test_a_credential_never_becomes_a_value() -> None:
    """Only workers open secrets: a pure node whose config names one fails."""
    graph = workflow("t -> see", see=say({"key": "{{ credential.bank }}"}))

    assert "credential.not_here" == Play(graph).error.code


def test_large_values_are_asked_for() -> None:
    """A decision that reads a large value asks for it instead of guessing."""
    graph = workflow("t -> a if trigger.x > 1")
    begin = n.Begin(
        WorkflowExecutionStarted("ws", "wf", graph.spec_hash, input=blob_reference("ab" * 32, 99_999))
    )
    state = ExecutionState(EXECUTION, graph)
    with pytest.raises(NeedsBlobs) as asked:
        decide(state, [begin], NOW)
    turn = decide(state, [begin], NOW, blobs={asked.value.sha256: {"x": 2}})

    assert ["a"] == list(turn.state.flying)


def test_a_pure_node_that_reads_a_large_value_runs_on_a_worker() -> None:
    """A pure node whose expressions need a large value is scheduled as an activity."""
    graph = workflow("t -> see", see=say("{{ trigger.x }}"))
    play = Play(graph, blob_reference("ab" * 32, 99_999))

    assert ["see"] == play.flying


def test_chance_repeats_in_a_replay_and_differs_between_executions() -> None:
    """Random draws come from the execution's seed and the key."""
    graph = workflow("t -> see", see=say("{{ random() }}"))
    first, again, other = (Play(graph, seed=seed).result for seed in (1, 1, 2))

    assert (True, False) == (first == again, first == other)
