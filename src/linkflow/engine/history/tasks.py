"""The task frame of one attempt: what a worker needs, and nothing else."""

from collections.abc import Mapping

from linkflow.domain.execution.failing import is_suspect
from linkflow.domain.execution.scope import NodeScope
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.waiting import BACKSTOP_S
from linkflow.domain.node import NodeClass
from linkflow.domain.values import Json
from linkflow.ports.commands import LOOK_UP
from linkflow.ports.services import Task, TaskId

QUEUE = "default"


def task_for(state: ExecutionState, key: str, blobs: Mapping[str, Json]) -> Task:
    """Build the frame of a started attempt.

    Raises:
        NeedsBlobs: A loop goes over a large value; fetch it and try again.
    """
    node = state.nodes[key]
    compiled = state.graph.nodes[node.index]
    scope = NodeScope(state, node.index, node.scope, key, node.at, blobs)
    start = state.start
    return Task(
        execution_id=state.execution_id,
        key=key,
        attempt=node.attempt,
        workspace_id=start.workspace_id,
        workflow_id=start.workflow_id,
        spec_hash=start.spec_hash,
        node_id=compiled.id,
        node_type=compiled.spec.type + (LOOK_UP if node.look_up else ""),
        node_version=compiled.spec.version,
        queue=QUEUE,
        session=node.session,
        config=compiled.node.config,
        roots=scope.collect(compiled.roots) if compiled.roots else {},
        input=scope.raw_input(),
        scheduled_at=node.at,
        seed=start.seed,
        node_class=(NodeClass.IDEMPOTENT if node.look_up else compiled.node_class).value,
        timeout_s=compiled.timeout_s,
        heartbeat_s=compiled.heartbeat_s,
        priority=start.priority,
        is_suspect=is_suspect(node),
    )


def task_id(state: ExecutionState, key: str) -> TaskId:
    """Name a scheduled attempt, for queues."""
    return TaskId(
        state.execution_id,
        key,
        state.nodes[key].attempt,
        QUEUE,
        state.start.workspace_id,
        state.start.priority,
    )


def is_overdue(state: ExecutionState, key: str, now: float) -> bool:
    """Say whether a started attempt should have ended long ago."""
    node = state.nodes[key]
    limit_s = state.graph.nodes[node.index].timeout_s + BACKSTOP_S
    return bool(node.session) and now >= node.started_at + limit_s
