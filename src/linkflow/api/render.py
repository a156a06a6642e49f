"""Facts as JSON of the API: snake_case, instants in RFC 3339, members always there."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from linkflow.control.looks import MOST, page_of
from linkflow.domain.errors import NodeError
from linkflow.domain.values import Json, decode_json
from linkflow.ports.records import Workflow, WorkflowVersion
from linkflow.ports.services import (
    Driver,
    ExecutionRow,
    ExecutionView,
    Explanation,
    LogLine,
    NodeRun,
    RecordedEvent,
    StartedExecution,
)

TERMINAL = ("completed", "failed", "cancelled", "timed_out")


def instant(seconds: float | None) -> str | None:
    """Say an instant: `2030-01-31T09:00:00.250Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def elapsed_ms(start: float | None, end: float | None) -> int | None:
    """Say how long something took, once it is over."""
    return None if start is None or end is None else max(0, round((end - start) * 1000))


def failure(error: NodeError | None) -> Json:
    """Say an error: `{"code", "kind", "message", "details"}`."""
    if error is None:
        return None
    return {
        "code": error.code,
        "kind": str(error.kind),
        "message": error.message,
        "details": dict(error.details),
    }


def workflow(found: Workflow, *, with_spec: bool = True) -> Json:
    """Say a workflow; `spec` is its draft."""
    shown = {
        "id": found.id,
        "workspace_id": found.workspace_id,
        "name": found.name,
        "description": found.description,
        "tags": list(found.tags),
        "version": found.version,
        "revision": found.revision,
        "is_active": found.is_active,
        "created_by": found.created_by,
        "created_at": instant(found.created_at),
        "updated_at": instant(found.updated_at),
    }
    return shown | {"spec": decode_json(found.draft)} if with_spec else shown


def version(found: WorkflowVersion, *, with_spec: bool) -> Json:
    """Say a version."""
    shown = {
        "workflow_id": found.workflow_id,
        "version": found.number,
        "spec_hash": found.spec_hash,
        "note": found.note,
        "created_by": found.created_by,
        "created_at": instant(found.created_at),
    }
    return shown | {"spec": decode_json(found.spec)} if with_spec else shown


def started(found: StartedExecution) -> Json:
    """Say how a start went: id and status; result and error once it is over or has responded."""
    shown: dict[str, Json] = {"execution_id": found.execution_id, "status": found.status}
    if found.status in TERMINAL:
        shown |= {"result": found.result, "error": failure(found.error)}
    elif found.responded is not None:
        shown |= {"result": found.responded, "error": None}
    return shown


def node_run(run: NodeRun, *, with_output: bool = True) -> Json:
    """Say one execution of a node."""
    shown = {
        "key": run.key,
        "node_id": run.node_id,
        "type": run.node_type,
        "label": run.label,
        "status": run.status,
        "attempt": run.attempt,
        "handles": list(run.handles),
        "error": failure(run.error),
        "waits_for": run.waits_for or None,
        "scheduled_at": instant(run.scheduled_at),
        "started_at": instant(run.started_at),
        "ended_at": instant(run.ended_at),
        "retry_at": instant(run.retry_at),
        "deadline_at": instant(run.deadline_at),
        "duration_ms": elapsed_ms(run.started_at or run.scheduled_at, run.ended_at),
        "event": run.event,
    }
    return shown | {"output": run.output} if with_output else shown


def log_line(line: LogLine) -> Json:
    """Say a line of the log."""
    return {
        "at": instant(line.at),
        "level": line.level,
        "message": line.message,
        "key": line.key,
        "data": line.data,
        "event": line.event,
    }


def execution(view: ExecutionView, *, limit: int | None = 0) -> Json:
    """Say one execution, with the runs of its nodes that the view has: all for None, else the first page."""
    runs: Sequence[NodeRun] = view.nodes
    following: int | None = None
    if limit is not None and len(runs) > (limit or MOST):
        runs, following = page_of(runs, 0, limit)
    return {
        "id": view.execution_id,
        "workspace_id": view.workspace_id,
        "workflow_id": view.workflow_id,
        "workflow_version": view.workflow_version,
        "status": view.status,
        "trigger_kind": view.trigger_kind,
        "trigger": view.trigger,
        "mode": view.mode,
        "input": view.input,
        "result": view.result,
        "error": failure(view.error),
        "error_key": view.error_key or None,
        "started_at": instant(view.started_at),
        "closed_at": instant(view.closed_at),
        "deadline_at": instant(view.deadline_at),
        "duration_ms": elapsed_ms(view.started_at, view.closed_at),
        "origin": view.origin or None,
        "parent": None if view.parent is None else msgspec.to_builtins(view.parent),
        "version": view.version,
        "nodes": [node_run(run, with_output=False) for run in runs],
        "nodes_next": following,
    }


def execution_row(row: ExecutionRow) -> Json:
    """Say one line of a list."""
    return {
        "id": row.execution_id,
        "workspace_id": row.workspace_id,
        "workflow_id": row.workflow_id,
        "workflow_version": row.workflow_version,
        "status": row.status,
        "trigger_kind": row.trigger_kind,
        "mode": row.mode,
        "error": failure(row.error),
        "error_key": row.error_key or None,
        "started_at": instant(row.started_at),
        "closed_at": instant(row.closed_at),
        "duration_ms": elapsed_ms(row.started_at, row.closed_at),
        "origin": row.origin or None,
        "parent_id": row.parent_id or None,
        "attributes": dict(row.attributes),
        "version": row.version,
    }


def event(found: RecordedEvent) -> Json:
    """Say one event of a history."""
    return {
        "number": found.number,
        "type": found.type,
        "at": instant(found.at),
        "data": dict(found.data),
    }


def driver(found: Driver, execution_id: str, public_url: str) -> Json:
    """Say one thing that an execution waits for, with the link that resolves it if it has a token."""
    shown: dict[str, Json] = {
        "kind": found.kind,
        "message": found.message,
        "key": found.key,
        "node_id": found.node_id,
        "label": found.label,
        "attempt": found.attempt,
        "since": instant(found.since),
        "until": instant(found.until),
        "name": found.name,
        "match": found.match,
        "child_id": found.child_id or None,
        "can": list(found.can),
        "data": found.data,
        "resume_token": None,
        "resume_url": None,
    }
    if found.token:
        token = f"{execution_id}.{found.token}"
        shown |= {"resume_token": token, "resume_url": f"{public_url}/api/v1/resume/{token}"}
    return shown


def explanation(found: Explanation, public_url: str) -> Json:
    """Say why an execution is where it is."""
    return {
        "execution_id": found.execution_id,
        "status": found.status,
        "summary": found.summary,
        "version": found.version,
        "drivers": [driver(each, found.execution_id, public_url) for each in found.drivers],
        "late": list(found.late),
    }


def execution_log(view: ExecutionView) -> Json:
    """Say one execution as seed 002's `ExecutionLog`: camelCase, its status words."""
    shown = {
        "executionId": view.execution_id,
        "workflowId": view.workflow_id,
        "workflowVersion": view.workflow_version,
        "status": view.status,
        "startedAt": instant(view.started_at),
        "nodeResults": [node_result(run) for run in view.nodes],
        "durationMs": elapsed_ms(view.started_at, view.closed_at) or 0,
    }
    if view.closed_at is not None:
        shown["completedAt"] = instant(view.closed_at)
    if view.error is not None:
        shown["error"] = seed_error(view.error)
    return shown


def node_result(run: NodeRun) -> Json:
    """Say one execution of a node as seed 002's `NodeExecutionResult`."""
    shown = {
        "nodeId": run.node_id,
        "status": run.status,
        "durationMs": elapsed_ms(run.started_at or run.scheduled_at, run.ended_at) or 0,
        "executedAt": instant(run.started_at or run.scheduled_at),
        "attempt": run.attempt,
    }
    if run.status == "success":
        shown["output"] = run.output if isinstance(run.output, dict) else {"value": run.output}
    if run.error is not None:
        shown["error"] = seed_error(run.error)
    return shown


def seed_error(error: NodeError) -> Json:
    """Say an error as seed 002's `NodeError`: its kind is called type there."""
    return {"code": error.code, "message": error.message, "type": str(error.kind)}


def execution_result(view: ExecutionView, session_id: str) -> Json:
    """Say how an inline start went, as seed 002's `ExecutionResult`."""
    output = view.responded if view.result is None else view.result
    return {
        "executionId": view.execution_id,
        "status": view.status,
        "output": output,
        "error": None if view.error is None else seed_error(view.error),
        "nodeResults": [node_result(run) for run in view.nodes],
        "durationMs": elapsed_ms(view.started_at, view.closed_at) or 0,
        "sessionId": session_id or None,
    }
