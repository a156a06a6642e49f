"""The judge of histories: passes every recorded one, and sees each way to bend one."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from linkflow.domain.execution import events as e
from linkflow.ports.stores import Recorded
from linkflow.testing.histories import faults

GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("*.json"))


def recorded(path: Path) -> list[Recorded]:
    found: list[Recorded] = []
    for record in json.loads(path.read_text())["records"]:
        first = found[-1].first + len(found[-1].events) if found else 1
        if record["events"]:
            events = e.decode(json.dumps(record["events"]).encode())
            found.append(Recorded(first=first, at=record["at"], events=events))
    return found


def version(records: Sequence[Recorded]) -> int:
    return records[-1].first + len(records[-1].events) - 1


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_recorded_history_is_linear(path: Path) -> None:
    """Nothing is found fault with in a history that one decider wrote."""
    records = recorded(path)

    assert [] == list(faults(records, version(records)))


def one(*events: e.Event) -> list[Recorded]:
    return [Recorded(first=1, at=0.0, events=events)]


SCHEDULED, STARTED = e.ActivityTaskScheduled("a"), e.ActivityTaskStarted("a", "w1")
DONE = e.ActivityTaskCompleted("a")
BEGIN = json.loads((GOLDEN[0]).read_text())["records"][0]["events"][0]
START = e.decode(json.dumps([BEGIN]).encode())[0]
END = e.WorkflowExecutionCompleted()


@pytest.mark.parametrize(
    ("records", "head", "said"),
    [
        ([*one(START, END)], 3, "1..2, the head says 1..3"),
        ([*one(START), Recorded(first=3, at=0.0, events=[END])], 3, "1, 3, the head says"),
        ([*one(START), *one(START)], 1, "1, 1, the head says"),
        (one(START, START, END), 3, "starts at [1, 2]"),
        (one(START, END, END), 3, "ends 2 times"),
        (one(START, END, SCHEDULED), 3, "goes on after its end: ActivityTaskScheduled"),
        (one(START, SCHEDULED, SCHEDULED), 3, "is scheduled again"),
        (one(START, STARTED), 2, "was not scheduled"),
        (one(START, SCHEDULED, STARTED, e.ActivityTaskStarted("a", "w2")), 4, "on w2 and had been on w1"),
        (one(START, SCHEDULED, STARTED, DONE, DONE), 5, "ends twice"),
        (
            one(START, SCHEDULED, STARTED, e.ActivityTaskStarted("a", "w2", begins=True)),
            4,
            "on w2 and had been on w1",
        ),
        (one(START, SCHEDULED, DONE), 3, "completed and was not started"),
        (one(START, SCHEDULED, e.ActivityTaskCancelled("a"), STARTED), 4, "started after its end"),
    ],
)
def test_a_bent_history_is_seen(records: list[Recorded], head: int, said: str) -> None:
    """Each way in which two writers could have bent a history is named."""
    assert any(said in fault for fault in faults(records, head)), list(faults(records, head))


def test_a_suspect_begins_once_more() -> None:
    """A worker that has an attempt may say that it begins: that is no second writer."""
    records = one(START, SCHEDULED, STARTED, e.ActivityTaskStarted("a", "w1", begins=True), DONE, END)

    assert [] == list(faults(records, 6))
