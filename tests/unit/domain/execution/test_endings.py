"""How executions end: failing, cancel, terminate, deadline, result, status (semantics, sections 3, 5, 6)."""

import pytest

from linkflow.domain.errors import ExecutionClosed, NotFound
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.failing import GRACE_S
from linkflow.domain.node import Completion
from linkflow.testing.builders import Play, failure, node, say, workflow


def test_the_result_is_the_responders_output() -> None:
    """The output of the responding node is the result, whatever runs after it."""
    graph = workflow("t -> r -> a", r=node("flow.output", value={"ok": True}))

    assert {"ok": True} == Play(graph).run().result


def test_the_result_is_the_only_leafs_output() -> None:
    """Without a responder the output of the only finished leaf is the result."""
    assert 5 == Play(workflow("t -> a -> b", a="logic.noop", b=say(5))).result


def test_several_leaves_are_listed_by_id() -> None:
    """With several finished leaves the result is an object of their outputs by node id."""
    assert {"a": 1, "b": 2} == Play(workflow("t -> a", "t -> b", a=say(1), b=say(2))).result


def test_a_workflow_without_nodes_gives_its_input() -> None:
    """A trigger alone completes with its input."""
    assert {"x": 1} == Play(workflow("t"), {"x": 1}).result


def test_the_close_event_is_last() -> None:
    """Nothing follows the event that closes an execution."""
    play = Play(workflow("t -> a", "t -> b")).run()
    play.tell(n.Wake(), n.Cancel(), n.Terminate(), n.Report("a", 1, "worker", Completion()))

    assert isinstance(play.events[-1], e.WorkflowExecutionCompleted)


# ---------------------------------------------------------------- failing


def test_a_failure_carries_its_error_and_key() -> None:
    """The failed execution says which node failed and why."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure("http.status", message="503"))

    assert e.WorkflowExecutionFailed(failure("http.status", message="503"), "a") == play.state.closed


def test_what_is_under_way_gets_a_grace_when_an_execution_fails() -> None:
    """A failing execution closes when its activities have ended, at the latest after the grace period."""
    play = Play(workflow("t -> a", "t -> b"))
    play.failed("a")
    open_still = not play.state.is_closed
    play.done("b", 1)

    assert (True, "failed", 1) == (open_still, play.status, play.output("b"))


def test_the_grace_of_a_failure_ends() -> None:
    """After the grace period a failing execution closes whatever is under way."""
    play = Play(workflow("t -> a", "t -> b"))
    play.failed("a")
    before = play.at
    play.wake()

    assert ("failed", GRACE_S) == (play.status, play.at - before)


def test_nothing_new_begins_in_a_failing_execution() -> None:
    """A result that comes in the grace period is recorded, and nothing follows from it."""
    play = Play(workflow("t -> a", "t -> b -> c"))
    play.failed("a")
    play.done("b", 1)

    assert "c" not in play.keys(e.ActivityTaskScheduled)


def test_a_failing_execution_tries_nothing_again() -> None:
    """A transient failure in the grace period is final."""
    play = Play(workflow("t -> a", "t -> b"))
    play.failed("a")
    play.failed("b", failure("net.lost", "transient"))  # type: ignore[arg-type]  # the word is the kind

    assert ("failed", []) == (play.status, play.keys(e.ActivityTaskRetryScheduled))


def test_a_wait_does_not_hold_up_a_failing_execution() -> None:
    """Timers and waits end with the execution."""
    play = Play(workflow("t -> a", "t -> nap", nap=node("logic.delay", days=3)))
    play.failed("a")

    assert "failed" == play.status


def test_only_the_grace_wakes_a_failing_execution() -> None:
    """While an execution ends, its waits and deadlines no longer count."""
    play = Play(workflow("t -> a", "t -> b", "t -> nap", nap=node("logic.delay", seconds=1)))
    play.failed("a")

    assert play.at + GRACE_S == play.state.wakeup_at()


# ---------------------------------------------------------------- cancel, terminate, deadline


def test_cancel_is_recorded_at_once_and_gives_a_grace() -> None:
    """A cancelled execution waits for what is under way, then closes as cancelled."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel("enough", "ann"))
    open_still = not play.state.is_closed
    play.done("a", 1)

    assert (True, e.WorkflowExecutionCancelled("enough")) == (open_still, play.state.closed)


def test_cancel_wins_over_what_completes_afterwards() -> None:
    """The last result of an execution that was cancelled before does not complete it."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel(), play.report("a", Completion(output=1)))

    assert "cancelled" == play.status


def test_the_grace_of_a_cancel_ends() -> None:
    """After ten seconds a cancelled execution closes whatever is under way."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel())
    play.wake(GRACE_S - 1)
    before = play.status
    play.wake(1)

    assert ("running", "cancelled") == (before, play.status)


def test_cancel_ends_what_nobody_has_begun() -> None:
    """An activity that no worker has begun is cancelled without a grace."""
    play = Play(workflow("t -> a"), room=0)
    play.tell(n.Cancel())

    assert (["a"], "cancelled") == (play.keys(e.ActivityTaskCancelled), play.status)


def test_cancel_may_be_repeated() -> None:
    """A second cancel changes nothing."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel())

    assert [] == play.tell(n.Cancel())


def test_an_activity_may_say_that_it_stopped() -> None:
    """A worker that was asked to stop reports it, and the execution closes."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel())
    play.failed("a", failure("node.cancelled"))

    assert (["a"], "cancelled") == (play.keys(e.ActivityTaskCancelled), play.status)


def test_a_lost_worker_ends_the_grace() -> None:
    """When the worker of a cancelled execution dies, nothing is tried again."""
    play = Play(workflow("t -> a"))
    play.tell(n.Cancel())
    play.tell(n.SessionsLost(["worker"]))

    assert ("cancelled", ["a"]) == (play.status, play.keys(e.ActivityTaskScheduled))


def test_an_unknown_outcome_is_recorded_in_the_grace() -> None:
    """An attempt whose outcome is unknown while its execution is cancelled is recorded, not parked."""
    play = Play(workflow("t -> a", a="test.send"))
    play.tell(n.Cancel())
    play.failed("a", failure("net.lost"), unknown=True)

    assert ("cancelled", ["a"]) == (play.status, play.keys(e.ActivityTaskUnknown))


def test_cancel_wins_over_the_deadline() -> None:
    """An execution that was cancelled closes as cancelled even when its deadline passes in the grace."""
    graph = workflow("t -> a")
    play = Play(graph, deadline_at=Play(graph).at + 1)
    play.tell(n.Cancel())
    play.wake(60)

    assert "cancelled" == play.status


def test_terminate_does_not_wait() -> None:
    """Terminate closes at once and is shown as cancelled."""
    play = Play(workflow("t -> a"))
    play.tell(n.Terminate("now"))

    assert ("cancelled", e.WorkflowExecutionTerminated("now")) == (play.status, play.state.closed)


def test_the_deadline_ends_an_execution() -> None:
    """An execution that takes longer than it may is closed as timed out."""
    graph = workflow("t -> a")
    play = Play(graph, deadline_at=Play(graph).at + 60)
    play.wake()

    assert ("timed_out", e.WorkflowExecutionTimedOut()) == (play.status, play.state.closed)


@pytest.mark.parametrize("late", [n.Signal("1", "x"), n.Resolve("a", action="done")])
def test_a_closed_execution_answers_that_it_is_over(late: n.News) -> None:
    """Who sends something to an execution that is over is told so."""
    play = Play(workflow("t"))

    with pytest.raises(ExecutionClosed):
        play.tell(late)


# ---------------------------------------------------------------- status


def test_statuses_follow_from_what_is_open() -> None:
    """In flight or retrying is running; a wait, timer or child is waiting; a ticket is queued."""
    transient = failure("net.lost", "transient")  # type: ignore[arg-type]  # the word is the kind
    flying = Play(workflow("t -> a"))
    retrying = Play(workflow("t -> a"))
    retrying.failed("a", transient)
    both = Play(workflow("t -> a", "t -> nap", nap=node("logic.delay", seconds=9)))
    napping = Play(workflow("t -> nap", nap=node("logic.delay", seconds=9)))
    child = Play(workflow("t -> c", c=node("flow.sub_workflow", workflow_id="w")))
    queued = Play(workflow("t -> a"), ticket="k", ticket_limit=1)

    assert ["running", "running", "running", "waiting", "waiting", "queued"] == [
        play.status for play in (flying, retrying, both, napping, child, queued)
    ]


# ---------------------------------------------------------------- tickets and quarantine


def test_a_queued_execution_begins_when_its_ticket_is_there() -> None:
    """With a ticket to get, nothing runs before it is granted."""
    play = Play(workflow("t -> a"), ticket="k", ticket_limit=1)
    before = play.flying
    play.tell(n.Granted("k"))

    assert ([], ["a"], []) == (before, play.flying, play.tell(n.Granted("k")))


def test_a_refused_ticket_closes_the_execution() -> None:
    """When the policy is not to wait, the execution closes with the reason."""
    play = Play(workflow("t -> a"), ticket="k", ticket_limit=1, on_conflict="skip")
    play.tell(n.Refused("k", "another one runs"))

    assert e.WorkflowExecutionCancelled("another one runs") == play.state.closed


def test_a_queued_execution_may_be_cancelled() -> None:
    """Cancel ends an execution that waits for its ticket."""
    play = Play(workflow("t -> a"), ticket="k", ticket_limit=1)
    play.tell(n.Cancel())

    assert "cancelled" == play.status


def test_a_quarantined_execution_stands_still_until_it_is_released() -> None:
    """In quarantine results are recorded, nothing follows; after the release everything goes on."""
    play = Play(workflow("t -> a -> b"))
    play.tell(n.Quarantine("bug"))
    play.done("a", 1)
    held = play.flying
    play.tell(n.Release("ann"))

    assert ([], ["b"]) == (held, play.flying)


def test_a_quarantined_execution_wakes_nobody() -> None:
    """Deadlines do not fall due in quarantine, so that nothing is asked again and again in vain."""
    play = Play(workflow("t -> nap", nap=node("logic.delay", seconds=1)))
    play.tell(n.Quarantine("bug"))

    assert ("waiting", None) == (play.status, play.state.wakeup_at())


def test_a_quarantined_execution_may_be_cancelled() -> None:
    """Cancel always wins, in quarantine, too."""
    play = Play(workflow("t -> a"))
    play.tell(n.Quarantine("bug"), n.Cancel())
    play.wake()

    assert "cancelled" == play.status


def test_only_a_quarantined_execution_is_released() -> None:
    """Releasing what is not held is refused."""
    with pytest.raises(NotFound):
        Play(workflow("t -> a")).tell(n.Release())


def test_a_bug_in_a_node_is_not_swallowed() -> None:
    """What is no LinkFlow error leaves the decider as it is, for the engine to quarantine the execution."""
    with pytest.raises(ZeroDivisionError):
        Play(workflow("t -> a", a="test.broken"))


# ---------------------------------------------------------------- overrides and budget


def test_overrides_are_taken_instead_of_running() -> None:
    """A pinned output stands for a node's execution, with the handles it says."""
    pins = {"a": {"output": 1}, "c": {"output": {}, "handles": ["false"]}}
    graph = workflow("t -> a -> c", "c.true -> x", "c.false -> y", c="logic.condition")
    play = Play(graph, overrides=pins)

    assert (["y"], [("a", True), ("c", True)]) == (
        play.flying,
        [
            (event.key, event.pinned)
            for event in play.events
            if isinstance(event, e.NodeCompleted) and event.pinned
        ],
    )


def test_a_turn_decides_at_most_fifty_pure_nodes() -> None:
    """A long run of pure nodes is decided in turns of fifty, and none is lost."""
    chain = " -> ".join(["t", *(f"n{i}" for i in range(120))])
    play = Play(workflow(chain, **{f"n{i}": say(i) for i in range(120)}))

    assert ([50, 50, 20], 119) == (
        [sum(isinstance(v, e.NodeCompleted) and v.key != "t" for v in r.events) for r in play.records],
        play.result,
    )


def test_a_budget_that_ends_at_a_boundary_loses_nothing() -> None:
    """When the fiftieth pure node ends an iteration or kills a path, the next turn goes on."""
    graph = workflow(
        "t -> l",
        "l.body -> b",
        "l.done -> d",
        l=node("logic.loop", mode="times", times=100),
        b=say(1),
        d=say(2),
    )
    dead_end = workflow(
        " -> ".join(["t", *(f"n{i}" for i in range(50))]),
        "n49 -> x if output > 99",
        "n49 -> j if output < 99",
        "x -> j",
        j=say("joined"),
        **{f"n{i}": say(i) for i in range(50)},
    )

    assert (2, "joined") == (Play(graph).result, Play(dead_end).result)


def test_empty_iterations_do_not_hold_others_up() -> None:
    """A loop without a body is bounded per turn, too, and ends."""
    play = Play(workflow("t -> l", l=node("logic.loop", mode="times", times=5_000)))

    assert (5_000, True) == (play.result["count"], len(play.records) > 1)
