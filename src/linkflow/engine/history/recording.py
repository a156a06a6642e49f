"""A turn as a record: what is large goes to the blob store, what must happen outside into the outbox."""

import msgspec

from linkflow.domain.execution.decide import has_more
from linkflow.domain.execution.effects import outgoing
from linkflow.domain.execution.events import Event, decode, encode
from linkflow.domain.execution.evolve import evolve
from linkflow.domain.execution.state import ExecutionState
from linkflow.domain.execution.turn import Turn
from linkflow.domain.values import INLINE_BYTES, blob_reference, encode_json
from linkflow.ports.outbound import BlobStore
from linkflow.ports.stores import Head, Message, Record, Recorded

REQUEST_KEY_S = 24 * 3600.0
"""How long an idempotency key is remembered (seed 004)."""


async def externalised(before: ExecutionState, turn: Turn, blobs: BlobStore) -> tuple[Turn, bytes]:
    """Move large outputs of pure nodes to the blob store; the encoded events."""
    data = encode(turn.events)
    if len(data) <= INLINE_BYTES:
        return turn, data
    events: list[Event] = []
    for event in turn.events:
        changed = {}
        for name in ("output", "items", "result", "input"):
            value = getattr(event, name, None)
            if isinstance(value, dict | list | str) and len(encoded := encode_json(value)) > INLINE_BYTES:
                sha256 = await blobs.put(turn.state.start.workspace_id, encoded)
                changed[name] = blob_reference(sha256, len(encoded))
        events.append(msgspec.structs.replace(event, **changed) if changed else event)
    state = before.copy()
    for event in events:
        evolve(state, event, turn.at)
    turn.state, turn.events = state, events
    return turn, encode(events)


def record_of(execution_id: str, before: ExecutionState, turn: Turn, data: bytes) -> Record:
    """Lay a turn out as a record."""
    state = turn.state
    start = state.start
    request_key = start.request_id if before.version == 0 else ""
    return Record(
        execution_id=execution_id,
        expected=before.version,
        events=turn.events,
        at=turn.at,
        head=Head(
            workspace_id=start.workspace_id,
            workflow_id=start.workflow_id,
            workflow_version=start.workflow_version,
            status=state.status().value,
            started_at=state.started_at,
            wakeup_at=_wakeup_at(turn),
            closed_at=state.closed_at if state.is_closed else None,
            awaits=state.awaited_events(),
        ),
        outbox=[
            Message(
                execution_id=execution_id,
                number=out.number,
                kind=out.kind,
                to=out.to,
                body=out.body,
                at=turn.at,
            )
            for out in outgoing(before, turn.events, state)
        ],
        request_key=f"{start.workspace_id}:{request_key}" if request_key else "",
        request_until=turn.at + REQUEST_KEY_S,
        data=data,
    )


def _wakeup_at(turn: Turn) -> float | None:
    """Say when a parked execution, or one that may wait in vain for a worker, wants to be woken.

    That is at once when this member stops before the next turn.
    """
    state = turn.state
    if state.is_closed or (state.flying and not state.graph.limits_starts):
        return None
    return turn.at if has_more(state) else state.wakeup_at()


def is_same(found: Recorded, record: Record) -> bool:
    """Compare as stored: an event that was decided has tuples where a loaded one has lists."""
    return list(found.events) == decode(record.data or encode(record.events))
