"""Starts and ends of followed executions, in PostgreSQL; `visibility.py` writes them with its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from linkflow.adapters.sql.database import Database, driver_errors
from linkflow.domain.errors import NodeError
from linkflow.ports.subscriptions import FollowedExecution

_PENDING = """
SELECT f.execution_id::text, f.what, f.workspace_id::text, v.workflow_id, v.status, v.trigger_kind, v.mode,
    extract(epoch FROM v.started_at)::float8 AS started_at,
    extract(epoch FROM v.closed_at)::float8 AS closed_at, v.error_code, v.error
FROM engine.followed f JOIN engine.visibility v ON v.execution_id = f.execution_id
ORDER BY f.execution_id, f.what DESC LIMIT $1"""


_decode_error = msgspec.json.Decoder(NodeError).decode


def _followed(row: dict[str, Any]) -> FollowedExecution:
    """Read a row; the error as it was said."""
    error = row.pop("error")
    return FollowedExecution(**row, error_text=_decode_error(error).message if error else "")


class SqlFollowedExecutions:
    """What happened, on a table beside the rows of executions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follow(self, workspace_ids: Sequence[str]) -> None:
        """Keep what happens in these workspaces from now on; the row's version is its mark."""
        with driver_errors():
            await self._database.pool.execute(
                "INSERT INTO engine.followers SELECT unnest($1::uuid[])"
                " ON CONFLICT (workspace_id) DO UPDATE SET workspace_id = excluded.workspace_id",
                sorted(workspace_ids),
            )

    async def followed(self) -> Mapping[str, str]:
        """Say which workspaces are followed."""
        with driver_errors():
            rows = await self._database.pool.fetch(
                "SELECT workspace_id::text AS id, xmin::text AS mark FROM engine.followers"
            )
        return {row["id"]: row["mark"] for row in rows}

    async def unfollow(self, marks: Mapping[str, str]) -> None:
        """Keep no more of what happens in workspaces."""
        with driver_errors():
            await self._database.pool.execute(
                "DELETE FROM engine.followers f USING unnest($1::uuid[], $2::text[]) AS t(id, mark)"
                " WHERE f.workspace_id = t.id AND f.xmin::text = t.mark",
                list(marks),
                list(marks.values()),
            )

    async def pending(self, limit: int) -> Sequence[FollowedExecution]:
        """List what happened; a start comes before the end."""
        with driver_errors():
            rows = await self._database.pool.fetch(_PENDING, limit)
        return [_followed(dict(row)) for row in rows]

    async def settle(self, followed: Sequence[FollowedExecution]) -> None:
        """Forget what happened."""
        with driver_errors():
            await self._database.pool.execute(
                "DELETE FROM engine.followed f USING unnest($1::uuid[], $2::text[]) AS t(id, what)"
                " WHERE f.execution_id = t.id AND f.what = t.what",
                [each.execution_id for each in followed],
                [each.what for each in followed],
            )
