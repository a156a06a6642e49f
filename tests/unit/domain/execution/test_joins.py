"""When a node runs: joins, skips, merges, order (semantics, section 2)."""

from linkflow.domain.execution import events as e
from linkflow.domain.values import Json
from linkflow.testing.builders import Play, failure, node, say, workflow


def test_a_join_of_a_taken_and_a_skipped_branch_runs() -> None:
    """A join runs once when every branch is resolved and one of them was taken."""
    graph = workflow(
        "t -> c", "c.true -> a -> j", "c.false -> b -> j", c=node("logic.condition", expression="{{ true }}")
    )
    play = Play(graph)
    play.done("a", 1)

    assert (["b"], ["j"]) == (play.keys(e.NodesSkipped), play.flying)


def test_a_join_waits_for_every_branch_that_can_still_arrive() -> None:
    """A join does not run while a branch is under way."""
    play = Play(workflow("t -> a -> j", "t -> b -> j"))
    play.done("a", 1)

    assert ["b"] == play.flying


def test_a_join_runs_once() -> None:
    """Two taken edges into a node make one execution of it, with both outputs by node id."""
    play = Play(workflow("t -> a -> j", "t -> b -> j", j=say("{{ input }}")))
    play.done("b", 2)
    play.done("a", 1)

    assert {"a": 1, "b": 2} == play.result


def test_a_dead_path_is_skipped_to_its_end() -> None:
    """Nodes that only a dead edge leads to are skipped, and all that only they lead to."""
    graph = workflow(
        "t -> c", "c.true -> a", "c.false -> x -> y -> z", c=node("logic.condition", expression="{{ true }}")
    )
    play = Play(graph).run()

    assert ["x", "y", "z"] == play.keys(e.NodesSkipped)


def test_skipped_nodes_share_one_event() -> None:
    """Nodes that are skipped together are listed in one event."""
    graph = workflow(
        "t -> c", "c.true -> a", "c.false -> x -> y", c=node("logic.condition", expression="{{ true }}")
    )

    assert 1 == len([event for event in Play(graph).run().events if isinstance(event, e.NodesSkipped)])


def test_a_join_whose_branches_are_all_dead_is_skipped() -> None:
    """A node whose incoming edges are all dead is skipped."""
    graph = workflow(
        "t -> c",
        "c.true -> a",
        "c.false -> x -> j",
        "c.false -> y -> j",
        c=node("logic.condition", expression="{{ true }}"),
    )

    assert "j" in Play(graph).run().keys(e.NodesSkipped)


def test_parallel_branches_are_scheduled_in_one_record() -> None:
    """Ready nodes run in parallel."""
    assert ["a", "b", "c"] == Play(workflow("t -> a", "t -> b", "t -> c")).flying


def test_ready_nodes_begin_in_canvas_order() -> None:
    """Of nodes that are ready together the topmost begins first, then the leftmost, then by id."""
    places = {"low": (0, 9), "right": (5, 1), "left": (1, 1), "also_left": (1, 1)}
    nodes = {name: node(settings={"position": {"x": x, "y": y}}) for name, (x, y) in places.items()}

    assert ["also_left", "left", "right", "low"] == Play(
        workflow(*(f"t -> {name}" for name in places), **nodes)
    ).flying


def test_a_disabled_node_passes_its_input_on() -> None:
    """A disabled node does not run and hands its input to what follows."""
    graph = workflow("t -> a -> b -> c", b=node(settings={"disabled": True}), c=say("{{ input }}"))
    play = Play(graph)
    play.done("a", {"x": 1})

    assert {"x": 1} == play.result


def test_a_disabled_condition_goes_on_by_its_first_handle() -> None:
    """`out` of a disabled node without such a handle is its first handle."""
    graph = workflow(
        "t -> c", "c.true -> a", "c.false -> b", c=node("logic.condition", settings={"disabled": True})
    )

    assert ["a"] == Play(graph).flying


def test_triggers_that_did_not_fire_are_skipped() -> None:
    """Of several triggers the one that fired begins, the others count as skipped."""
    graph = workflow("t -> a -> j", "hook -> b -> j", hook="trigger.webhook")
    play = Play(graph, trigger="hook")

    assert (["t", "a"], ["b"]) == (play.keys(e.NodesSkipped), play.flying)


def test_an_orphan_is_skipped() -> None:
    """A node that nothing leads to never runs."""
    assert ["lost"] == Play(workflow("t -> a", "lost")).run().keys(e.NodesSkipped)


def merge(strategy: str, **config: Json) -> dict[str, Json]:
    return node("logic.merge", strategy=strategy, **config)


def test_merge_any_runs_at_the_first_arrival() -> None:
    """A merge of strategy any runs at the first taken edge; later arrivals change nothing."""
    play = Play(workflow("t -> a -> m", "t -> b -> m", "m -> z", m=merge("any")))
    play.done("b", 2)
    early = play.flying
    play.done("a", 1)

    assert (["a", "z"], ["z"], ["t", "m"]) == (early, play.flying, play.keys(e.NodeCompleted))


def test_merge_n_of_runs_at_the_nth_arrival() -> None:
    """A merge that waits for two of three runs at the second."""
    play = Play(workflow("t -> a -> m", "t -> b -> m", "t -> c -> m", m=merge("n_of", n=2, mode="append")))
    play.done("c", 3)
    before = play.keys(e.NodeCompleted)
    play.done("a", 1)

    assert (["t"], [1, 3]) == (before, play.output("m"))


def test_merge_n_of_fails_when_too_few_arrive() -> None:
    """A merge that can never get its branches fails loudly."""
    graph = workflow(
        "t -> c",
        "c.true -> a -> m",
        "c.false -> b -> m",
        c=node("logic.condition", expression="{{ true }}"),
        m=merge("n_of", n=2),
    )
    play = Play(graph)
    play.done("a", 1)

    assert "merge.not_enough" == play.error.code


def test_cancel_rest_cancels_what_only_the_merge_needs() -> None:
    """`cancel_rest` cancels the other branches' activities, waits and loops, and nothing that others need."""
    graph = workflow(
        "t -> a -> m",
        "t -> slow -> m",
        "t -> nap -> m",
        "t -> l",
        "l.body -> inner",
        "l.done -> m",
        "t -> shared -> m",
        "shared -> keep",
        m=merge("any", cancel_rest=True),
        nap=node("logic.delay", seconds=60),
        l=node("logic.loop", items=[1]),
    )
    play = Play(graph)
    play.done("a", 1)

    assert (["shared"], ["slow", "nap", "inner#1", "l"]) == (
        play.flying,
        play.keys(e.ActivityTaskCancelled, e.TimerCancelled),
    )


def test_merge_modes_put_outputs_together() -> None:
    """append, combine, multiplex, mergeByPosition, choose and wait say how outputs are put together."""
    found = {}
    for mode in ("append", "combine", "multiplex", "mergeByPosition", "choose", "wait"):
        merged = merge("all", mode=mode, choose="b")
        play = Play(workflow("t -> a -> m", "t -> b -> m", m=merged))
        play.done("b", [{"y": 3}])
        play.done("a", [{"x": 1}, {"x": 2}] if mode != "combine" else {"x": 1})
        found[mode] = play.output("m")

    assert {
        "append": [{"x": 1}, {"x": 2}, {"y": 3}],
        "combine": {"x": 1, "value": [{"y": 3}]},
        "multiplex": [{"x": 1, "y": 3}, {"x": 2, "y": 3}],
        "mergeByPosition": [{"x": 1, "y": 3}],
        "choose": [{"y": 3}],
        "wait": {"a": [{"x": 1}, {"x": 2}], "b": [{"y": 3}]},
    } == found


def test_conditions_on_edges_that_leave_a_merge_hold() -> None:
    """An edge that leaves a merge dies when its condition does not hold."""
    graph = workflow("t -> m", "m -> a if output.x > 1", "m -> b if output.x < 1", m=merge("all"))

    assert ["a"] == Play(graph, {"x": 2}).flying


def test_a_condition_may_name_a_handle() -> None:
    """An edge's condition that is a handle of its source stands for that handle."""
    graph = workflow(
        "t -> c", "c -> yes if true", "c -> no if false", c=node("logic.condition", expression="{{ 1 > 2 }}")
    )

    assert ["no"] == Play(graph).flying


def test_a_condition_is_an_expression_over_the_output() -> None:
    """An edge is taken when its condition holds for what the source said, under `output` or its fields."""
    graph = workflow("t -> a", "a -> big if output.n > 5", "a -> small if n <= 5")
    found = []
    for number in (9, 1):
        play = Play(graph)
        play.done("a", {"n": number})
        found += play.flying

    assert ["big", "small"] == found


def test_a_null_output_can_be_asked_for() -> None:
    """A condition sees an output of null as null."""
    play = Play(workflow("t -> a", "a -> none if output == null", "a -> some if output != null"))
    play.done("a", None)

    assert ["none"] == play.flying


def test_a_condition_that_cannot_be_evaluated_fails_the_execution() -> None:
    """An edge whose condition cannot be evaluated is an error, never a dead edge in silence."""
    play = Play(workflow("t -> a", "a -> b if output.missing.deeper > 1"))
    play.done("a", {"n": 1})

    assert "expression.unresolved" == play.error.code


def test_a_condition_on_an_error_edge_that_cannot_be_evaluated_fails_the_execution() -> None:
    """A broken condition on an error handle is loud, too."""
    play = Play(workflow("t -> a", "a.error -> b if output.missing.deeper > 1"))
    play.failed("a", failure())

    assert "expression.unresolved" == play.error.code


def test_nothing_that_follows_a_dead_edge_is_waited_for() -> None:
    """A node whose every edge dies ends its branch, and the execution completes."""
    play = Play(workflow("t -> a", "a -> b if output.n > 5"))
    play.done("a", {"n": 1})

    assert ("completed", {"n": 1}) == (play.status, play.result)
