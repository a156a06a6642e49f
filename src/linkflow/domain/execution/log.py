"""The log of an execution, read out of its history: what nodes logged, and what people should know."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from linkflow.domain.execution import events as e
from linkflow.domain.execution.activity_events import LOOKED_UP
from linkflow.domain.execution.spending import said
from linkflow.domain.execution.state import CLOSED_STATUS
from linkflow.domain.values import Json


class LogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an execution's log.

    Attributes:
        at: Seconds since 1970.
        level: debug, info, warn or error.
    """

    at: float
    level: str
    message: str
    key: str = ""
    data: Json = None
    event: int = 0


class RecordedEvents(Protocol):
    """One durable record as loaded."""

    @property
    def first(self) -> int:
        """Number of its first event."""
        ...

    @property
    def at(self) -> float:
        """Its time, seconds since 1970."""
        ...

    @property
    def events(self) -> Sequence[e.Event]:
        """Its events, in order."""
        ...


def log_lines(records: Iterable[RecordedEvents]) -> list[LogLine]:
    """Read the log out of a history: what nodes logged, and what people should know, oldest first."""
    return [
        line
        for record in records
        for number, event in enumerate(record.events, record.first)
        for line in (*_logged(event, record.at, number), *_told(event, record.at, number))
    ]


def _logged(event: Any, at: float, number: int) -> Iterator[LogLine]:
    for line in getattr(event, "logs", ()):
        yield LogLine(
            at=line.get("at", at),
            level=line.get("level", "info"),
            message=str(line.get("message", "")),
            key=event.key,
            data=line.get("data"),
            event=number,
        )


def _told(event: Any, at: float, number: int) -> Iterator[LogLine]:
    say = _SAYINGS.get(type(event))
    if say is not None:
        level, message = say(event)
        yield LogLine(at=at, level=level, message=message, key=getattr(event, "key", ""), event=number)


def _failed_attempt(event: e.ActivityTaskFailed) -> tuple[str, str]:
    level = "error" if event.final and not event.handles else "warn"
    return level, f"Attempt {event.attempt} failed: {event.error.message}"


def _ended(event: e.Event) -> tuple[str, str]:
    return "info", f"Execution {CLOSED_STATUS[e.tag(event)].replace('_', ' ')}."


def _unknown(event: e.ActivityTaskUnknown) -> tuple[str, str]:
    follows = " A person decides." if event.policy == "park" else ""
    attempt = event.attempt - event.look_up
    if event.look_up:
        return (
            "warn",
            f"Look-up {event.look_up} of attempt {attempt} gave no answer: {event.reason}.{follows}",
        )
    return "warn", f"The outcome of attempt {attempt} is unknown: {event.reason}.{follows}"


def _resolved(event: e.ActivityTaskResolved) -> tuple[str, str]:
    if event.by == LOOKED_UP:
        found = "it was done" if event.action == "done" else "it was not done"
        return "info", f"The receiver says of attempt {event.attempt}: {found}."
    return (
        "info",
        f"Attempt {event.attempt} was decided: {event.action}{f', by {event.by}' if event.by else ''}.",
    )


_SAYINGS: dict[type[e.Event], Callable[[Any], tuple[str, str]]] = {
    e.WorkflowExecutionStarted: lambda event: ("info", f"Execution started by {event.trigger_kind}."),
    e.WorkflowExecutionFailed: lambda event: ("error", f"Execution failed: {event.error.message}"),
    e.WorkflowExecutionTimedOut: lambda event: ("error", "Execution timed out."),
    e.WorkflowExecutionCompleted: _ended,
    e.WorkflowExecutionCancelled: _ended,
    e.WorkflowExecutionTerminated: lambda event: ("warn", "Execution terminated."),
    e.CancelRequested: lambda event: ("info", f"Cancel requested{f' by {event.by}' if event.by else ''}."),
    e.ActivityTaskFailed: _failed_attempt,
    e.ActivityTaskTimedOut: _failed_attempt,
    e.ActivityTaskUnknown: _unknown,
    e.ActivityTaskLookUp: lambda event: (
        "info",
        f"The receiver is asked what became of attempt {event.attempt - event.look_up} "
        f"(look-up {event.look_up}).",
    ),
    e.ActivityTaskResolved: _resolved,
    e.NodeFailed: lambda event: ("warn" if event.handles else "error", f"Failed: {event.error.message}"),
    e.WaitTimedOut: lambda event: ("warn", "What it waited for did not come in time."),
    e.Quarantined: lambda event: ("error", f"Put on hold: {event.reason}"),
    e.Released: lambda event: ("info", f"Released{f' by {event.by}' if event.by else ''}."),
    e.BudgetExceeded: lambda event: ("warn", f"Paused: {said(event)}"),
    e.BudgetRaised: lambda event: (
        "info",
        f"Goes on: {event.by} decided so." if event.by else "Goes on: the workspace's budget has room again.",
    ),
}
