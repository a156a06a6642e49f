"""Random graphs, led through the decider in random order, against a naive reading of the same rules."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkflow.domain.execution import news as n
from linkflow.domain.execution.view import node_runs
from linkflow.domain.values import Json
from linkflow.testing.builders import Play
from linkflow.testing.lives import INPUT, RandomLife, all_vertices, compiled, random_workflow
from linkflow.testing.naive import UNSURE, Outcome, interpret


def is_sure(value: Json) -> bool:
    return value != UNSURE and not (isinstance(value, dict) and not all(map(is_sure, value.values())))


def seen_by_people(play: Play) -> dict[str, str]:
    runs = node_runs(play.graph, play.records)
    return {run.key: run.status for run in runs if run.key != "t"}


def compare(play: Play, naive: Outcome) -> None:
    if naive.failures:
        assert "failed" == play.status, f"the rules say that {naive.failures} fail"
        return
    assert "completed" == play.status, play.state.closed
    runs = seen_by_people(play)
    expected = {key: status for key, status in naive.nodes.items() if key != "t"}

    assert expected == {key: status for key, status in runs.items() if key in expected}
    outputs = {run.key: run.output for run in node_runs(play.graph, play.records) if run.status == "success"}
    sure = {key: output for key, output in naive.outputs.items() if key in expected and is_sure(output)}
    sure = {key: output for key, output in sure.items() if expected[key] == "success"}
    assert sure == {key: outputs[key] for key in sure}
    results = {key: found for key, found in naive.results.items() if key in expected}
    found = {key: outputs[key]["results"] for key in results}
    assert results == {key: [UNSURE if isinstance(r, dict) else r for r in found[key]] for key in results}


def live(seed: int) -> tuple[Play, Outcome]:
    """Make a graph from a seed and lead it to its end in random order."""
    rng = random.Random(seed)
    block = random_workflow(rng)
    return RandomLife(compiled(block), all_vertices(block), rng).live(), interpret(block, INPUT)


@given(st.integers(0, 2**63))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_graph_in_any_order_means_what_the_rules_say(seed: int) -> None:
    """Whatever the graph and the order of news, the decider ends where the plain reading of the rules ends.

    On the way every turn is checked (`Play`): it folds, repeats, changes nothing it was given, and leaves
    an open execution with something that drives it.
    """
    play, naive = live(seed)

    compare(play, naive)


@given(st.integers(0, 2**63), st.integers(0, 2**63))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_order_of_completions_does_not_matter(seed: int, order: int) -> None:
    """The same graph led in two random orders gives the same outcome for every node."""
    block = random_workflow(random.Random(seed))
    graph = compiled(block)
    naive = interpret(block, INPUT)
    plays = [RandomLife(graph, all_vertices(block), random.Random(order + i)).live() for i in (0, 1)]
    sure = naive.nodes.keys() if not naive.failures else set()
    ends = [{key: status for key, status in seen_by_people(play).items() if key in sure} for play in plays]

    assert (plays[0].status, ends[0]) == (plays[1].status, ends[1])


@given(st.integers(0, 2**63))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_told_again_from_the_start_nothing_changes(seed: int) -> None:
    """Every piece of news of a life, told once more at its end, is refused or changes nothing."""
    play, _ = live(seed)
    every = [item for record in play.records for item in record.news if not isinstance(item, n.Signal)]

    assert [] == play.tell(*every)
