"""The judge of start policies."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from linkflow.domain.execution import events as e
from linkflow.domain.pacing import DebouncePolicy, RatePolicy
from linkflow.ports.stores import Recorded
from linkflow.testing.instants import Start, judged, outline

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.json"))
START = e.decode(json.dumps([json.loads(GOLDEN[0].read_text())["records"][0]["events"][0]]).encode())[0]
assert isinstance(START, e.WorkflowExecutionStarted)
PACED = msgspec.structs.replace(START, rate=RatePolicy("r", 2, 10.0))
QUIET = msgspec.structs.replace(START, debounce=DebouncePolicy("d", 5.0))
ENDS = {"run": "WorkflowExecutionCompleted", "gone": "WorkflowExecutionCancelled"}


def named(number: int) -> str:
    return f"00000000-0000-8000-8000-{number:012d}"


def paced(*instants: float) -> Sequence[Start]:
    return [
        Start(
            execution_id=named(number),
            came_at=0.0,
            terms=PACED,
            promised=[at],
            reached_at=at,
            end="WorkflowExecutionCompleted",
        )
        for number, at in enumerate(instants)
    ]


def debounced(*lives: tuple[float, str, int]) -> Sequence[Start]:
    """Say starts: when each came, whether it ran or is gone, and the number of the one in its place."""
    return [
        Start(
            execution_id=named(number),
            came_at=came_at,
            terms=QUIET,
            promised=[came_at + 5.0],
            reached_at=came_at + 5.0 if end == "run" else 0.0,
            newer=named(newer) if end == "gone" else "",
            end=ENDS[end],
        )
        for number, (came_at, end, newer) in enumerate(lives)
    ]


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (paced(0.0, 0.0, 10.0, 10.0, 20.0), []),
        (paced(0.0, 4.0, 9.0), ["3 executions were let begin within 9.000 s, and the rate is 2 in 10 s"]),
        (
            [msgspec.structs.replace(paced(8.0)[0], reached_at=5.0)],
            [f"{named(0)} went on 3.000 s before its instant"],
        ),
        (
            [msgspec.structs.replace(paced(8.0)[0], promised=[7.0, 8.0])],
            [f"{named(0)} was promised 2 instants"],
        ),
        (debounced((0.0, "gone", 1), (3.0, "gone", 2), (6.0, "run", 0), (11.0, "run", 0)), []),
        (debounced((0.0, "gone", 7)), [f"{named(0)} was cancelled, and nothing runs in its place"]),
        (
            debounced((0.0, "run", 0), (3.0, "gone", 0)),
            [f"{named(1)} was cancelled for {named(0)}, which came before it"],
        ),
        (
            [msgspec.structs.replace(debounced((0.0, "run", 0))[0], reached_at=2.0)],
            [f"{named(0)} went on 3.000 s before its instant"],
        ),
    ],
)
def test_promises_that_were_not_kept(starts: Sequence[Start], expected: list[str]) -> None:
    """Too many in a period, too early, told twice, lost, older data in the place of newer: each is said."""
    assert expected == judged(starts).faults


def test_what_policies_did_is_counted() -> None:
    """Who waited, who was replaced, and who ran although another one came in time."""
    found = judged([*paced(0.0, 10.0), *debounced((0.0, "run", 0), (3.0, "gone", 2), (6.0, "run", 0))])

    assert (2, 1) == (found.paced, found.waited)
    assert (3, 1, 1) == (found.debounced, found.replaced, found.extra)


def test_a_history_says_what_a_policy_did() -> None:
    """Instants, when it went on, and who runs in its place are read from the events."""
    replaced = f"another start followed within 5 s, and execution {named(1)} runs in its place"

    waited = outline(
        named(0),
        [
            Recorded(first=1, at=1.0, events=[PACED, e.SlotAsked("rate", "r")]),
            Recorded(first=3, at=2.0, events=[e.SlotPromised("rate", 9.0)]),
            Recorded(first=4, at=9.0, events=[e.SlotReached("rate"), e.WorkflowExecutionCompleted()]),
        ],
    )
    gone = outline(
        named(0),
        [
            Recorded(first=1, at=1.0, events=[QUIET, e.SlotAsked("debounce", "d", 6.0)]),
            Recorded(first=3, at=2.0, events=[e.WorkflowExecutionCancelled(replaced)]),
        ],
    )

    assert (1.0, [9.0], 9.0) == (waited.came_at, waited.promised, waited.reached_at)
    assert ([6.0], 0.0, named(1)) == (gone.promised, gone.reached_at, gone.newer)
