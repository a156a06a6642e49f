"""Long histories go on in the next run, which begins with a snapshot (semantics, section 7)."""

from linkflow.domain.execution import events as e
from linkflow.domain.execution import news as n
from linkflow.domain.execution.decide import decide, roll_over
from linkflow.domain.execution.evolve import fold
from linkflow.domain.node import Completion
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import EXECUTION, Play, facts, workflow
from linkflow.testing.fakes import NOW


def test_a_short_run_goes_on() -> None:
    """An execution begins no further run while its history is short."""
    play = Play(workflow("t -> a"))

    assert roll_over(play.state, NOW) is None


def test_a_later_run_is_all_that_must_be_loaded() -> None:
    """From the snapshot on, an execution stands where its whole history says, and goes on the same."""
    play = Play(workflow("t -> a -> b"))
    turn = roll_over(play.state, NOW, events_per_run=1)
    assert turn is not None
    run = [Recorded(first=play.state.version + 1, at=NOW, events=e.decode(e.encode(turn.events)))]

    loaded = fold(EXECUTION, play.graph, run)
    report = n.Report("a", 1, "worker", Completion(output=1))

    assert facts(turn.state) == facts(loaded)
    assert decide(turn.state, [report], NOW).events == decide(loaded, [report], NOW).events


def test_runs_are_counted() -> None:
    """Each run knows its number and where it began."""
    play = Play(workflow("t -> a"))
    first = roll_over(play.state, NOW, events_per_run=1)
    assert first is not None
    second = roll_over(first.state, NOW, events_per_run=1)
    assert second is not None

    assert (2, play.state.version + 1) == (first.state.run, first.state.run_event)
    assert (3, first.state.version + 1) == (second.state.run, second.state.run_event)


def test_a_closed_execution_begins_no_run() -> None:
    """The close event is the last event."""
    play = Play(workflow("t -> a"))
    play.tell(n.Terminate())

    assert roll_over(play.state, NOW, events_per_run=1) is None
