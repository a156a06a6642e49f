"""Never stuck: what drives an open execution, and the words for it."""

import pytest

from linkflow.domain.errors import Kind
from linkflow.domain.execution import news as n
from linkflow.domain.execution.drivers import drivers, explain
from linkflow.testing.builders import Play, failure, node, workflow

LOST = failure("net.lost", Kind.TRANSIENT, message="The connection broke.")


def kinds(play: Play) -> list[str]:
    return [driver.kind for driver in drivers(play.state)]


def parked() -> Play:
    play = Play(workflow("t -> a", a="test.send"))
    play.failed("a", LOST, unknown=True)
    return play


def retrying() -> Play:
    play = Play(workflow("t -> a"))
    play.failed("a", LOST)
    return play


def napping() -> Play:
    return Play(workflow("t -> w", w=node("logic.delay", days=3)))


def told(*news: n.News, **started: object) -> Play:
    play = Play(workflow("t -> a"), **started)  # type: ignore[arg-type]  # fields of the first event
    play.tell(*news)
    return play


@pytest.mark.parametrize(
    ("play", "found"),
    [
        (Play(workflow("t -> a"), room=0), ["task"]),
        (Play(workflow("t -> a")), ["worker"]),
        (retrying(), ["retry"]),
        (parked(), ["person"]),
        (napping(), ["timer"]),
        (Play(workflow("t -> w", w=node("logic.wait_event", event="paid"))), ["event"]),
        (Play(workflow("t -> w", w=node("logic.approval", title="?"))), ["approval"]),
        (Play(workflow("t -> w", w=node("flow.sub_workflow", workflow_id="w"))), ["child"]),
        (told(ticket="k", ticket_limit=1), ["ticket"]),
        (told(n.Quarantine("bug")), ["quarantine"]),
        (told(n.Cancel()), ["grace", "worker"]),
        (Play(workflow("t")), []),
    ],
)
def test_each_way_of_standing_has_its_driver(play: Play, found: list[str]) -> None:
    """Whatever an open execution waits for is named; one that is over has no driver."""
    assert found == kinds(play)


def test_a_driver_says_since_when_until_when_and_what_a_person_can_do() -> None:
    """An approval says since when it is open, until when, and that a person may decide it."""
    play = Play(
        workflow("t -> ok", ok={"type": "logic.approval", "label": "Refund?", "config": {"timeout_s": 60}})
    )
    driver = drivers(play.state)[0]

    assert ("ok", "Refund?", play.at, play.at + 60, ("resolve", "cancel"), 39) == (
        driver.node_id, driver.label, driver.since, driver.until, driver.can, len(driver.token),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("play", "words"),
    [
        (
            retrying(),
            "'a' is tried again (attempt 2) after: The connection broke. At the latest in 1 seconds.",
        ),
        (napping(), "'w' waits until its time has come. At the latest in 3 days."),
        (told(n.Quarantine("bug")), "The engine could not decide what follows: bug"),
        (
            Play(workflow("t -> a", "t -> b")),
            "'a' runs on a worker. At the latest in 90 seconds. And 1 more.",
        ),
    ],
)
def test_an_execution_is_explained_in_a_sentence_or_two(play: Play, words: str) -> None:
    """`explain` says the status, the first driver, until when, and how many more there are."""
    assert f"It is {play.status}. {words}" == explain(play.state, play.at)


def test_the_end_of_an_execution_is_explained() -> None:
    """An execution that is over says how it ended and why."""
    play = Play(workflow("t -> a"))
    play.failed("a", failure(message="No such number."))

    assert "It is over: failed. No such number." == explain(play.state, play.at)
