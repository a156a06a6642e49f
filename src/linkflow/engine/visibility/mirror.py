"""How executions ended, for everybody who looks into the cache (E10)."""

from collections.abc import Mapping, Sequence

from linkflow.domain.values import Json
from linkflow.ports.coordination import Cache
from linkflow.ports.services import ExecutionPage, ExecutionQuery
from linkflow.ports.stores import Message, VisibilityStore
from linkflow.ports.views import ExecutionRow, Projected

KEPT_S = 24 * 3600.0


class MirroredVisibility:
    """A VisibilityStore whose ended executions are written through to `execution:<id>`.

    The value is `{"execution_id", "workspace_id", "workflow_id", "status", "started_at", "closed_at"}`, times
    in seconds since 1970. Nothing in LinkFlow reads it: the store is the truth.
    """

    def __init__(self, store: VisibilityStore, cache: Cache) -> None:
        self._store, self._cache = store, cache

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write rows; then mirror those that ended."""
        await self._store.write(projected, messages)
        ended = [each.row for each in projected if each.row.closed_at is not None]
        if ended:
            await self._cache.put_all({f"execution:{row.execution_id}": _line(row) for row in ended}, KEPT_S)

    async def meter(self, messages: Sequence[Message]) -> None:
        """Count what executions used; see the port."""
        await self._store.meter(messages)

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List rows, newest first."""
        return await self._store.list(query)

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count rows; see the port."""
        return await self._store.count(query)

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest rows of each of some workflows; see the port."""
        return await self._store.latest(workspace_id, workflow_ids, limit)

    async def executions(self, after: str, limit: int) -> Sequence[str]:
        """List executions that have a history; see the port."""
        return await self._store.executions(after, limit)

    async def rewrite(self, projected: Sequence[Projected]) -> None:
        """Write rows again; what ended long ago is not mirrored again."""
        await self._store.rewrite(projected)


def _line(row: ExecutionRow) -> Json:
    """Say how an execution ended."""
    return {
        "execution_id": row.execution_id,
        "workspace_id": row.workspace_id,
        "workflow_id": row.workflow_id,
        "status": row.status,
        "started_at": row.started_at,
        "closed_at": row.closed_at,
    }
