"""Started attempts whose frame never arrived: History → Matching → worker is a way on which things are lost.

The worker says what it holds; whatever else is in flight on its session, and was started a while ago, it gets
again. A worker runs an attempt once: it knows what it was given lately, and what it holds is left out here.
"""

import asyncio
from collections.abc import Sequence

from linkflow.domain.errors import NotFound
from linkflow.domain.execution.state import ExecutionState
from linkflow.engine.history.entries import Entries
from linkflow.engine.history.handover import Handover
from linkflow.engine.history.reading import Reader
from linkflow.ports.services import Attempt, Task
from linkflow.ports.stores import HistoryStore

LATE_S = 2.0
"""How long a frame may be on its way before it is taken for lost."""


async def lost_tasks(
    entries: Entries, reader: Reader, handover: Handover, session: str, held: Sequence[Attempt], now: float
) -> Sequence[Task]:
    """Collect the frames of what a session should have and does not hold.

    Args:
        entries: What this member has in memory.
        reader: Reads the newest state: an attempt that has ended meanwhile must not begin again.
        handover: Builds frames.
        session: A worker session.
        held: What it holds.
        now: Seconds since 1970.
    """
    known = set(held)
    suspected = [
        entry.execution_id
        for entry in entries
        if entry.state is None or _lost(entry.execution_id, entry.state, session, known, now)
    ]

    async def newest(execution_id: str) -> ExecutionState | None:
        try:
            return await reader.state(execution_id)
        except NotFound:
            return None

    found: list[Task] = []
    # All at once: when a Matching died there are many, and the store answers for all in one question.
    for state in await asyncio.gather(*(newest(each) for each in suspected)):
        if state is None:
            continue
        if not state.flying:
            entries.drop(state.execution_id)
        for key in _lost(state.execution_id, state, session, known, now):
            task = await handover.frame(state, key)
            if task is not None:
                found.append(task)
    return found


async def leave_to_others(entries: Entries, store: HistoryStore) -> None:
    """Forget executions in flight that another member has moved on: they are at home in its memory.

    Raises:
        Unavailable: The store does not answer.
    """
    asked = [entry.execution_id for entry in entries if entry.is_idle and entry.is_in_flight]
    versions = await store.versions(asked) if asked else {}
    for execution_id, version in versions.items():
        entry = entries.find(execution_id)
        if entry is not None and entry.state is not None and entry.state.version < version:
            entries.drop(execution_id)


def _lost(
    execution_id: str, state: ExecutionState, session: str, held: set[Attempt], now: float
) -> list[str]:
    """List the keys that are in flight on a session, started a while ago, and not held by it."""
    if state.is_ending:
        return []
    found = []
    for key in state.flying:
        node = state.nodes[key]
        is_late = node.session == session and node.started_at <= now - LATE_S
        if is_late and Attempt(execution_id, key, node.attempt) not in held:
            found.append(key)
    return found
