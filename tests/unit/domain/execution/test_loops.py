"""Loops, scopes and visits (semantics, section 4)."""

import pytest

from linkflow.domain.errors import Kind
from linkflow.domain.execution import events as e
from linkflow.domain.node import Completion
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.testing.builders import Play, failure, node, say, workflow


def loop(**config: Json) -> ExecutionGraph:
    return workflow(
        "t -> l", "l.body -> b -> l", "l.done -> d", l=node("logic.loop", **config), d="logic.noop"
    )


def results(play: Play) -> Json:
    return play.output("l")["results"]


def test_for_each_runs_the_body_once_per_item_in_order() -> None:
    """By default one iteration runs at a time, keyed by its number, and results come in order."""
    play = Play(loop(items="{{ trigger }}"), ["x", "y"])
    first = play.flying
    play.done("b#1", 10)
    second = play.flying
    play.done("b#2", 20)

    assert (["b#1"], ["b#2"], [10, 20]) == (first, second, results(play))


def test_parallel_iterations_keep_the_order_of_results() -> None:
    """With parallelism iterations run at once; results come in the order of the items."""
    play = Play(loop(items=[1, 2, 3], parallelism=2))
    first = play.flying
    play.done("b#2", "two")
    play.done("b#3", "three")
    play.done("b#1", "one")

    assert (["b#1", "b#2"], ["one", "two", "three"]) == (first, results(play))


def test_times_runs_a_number_of_times() -> None:
    """A loop of mode times gives each iteration its index."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        l=node("logic.loop", mode="times", times=3),
        b=say("{{ loop.index }}"),
    )

    assert [0, 1, 2] == results(Play(graph))


def test_while_runs_as_long_as_its_expression_holds() -> None:
    """A loop of mode while asks before each iteration, and sees the results so far."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        l={"type": "logic.loop", "config": {"mode": "while", "while": "loop.index < 2"}},
        b=say("{{ loop.iteration }}"),
    )

    assert [1, 2] == results(Play(graph))


def test_while_beyond_its_bound_is_an_error() -> None:
    """A while loop that goes on beyond max_items fails; it never stops in silence."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        b="logic.noop",
        l={"type": "logic.loop", "config": {"mode": "while", "while": "true", "max_items": 5}},
    )

    assert "loop.too_many" == Play(graph).error.code


def test_a_batch_is_one_iteration() -> None:
    """With a batch size an iteration gets a list of items."""
    graph = workflow(
        "t -> l", "l.body -> b", l=node("logic.loop", items=[1, 2, 3], batch_size=2), b=say("{{ loop.item }}")
    )

    assert [[1, 2], [3]] == results(Play(graph))


def test_a_loop_over_nothing_is_done_at_once() -> None:
    """An empty list makes no iteration, and `done` is taken."""
    play = Play(loop(items=[])).run()

    assert ([], 0) == (results(play), play.output("l")["count"])


def test_an_object_is_gone_through_by_its_entries() -> None:
    """A loop over an object gives each iteration a key and a value."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        l=node("logic.loop", items={"a": 1}),
        b=say("{{ loop.item }}"),
    )

    assert [{"key": "a", "value": 1}] == results(Play(graph))


@pytest.mark.parametrize(("items", "code"), [(3, "loop.items"), ([1, 2, 3], "loop.too_many")])
def test_a_loop_refuses_what_it_cannot_go_over(items: Json, code: str) -> None:
    """What is no list, or more than max_items, fails the loop."""
    assert code == Play(loop(items=items, max_items=2)).error.code


def test_other_spellings_of_fields_count() -> None:
    """A field of a control node may be written in its other spellings."""
    assert ["b#1", "b#2"] == Play(loop(items=[1, 2], concurrency=2)).flying


def test_collect_sees_every_node_of_the_body() -> None:
    """`collect` is evaluated at the end of an iteration and sees all its branches and its item."""
    graph = workflow(
        "t -> l",
        "l.body -> x",
        "l.body -> y",
        l=node("logic.loop", items=[5], collect="node_x.output + node_y.output + loop.item"),
        x=say(100),
        y=say(20),
    )

    assert [125] == results(Play(graph))


def test_a_collect_that_cannot_be_evaluated_fails_the_loop() -> None:
    """A broken `collect` is an error of the loop."""
    graph = workflow(
        "t -> l", "l.body -> b", l=node("logic.loop", items=[1], collect="nothing.there"), b="logic.noop"
    )

    assert "expression.unresolved" == Play(graph).error.code


def test_nested_loops_key_nodes_by_their_whole_path() -> None:
    """A node of an inner loop is keyed by the iterations of both loops."""
    graph = workflow(
        "t -> o",
        "o.body -> i",
        "i.body -> cell -> i",
        "i.done -> o",
        "o.done -> d",
        o=node("logic.loop", items=[[1, 2], [3]]),
        i=node("logic.loop", items="{{ loop.item }}"),
        cell=say("{{ loop.item * 10 }}"),
        d="logic.noop",
    )
    play = Play(graph)

    keys = [key for key in play.keys(e.NodeCompleted) if key.startswith("cell")]
    assert (["cell#1.1", "cell#1.2", "cell#2.1"], [[10, 20], [30]]) == (
        keys,
        [inner["results"] for inner in play.output("o")["results"]],
    )


def test_a_failed_iteration_fails_the_loop_by_default() -> None:
    """An error in the body ends the loop, the other iterations are cancelled, and the execution fails."""
    play = Play(loop(items=[1, 2], parallelism=2))
    play.failed("b#1", failure(code="http.status"))

    assert ("http.status", ["b#2"]) == (play.error.code, play.keys(e.ActivityTaskCancelled))


def test_skip_leaves_a_failed_iteration_out() -> None:
    """With `on_item_error: skip` results are those of the iterations that went well, errors are listed."""
    play = Play(loop(items=[1, 2], on_item_error="skip"))
    play.failed("b#1", failure(code="http.status"))
    play.done("b#2", "two")

    assert (["two"], [0]) == (results(play), [error["index"] for error in play.output("l")["errors"]])


def test_collect_keeps_a_failed_iteration_in_its_place() -> None:
    """With `on_item_error: collect` the error stands among the results."""
    play = Play(loop(items=[1, 2], on_item_error="collect"))
    play.failed("b#1", failure(code="http.status"))
    play.done("b#2", "two")

    assert ["http.status", "two"] == [results(play)[0]["error"]["code"], results(play)[1]]


def test_an_error_handle_of_a_loop_catches_a_failed_iteration() -> None:
    """A loop whose iteration failed takes its own error handle."""
    play = Play(workflow("t -> l", "l.body -> b", "l.error -> mend", l=node("logic.loop", items=[1, 2])))
    play.failed("b#1")

    assert ["mend"] == play.flying


def test_a_failed_iteration_cancels_what_is_under_way_inside_it() -> None:
    """What runs in a failed iteration, and in loops inside it, is cancelled; other iterations go on."""
    graph = workflow(
        "t -> o",
        "o.body -> bad",
        "o.body -> i",
        "i.body -> cell",
        o=node("logic.loop", items=[1, 2], parallelism=2, on_item_error="skip"),
        i=node("logic.loop", items=[1]),
    )
    play = Play(graph)
    play.failed("bad#1")

    assert (["cell#1.1"], ["bad#2", "cell#2.1"]) == (play.keys(e.ActivityTaskCancelled), play.flying)


def test_conditions_on_body_edges_are_asked_per_item() -> None:
    """An edge that leaves `body` is dead in the iterations whose item does not meet its condition."""
    graph = workflow("t -> l", "l.body -> b if item > 1", l=node("logic.loop", items=[1, 2]), b="logic.noop")

    assert ["b#2"] == [key for key in Play(graph).keys(e.NodeCompleted) if key.startswith("b")]


def test_a_broken_condition_on_a_body_edge_fails_the_iteration() -> None:
    """A condition on a body edge that cannot be evaluated is an error of that iteration."""
    graph = workflow(
        "t -> l",
        "l.body -> b if item.x.y > 1",
        l=node("logic.loop", items=[1], on_item_error="collect"),
        b="logic.noop",
    )

    assert "expression.unresolved" == results(Play(graph))[0]["error"]["code"]


def test_nodes_after_a_loop_see_the_last_iteration() -> None:
    """After a loop, a node of its body stands for its latest iteration, whether or not it leads back."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        "l.done -> d",
        l=node("logic.loop", items=[1, 2]),
        b=say("{{ loop.item }}"),
        d=say("{{ node_b.output }}"),
    )

    assert 2 == Play(graph).result


def test_aliases_name_item_and_index() -> None:
    """`item_alias` and `index_alias` are further names inside the body."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        l=node("logic.loop", items=["a"], item_alias="row", index_alias="at"),
        b=say("{{ row + at }}"),
    )

    assert ["a0"] == results(Play(graph))


def test_waits_inside_iterations_are_independent() -> None:
    """Each iteration opens its own wait, and resolves alone."""
    graph = workflow(
        "t -> l",
        "l.body -> w",
        l=node("logic.loop", items=["x", "y"], parallelism=2),
        w=node("logic.wait_event", event="paid", key="{{ loop.item }}"),
    )
    play = Play(graph)
    play.signal("paid", 2, match="y")

    assert ["w#1"] == play.waits


def menu(max_visits: int = 1_000) -> ExecutionGraph:
    graph = workflow(
        "t -> menu -> say",
        "say -> menu if output.again",
        "say -> bye if !output.again",
        menu=node("logic.wait_event", event="key"),
    )
    for edge in graph.edges:
        edge.max_visits = max_visits
    return graph


def test_a_back_edge_opens_the_next_visit() -> None:
    """Taking a back edge runs its target again under the key of its visit; a skip counts as one."""
    play = Play(menu())
    play.signal("key", 1)
    play.done("say", {"again": True})
    play.signal("key", 2)
    play.done("say@2", {"again": False})

    assert (["menu", "menu@2"], ["bye@2"]) == (play.keys(e.WaitOpened), play.flying)


def test_visits_are_bounded() -> None:
    """A back edge that was taken more often than it may fails the execution."""
    play = Play(menu(max_visits=2))
    for visit in ("say", "say@2"):
        play.signal("key")
        play.done(visit, {"again": True})

    assert ("loop.max_visits", Kind.PERMANENT) == (play.error.code, play.error.kind)


def test_visits_inside_an_iteration_are_counted_in_its_scope() -> None:
    """A cycle inside a loop counts its visits per iteration: `nap#2@3`."""
    graph = workflow(
        "t -> l",
        "l.body -> nap -> b",
        "b -> nap if output.again",
        "b -> l if !output.again",
        l=node("logic.loop", items=[1, 2]),
        nap=node("logic.delay", seconds=1),
    )
    visits = iter([False, True, False])
    play = Play(graph).run(lambda key: Completion(output={"again": next(visits)}))

    assert ["nap#1", "nap#2", "nap#2@2"] == play.keys(e.TimerStarted)


def test_a_loop_that_is_visited_again_never_repeats_a_key() -> None:
    """When a cycle runs a loop again, the nodes of its body get new visits, so effect keys stay unique."""
    graph = workflow(
        "t -> nap -> l",
        "l.body -> b",
        "l.done -> c",
        "c -> nap if output.again",
        nap=node("logic.delay", seconds=1),
        l=node("logic.loop", items=[1, 2]),
    )
    rounds = iter([True, False])
    play = Play(graph).run(lambda key: Completion(output={"again": key.startswith("c") and next(rounds)}))

    assert ["b#1", "b#2", "c", "b#1@2", "b#2@2", "c@2"] == play.keys(e.ActivityTaskScheduled)


def test_branches_are_pending_again_after_a_back_edge() -> None:
    """A join inside a cycle waits for its branches again in every visit."""
    graph = workflow(
        "t -> nap -> a -> j", "nap -> b -> j", "j -> nap if output.again", nap=node("logic.delay", seconds=1)
    )
    rounds = iter([True, False])
    play = Play(graph).run(lambda key: Completion(output={"again": key.startswith("j") and next(rounds)}))

    assert ["a", "b", "j", "a@2", "b@2", "j@2"] == play.keys(e.ActivityTaskScheduled)


def test_expressions_see_the_latest_visit() -> None:
    """A node outside a cycle sees the last visit of a node inside it."""
    graph = workflow(
        "t -> menu -> say",
        "say -> menu if output.again",
        "say -> end if !output.again",
        menu=node("logic.wait_event", event="key"),
        end=say("{{ node_menu.output.data }}"),
    )
    play = Play(graph)
    play.signal("key", "first")
    play.done("say", {"again": True})
    play.signal("key", "second")
    play.done("say@2", {"again": False})

    assert "second" == play.result
