"""The life of one activity (semantics, section 5)."""

import pytest

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.failing import APART_S, FARTHEST_S, MAX_SPARED
from linkflow.domain.execution.retry import delay_s, draw
from linkflow.domain.execution.waiting import BACKSTOP_S
from linkflow.domain.node import Completion
from linkflow.domain.workflow.spec import Retry
from linkflow.testing.builders import Play, failure, node, workflow

LOST = failure("net.lost", Kind.TRANSIENT)


def test_an_activity_is_scheduled_and_started_in_the_record_of_its_cause() -> None:
    """When a worker has room, Scheduled and Started follow in the same record."""
    play = Play(workflow("t -> a"))

    assert [
        e.WorkflowExecutionStarted,
        e.NodeCompleted,
        e.ActivityTaskScheduled,
        e.ActivityTaskStarted,
    ] == [type(event) for event in play.records[0].events]


def test_without_room_an_activity_waits_for_a_claim() -> None:
    """A scheduled activity is the durable task; the session that claims it first starts it."""
    play = Play(workflow("t -> a"), room=0)
    play.tell(n.Claim("a", 1, "first"))
    mine = play.accepted
    play.tell(n.Claim("a", 1, "second"))

    assert (([True], [False]), "first") == ((mine, play.accepted), play.state.nodes["a"].session)


def test_a_claim_may_be_repeated() -> None:
    """The session that holds an attempt may claim it again; nothing is written."""
    play = Play(workflow("t -> a"), room=0)
    play.tell(n.Claim("a", 1, "first"))

    assert ([], [True]) == (play.tell(n.Claim("a", 1, "first")), play.accepted)


def test_credits_are_taken_in_canvas_order() -> None:
    """With room for one, the first ready activity is started and the others wait for a worker."""
    play = Play(workflow("t -> a", "t -> b"), room=1)

    assert ["worker", ""] == [play.state.nodes[key].session for key in ("a", "b")]


def test_a_transient_failure_is_tried_again_after_a_delay() -> None:
    """A transient error schedules the next attempt, with back-off."""
    play = Play(workflow("t -> a"))
    play.failed("a", LOST)
    waiting = (play.status, play.state.nodes["a"].retry_at - play.at)
    play.wake()

    assert ("running", True, 2) == (waiting[0], 0.8 <= waiting[1] <= 1.2, play.state.nodes["a"].attempt)


def test_attempts_end() -> None:
    """After the last attempt, three by default, the error is final."""
    play = Play(workflow("t -> a"))
    for _ in range(2):
        play.failed("a", LOST)
        play.wake()
    play.failed("a", LOST)

    assert ("net.lost", 3) == (play.error.code, len(play.keys(e.ActivityTaskScheduled)))


@pytest.mark.parametrize("kind", [Kind.PERMANENT, Kind.VALIDATION])
def test_other_kinds_are_not_tried_again(kind: Kind) -> None:
    """Permanent and validation never retry."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure(kind=kind))

    assert "failed" == play.status


def test_retryable_errors_replace_the_rule() -> None:
    """A policy may name the codes and kinds that are tried again."""
    policy = {"retry": {"retryableErrors": ["http.status"]}}
    play = Play(workflow("t -> a", a=node(settings=policy)))
    play.failed("a", failure("http.status", Kind.PERMANENT))

    assert ["a"] == list(play.state.retries)


def test_the_receivers_wish_wins_where_it_is_longer() -> None:
    """Retry-After is honoured when it is longer than the back-off."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure("http.status", Kind.RATE_LIMIT, retry_after_s=90.0))

    assert 90.0 == play.state.nodes["a"].retry_at - play.at


def test_back_off_grows_to_its_bound_with_jitter() -> None:
    """Delays double from a second to at most a minute, each within 20 percent."""
    policy = Retry(max_attempts=20)
    found = [
        [delay_s(policy, attempt, LOST, chance) for chance in (0.0, 0.5, 1.0)] for attempt in (1, 2, 3, 12)
    ]

    assert [[0.8, 1.0, 1.2], [1.6, 2.0, 2.4], [3.2, 4.0, 4.8], [48.0, 60.0, 72.0]] == found


def test_draws_are_the_same_for_ever() -> None:
    """Chance depends on the seed and names alone; the value is pinned for all releases."""
    assert (0.8221, True) == (round(draw(7, "a", 1), 5), draw(7, "a", 1) != draw(7, "a", 2))


def test_no_attempt_follows_beyond_the_executions_deadline() -> None:
    """A retry that would begin after the deadline is not scheduled."""
    graph = workflow("t -> a")
    play = Play(graph, deadline_at=Play(graph).at + 0.5)
    play.failed("a", LOST)

    assert "net.lost" == play.error.code


def test_a_person_may_end_the_back_off() -> None:
    """Resolving a pending retry with `retry` starts the next attempt at once."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure("http.status", Kind.RATE_LIMIT, retry_after_s=3600.0))
    play.tell(n.Resolve("a", action="retry"))

    assert (["a"], 2) == (play.flying, play.state.nodes["a"].attempt)


def test_a_late_completion_is_ignored() -> None:
    """The completion of an attempt that is no longer current changes nothing."""
    play = Play(workflow("t -> a"))
    late = play.report("a", Completion(output="late"))
    play.failed("a", LOST)
    play.wake()

    assert ([], [False]) == (play.tell(late), play.accepted)


def test_a_result_reported_twice_counts_once() -> None:
    """At-least-once delivery never runs a successor twice."""
    play = Play(workflow("t -> a -> b"))
    report = play.report("a", Completion(output=1))
    play.tell(report, report)

    assert ([True, False], [], ["b"]) == (play.accepted, play.tell(report), play.flying)


def test_a_stranger_cannot_report() -> None:
    """Only the session that was given an attempt reports it."""
    play = Play(workflow("t -> a"))

    assert [] == play.tell(n.Report("a", 1, "stranger", Completion(output=1)))


def test_nobody_reports_what_nobody_started() -> None:
    """A report of an attempt that no session was given is refused."""
    play = Play(workflow("t -> a"), room=0)

    assert [] == play.tell(n.Report("a", 1, "worker", Completion(output=1)))


def test_a_lost_attempt_times_out_by_the_backstop() -> None:
    """An attempt that was never reported is given up after its limit and a margin."""
    play = Play(workflow("t -> a", a=node(settings={"timeout": 5_000})))
    play.wake(5 + BACKSTOP_S - 1)
    before = play.flying
    play.wake(2)

    assert (["a"], ["a"], 1) == (before, list(play.state.retries), len(play.keys(e.ActivityTaskTimedOut)))


@pytest.mark.parametrize("node_type", ["test.get", "test.pay"])
def test_a_lost_worker_means_the_next_attempt(node_type: str) -> None:
    """An idempotent or keyed attempt of a dead session is scheduled again, under the same key."""
    play = Play(workflow("t -> a", a=node_type))
    play.tell(n.SessionsLost(["worker"]))

    assert (["a"], 2) == (play.flying, play.state.nodes["a"].attempt)


def suspected(crashes: int = 1) -> Play:
    """A node whose worker stopped so often while it ran alone, and whose next attempt a worker has."""
    play = Play(workflow("t -> a"))
    play.tell(n.SessionsLost(["worker"]))
    for attempt in range(2, crashes + 1):
        play.tell(n.Claim("a", attempt, "worker", begins=True))
        play.tell(n.SessionsLost(["worker"]))
        play.wake()
    return play


def test_three_crashes_are_poison() -> None:
    """A node that stopped its worker three times in a row is not tried again."""
    play = suspected(2)
    play.tell(n.Claim("a", 3, "worker", begins=True), n.Claim("a", 3, "worker", begins=True))
    play.tell(n.SessionsLost(["worker"]))

    assert ("node.poison", 3) == (play.error.code, play.error.details["crashes"])


def test_a_further_crash_counts_once_the_node_runs_alone() -> None:
    """A suspect that had not begun when its worker stopped is tried again: something else stopped it.

    Not for ever: what stops workers before it begins is found, too.
    """
    play = suspected()
    for _ in range(MAX_SPARED):
        play.tell(n.SessionsLost(["worker"]))
        play.wake()
    spared = play.state.nodes["a"].attempt
    play.tell(n.SessionsLost(["worker"]))
    play.wake()
    play.tell(n.SessionsLost(["worker"]))

    assert (2 + MAX_SPARED, "node.poison", {"crashes": 3, "spared": MAX_SPARED}) == (
        spared,
        play.error.code,
        play.error.details,
    )


def test_suspects_are_tried_again_apart() -> None:
    """After one crash the next attempt follows at once, after two at a moment of each node's own."""
    play = Play(workflow("t -> a", "t -> b"))
    play.tell(n.SessionsLost(["worker"]))
    once = len(play.flying)
    play.tell(*(n.Claim(key, 2, "worker", begins=True) for key in ("a", "b")))
    play.tell(n.SessionsLost(["worker"]))
    waits_s = [play.state.nodes[key].retry_at - play.at for key in play.state.retries]

    assert (2, 2) == (once, len({wait_s for wait_s in waits_s if 0 < wait_s < APART_S}))


def test_who_is_met_by_many_crashes_waits_longer() -> None:
    """Each crash that a suspect is spared may put its next attempt off further, up to a bound."""
    plays = [Play(workflow("t -> a"), seed=seed) for seed in range(30)]
    waits_s = []
    for crash in range(1, MAX_SPARED):
        for play in plays:
            play.tell(n.SessionsLost(["worker"]))
        found = [play.state.nodes["a"].retry_at - play.at if play.state.retries else 0.0 for play in plays]
        waits_s.append(max(found))
        assert waits_s[-1] <= min(FARTHEST_S, APART_S * (crash - 1))
        for play in plays:
            if play.state.retries:
                play.wake()

    assert (0.0, True) == (waits_s[0], waits_s[-1] > 3 * waits_s[1])


def test_a_suspect_that_ends_well_is_none_any_more() -> None:
    """What runs alone and completes goes on as if nothing had happened."""
    play = suspected()
    play.tell(n.Claim("a", 2, "worker", begins=True))
    play.done("a")

    assert "completed" == play.status


def test_other_sessions_are_not_touched() -> None:
    """Only attempts of the dead sessions end."""
    play = Play(workflow("t -> a", "t -> b"), room=0)
    play.tell(n.Claim("a", 1, "one"), n.Claim("b", 1, "two"))
    play.tell(n.SessionsLost(["one"]))

    assert [2, 1] == [play.state.nodes[key].attempt for key in ("a", "b")]


def test_every_session_but_the_living_may_be_declared_dead() -> None:
    """With `alive`, attempts of all other sessions end, whatever their names."""
    play = Play(workflow("t -> a", "t -> b"), room=0)
    play.tell(n.Claim("a", 1, "one"), n.Claim("b", 1, "two"))
    play.tell(n.SessionsLost(alive=["one"]))

    assert [1, 2] == [play.state.nodes[key].attempt for key in ("a", "b")]


def test_a_worker_that_gives_an_attempt_back_loses_nothing() -> None:
    """An attempt that a worker cancelled by itself is tried again; its successors are not skipped."""
    play = Play(workflow("t -> a -> b"))
    play.failed("a", failure("node.cancelled"))
    play.wake()

    assert ["a"] == play.flying


# ---------------------------------------------------------------- class once


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (failure("net.refused", Kind.TRANSIENT, not_started=True), True),
        (failure("http.status", Kind.RATE_LIMIT, refused=True), True),
        (failure("net.lost", Kind.TRANSIENT), False),
    ],
)
def test_once_is_tried_again_only_when_nothing_happened(error: NodeError, again: bool) -> None:
    """An effect of class once is repeated only when it certainly did not begin, or was refused."""
    play = Play(workflow("t -> a", a="test.post"))
    play.failed("a", error)

    assert again == ("a" in play.state.retries)


@pytest.mark.parametrize("how", ["reported", "timed_out", "silent", "session", "backstop"])
def test_once_with_an_unknown_outcome_fails_by_default(how: str) -> None:
    """A timeout, a lost connection or a lost worker makes an attempt of class once unknown: never silent."""
    play = Play(workflow("t -> a", a="test.post"))
    if how == "reported":
        play.failed("a", LOST, unknown=True)
    elif how == "timed_out":
        play.failed("a", failure("node.timeout", Kind.TRANSIENT))
    elif how == "silent":
        play.failed("a", failure("node.heartbeat_timeout", Kind.TRANSIENT))
    elif how == "session":
        play.tell(n.SessionsLost(["worker"]))
    else:
        play.wake(1_000)

    assert ("node.outcome_unknown", ["a"]) == (play.error.code, play.keys(e.ActivityTaskUnknown))


def parked() -> Play:
    play = Play(workflow("t -> a -> b", a="test.send"))
    play.failed("a", LOST, unknown=True)
    return play


def test_an_unknown_outcome_may_be_parked_for_a_person() -> None:
    """With policy park the attempt waits, and the execution shows it."""
    play = parked()

    assert ("waiting", ["a"], 7 * 86_400.0) == (
        play.status,
        play.waits,
        play.state.waits["a"].until - play.at,
    )


def test_a_person_says_that_it_happened() -> None:
    """`done` goes on with the output that the person gives."""
    play = parked()
    play.tell(n.Resolve("a", action="done", data={"id": 7}, by="ann"))

    assert ({"id": 7}, ["b"]) == (play.output("a"), play.flying)


def test_a_person_says_that_it_did_not_happen() -> None:
    """`retry` starts the next attempt."""
    play = parked()
    play.tell(n.Resolve("a", action="retry"))

    assert (["a"], 2) == (play.flying, play.state.nodes["a"].attempt)


def test_a_person_says_that_it_failed() -> None:
    """`fail` fails the node."""
    play = parked()
    play.tell(n.Resolve("a", action="fail"))

    assert "node.outcome_unknown" == play.error.code


def test_a_parked_attempt_that_nobody_decides_fails() -> None:
    """After seven days a parked attempt counts as failed."""
    play = parked()
    play.wake()

    assert "node.outcome_unknown" == play.error.code


def test_the_true_outcome_resolves_a_parked_attempt() -> None:
    """A completion of the parked attempt that comes after all is taken."""
    play = parked()
    play.tell(n.Report("a", 1, "worker", Completion(output="sent")))

    assert ("sent", []) == (play.output("a"), play.waits)


def test_an_unknown_outcome_may_be_tried_again() -> None:
    """With policy retry an unknown attempt is followed by the next, while attempts remain."""
    play = Play(workflow("t -> a", a=node("test.post", settings={"unknown": "retry"})))
    for _ in range(2):
        play.tell(n.SessionsLost(["worker"]))
        play.wake(0)
    play.tell(n.SessionsLost(["worker"]))

    assert ("node.outcome_unknown", 3) == (play.error.code, len(play.keys(e.ActivityTaskScheduled)))


def test_unknown_means_nothing_to_a_node_that_may_repeat() -> None:
    """An unknown outcome of an idempotent node is an ordinary failure, and is tried again."""
    play = Play(workflow("t -> a"))
    play.failed("a", LOST, unknown=True)

    assert ([], ["a"]) == (play.keys(e.ActivityTaskUnknown), list(play.state.retries))


# ---------------------------------------------------------------- after the last attempt


def test_an_error_edge_catches() -> None:
    """When an edge leaves `error`, a failure takes it with the error and the input."""
    play = Play(workflow("t -> a -> b", "a.error -> mend"), {"n": 1})
    play.failed("a", failure("http.status"))

    assert (["mend"], "http.status", {"n": 1}) == (
        play.flying,
        play.output("a")["error"]["code"],
        play.output("a")["input"],
    )


def test_on_error_continue_goes_on_through_out() -> None:
    """`continue` takes `out` with the error as output."""
    play = Play(workflow("t -> a -> b", a=node(settings={"onError": "continue"})))
    play.failed("a", failure("http.status"))

    assert (["b"], "error") == (play.flying, play.output("a")["status"])


def test_continue_on_error_changes_the_default() -> None:
    """`errorHandling.continueOnError` lets every node without a rule of its own go on."""
    graph = workflow(
        "t -> a -> b",
        "t -> strict",
        strict=node(settings={"onError": "fail"}),
        workflow={"errorHandling": {"continueOnError": True}},
    )
    play = Play(graph)
    play.failed("a")
    went_on = "b" in play.flying
    play.failed("strict")

    assert (True, True) == (went_on, play.state.failure is not None)


def test_on_error_fail_wins_over_an_error_edge() -> None:
    """`fail` fails the execution even when an edge leaves `error`."""
    play = Play(workflow("t -> a", "a.error -> mend", a=node(settings={"onError": "fail"})))
    play.failed("a")

    assert "failed" == play.status


def test_a_pure_node_fails_at_once_and_may_be_caught() -> None:
    """A pure node has one event; its error handle works as that of an activity."""
    graph = workflow("t -> a", "a.error -> mend", a=node("logic.throw_error", message="no"))
    play = Play(graph)

    assert (["a"], ["mend"]) == (play.keys(e.NodeFailed), play.flying)
