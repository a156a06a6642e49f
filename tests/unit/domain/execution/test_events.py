"""Events as they are stored, and folding them."""

import msgspec
import pytest

from linkflow.domain.execution import events as e
from linkflow.domain.execution.evolve import fold
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import EXECUTION, Play, workflow

EVERY = sorted(e.AnyEvent.__args__, key=lambda event: event.__name__)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.__name__)
def test_class_tag_and_wire_name_of_an_event_are_one(event: type[e.Event]) -> None:
    """Each event is stored under the name of its class."""
    assert event.__name__ == msgspec.inspect.type_info(event).tag  # type: ignore[attr-defined]  # a struct's info


def test_the_numbers_that_others_know_are_kept() -> None:
    """D-events: the numbers of the seeds' family stand for the same events."""
    assert {
        1: "WorkflowExecutionStarted",
        10: "ActivityTaskScheduled",
        12: "ActivityTaskCompleted",
        20: "TimerStarted",
        30: "SignalReceived",
    } == {number: event.__name__ for event, number in e.NUMBERS.items() if number in (1, 10, 12, 20, 30)}


def test_unknown_fields_are_ignored_and_unknown_types_refused() -> None:
    """A field that a newer release added is passed over; an event type that it added is refused loudly."""
    known = b'[{"type":"NodeCompleted","key":"a","someday":1}]'

    assert [e.NodeCompleted("a")] == e.decode(known)
    with pytest.raises(msgspec.ValidationError):
        e.decode(b'[{"type":"NodeImproved","key":"a"}]')


def test_a_gap_in_a_history_is_refused() -> None:
    """A history with a missing record is not folded."""
    play = Play(workflow("t -> a -> b"))
    play.done("a")
    play.done("b")
    records = [Recorded(first=found.first, at=found.at, events=found.events) for found in play.records]

    with pytest.raises(LookupError):
        fold(EXECUTION, play.graph, [records[0], records[2]])
