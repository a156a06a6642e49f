"""What became of an unknown attempt is asked of the receiver (semantics, section 5)."""

import pytest

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.domain.execution.failing import LOOK_UPS
from linkflow.domain.execution.log import log_lines
from linkflow.domain.execution.view import node_runs
from linkflow.domain.execution.waiting import BACKSTOP_S
from linkflow.domain.node import NOT_DONE, Completion
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import Play, failure, node, workflow
from linkflow.testing.histories import faults

LOST = failure("http.connection_lost", Kind.TRANSIENT, "The connection was lost.")
DOWN = failure("http.status", Kind.TRANSIENT, "The server answered 500.")


def unknown(**settings: object) -> Play:
    """Lead an execution to an attempt whose outcome is unknown."""
    play = Play(workflow("t -> a -> b", a=node("test.ask", settings=settings)))
    play.failed("a", LOST, unknown=True)
    return play


def looking_up(**settings: object) -> Play:
    """Lead an execution to a worker that asks the receiver."""
    play = unknown(**settings)
    play.wake()
    return play


def answer(play: Play, completion: Completion) -> None:
    """Answer the look-up under way, and let the history be judged."""
    play.tell(play.report("a", completion))
    assert [] == flaws(play)


def flaws(play: Play) -> list[str]:
    """Judge the history so far."""
    records = [Recorded(first=each.first, at=each.at, events=each.events) for each in play.records]
    return list(faults(records, play.state.version))


def lines(play: Play) -> list[str]:
    """Read the log about the node."""
    return [line.message for line in log_lines(play.records) if line.key == "a"]


def test_an_unknown_outcome_is_looked_up_a_little_later() -> None:
    """With policy look_up a worker is sent to ask, some seconds after the attempt."""
    play = unknown()
    wait_s = play.state.nodes["a"].retry_at - play.at
    play.wake()

    assert (True, ["a"], 1) == (4.0 <= wait_s <= 6.0, play.flying, play.state.nodes["a"].look_up)


def test_what_is_looked_up_shows() -> None:
    """Explanation, node run and log say that the receiver is asked."""
    play = unknown()
    driver = drivers(play.state)[0]
    run = node_runs(play.graph, play.records)[1]

    assert ("look_up", "waiting", "look_up") == (driver.kind, run.status, run.waits_for)
    assert "the receiver is asked what became of it (look-up 1)" in explain(play.state, play.at)
    assert [
        "The outcome of attempt 1 is unknown: http.connection_lost.",
        "The receiver is asked what became of attempt 1 (look-up 1).",
    ] == lines(play)


def test_what_was_done_is_not_done_again() -> None:
    """When the receiver did it, the look-up's output is the node's, of the attempt that did it."""
    play = looking_up()
    answer(play, Completion(output={"id": 7}))
    completed = [event for event in play.events if isinstance(event, e.ActivityTaskCompleted)]

    assert ({"id": 7}, ["b"], 1) == (play.output("a"), play.flying, completed[0].attempt)
    assert "The receiver says of attempt 1: it was done." in lines(play)


def test_what_was_not_done_is_tried_again() -> None:
    """When the receiver did not do it, the next attempt at the effect follows."""
    play = looking_up()
    answer(play, NOT_DONE)
    play.wake()
    current = play.state.nodes["a"]

    assert (["a"], 0, 2, 3) == (play.flying, current.look_up, current.tries, current.attempt)
    assert "The receiver says of attempt 1: it was not done." in lines(play)


def test_look_ups_use_no_attempts_up() -> None:
    """With three attempts the effect is begun three times, however often it is looked up."""
    play = unknown()
    begun = 1
    while not play.state.is_closed:
        play.wake()
        answer(play, NOT_DONE)
        if play.state.retries:
            play.wake()
            begun += 1
            play.failed("a", LOST, unknown=True)

    assert (3, "http.connection_lost", True) == (begun, play.error.code, play.error.not_started)


def test_without_an_answer_it_is_asked_again_and_then_a_person() -> None:
    """A look-up that fails is repeated with growing delays; after the last one a person decides."""
    play = unknown()
    delays = []
    while play.state.retries:
        delays.append(play.state.nodes["a"].retry_at - play.at)
        play.wake()
        answer(play, Completion(error=DOWN))
    error = play.state.nodes["a"].error

    assert (LOOK_UPS.max_attempts, True, ["a"]) == (len(delays), delays == sorted(delays), play.waits)
    assert error is not None
    assert ("http.connection_lost", "http.status") == (error.code, error.details["look_up"]["code"])
    assert "Look-up 4 of attempt 1 gave no answer: http.status. A person decides." in lines(play)


def parked() -> Play:
    """Lead an execution to where no look-up helped."""
    play = unknown()
    while play.state.retries:
        play.wake()
        answer(play, Completion(error=DOWN))
    return play


@pytest.mark.parametrize(
    ("action", "status"), [("done", "running"), ("retry", "running"), ("fail", "failed")]
)
def test_a_person_decides_where_no_look_up_helped(action: str, status: str) -> None:
    """A person may say what became of it as of any parked attempt."""
    play = parked()
    play.tell(n.Resolve("a", action=action, by="ann"))

    assert status == play.status
    assert f"Attempt 1 was decided: {action}, by ann." in lines(play)
    assert [] == flaws(play)


def test_a_server_that_asks_for_patience_gets_it() -> None:
    """Retry-After of the receiver that is asked puts the next look-up off."""
    play = looking_up()
    answer(play, Completion(error=failure("http.status", Kind.RATE_LIMIT, retry_after_s=90.0)))

    assert 90.0 == play.state.nodes["a"].retry_at - play.at


@pytest.mark.parametrize("where", ["waiting", "asking", "parked"])
def test_the_true_outcome_may_still_come(where: str) -> None:
    """An attempt that is being looked up may report after all; the look-up is then not wanted."""
    play = {"waiting": unknown, "asking": looking_up, "parked": parked}[where]()
    asked = play.report("a", Completion(output="looked up"))
    play.tell(n.Report("a", 1, "worker", Completion(output="late")))
    play.tell(asked)

    assert ("late", [False]) == (play.output("a"), play.accepted)
    assert [] == flaws(play)


def test_a_second_unknown_makes_nobody_wiser() -> None:
    """A late report that does not know either changes nothing."""
    play = looking_up()
    events = play.tell(n.Report("a", 1, "worker", Completion(error=LOST, unknown=True)))

    assert ([], ["a"]) == (events, play.flying)


@pytest.mark.parametrize("how", ["session", "backstop"])
def test_a_look_up_that_is_lost_is_made_again(how: str) -> None:
    """Nobody ever takes a lost look-up for the effect: it is another look-up that follows."""
    play = looking_up()
    if how == "session":
        play.tell(n.SessionsLost(["worker"]))
    else:
        play.wake(60.0 + BACKSTOP_S + 1.0)

    assert (["a"], 2) == (list(play.state.retries), play.state.nodes["a"].look_up)
    assert 1 == play.state.nodes["a"].tries


def test_to_try_at_once_means_to_ask_at_once() -> None:
    """A person who does not want to wait for the look-up does not repeat the effect by that."""
    play = unknown()
    play.tell(n.Resolve("a", action="retry", by="ann"))

    assert (["a"], 1) == (play.flying, play.state.nodes["a"].look_up)


def test_a_cancel_ends_the_look_up() -> None:
    """An execution that is cancelled waits for no look-up; its attempt stays unknown."""
    play = looking_up()
    play.tell(n.Cancel("enough"))
    play.failed("a", failure("node.cancelled"))

    assert "cancelled" == play.status


def test_other_nodes_do_not_look_up() -> None:
    """A type that cannot look up parks, as specs did that said so before there were look-ups."""
    play = Play(workflow("t -> a", a=node("test.post", settings={"unknown": "look_up"})))
    play.failed("a", LOST, unknown=True)

    assert ["a"] == play.waits


def test_an_address_to_look_up_is_enough() -> None:
    """An HTTP request with `look_up` looks up unless its node says otherwise."""
    config = {"method": "POST", "url": "https://a.example", "look_up": "https://a.example/7"}
    policies = [
        workflow("t -> a", a=node("http.request", settings=settings, **found)).node("a").unknown.value
        for settings, found in (
            ({}, config),
            ({"unknown": "park"}, config),
            ({}, {"url": "https://a.example"}),
        )
    ]

    assert ["look_up", "park", "fail"] == policies


def test_an_error_of_an_unknown_attempt_needs_no_details() -> None:
    """The error that is kept over look-ups is the attempt's own."""
    play = looking_up()
    answer(play, Completion(error=DOWN))
    play.wake()
    answer(play, NOT_DONE)
    error: NodeError | None = play.state.nodes["a"].error

    assert error is not None
    assert (Kind.TRANSIENT, True, {}) == (error.kind, error.not_started, dict(error.details))
