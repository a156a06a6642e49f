"""What must happen outside once a record is durable: derived from its events, never decided twice."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from linkflow.domain.errors import Kind, NodeError
from linkflow.domain.execution import events as e
from linkflow.domain.execution.keys import split_key
from linkflow.domain.execution.spending import reports, since
from linkflow.domain.execution.state import CLOSED_STATUS, ExecutionState, Status
from linkflow.domain.values import Json, derived_execution_id, started_at_ms


class Outgoing(msgspec.Struct, frozen=True):
    """A message that leaves the execution, to be written with its events.

    Attributes:
        kind: project, usage, start, child_closed, cancel, callback, ticket, release, slot, slot_back,
            dead_letter.
        number: The event it follows from.
        to: Whom it is for: an execution, an address, a ticket, the key of a slot.
        body: JSON.
    """

    kind: str
    number: int
    to: str = ""
    body: Json = None


class Stop(msgspec.Struct, frozen=True):
    """A worker should stop an attempt."""

    session: str
    key: str


def outgoing(before: ExecutionState, events: Sequence[e.Event], after: ExecutionState) -> list[Outgoing]:
    """List the messages that follow from the events of one record."""
    found: list[Outgoing] = []
    number = after.version - len(events)
    for event in events:
        number += 1
        if type(event) in _MESSAGES:
            _MESSAGES[type(event)](event, number, after, found)
    if after.start.callback_url:
        _callbacks(events, after, found)
    used = since(before.spending, after.spending, after.start.metered) | reports(events)
    if used:
        found.append(
            Outgoing("usage", after.version, "", {"workspace_id": after.start.workspace_id, "used": used})
        )
    if _worth_projecting(before, after):
        found.append(Outgoing("project", after.version))
    return found


def stops(before: ExecutionState, events: Sequence[e.Event]) -> list[Stop]:
    """List the attempts that workers should stop: cancelled ones, and all when the execution ends."""
    found: dict[str, Stop] = {}
    for event in events:
        if isinstance(event, e.ActivityTaskCancelled):
            keys = [event.key]
        elif isinstance(event, (e.CancelRequested, e.FailureDecided, *e.CLOSING)):
            keys = list(before.flying)
        else:
            continue
        for key in keys:
            node = before.nodes.get(key)
            if node is not None and node.session and key in before.flying:
                found[key] = Stop(node.session, key)
    return list(found.values())


def _worth_projecting(before: ExecutionState, after: ExecutionState) -> bool:
    if before.version == 0 or before.status() is not after.status():
        return True
    return bool(before.waits or after.waits) and _approvals(before) != _approvals(after)


def _approvals(state: ExecutionState) -> dict[str, float]:
    """List what is asked of people, with the deadlines."""
    return {key: wait.until for key, wait in state.waits.items() if wait.kind == "approval"}


def _on_child_started(
    event: e.ChildStarted, number: int, after: ExecutionState, found: list[Outgoing]
) -> None:
    start = after.start
    parent = e.Parent(after.execution_id, event.key, event.waits, event.close_policy)
    found.append(
        Outgoing(
            "start",
            number,
            event.child_id,
            {
                "workspace_id": start.workspace_id,
                "workflow_id": event.workflow_id,
                "trigger_kind": "sub_workflow",
                "input": event.input,
                "mode": start.mode,
                "variables": dict(start.variables),
                "priority": start.priority,
                "parent": msgspec.to_builtins(parent),
                "depth": start.depth + 1,
                "budget": msgspec.to_builtins(start.budget),
                "metered": list(start.metered),
            },
        )
    )


def _on_abandoned(
    event: e.ActivityTaskCancelled, number: int, after: ExecutionState, found: list[Outgoing]
) -> None:
    child = after.children.get(event.key)
    if child is not None:
        found.append(Outgoing("cancel", number, child[0], {"reason": f"'{event.key}' was cancelled"}))


def _on_ticket(event: e.TicketQueued, number: int, after: ExecutionState, found: list[Outgoing]) -> None:
    found.append(
        Outgoing(
            "ticket", number, event.ticket, {"limit": event.limit, "on_conflict": after.start.on_conflict}
        )
    )


def _on_slot(event: e.SlotAsked, number: int, after: ExecutionState, found: list[Outgoing]) -> None:
    found.append(Outgoing("slot", number, event.key, slot_question(after, event.policy)))


def slot_question(state: ExecutionState, policy: str) -> Json:
    """Say what is asked of a start policy."""
    asked = state.start.debounce if policy == "debounce" else state.start.rate
    return {"policy": policy, "came_at": state.started_at, "terms": msgspec.to_builtins(asked)}


def _on_failed(
    event: e.ActivityTaskFailed, number: int, after: ExecutionState, found: list[Outgoing]
) -> None:
    if event.final and not event.handles:
        body = {"key": event.key, "attempt": event.attempt, "error": msgspec.to_builtins(event.error)}
        found.append(Outgoing("dead_letter", number, event.key, body))


def _on_quarantined(event: e.Quarantined, number: int, after: ExecutionState, found: list[Outgoing]) -> None:
    body = {"kind": "decision", "error": {"message": event.reason}}
    found.append(Outgoing("dead_letter", number, "", body))


def _on_closed(event: e.Event, number: int, after: ExecutionState, found: list[Outgoing]) -> None:
    start = after.start
    status = CLOSED_STATUS[type(event).__name__]
    error = closing_error(event)
    if start.parent is not None:
        cause = error or _cancelled_error(event)
        found.append(
            Outgoing(
                "child_closed",
                number,
                start.parent.execution_id,
                {
                    "parent": msgspec.to_builtins(start.parent),
                    "status": status.value,
                    "output": event.result if isinstance(event, e.WorkflowExecutionCompleted) else None,
                    "error": msgspec.to_builtins(cause) if cause else None,
                },
            )
        )
    for child_id, policy in after.children.values():
        if policy == "cancel":
            found.append(Outgoing("cancel", number, child_id, {"reason": "the parent is over"}))
    if start.ticket:
        found.append(Outgoing("release", number, start.ticket))
    if after.slot is not None and after.slot.policy == "rate":
        found.append(Outgoing("slot_back", number, after.slot.key))
    if status in (Status.FAILED, Status.TIMED_OUT):
        _start_error_workflow(number, error, event, after, found)


def closing_error(event: e.Event) -> NodeError | None:
    """Say why an execution ended badly; None when it did not."""
    if isinstance(event, e.WorkflowExecutionFailed):
        return event.error
    if isinstance(event, e.WorkflowExecutionTimedOut):
        return NodeError("workflow.timeout", "transient", "The execution took longer than it may.")  # type: ignore[arg-type]
    return None


def _cancelled_error(event: e.Event) -> NodeError | None:
    """Say to a parent why its child was ended before it was done; None when nobody gave a reason."""
    if isinstance(event, e.WorkflowExecutionCancelled | e.WorkflowExecutionTerminated) and event.reason:
        return NodeError("workflow.cancelled", Kind.PERMANENT, event.reason)
    return None


def _start_error_workflow(
    number: int, error: NodeError | None, event: e.Event, after: ExecutionState, found: list[Outgoing]
) -> None:
    """An error workflow never has one of its own."""
    start, spec = after.start, after.graph.spec
    workflow_id = spec.error_handling.error_workflow or spec.settings.error_workflow
    if not workflow_id or start.trigger_kind == "error":
        return
    child_id = derived_execution_id(started_at_ms(after.execution_id), after.execution_id, "error workflow")
    key = event.key if isinstance(event, e.WorkflowExecutionFailed) else ""
    found.append(
        Outgoing(
            "start",
            number,
            child_id,
            {
                "workspace_id": start.workspace_id,
                "workflow_id": workflow_id,
                "trigger_kind": "error",
                "origin": after.execution_id,
                "mode": start.mode,
                "variables": dict(start.variables),
                "input": {
                    "error": msgspec.to_builtins(error) if error else None,
                    "node": {"id": split_key(key)[0], "key": key} if key else None,
                    "execution": {"id": after.execution_id, "workflow_id": start.workflow_id},
                },
            },
        )
    )


def _callbacks(events: Sequence[e.Event], after: ExecutionState, found: list[Outgoing]) -> None:
    """Signed calls about finished nodes and about the end (seeds 000 and 001)."""
    url = after.start.callback_url
    number = after.version - len(events)
    for event in events:
        number += 1
        body: dict[str, Json] = {
            "execution_id": after.execution_id,
            "workflow_id": after.start.workflow_id,
            "event": number,
        }
        if isinstance(event, e.ActivityTaskCompleted | e.NodeCompleted):
            body |= {
                "node_id": event.key,
                "status": "success",
                "output": event.output,
                "logs": list(event.logs),
            }
        elif isinstance(event, e.ActivityTaskFailed | e.NodeFailed):
            if isinstance(event, e.ActivityTaskFailed) and not event.final:
                continue
            logs = list(event.logs) if isinstance(event, e.ActivityTaskFailed) else []
            body |= {
                "node_id": event.key,
                "status": "error",
                "error": msgspec.to_builtins(event.error),
                "logs": logs,
            }
        elif isinstance(event, e.CLOSING):
            error = closing_error(event)
            body |= {
                "status": CLOSED_STATUS[type(event).__name__].value,
                "output": event.result if isinstance(event, e.WorkflowExecutionCompleted) else None,
                "error": msgspec.to_builtins(error) if error else None,
            }
        else:
            continue
        found.append(Outgoing("callback", number, url, body))


_MESSAGES: Mapping[type[e.Event], Callable[[Any, int, ExecutionState, list[Outgoing]], None]] = {
    e.ChildStarted: _on_child_started,
    e.ActivityTaskCancelled: _on_abandoned,
    e.TicketQueued: _on_ticket,
    e.SlotAsked: _on_slot,
    e.ActivityTaskFailed: _on_failed,
    e.ActivityTaskTimedOut: _on_failed,
    e.Quarantined: _on_quarantined,
    **dict.fromkeys(e.CLOSING, _on_closed),
}
