"""What the engine's services answer: executions as people and projections see them."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution.approvals import Approval
from linkflow.domain.execution.driving import Driver
from linkflow.domain.execution.events import Parent
from linkflow.domain.execution.view import LogLine, NodeRun
from linkflow.domain.values import Json

__all__ = [
    "DURATIONS_S",
    "GROUPS",
    "AttributeMatch",
    "DeadLetter",
    "Driver",
    "ExecutionPage",
    "ExecutionQuery",
    "ExecutionRow",
    "ExecutionView",
    "Explanation",
    "LetterFilter",
    "LogLine",
    "NodeRun",
    "Projected",
    "RecordedEvent",
]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of an execution is read: of a long one everything is a lot.

    Attributes:
        after: Only node runs and log lines that a later event changed.
        runs: Whether with node runs.
        logs: Whether with log lines.
        most: Of more node runs than these only the newest of each node; 0 for any number.
    """

    after: int = 0
    runs: bool = True
    logs: bool = False
    most: int = 0


RUNS, WHOLE, HEAD, NEWEST = Part(), Part(logs=True), Part(runs=False), Part(most=1)


class ExecutionView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution, folded from its history.

    Attributes:
        version: Number of its last event; the `seq` of live updates.
        nodes: Every node that ran, in the order of their first event, as far as asked for.
        logs: Every line, oldest first, as far as asked for.
    """

    execution_id: str
    workspace_id: str
    workflow_id: str
    workflow_version: int
    spec_hash: str
    status: str
    version: int
    trigger_kind: str = "manual"
    trigger: str = ""
    mode: str = "production"
    input: Json = None
    result: Json = None
    responded: Json = None
    error: NodeError | None = None
    error_key: str = ""
    started_at: float = 0.0
    closed_at: float | None = None
    deadline_at: float | None = None
    origin: str = ""
    parent: Parent | None = None
    nodes: Sequence[NodeRun] = ()
    logs: Sequence[LogLine] = ()


class RecordedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as readers see it: number, type, time, payload."""

    number: int
    type: str
    at: float
    data: Mapping[str, Json]


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why an execution is where it is, in words and as data.

    Attributes:
        summary: One or two sentences.
        drivers: Everything that moves it on; empty only when it is over.
        late: Results that came after they were wanted: `[{"key", "attempt", "at", "reason"}]`.
    """

    execution_id: str
    status: str
    summary: str
    version: int
    drivers: Sequence[Driver] = ()
    late: Sequence[Json] = ()


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a list of executions, from the projection."""

    execution_id: str
    workspace_id: str
    workflow_id: str
    workflow_version: int = 0
    status: str = "running"
    trigger_kind: str = "manual"
    mode: str = "production"
    started_at: float = 0.0
    closed_at: float | None = None
    version: int = 0
    error: NodeError | None = None
    error_key: str = ""
    origin: str = ""
    parent_id: str = ""
    attributes: Mapping[str, Json] = {}


GROUPS = ("status", "workflow", "trigger", "mode", "error", "hour", "day", "duration")
"""What executions can be counted by."""
DURATIONS_S = (0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0, 86400.0)
"""Upper bounds of the classes of `duration`; what took longer is `inf`."""


class AttributeMatch(msgspec.Struct, frozen=True):
    """What an attribute must be.

    Attributes:
        sign: `=`, `>=` or `<=`; the latter two compare numbers.
    """

    name: str
    sign: str
    value: Json


class ExecutionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions to list, newest first.

    Attributes:
        after: Cursor of the page before; empty for the first.
        limit: Rows, 1 to 100.
        started_from: Seconds since 1970; from is included, to is not. So with the others.
        min_duration_s: Of executions that are over.
        text: Words that are in the error or begin one there; or the node that failed, or the execution's id.
        text_workflows: Workflows whose names fit `text`; theirs fit, too.
        group_by: What `count` counts by, one of `GROUPS`.
    """

    workspace_id: str
    workflow_id: str = ""
    status: Sequence[str] = ()
    trigger_kind: str = ""
    mode: str = ""
    started_from: float | None = None
    started_to: float | None = None
    parent_id: str = ""
    closed_from: float | None = None
    closed_to: float | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    error_code: str = ""
    text: str = ""
    text_workflows: Sequence[str] = ()
    attributes: Sequence[AttributeMatch] = ()
    group_by: str = "status"
    after: str = ""
    limit: int = 20


class ExecutionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows, newest first, and the cursor of the next page (empty on the last)."""

    rows: Sequence[ExecutionRow]
    next: str = ""


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A task queue as it stands.

    Attributes:
        name: Of the queue.
        depth: Tasks that wait for a worker.
        oldest_s: How long the one that has waited longest waits, seconds; 0 when none does.
        in_flight: Tasks that workers have.
        credits: Tasks that workers could still be given.
        workers: Sessions that poll it.
    """

    name: str
    depth: int = 0
    oldest_s: float = 0.0
    in_flight: int = 0
    credits: int = 0
    workers: int = 0


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Work given up on, kept for people.

    Attributes:
        kind: task, callback, start, decision.
        body: What is needed to replay it.
    """

    id: str
    workspace_id: str
    kind: str
    execution_id: str
    reason: str
    at: float
    body: Json = None


class LetterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters are meant; what is empty does not matter.

    Attributes:
        kind: task, callback, start or decision.
        workflow_id: Workflow of the execution.
        reason: Part of the reason, any case.
        before: Only older ones, seconds since 1970.
    """

    kind: str = ""
    execution_id: str = ""
    workflow_id: str = ""
    reason: str = ""
    before: float | None = None


class Projected(msgspec.Struct, frozen=True, kw_only=True):
    """What a projection writes for one execution: its row, its node rows when closed, new log lines.

    Attributes:
        nodes: `NodeRun`s as JSON objects, without large outputs.
        approvals: What it asked people so far.
    """

    row: ExecutionRow
    nodes: Sequence[Json] = ()
    logs: Sequence[LogLine] = ()
    approvals: Sequence[Approval] = ()
