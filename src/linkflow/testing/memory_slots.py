"""Instants of start policies in memory."""

import asyncio
from collections.abc import Callable, Sequence, Set

from linkflow.domain.pacing import Debounced, DebouncePolicy, RatePolicy, debounced, next_slot


class MemorySlots:
    """Instants in dictionaries, by key and execution; see `ports.coordination.Slots`."""

    def __init__(self, is_over: Callable[[str], bool] = lambda execution_id: False) -> None:
        """Begin with none; `is_over` says whether an execution is."""
        self._taken: dict[str, dict[str, float]] = {}
        self._starts: dict[str, dict[str, Debounced]] = {}
        self._is_over = is_over

    async def reserve(self, policy: RatePolicy, execution_id: str, at: float) -> float | None:
        """Reserve the next instant."""
        await asyncio.sleep(0)
        taken = self._taken.setdefault(policy.key, {})
        if self._is_over(execution_id):
            return None
        if execution_id not in taken:
            found = next_slot(sorted(taken.values()), policy, at)
            if found > at and policy.on_exceed == "skip":
                return None
            taken[execution_id] = found
        begins_at = taken[execution_id]
        await asyncio.sleep(0)
        return begins_at

    async def give_back(self, key: str, execution_id: str) -> None:
        """Give an instant back."""
        await asyncio.sleep(0)
        self._taken.get(key, {}).pop(execution_id, None)

    async def debounce(self, policy: DebouncePolicy, execution_id: str, came_at: float) -> Debounced:
        """Decide which start runs."""
        await asyncio.sleep(0)
        starts = self._starts.setdefault(policy.key, {})
        if self._is_over(execution_id):
            return starts.get(execution_id) or debounced(None, policy, execution_id, came_at)[0]
        if execution_id not in starts:
            latest = max(starts.values(), key=lambda each: (each.came_at, each.execution_id), default=None)
            starts[execution_id], before = debounced(latest, policy, execution_id, came_at)
            if before is not None:
                starts[before.execution_id] = before
        found = starts[execution_id]
        await asyncio.sleep(0)
        return found

    async def ahead(self, execution_ids: Sequence[str], at: float) -> Set[str]:
        """Say which have an instant after `at`."""
        await asyncio.sleep(0)
        taken = {
            each for slots in self._taken.values() for each, begins_at in slots.items() if begins_at > at
        }
        starts = {
            each.execution_id
            for kept in self._starts.values()
            for each in kept.values()
            if each.begins_at > at
        }
        return (taken | starts) & set(execution_ids)
