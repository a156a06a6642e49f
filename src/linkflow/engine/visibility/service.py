"""Visibility: lists and counts, from the read model."""

from collections.abc import Mapping, Sequence

from linkflow.ports.services import DeadLetter, ExecutionPage, ExecutionQuery, ExecutionRow
from linkflow.ports.stores import DeadLetters, VisibilityStore


class Visibility:
    """Lists of executions; see `ports.services.Visibility`."""

    def __init__(self, store: VisibilityStore, letters: DeadLetters) -> None:
        self._store = store
        self._letters = letters

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List executions, newest first."""
        return await self._store.list(query)

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count executions by status."""
        return await self._store.count(query)

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest executions of each of some workflows."""
        return await self._store.latest(workspace_id, workflow_ids, limit)

    async def dead_letters(self, workspace_id: str, after: str = "", limit: int = 50) -> Sequence[DeadLetter]:
        """List what was given up on, newest first."""
        return await self._letters.list(workspace_id, after, limit)
