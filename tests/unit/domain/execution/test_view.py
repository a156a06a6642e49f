"""What people see of a history: node runs and the log."""

import pytest

from linkflow.domain.errors import Kind
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.view import NodeRun, RunsFold, log_lines, node_runs, page_after
from linkflow.domain.node import Completion
from linkflow.testing.builders import Play, failure, node, say, workflow

LOST = failure("net.lost", Kind.TRANSIENT)


def runs(play: Play) -> dict[str, NodeRun]:
    return {run.key: run for run in node_runs(play.graph, play.records)}


def statuses(play: Play) -> dict[str, str]:
    return {key: run.status for key, run in runs(play).items()}


def test_nodes_stand_in_the_order_of_their_first_event() -> None:
    """Every node that ran or was skipped is listed once, in the order in which they began."""
    graph = workflow(
        "t -> a -> c", "c.true -> x", "c.false -> y", c=node("logic.condition", expression="{{ true }}")
    )

    assert {"t": "success", "a": "success", "c": "success", "y": "skipped", "x": "success"} == statuses(
        Play(graph).run()
    )


def test_a_trigger_shows_the_input() -> None:
    """A trigger's output is the input, though history holds it once."""
    assert {"x": 1} == runs(Play(workflow("t"), {"x": 1}))["t"].output


def test_a_run_tells_type_label_times_and_handles() -> None:
    """A run of an activity says when it was scheduled, started and ended."""
    play = Play(workflow("t -> a", a={"label": "Ask"}))
    start = play.at
    play.at += 5
    play.done("a", {"ok": True})

    assert NodeRun(
        key="a", node_id="a", node_type="test.get", label="Ask", status="success", output={"ok": True},
        scheduled_at=start, started_at=start, ended_at=start + 5, handles=["out"], event=5,
    ) == runs(play)["a"]  # fmt: skip


@pytest.mark.parametrize("room", [0, 1])
def test_an_activity_is_pending_until_a_worker_has_it(room: int) -> None:
    """A scheduled activity is pending, a started one running."""
    assert ["pending", "running"][room] == statuses(Play(workflow("t -> a"), room=room))["a"]


def test_a_retry_is_seen() -> None:
    """Between attempts a node waits for its retry, with the error of the last attempt."""
    play = Play(workflow("t -> a"))
    play.failed("a", LOST)
    run = runs(play)["a"]

    assert ("waiting", "retry", 2, LOST, True) == (
        run.status,
        run.waits_for,
        run.attempt,
        run.error,
        run.retry_at is not None,
    )


def test_a_success_forgets_the_errors_before() -> None:
    """A node whose second attempt went well shows no error and no retry."""
    play = Play(workflow("t -> a"))
    play.failed("a", LOST)
    play.wake()
    play.done("a", 1)
    run = runs(play)["a"]

    assert ("success", 2, None, None, "") == (run.status, run.attempt, run.error, run.retry_at, run.waits_for)


@pytest.mark.parametrize(("code", "status"), [("http.status", "error"), ("node.timeout", "timeout")])
def test_a_failed_node_shows_its_error(code: str, status: str) -> None:
    """A failed node is in error, one that took too long in timeout."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure(code))
    run = runs(play)["a"]

    assert (status, code) == (run.status, run.error.code if run.error else "")


@pytest.mark.parametrize(
    ("node_type", "config", "waits_for"),
    [
        ("logic.delay", {"seconds": 9}, "delay"),
        ("logic.wait_event", {"event": "x", "timeout_s": 9}, "event"),
        ("logic.approval", {"title": "?", "timeout_s": 9}, "approval"),
        ("flow.sub_workflow", {"workflow_id": "w", "timeout_s": 9}, "child"),
    ],
)
def test_a_waiting_node_says_for_what_and_until_when(
    node_type: str, config: dict[str, object], waits_for: str
) -> None:
    """A node that waits shows the kind of its wait and its deadline."""
    play = Play(workflow("t -> w", w={"type": node_type, "config": config}))
    run = runs(play)["w"]

    assert ("waiting", waits_for, play.at + 9) == (run.status, run.waits_for, run.deadline_at)


def test_a_parked_attempt_waits_for_a_person() -> None:
    """An unknown outcome that is parked waits for a person."""
    play = Play(workflow("t -> a", a="test.send"))
    play.failed("a", LOST, unknown=True)

    assert ("waiting", "person") == (runs(play)["a"].status, runs(play)["a"].waits_for)


def test_iterations_and_visits_are_runs_of_their_own() -> None:
    """Each iteration of a loop is a run of its own, and so is the loop."""
    graph = workflow("t -> l", "l.body -> b", l=node("logic.loop", items=[1, 2]), b=say(1))

    assert ["t", "l", "b#1", "b#2"] == list(runs(Play(graph)))


def test_what_a_failed_iteration_held_open_is_cancelled() -> None:
    """Loops and activities inside an iteration that failed do not look as if they still ran."""
    graph = workflow(
        "t -> o",
        "o.body -> bad",
        "o.body -> i",
        "i.body -> cell",
        o=node("logic.loop", items=[1], on_item_error="skip"),
        i=node("logic.loop", items=[1]),
    )
    play = Play(graph)
    play.failed("bad#1")

    assert {
        "t": "success",
        "o": "success",
        "bad#1": "error",
        "i#1": "cancelled",
        "cell#1.1": "cancelled",
    } == statuses(play)


def test_a_closed_execution_leaves_nothing_open() -> None:
    """When an execution ends, what was open is shown as cancelled, and as timeout when time was over."""
    graph = workflow("t -> a", "t -> nap", nap=node("logic.delay", days=1))
    stopped = Play(graph)
    stopped.tell(n.Terminate())
    late = Play(graph, deadline_at=stopped.at + 1)
    late.wake()

    assert (["cancelled"] * 2, ["timeout"] * 2) == (
        [statuses(stopped)[key] for key in ("a", "nap")],
        [statuses(late)[key] for key in ("a", "nap")],
    )


def test_a_forgotten_childs_end_changes_nothing() -> None:
    """The end of a child that nobody waited for does not touch the node's run."""
    play = Play(workflow("t -> c -> a", c=node("flow.sub_workflow", workflow_id="w", mode="fire_and_forget")))
    before = runs(play)["c"]
    play.tell(n.ChildEnded("c", play.state.children["c"][0], "failed"))

    assert before == runs(play)["c"]


def test_the_log_holds_what_nodes_logged_and_what_went_wrong() -> None:
    """A5: log lines of nodes come with their key, and failures and the end are told, oldest first."""
    play = Play(workflow("t -> a"))
    play.failed("a", LOST)
    play.wake()
    line = {"at": play.at, "level": "warn", "message": "slow", "data": {"ms": 9}}
    play.tell(play.report("a", Completion(output=1, logs=[line])))

    assert [
        ("info", "Execution started by manual.", ""),
        ("warn", "Attempt 1 failed: It failed.", "a"),
        ("warn", "slow", "a"),
        ("info", "Execution completed.", ""),
    ] == [(found.level, found.message, found.key) for found in log_lines(play.records)]


def test_event_numbers_lead_back_to_the_history() -> None:
    """Each run and each log line names the event it was read from."""
    play = Play(workflow("t -> a")).run()
    numbered = dict(enumerate(play.events, 1))

    assert (e.ActivityTaskCompleted, e.WorkflowExecutionCompleted) == (
        type(numbered[runs(play)["a"].event]),
        type(numbered[log_lines(play.records)[-1].event]),
    )


def test_a_history_that_grows_is_folded_as_a_whole_one() -> None:
    """Wherever a history is cut in two, folding the rest on gives the runs and the log of all of it."""
    play = Play(workflow("t -> a -> b", "b -> c", a=say(1))).run()
    play.failed("b", LOST)
    whole = (node_runs(play.graph, play.records), log_lines(play.records))
    found = []
    for cut in range(1, len(play.records) + 1):
        fold = RunsFold(play.graph)
        fold.take(play.records[:cut])
        fold.runs()
        fits = fold.fits(play.records[cut - 1 :])
        fold.take(play.records[cut - 1 :])
        found.append((fits, fold.runs(), fold.logs()))

    assert [(True, *whole)] * len(play.records) == found
    assert not RunsFold(play.graph).fits(play.records[1:])


def test_pages_never_part_what_one_event_changed() -> None:
    """Each page goes on after the last; what one event changed is in one page, however many that are."""
    changed = [NodeRun(key=f"n{at}", node_id="n", event=event) for at, event in enumerate([5, 1, 3, 3, 3, 9])]
    pages, after = [], 0
    while True:
        page, following = page_after(changed, after, 2)
        pages.append([run.event for run in page])
        if following is None:
            break
        after = following

    assert [[1, 3, 3, 3], [5, 9]] == pages
