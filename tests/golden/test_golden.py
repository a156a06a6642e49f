"""Recorded histories: every decider to come reads them as the one that wrote them."""

import json
from pathlib import Path

import msgspec
import pytest

from linkflow.domain.execution import events as e
from linkflow.domain.execution.decide import decide
from linkflow.domain.execution.evolve import fold
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph
from linkflow.domain.workflow.spec import parse
from linkflow.ports.stores import Recorded
from linkflow.testing.builders import EXECUTION, NEWS, catalog

HISTORIES = sorted(Path(__file__).parent.glob("*.json"))


def read(path: Path) -> tuple[ExecutionGraph, Json]:
    recorded = json.loads(path.read_text())
    return ExecutionGraph(parse(recorded["spec"]), catalog()), recorded


def test_there_are_recorded_histories() -> None:
    """A hundred and fifty recorded histories guard what executions mean."""
    assert len(HISTORIES) >= 150


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_is_decided_again_as_it_was(path: Path) -> None:
    """Told the same at the same times, the decider decides the same events as when it was recorded."""
    graph, recorded = read(path)
    state = ExecutionState(EXECUTION, graph)
    found = []
    for record in recorded["records"]:
        news = NEWS.decode(msgspec.json.encode(record["news"]))
        turn = decide(state, news, record["at"], sessions=["worker"] * record["room"])
        found.append(json.loads(e.encode(turn.events)))
        state = turn.state

    assert [record["events"] for record in recorded["records"]] == found


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_folds_to_its_status(path: Path) -> None:
    """A history that was stored by an earlier release is read and folded to where it stood."""
    graph, recorded = read(path)
    records: list[Recorded] = []
    for record in recorded["records"]:
        first = records[-1].first + len(records[-1].events) if records else 1
        events = e.decode(json.dumps(record["events"]).encode())
        records.append(Recorded(first=first, at=record["at"], events=events))

    assert recorded["status"] == fold(EXECUTION, graph, records).status().value
