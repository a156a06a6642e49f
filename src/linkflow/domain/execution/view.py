"""What people see of a history: each execution of a node as one `NodeRun`, and the log."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from linkflow.domain.errors import NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution.log import LogLine, RecordedEvents, log_lines
from linkflow.domain.values import Json
from linkflow.domain.workflow.graph import ExecutionGraph

__all__ = ["LogLine", "NodeRun", "RecordedEvents", "RunsFold", "log_lines", "node_runs", "page_after"]


class Numbered(Protocol):
    """What an event changed."""

    @property
    def event(self) -> int:
        """Number of the last event that changed it."""
        ...


N = TypeVar("N", bound=Numbered)


class NodeRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One execution of a node, as people see it.

    Attributes:
        status: pending, running, waiting, success, error, skipped, timeout, cancelled.
        attempt: The latest try, from 1.
        output: JSON or a blob reference.
        scheduled_at: Seconds since 1970; None for nodes that no worker runs.
        started_at: When the latest attempt was given to a worker, or the wait was opened.
        waits_for: delay, event, approval, child, retry, look_up, person while it waits.
        event: Number of the last event that changed it.
    """

    key: str
    node_id: str
    node_type: str = ""
    label: str = ""
    status: str = "pending"
    attempt: int = 1
    output: Json = None
    error: NodeError | None = None
    scheduled_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    retry_at: float | None = None
    deadline_at: float | None = None
    waits_for: str = ""
    handles: Sequence[str] = ()
    event: int = 0


def node_runs(graph: ExecutionGraph, records: Iterable[RecordedEvents]) -> list[NodeRun]:
    """Fold a history into the executions of nodes, in the order of their first event.

    Each iteration of a loop and each visit is a run of its own; attempts are not.

    Args:
        graph: For types and labels of nodes.
        records: The whole history, oldest first.
    """
    fold = RunsFold(graph)
    fold.take(tuple(records))
    return fold.runs()


class RunsFold:
    """What people see of a history that grows: only what is new is folded.

    Args:
        graph: For types and labels of nodes.
    """

    def __init__(self, graph: ExecutionGraph) -> None:
        self._runs = _Runs(graph)
        self._built: dict[str, NodeRun] = {}
        self._logs: list[LogLine] = []
        self._last = 0

    def fits(self, records: Sequence[RecordedEvents]) -> bool:
        """Say whether these records go on from what was taken, with no event between."""
        return bool(records) and records[0].first <= self._last + 1

    def take(self, records: Sequence[RecordedEvents]) -> None:
        """Fold what is new in records, oldest first; they `fits`."""
        new: list[RecordedEvents] = []
        for record in reversed(records):
            if record.first <= self._last:
                break
            new.append(record)
        new.reverse()
        for record in new:
            number, at = record.first, record.at
            for event in record.events:
                change = _CHANGES.get(type(event))
                if change is not None:
                    change(self._runs, event, at, number)
                number += 1
            self._last = number - 1
        self._logs += log_lines(new)

    def runs(self) -> list[NodeRun]:
        """List the executions of nodes in the order of their first event."""
        built = self._built
        for key, draft in self._runs.drafts.items():
            known = built.get(key)
            if known is None or known.event != draft.get("event", 0):
                built[key] = NodeRun(**draft)
        return list(built.values())

    def logs(self) -> list[LogLine]:
        """List the log, oldest first."""
        return list(self._logs)


def newest_runs(runs: Iterable[NodeRun]) -> Sequence[NodeRun]:
    """Pick the run of each node that an event changed last, in the order in which the nodes began."""
    found: dict[str, NodeRun] = {}
    for run in runs:
        known = found.get(run.node_id)
        if known is None or run.event >= known.event:
            found[run.node_id] = run
    return list(found.values())


def page_after(found: Iterable[N], after: int, limit: int) -> tuple[Sequence[N], int | None]:
    """Take a page of what events changed: `limit` of them, more where one event changed several.

    Args:
        found: Runs or log lines, each with the number of its `event`.
        after: The number of the last event that was seen.
        limit: How many, 1 or more.

    Returns:
        The page in the order of their events, and the number to go on after; None at the end.
    """
    ahead = sorted((each for each in found if each.event > after), key=lambda each: each.event)
    end = limit
    while 0 < end < len(ahead) and ahead[end].event == ahead[end - 1].event:
        end += 1
    return ahead[:end], ahead[end - 1].event if end < len(ahead) else None


class _Runs:
    """Runs under construction: the fields of each `NodeRun` by key."""

    __slots__ = ("drafts", "graph", "open", "trigger_input")

    def __init__(self, graph: ExecutionGraph) -> None:
        self.graph = graph
        self.drafts: dict[str, dict[str, Any]] = {}
        self.open: dict[str, None] = {}
        self.trigger_input: Json = None

    def new(self, key: str) -> dict[str, Any]:
        index = self.graph.by_id.get(key)
        if index is None:
            index = self.graph.by_id.get(key.partition("@")[0].partition("#")[0])
        if index is None:  # a node of another version
            draft = {"key": key, "node_id": key.partition("@")[0].partition("#")[0]}
        else:
            node = self.graph.nodes[index]
            draft = {"key": key, "node_id": node.id, "node_type": node.spec.type, "label": node.node.label}
        self.drafts[key] = draft
        return draft

    def change(self, key: str, number: int, **fields: Any) -> None:
        draft = self.drafts.get(key) or self.new(key)
        draft.update(fields)
        draft["event"] = number
        self.open[key] = None

    def end(self, key: str, number: int, at: float, status: str, event: Any) -> None:
        """End a run with what the event carries: output, error, handles."""
        draft = self.drafts.get(key) or self.new(key)
        if draft.get("started_at") is None:
            draft["started_at"] = at
        draft["ended_at"] = at
        draft["status"] = status
        draft["event"] = number
        draft["output"] = event.output
        draft["handles"] = event.handles
        draft.pop("retry_at", None)
        draft.pop("waits_for", None)
        self.open.pop(key, None)

    def drop(self, keys: Iterable[str], number: int, at: float, status: str = "cancelled") -> None:
        for key in keys:
            draft = self.drafts[key]
            draft.update(status=status, ended_at=at, event=number, waits_for="")
            draft.pop("retry_at", None)
            del self.open[key]


def _on_start(runs: _Runs, event: e.WorkflowExecutionStarted, at: float, number: int) -> None:
    runs.trigger_input = event.input


def _on_node_completed(runs: _Runs, event: e.NodeCompleted, at: float, number: int) -> None:
    runs.end(event.key, number, at, "success", event)
    if event.output is None:
        index = runs.graph.by_id.get(event.key)
        if index is not None and runs.graph.nodes[index].node_class == "trigger":
            runs.drafts[event.key]["output"] = runs.trigger_input


def _on_completed(runs: _Runs, event: Any, at: float, number: int) -> None:
    runs.end(event.key, number, at, "success", event)
    runs.drafts[event.key]["error"] = None


def _on_node_failed(runs: _Runs, event: e.NodeFailed, at: float, number: int) -> None:
    runs.end(event.key, number, at, "error", event)
    runs.drafts[event.key]["error"] = event.error
    _drop_iterations(runs, event.key, at, number)


def _on_failed(runs: _Runs, event: e.ActivityTaskFailed, at: float, number: int) -> None:
    if event.final:
        is_timeout = isinstance(event, e.ActivityTaskTimedOut)
        runs.end(event.key, number, at, "timeout" if is_timeout else "error", event)
        runs.drafts[event.key]["error"] = event.error
    else:
        runs.change(event.key, number, error=event.error)


def _on_scheduled(runs: _Runs, event: e.ActivityTaskScheduled, at: float, number: int) -> None:
    runs.change(
        event.key,
        number,
        status="pending",
        attempt=event.attempt,
        scheduled_at=at,
        retry_at=None,
        waits_for="",
    )


def _on_started(runs: _Runs, event: e.ActivityTaskStarted, at: float, number: int) -> None:
    runs.change(event.key, number, status="running", attempt=event.attempt, started_at=at)


def _on_retry(runs: _Runs, event: Any, at: float, number: int) -> None:
    """A further attempt, or a look-up of one, follows at an instant."""
    runs.change(
        event.key,
        number,
        status="waiting",
        attempt=event.attempt,
        retry_at=event.at,
        deadline_at=None,
        waits_for="look_up" if isinstance(event, e.ActivityTaskLookUp) else "retry",
    )


def _on_unknown(runs: _Runs, event: e.ActivityTaskUnknown, at: float, number: int) -> None:
    runs.change(event.key, number, error=event.error)
    if event.policy == "park":
        runs.change(
            event.key, number, status="waiting", waits_for="person", deadline_at=event.deadline_at or None
        )


def _on_cancelled(runs: _Runs, event: Any, at: float, number: int) -> None:
    runs.change(event.key, number)
    runs.drop([event.key], number, at)


def _on_skipped(runs: _Runs, event: e.NodesSkipped, at: float, number: int) -> None:
    for key in event.keys:
        runs.new(key).update(status="skipped", ended_at=at, event=number)


def _on_loop(runs: _Runs, event: e.LoopStarted, at: float, number: int) -> None:
    runs.change(event.key, number, status="running", started_at=at)


def _on_iteration_completed(runs: _Runs, event: e.IterationCompleted, at: float, number: int) -> None:
    if event.error is not None:
        _drop_iterations(runs, event.key, at, number, str(event.iteration))


def _drop_iterations(runs: _Runs, loop_key: str, at: float, number: int, iteration: str = "") -> None:
    """Nodes under way inside a loop that failed, or inside one iteration of it, are cancelled."""
    node_id, _, path = loop_key.partition("@")[0].partition("#")
    index = runs.graph.by_id.get(node_id)
    if index is None or not runs.open:
        return
    prefix = f"{path}." if path else ""
    inside = []
    for key in runs.open:
        inner_id, _, inner_path = key.partition("@")[0].partition("#")
        if not inner_path.startswith(prefix) or not _is_inside(runs.graph, inner_id, index):
            continue
        if not iteration or inner_path[len(prefix) :].partition(".")[0] == iteration:
            inside.append(key)
    runs.drop(inside, number, at)


def _is_inside(graph: ExecutionGraph, node_id: str, loop: int) -> bool:
    index = graph.by_id.get(node_id, -1)
    while index >= 0:
        index = graph.nodes[index].loop
        if index == loop:
            return True
    return False


def _on_timer(runs: _Runs, event: e.TimerStarted, at: float, number: int) -> None:
    runs.change(
        event.key, number, status="waiting", waits_for="delay", started_at=at, deadline_at=event.fire_at
    )


def _on_wait(runs: _Runs, event: e.WaitOpened, at: float, number: int) -> None:
    runs.change(
        event.key,
        number,
        status="waiting",
        waits_for=event.kind,
        started_at=at,
        deadline_at=event.deadline_at,
    )


def _on_wait_ended(runs: _Runs, event: Any, at: float, number: int) -> None:
    if isinstance(event, e.ChildClosed) and event.key not in runs.open:
        return  # nobody waited for this child
    failed = "error" if isinstance(event, e.ChildClosed) else "timeout"
    runs.end(event.key, number, at, "success" if event.error is None else failed, event)
    runs.drafts[event.key]["error"] = event.error


def _on_child(runs: _Runs, event: e.ChildStarted, at: float, number: int) -> None:
    runs.change(event.key, number, status="running", started_at=at)
    if event.waits:
        runs.change(event.key, number, status="waiting", waits_for="child", deadline_at=event.deadline_at)


def _on_edited(runs: _Runs, event: e.ValueEdited, at: float, number: int) -> None:
    (runs.drafts.get(event.key) or runs.new(event.key)).update(output=event.output, event=number)


def _on_closed(runs: _Runs, event: e.Event, at: float, number: int) -> None:
    if runs.open:
        is_timeout = isinstance(event, e.WorkflowExecutionTimedOut)
        runs.drop(list(runs.open), number, at, "timeout" if is_timeout else "cancelled")


_CHANGES: dict[type[e.Event], Callable[[_Runs, Any, float, int], None]] = {
    e.WorkflowExecutionStarted: _on_start,
    e.ActivityTaskScheduled: _on_scheduled,
    e.ActivityTaskStarted: _on_started,
    e.ActivityTaskCompleted: _on_completed,
    e.ActivityTaskFailed: _on_failed,
    e.ActivityTaskTimedOut: _on_failed,
    e.ActivityTaskCancelled: _on_cancelled,
    e.ActivityTaskRetryScheduled: _on_retry,
    e.ActivityTaskUnknown: _on_unknown,
    e.ActivityTaskLookUp: _on_retry,
    e.NodeCompleted: _on_node_completed,
    e.NodeFailed: _on_node_failed,
    e.NodesSkipped: _on_skipped,
    e.LoopStarted: _on_loop,
    e.IterationCompleted: _on_iteration_completed,
    e.TimerStarted: _on_timer,
    e.TimerFired: _on_completed,
    e.TimerCancelled: _on_cancelled,
    e.WaitOpened: _on_wait,
    e.WaitResolved: _on_completed,
    e.WaitTimedOut: _on_wait_ended,
    e.ChildStarted: _on_child,
    e.ChildClosed: _on_wait_ended,
    e.ValueEdited: _on_edited,
    **dict.fromkeys(e.CLOSING, _on_closed),
}
