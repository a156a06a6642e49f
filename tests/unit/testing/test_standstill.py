"""The judge of "never stuck"."""

import json
from pathlib import Path

import pytest

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.ports.stores import Recorded
from linkflow.testing.standstill import Line, standstills

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.json"))
START = e.decode(json.dumps([json.loads(GOLDEN[0].read_text())["records"][0]["events"][0]]).encode())[0]
LOST = NodeError("node.worker_lost", Kind.TRANSIENT, "It stopped.")
SCHEDULED, STARTED = e.ActivityTaskScheduled("a"), e.ActivityTaskStarted("a", "w1")
DONE, END = e.ActivityTaskCompleted("a"), e.WorkflowExecutionCompleted()


def history(*records: tuple[float, list[e.Event]]) -> list[Recorded]:
    found: list[Recorded] = []
    for at, events in records:
        first = found[-1].first + len(found[-1].events) if found else 1
        found.append(Recorded(first=first, at=at, events=events))
    return found


@pytest.mark.parametrize(
    ("seen", "missing_s"),
    [
        ([], 40.0),
        ([(at, True) for at in range(100, 140, 2)], 2.0),
        ([(105.0, True), (110.0, False), (115.0, False), (120.0, True), (138.0, True)], 18.0),
        ([(90.0, True), (150.0, True)], 40.0),
    ],
)
def test_how_long_nobody_was_in_line(seen: list[tuple[float, bool]], missing_s: float) -> None:
    """From one look that found somebody to the next; whatever was not looked at counts as nobody."""
    assert missing_s == Line(seen).missing_s(100.0, 140.0)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([(0.0, [START, SCHEDULED, STARTED]), (50.0, [DONE, END])], [(50.0, "a is on w1")]),
        (
            [(0.0, [START, SCHEDULED]), (50.0, [STARTED]), (50.0, [DONE, END])],
            [(40.0, "a waits for a worker")],
        ),
        ([(0.0, [START, e.TimerStarted("a", 45.0)]), (50.0, [e.TimerFired("a"), END])], [(5.0, "a sleeps")]),
        (
            [
                (0.0, [START, SCHEDULED, STARTED]),
                (9.0, [e.ActivityTaskFailed("a", LOST), e.ActivityTaskRetryScheduled("a", 2, 12.0)]),
                (50.0, [e.ActivityTaskScheduled("a", 2), END]),
            ],
            [(9.0, "a is on w1"), (38.0, "a is tried again")],
        ),
        ([(0.0, [START]), (50.0, [END])], [(50.0, "nothing was open")]),
        ([(0.0, [START, e.TicketQueued("t", 1)]), (50.0, [e.TicketGranted("t"), END])], []),
        (
            [
                (0.0, [START, e.SlotAsked("rate", "k")]),
                (9.0, [e.SlotPromised("rate", 45.0)]),
                (50.0, [e.SlotReached("rate"), END]),
            ],
            [(9.0, "it waits for its instant"), (5.0, "it waits for its instant")],
        ),
        (
            [(0.0, [START, SCHEDULED, STARTED, e.TimerStarted("b", 100.0)]), (50.0, [DONE, END])],
            [(50.0, "a is on w1")],
        ),
    ],
)
def test_what_stands_still(
    records: list[tuple[float, list[e.Event]]], expected: list[tuple[float, str]]
) -> None:
    """Silence counts where a worker had it, an instant passed, nothing was open, or nobody was in line."""
    line = Line([(2.0, True), (4.0, True), (6.0, True), (8.0, True), (10.0, True)])
    found = [(each.seconds, each.what) for each in standstills(history(*records), line)]

    assert expected == found
