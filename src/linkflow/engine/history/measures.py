"""What History counts of every record that became durable."""

from linkflow.domain.execution.events import (
    ActivityTaskCancelled,
    ActivityTaskCompleted,
    ActivityTaskFailed,
    ActivityTaskTimedOut,
    ActivityTaskUnknown,
    NodeCompleted,
    NodeFailed,
)
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.telemetry import metrics, tracing

EVENTS = metrics.counter("linkflow_history_events_total")
CONFLICTS = metrics.counter("linkflow_history_conflicts_total")
HITS = metrics.counters("linkflow_cache_hits_total")
MISSES = metrics.counters("linkflow_cache_misses_total")

_started = metrics.counters("linkflow_executions_started_total")
_ended = metrics.counters("linkflow_workflow_executions_total")
_lasted = metrics.histograms("linkflow_workflow_execution_duration_seconds")
_nodes = metrics.counters("linkflow_nodes_executed_total")
_outcomes = {
    ActivityTaskCompleted: _nodes["completed"],
    NodeCompleted: _nodes["completed"],
    ActivityTaskFailed: _nodes["failed"],
    ActivityTaskTimedOut: _nodes["timed_out"],
    NodeFailed: _nodes["failed"],
    ActivityTaskCancelled: _nodes["cancelled"],
    ActivityTaskUnknown: _nodes["unknown"],
}


def count(before: ExecutionState, turn: Turn) -> None:
    """Count a record that is durable."""
    state = turn.state
    EVENTS.inc(len(turn.events))
    for event in turn.events:
        outcome = _outcomes.get(type(event))
        if outcome is not None:
            outcome.inc()
    if not before.version:
        _started[state.start.trigger_kind].inc()
    if state.is_closed and not before.is_closed:
        status = state.status().value
        _ended[status].inc()
        ended_at = state.closed_at or state.started_at
        _lasted[status].observe(max(0.0, ended_at - state.started_at))
        if tracing.is_on():
            tracing.closed(
                state.execution_id,
                state.started_at,
                ended_at,
                error="" if status == "completed" else status,
                status=status,
                workflow_id=state.start.workflow_id,
                workspace_id=state.start.workspace_id,
                trigger=state.start.trigger_kind,
                parent_execution_id=state.start.parent.execution_id if state.start.parent else "",
            )
