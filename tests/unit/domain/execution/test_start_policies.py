"""Rate limits and debounces as the decider sees them: an execution begins at its instant, and not before."""

import pytest

from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.domain.execution.effects import outgoing
from linkflow.domain.execution.snapshot import freeze, thaw
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.testing.builders import Play, workflow
from linkflow.testing.fakes import NOW

RATE = RatePolicy("rate:k", 3, 60.0)
DEBOUNCE = DebouncePolicy("debounce:k", 5.0, 12.0)


def paced(**more: object) -> Play:
    return Play(workflow("t -> a"), **{"rate": RATE, **more})  # type: ignore[arg-type]  # fields of the first event


def sent(play: Play) -> list[tuple[str, str]]:
    """List what the latest record sent to those who keep instants and tickets."""
    record, before = play.records[-1], ExecutionState(play.state.execution_id, play.graph)
    return [
        (out.kind, out.to)
        for out in outgoing(before, record.events, play.state)
        if out.kind in ("slot", "slot_back", "ticket", "release")
    ]


def test_it_begins_at_its_instant() -> None:
    """Told its instant, an execution is queued until then, says so, and begins when it is woken."""
    play = paced()
    asked = sent(play)
    play.tell(n.Promised("rate:k", NOW + 40))
    queued, driver = play.status, drivers(play.state)[0]
    early = play.tell(n.Wake())
    play.wake()

    assert [("slot", "rate:k")] == asked
    assert ("queued", "rate", NOW + 40) == (queued, driver.kind, driver.until)
    assert ([], ["a"], NOW + 40) == (early, play.flying, play.at)


def test_it_begins_at_once_where_there_is_room() -> None:
    """An instant that has come is no wait; hearing it again changes nothing."""
    play = paced()
    play.tell(n.Promised("rate:k", NOW))

    assert (["a"], []) == (play.flying, play.tell(n.Promised("rate:k", NOW)))


def test_one_after_the_other() -> None:
    """First the debounce, then the rate, then the line for a ticket; nothing runs before all three."""
    play = paced(debounce=DEBOUNCE, ticket="t", ticket_limit=1)
    seen = [sent(play)]
    for news in (n.Promised("debounce:k", NOW + 4), None, n.Promised("rate:k", NOW + 30), None):
        if news is None:
            play.wake()
        else:
            play.tell(news)
        seen.append(sent(play))
    before = play.flying
    play.tell(n.Granted("t"))

    asked = [[("slot", "debounce:k")], [], [("slot", "rate:k")], [], [("ticket", "t")]]
    assert (asked, [], ["a"]) == (seen, before, play.flying)


def test_a_debounce_needs_nobody_to_tell_its_instant() -> None:
    """What was asked may be lost: the start itself says when it runs. It may be told to run sooner."""
    alone, sooner = Play(workflow("t -> a"), debounce=DEBOUNCE), Play(workflow("t -> a"), debounce=DEBOUNCE)
    alone.wake()
    sooner.tell(n.Promised("debounce:k", NOW + 2))
    sooner.wake()

    assert [(["a"], NOW + 5), (["a"], NOW + 2)] == [(play.flying, play.at) for play in (alone, sooner)]


@pytest.mark.parametrize("policy", ["rate", "debounce"])
def test_one_that_may_not_begin_is_over(policy: str) -> None:
    """Skipped, or replaced by a later start, it ends as cancelled and says why."""
    terms = RATE if policy == "rate" else DEBOUNCE
    play = Play(workflow("t -> a"), **{policy: terms})  # type: ignore[arg-type]  # a field of the first event
    play.tell(n.Refused(terms.key, "another start followed"))

    assert e.WorkflowExecutionCancelled("another start followed") == play.state.closed
    assert "It is over: cancelled. Another start followed." == explain(play.state, NOW)


def test_what_comes_too_late_is_not_wanted() -> None:
    """Once it has begun, no later start takes its place; and a key that is not asked for is nobody's."""
    play = paced(debounce=DEBOUNCE)
    early = play.tell(n.Promised("rate:k", NOW))
    play.wake()
    late = play.tell(n.Refused("debounce:k", "another start followed"))

    assert ([], [], "queued") == (early, late, play.status)


def test_an_instant_is_given_back() -> None:
    """Cancelled before its instant, it gives the instant back; cancelled afterwards, it has used it."""
    before, after = paced(), paced()
    for play in (before, after):
        play.tell(n.Promised("rate:k", NOW + 9))
    after.wake()
    for play in (before, after):
        play.tell(n.Cancel(), n.Terminate())

    assert [[("slot_back", "rate:k")], []] == [sent(play) for play in (before, after)]


@pytest.mark.parametrize("is_frozen", [False, True], ids=["", "next run"])
def test_its_limit_counts_from_when_it_begins(is_frozen: bool) -> None:
    """The time in queues is none of the time that it may take, whichever queue is the last one."""
    play = paced(ticket="t", ticket_limit=1, deadline_at=NOW + 1000, limit_s=20.0)
    queued = [play.state.deadline_at]
    play.tell(n.Promised("rate:k", NOW + 40))
    play.wake()
    queued.append(play.state.deadline_at)
    play.at = NOW + 90
    play.tell(n.Granted("t"))
    if is_frozen:
        play.state = thaw(play.state.execution_id, play.graph, freeze(play.state), play.state.version)
    begun = play.status
    play.at = NOW + 110
    play.tell(n.Wake())

    assert ([NOW + 1000] * 2, "running", "timed_out") == (queued, begun, play.status)


def test_a_queue_has_an_end() -> None:
    """An execution whose instant lies beyond its deadline times out at its deadline."""
    play = paced(deadline_at=NOW + 20)
    play.tell(n.Promised("rate:k", NOW + 40))
    play.wake()

    assert ("timed_out", NOW + 20) == (play.status, play.at)


def test_a_person_reads_why_it_waits() -> None:
    """The words say which limit it is, and until when."""
    play = paced()
    play.tell(n.Promised("rate:k", NOW + 40))
    debounced = Play(workflow("t -> a"), debounce=DEBOUNCE)

    assert (
        "It is queued. It waits for its turn: at most 3 of these begin in 60 s. At the latest in 40 seconds."
    ) == explain(play.state, NOW)
    assert (
        "It is queued. It begins when no other start of its kind has followed for 5 s. "
        "At the latest in 5 seconds."
    ) == explain(debounced.state, NOW)
