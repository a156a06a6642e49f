"""How long an attempt may wait for a worker (semantics, section 5: schedule-to-start)."""

import pytest

from linkflow.domain.errors import Kind
from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.domain.execution.view import node_runs
from linkflow.testing.builders import Play, failure, node, workflow

HURRY = {"scheduleToStart": 30_000}


def waiting(node_type: str = "test.get", **settings: object) -> Play:
    """Lead an execution to an attempt that waits for a worker, for 30 s at most."""
    return Play(workflow("t -> a", a=node(node_type, settings={**HURRY, **settings})), room=0)


def test_it_is_woken_when_nobody_came() -> None:
    """The execution wants to be woken at the limit, and says until when it waits."""
    play = waiting()
    driver = drivers(play.state)[0]

    assert (30.0, play.state.wakeup_at(), "task") == (
        (play.state.wakeup_at() or 0.0) - play.at,
        driver.until,
        driver.kind,
    )
    assert "waits for a worker. At the latest in 30 seconds." in explain(play.state, play.at)


@pytest.mark.parametrize("node_type", ["test.get", "test.pay", "test.post", "test.ask"])
def test_what_nobody_took_in_time_did_certainly_not_begin(node_type: str) -> None:
    """It fails for good, whatever its class: a further attempt would wait in the same line."""
    play = waiting(node_type)
    play.wake()
    run = node_runs(play.graph, play.records)[1]

    assert ("failed", "node.no_worker", True, "timeout") == (
        play.status,
        play.error.code,
        play.error.not_started,
        run.status,
    )
    assert "No worker took this node within 30 s; it did not begin." == play.error.message
    assert [] == play.keys(e.ActivityTaskUnknown)


def test_who_wants_may_let_it_wait_again() -> None:
    """A policy that names the code tries again, and each attempt may wait as long."""
    play = waiting(retry={"retryableErrors": ["node.no_worker"], "maxAttempts": 2})
    play.wake()
    play.wake()
    again = (play.flying, play.state.nodes["a"].begin_by - play.at)
    play.wake()

    assert ((["a"], 30.0), "node.no_worker") == (again, play.error.code)


def test_a_worker_that_comes_in_time_has_its_whole_time() -> None:
    """Once a worker has an attempt, only the attempt's own limits count."""
    play = waiting(timeout=120_000)
    play.tell(n.Claim("a", 1, "worker"))
    play.wake(100.0)
    play.done("a")

    assert "completed" == play.status


def test_an_error_edge_catches_it() -> None:
    """As any failure it goes the error way where there is one."""
    play = Play(workflow("t -> a -> b", "a.error -> mend", a=node(settings=HURRY)), room=0)
    play.wake()

    assert ("node.no_worker", ["mend"]) == (play.output("a")["error"]["code"], play.flying)


def test_a_claim_that_comes_too_late_gets_nothing() -> None:
    """A worker that takes the task out of a queue after the limit is refused."""
    play = waiting(onError="continue")
    play.wake()
    play.tell(n.Claim("a", 1, "worker"))

    assert [False] == play.accepted


def test_the_next_attempt_waits_anew() -> None:
    """The limit counts from when the attempt was scheduled, not from the first one."""
    play = waiting()
    play.tell(n.Claim("a", 1, "worker"))
    play.at += 29.0
    play.failed("a", failure(kind=Kind.TRANSIENT))
    play.wake()

    assert 30.0 == play.state.nodes["a"].begin_by - play.at


def test_a_look_up_may_wait_as_long_as_it_takes() -> None:
    """The limit is the effect's; what became of it is asked whenever a worker comes."""
    play = Play(workflow("t -> a", a=node("test.ask", settings=HURRY)))
    play.failed("a", failure("http.timeout", Kind.TRANSIENT), unknown=True)
    play.room = 0
    play.wake()

    assert (["a"], None) == (play.flying, play.state.wakeup_at())
