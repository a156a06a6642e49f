"""The events of an execution: immutable facts, numbered from 1, the only truth.

Class, stored tag and wire name of an event are one. An event has no time of its own: the durable
record that holds it has (`ports.stores.Record.at`). Adding a field needs a default; changing a meaning
needs a new event or a new `SCHEMA_VERSION` and an upcaster in `decode`.
"""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.execution.activity_events import (
    ActivityTaskCancelled,
    ActivityTaskCompleted,
    ActivityTaskFailed,
    ActivityTaskLookUp,
    ActivityTaskResolved,
    ActivityTaskRetryScheduled,
    ActivityTaskScheduled,
    ActivityTaskStarted,
    ActivityTaskTimedOut,
    ActivityTaskUnknown,
    NodeCompleted,
    NodeFailed,
    NodesSkipped,
)
from linkflow.domain.execution.event import (
    BudgetExceeded,
    BudgetRaised,
    CancelRequested,
    Event,
    FailureDecided,
    ForkedFrom,
    MocksApplied,
    Parent,
    Quarantined,
    Released,
    SlotAsked,
    SlotPromised,
    SlotReached,
    Snapshot,
    TicketGranted,
    TicketQueued,
    ValueEdited,
    VersionMigrated,
    WorkflowExecutionCancelled,
    WorkflowExecutionCompleted,
    WorkflowExecutionContinuedAsNew,
    WorkflowExecutionFailed,
    WorkflowExecutionStarted,
    WorkflowExecutionTerminated,
    WorkflowExecutionTimedOut,
)
from linkflow.domain.execution.wait_events import (
    ChildClosed,
    ChildStarted,
    IterationCompleted,
    IterationStarted,
    LoopStarted,
    SignalReceived,
    SignalSent,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WaitOpened,
    WaitResolved,
    WaitTimedOut,
)

__all__ = [
    "CLOSING",
    "NUMBERS",
    "SCHEMA_VERSION",
    "ActivityTaskCancelled",
    "ActivityTaskCompleted",
    "ActivityTaskFailed",
    "ActivityTaskLookUp",
    "ActivityTaskResolved",
    "ActivityTaskRetryScheduled",
    "ActivityTaskScheduled",
    "ActivityTaskStarted",
    "ActivityTaskTimedOut",
    "ActivityTaskUnknown",
    "AnyEvent",
    "BudgetExceeded",
    "BudgetRaised",
    "CancelRequested",
    "ChildClosed",
    "ChildStarted",
    "Event",
    "FailureDecided",
    "ForkedFrom",
    "IterationCompleted",
    "IterationStarted",
    "LoopStarted",
    "MocksApplied",
    "NodeCompleted",
    "NodeFailed",
    "NodesSkipped",
    "Parent",
    "Quarantined",
    "Released",
    "SignalReceived",
    "SignalSent",
    "SlotAsked",
    "SlotPromised",
    "SlotReached",
    "Snapshot",
    "TicketGranted",
    "TicketQueued",
    "TimerCancelled",
    "TimerFired",
    "TimerStarted",
    "ValueEdited",
    "VersionMigrated",
    "WaitOpened",
    "WaitResolved",
    "WaitTimedOut",
    "WorkflowExecutionCancelled",
    "WorkflowExecutionCompleted",
    "WorkflowExecutionContinuedAsNew",
    "WorkflowExecutionFailed",
    "WorkflowExecutionStarted",
    "WorkflowExecutionTerminated",
    "WorkflowExecutionTimedOut",
    "decode",
    "encode",
    "tag",
]

SCHEMA_VERSION = 1

AnyEvent = (
    WorkflowExecutionStarted
    | WorkflowExecutionCompleted
    | WorkflowExecutionFailed
    | WorkflowExecutionTimedOut
    | WorkflowExecutionCancelled
    | WorkflowExecutionTerminated
    | WorkflowExecutionContinuedAsNew
    | CancelRequested
    | FailureDecided
    | ActivityTaskScheduled
    | ActivityTaskStarted
    | ActivityTaskCompleted
    | ActivityTaskFailed
    | ActivityTaskTimedOut
    | ActivityTaskCancelled
    | ActivityTaskRetryScheduled
    | ActivityTaskUnknown
    | ActivityTaskLookUp
    | ActivityTaskResolved
    | NodeCompleted
    | NodeFailed
    | NodesSkipped
    | LoopStarted
    | IterationStarted
    | IterationCompleted
    | TimerStarted
    | TimerFired
    | TimerCancelled
    | SignalReceived
    | SignalSent
    | WaitOpened
    | WaitResolved
    | WaitTimedOut
    | ChildStarted
    | ChildClosed
    | TicketQueued
    | TicketGranted
    | SlotAsked
    | SlotPromised
    | SlotReached
    | Snapshot
    | VersionMigrated
    | ValueEdited
    | ForkedFrom
    | MocksApplied
    | Quarantined
    | Released
    | BudgetExceeded
    | BudgetRaised
)

CLOSING = (
    WorkflowExecutionCompleted,
    WorkflowExecutionFailed,
    WorkflowExecutionTimedOut,
    WorkflowExecutionCancelled,
    WorkflowExecutionTerminated,
)

NUMBERS: Mapping[type[Event], int] = {
    WorkflowExecutionStarted: 1,
    WorkflowExecutionCompleted: 2,
    WorkflowExecutionFailed: 3,
    WorkflowExecutionTimedOut: 4,
    WorkflowExecutionCancelled: 5,
    WorkflowExecutionTerminated: 6,
    WorkflowExecutionContinuedAsNew: 7,
    ActivityTaskScheduled: 10,
    ActivityTaskStarted: 11,
    ActivityTaskCompleted: 12,
    ActivityTaskFailed: 13,
    ActivityTaskTimedOut: 14,
    ActivityTaskCancelled: 15,
    TimerStarted: 20,
    TimerFired: 21,
    TimerCancelled: 22,
    SignalReceived: 30,
    SignalSent: 31,
}
"""Event numbers that other systems of the family know; events without one are named only."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[AnyEvent])


def encode(events: Sequence[Event]) -> bytes:
    """Encode the events of one record as compact JSON."""
    return _encoder.encode(events)


def decode(data: bytes) -> list[Event]:
    """Decode the events of one record.

    Raises:
        msgspec.ValidationError: An unknown event type: written by a newer release; refuse loudly.
    """
    return _decoder.decode(data)  # type: ignore[return-value]  # the union of all subclasses


def tag(event: Event) -> str:
    """The name of an event, the same in code, store and API."""
    return type(event).__name__
