"""Executions of the past for lists and charts: rows in the read model, without histories."""

from collections.abc import Sequence

from linkflow.adapters.sql.database import Database
from linkflow.adapters.sql.visibility import SqlVisibilityStore
from linkflow.domain.errors import NodeError
from linkflow.domain.values import derived_execution_id
from linkflow.ports.views import ExecutionRow, Projected

AT_ONCE = 1_000


def past_row(
    workspace_id: str,
    workflow_id: str,
    number: int,
    started_at: float,
    *,
    status: str = "completed",
    took_s: float = 0.5,
    trigger_kind: str = "webhook",
    error: NodeError | None = None,
) -> ExecutionRow:
    """Say one execution that is over; `number` tells it from the others, `started_at` is since 1970."""
    return ExecutionRow(
        execution_id=derived_execution_id(int(started_at * 1000), workflow_id, str(number)),
        workspace_id=workspace_id,
        workflow_id=workflow_id,
        workflow_version=1,
        status=status,
        trigger_kind=trigger_kind,
        started_at=started_at,
        closed_at=started_at + took_s,
        version=4,
        error=error,
    )


async def write_past(dsn: str, rows: Sequence[ExecutionRow]) -> None:
    """Write executions into the read model of an installation."""
    database = await Database.open(dsn, pool_size=1)
    try:
        store = SqlVisibilityStore(database)
        for first in range(0, len(rows), AT_ONCE):
            await store.write([Projected(row=row) for row in rows[first : first + AT_ONCE]], ())
    finally:
        await database.close()


async def write_closed(database: Database, execution_id: str) -> None:
    """Write the head of an execution that is over, for who asks only that."""
    await database.pool.execute(
        "INSERT INTO engine.executions (execution_id, version, status, closed_at, started_at, "
        "workflow_version, workspace_id, workflow_id) "
        "VALUES ($1, 1, 'completed', now(), now(), 1, gen_random_uuid(), 'w')",
        execution_id,
    )
