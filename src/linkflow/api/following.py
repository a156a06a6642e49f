"""What live updates say: an execution, a list or a workflow is followed, as frames; see `api.live`."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from linkflow.api import render
from linkflow.control.actor import Actor
from linkflow.control.plane import ControlPlane
from linkflow.domain.values import Json, blob_of, encode_json
from linkflow.ports.services import ExecutionView, NodeRun
from linkflow.ports.views import Part

COALESCE_S = 0.05
FRAME_BYTES = 64 * 1024
SNAPSHOT_RUNS = 500
"""Of an execution with more runs of nodes than these a snapshot has the newest of each node only."""
LOOK_AGAIN_S = 5.0
"""A nudge may be lost, or come from a process that cannot reach us; so often we look without one."""


def items_of(output: Json) -> int | None:
    """Count what a node hands on: elements of a list or of its `items`, else one; None: a large value."""
    if blob_of(output) is not None:
        return None
    listed = output.get("items") if isinstance(output, dict) else output
    return len(listed) if isinstance(listed, list) else 1


def live_run(run: NodeRun) -> Json:
    """Say a node run as live updates do: without its output."""
    shown: dict[str, Json] = {
        "node_id": run.node_id,
        "type": run.node_type,
        "label": run.label,
        "status": run.status,
        "attempt": run.attempt,
        "started_at": render.instant(run.started_at),
        "ms": render.elapsed_ms(run.started_at or run.scheduled_at, run.ended_at),
        "out": run.key if run.status == "success" else None,
    }
    if run.status == "success":
        shown |= {"handles": list(run.handles), "items": items_of(run.output)}
    if run.retry_at is not None:
        shown["retry_at"] = render.instant(run.retry_at)
    if run.waits_for:
        shown |= {"waits_for": run.waits_for, "deadline_at": render.instant(run.deadline_at)}
    if run.error is not None:
        shown["error"] = {
            "code": run.error.code,
            "type": str(run.error.kind),
            "message": run.error.message,
        }
    return shown


def snapshot(topic: str, view: ExecutionView) -> Json:
    """Say how an execution stands, with the runs of its nodes that the view has."""
    nodes = {run.key: live_run(run) for run in view.nodes}
    data = {"status": view.status, "version": view.version, "nodes": nodes}
    return {"t": "snapshot", "topic": topic, "seq": view.version, "data": data}


def batches(topic: str, view: ExecutionView, seq: int) -> list[Json]:
    """Say what changed after an event number, in frames that are not too large."""
    ahead = sorted((run for run in view.nodes if run.event > seq), key=lambda run: run.event)
    changed: list[Json] = [[run.event, "node", run.key, live_run(run)] for run in ahead]
    changed.append([view.version, "exec", None, {"status": view.status}])
    frames: list[Json] = []
    part: list[Json] = []
    size = 0
    for each in changed:
        length = len(encode_json(each))
        if part and size + length > FRAME_BYTES:
            frames.append(part)
            part, size = [], 0
        part.append(each)
        size += length
    frames.append(part)
    found = []
    for number, part in enumerate(frames):
        last = view.version if number == len(frames) - 1 else part[-1][0]
        found.append({"t": "batch", "topic": topic, "from": seq + 1, "to": last, "ev": part})
        seq = last
    return found


async def follow(
    plane: ControlPlane, actor: Actor, execution_id: str, after: int | None
) -> AsyncIterator[Json]:
    """Say an execution as it changes: a snapshot (or what came after `after`), batches, the end.

    Raises:
        NotFound: No such execution.
    """
    topic = f"execution:{execution_id}"
    with plane.bus.subscribe(topic) as nudges:
        frames, seq, status = await _news(plane, actor, execution_id, after)
        while True:
            for frame in frames:
                yield frame
            if status in render.TERMINAL:
                break
            if await nudges.nudged(LOOK_AGAIN_S):
                await _pause()
            frames, seq, status = await _news(plane, actor, execution_id, seq)
        yield {"t": "end", "topic": topic, "reason": status}


async def _news(
    plane: ControlPlane, actor: Actor, execution_id: str, seq: int | None
) -> tuple[Sequence[Json], int, str]:
    """Read what came after an event number, or how it stands where that is shorter.

    Returns:
        Frames; the number of the last event that they say; the status.
    """
    topic = f"execution:{execution_id}"
    if seq is not None:
        view = await plane.executions.read(actor, execution_id, Part(after=seq))
        if seq <= view.version and len(view.nodes) <= SNAPSHOT_RUNS:
            return batches(topic, view, seq) if seq < view.version else [], view.version, view.status
    view = await plane.executions.read(actor, execution_id, Part(most=SNAPSHOT_RUNS))
    return [snapshot(topic, view)], view.version, view.status


async def _pause() -> None:
    """Let what comes together go out together; this paces a wire and decides nothing, so it is real time."""
    loop = asyncio.get_running_loop()
    passed = loop.create_future()
    loop.call_later(COALESCE_S, passed.set_result, None)
    await passed


async def follow_list(plane: ControlPlane, actor: Actor, topic: str) -> AsyncIterator[Json]:
    """Say the newest executions of the workspace whenever the list changes."""
    seq = 0
    said: Json = None
    with plane.bus.subscribe(f"executions:{actor.workspace_id}") as nudges:
        while True:
            page = await plane.executions.newest(actor, 50)
            rows = [render.execution_row(row) for row in page.rows]
            if rows != said:
                seq += 1
                said = rows
                yield {"t": "snapshot", "topic": topic, "seq": seq, "data": {"executions": rows}}
            if await nudges.nudged(LOOK_AGAIN_S):
                await _pause()


async def follow_workflow(plane: ControlPlane, actor: Actor, topic: str) -> AsyncIterator[Json]:
    """Say revision, version and activation of a workflow whenever they change."""
    workflow_id = topic.partition(":")[2]
    with plane.bus.subscribe(topic) as nudges:
        while True:
            found = await plane.workflows.read(actor, workflow_id)
            data = {"revision": found.revision, "version": found.version, "is_active": found.is_active}
            yield {"t": "snapshot", "topic": topic, "seq": found.revision, "data": data}
            while not await nudges.nudged(60.0):
                pass
