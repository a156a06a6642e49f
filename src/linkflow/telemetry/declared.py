"""Every metric that LinkFlow exports, as data: docs/reference/metrics.md is generated from it.

A label has few values, known beforehand: what grows with use (ids of workspaces, workflows, executions,
addresses) is never one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

QUICK_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""For what takes milliseconds."""
SLOW_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""For what a node or a request may take."""
LONG_S = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)
"""For executions, which may last days."""
RECORDS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0)


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: As it is exported; a counter ends in `_total`, a quantity in its unit.
        kind: What it is to Prometheus.
        help: What it counts, in one sentence.
        labels: Their names, in order.
        buckets: Upper bounds, of a histogram.
        room: What measures it: the role of `linkflow serve --roles` that exports it.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    room: str
    help: str
    labels: Sequence[str] = ()
    buckets: Sequence[float] = ()


def _counter(name: str, room: str, text: str, *labels: str) -> Metric:
    """Declare something that only grows."""
    return Metric(f"linkflow_{name}", "counter", room, text, labels)


def _gauge(name: str, room: str, text: str, *labels: str) -> Metric:
    """Declare something as it stands when it is asked for."""
    return Metric(f"linkflow_{name}", "gauge", room, text, labels)


def _histogram(name: str, room: str, text: str, buckets: Sequence[float], *labels: str) -> Metric:
    """Declare something whose distribution matters."""
    return Metric(f"linkflow_{name}", "histogram", room, text, labels, buckets)


METRICS: Sequence[Metric] = (
    _gauge("build_info", "every", "1; the label says which release runs.", "version"),
    _histogram("loop_lag_seconds", "every", "How much later than asked the event loop came back.", QUICK_S),
    _counter("grpc_calls_total", "every", "Calls that other processes made here.", "call", "outcome"),
    _histogram("grpc_call_seconds", "every", "Time to answer them.", QUICK_S, "call"),
    _gauge("grpc_streams", "every", "Streams that other processes hold open here."),
    # ------------------------------------------------------------ edge
    _counter("edge_requests_total", "edge", "Requests that came to the edge.", "outcome"),
    _gauge("edge_requests_under_way", "edge", "Requests and WebSockets under way."),
    _gauge("edge_upstreams", "edge", "API processes behind the edge.", "state"),
    # ------------------------------------------------------------ rest
    _counter("http_requests_total", "rest", "Requests answered.", "method", "route", "status"),
    _histogram("http_request_duration_seconds", "rest", "Time to answer a request.", SLOW_S, "route"),
    _counter("rate_limit_hits_total", "rest", "Requests answered 429.", "route"),
    _counter("webhooks_received_total", "rest", "Calls to webhook addresses.", "status"),
    _gauge("webhook_queue_depth", "rest", "Trigger events accepted whose executions have not started."),
    # ------------------------------------------------------------ frontend
    _counter("requests_total", "frontend", "Calls to the engine.", "call", "outcome"),
    _counter("requests_shed_total", "frontend", "Starts refused because the engine is busy.", "reason"),
    # ------------------------------------------------------------ history
    _counter("executions_started_total", "history", "Executions started.", "trigger"),
    _counter("workflow_executions_total", "history", "Executions that ended.", "status"),
    _histogram(
        "workflow_execution_duration_seconds", "history", "From start to end of executions.", LONG_S, "status"
    ),
    _gauge("workflow_executions_in_progress", "history", "Executions that have not ended.", "status"),
    _gauge("history_backlog", "history", "Records that wait to be committed."),
    _counter("nodes_executed_total", "history", "Nodes that ended, by what was recorded.", "outcome"),
    _counter("history_events_total", "history", "Events made durable."),
    _histogram("history_batch_records", "history", "Records in one commit.", RECORDS),
    _histogram("history_commit_seconds", "history", "Time of one commit.", QUICK_S),
    _counter("history_conflicts_total", "history", "Records decided again because another writer was first."),
    _counter("cache_hits_total", "history", "What was found in memory.", "cache"),
    _counter("cache_misses_total", "history", "What had to be loaded.", "cache"),
    _counter("never_stuck_findings_total", "history", "Overdue executions that the auditor moved on."),
    _gauge("db_connections", "history", "Connections of the pool to PostgreSQL.", "state"),
    _counter("db_reconnects_total", "history", "Times the history store had to connect again."),
    _gauge("outbox_messages", "history", "Messages that have not left.", "kind"),
    _gauge("outbox_oldest_seconds", "history", "Age of the oldest message that has not left.", "kind"),
    _counter("outbox_delivered_total", "history", "Messages delivered.", "kind"),
    _counter("outbox_failures_total", "history", "Deliveries that failed; they are tried again.", "kind"),
    _gauge("dead_letters", "history", "What was given up on and waits for a person.", "kind"),
    # ------------------------------------------------------------ matching
    _gauge("task_queue_depth", "matching", "Tasks that wait for a worker.", "queue"),
    _counter("queue_tasks_total", "matching", "Tasks queued, taken, delivered at once.", "action"),
    _gauge("workers_connected", "matching", "Worker sessions."),
    _gauge("worker_credits", "matching", "Tasks that workers could still be given."),
    # ------------------------------------------------------------ worker
    _counter("node_executions_total", "worker", "Attempts of nodes that ended.", "node_type", "outcome"),
    _histogram("node_execution_duration_seconds", "worker", "Time of attempts.", SLOW_S, "node_type"),
    _histogram("task_wait_seconds", "worker", "From scheduling to the start of first attempts.", SLOW_S),
    _gauge("worker_slots", "worker", "Attempts: running, and at most.", "state"),
    # ------------------------------------------------------------ timer
    _gauge("timers_pending", "timer", "Wake-ups planned in memory."),
    _counter("timers_fired_total", "timer", "Wake-ups fired."),
    _histogram("timers_lag_seconds", "timer", "How late wake-ups were.", QUICK_S),
    # ------------------------------------------------------------ visibility
    _counter("projections_total", "visibility", "Executions written to the read model."),
    _gauge("projection_lag_seconds", "visibility", "Age of the oldest change that lists do not show."),
    # ------------------------------------------------------------ scheduler
    _histogram("scheduler_duty_seconds", "scheduler", "Time of a run of a duty.", LONG_S, "duty", "outcome"),
    _gauge("scheduler_is_leader", "scheduler", "1 while this process does the duties."),
)
"""In the order of the documentation."""
