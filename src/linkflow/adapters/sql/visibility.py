"""VisibilityStore on PostgreSQL: one row per execution, its node runs as one JSON column.

`engine.execution_nodes` is a view over that column: a row per node, without an insert per node.

Usage is counted in the statement that writes the rows: a start with the row's birth, an end with the write
that closes it. A closed row has the execution's last version, so no later write replaces it, and whatever
comes twice counts once.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from linkflow.adapters.sql.database import Database, driver_errors, without_nul
from linkflow.domain.errors import Invalid, NodeError
from linkflow.domain.values import encode_json, is_execution_id
from linkflow.ports.services import ExecutionPage, ExecutionQuery, ExecutionRow, Projected
from linkflow.ports.stores import Message

_WRITE = """
WITH written AS (
    INSERT INTO engine.visibility AS v
        (execution_id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
         started_at, closed_at, parent_id, origin, error, error_key, nodes)
    SELECT id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
        to_timestamp(started_at), to_timestamp(closed_at), parent_id, origin, error, error_key, nodes
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[],
        $8::text[], $9::float8[], $10::float8[], $11::text[], $12::text[], $13::bytea[], $14::text[],
        $15::bytea[])
        AS t(id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
             started_at, closed_at, parent_id, origin, error, error_key, nodes)
    ON CONFLICT (execution_id) DO UPDATE SET version = excluded.version, status = excluded.status,
        closed_at = excluded.closed_at, error = excluded.error, error_key = excluded.error_key,
        nodes = excluded.nodes, writes = v.writes + 1
    WHERE v.version < excluded.version
    RETURNING execution_id, workspace_id, started_at, closed_at, status, writes = 1 AS is_new
), counted AS (
    INSERT INTO engine.usage_days AS u (workspace_id, day, started, closed, failed, nodes, node_ms)
    SELECT workspace_id, day, sum(started), sum(closed), sum(failed), sum(nodes), sum(node_ms) FROM (
        SELECT workspace_id, (started_at AT TIME ZONE 'UTC')::date AS day, 1 AS started, 0 AS closed,
            0 AS failed, 0 AS nodes, 0 AS node_ms
        FROM written WHERE is_new
        UNION ALL
        SELECT workspace_id, (closed_at AT TIME ZONE 'UTC')::date, 0, 1,
            (status IN ('failed', 'timed_out'))::int, ran.nodes, ran.node_ms
        FROM written JOIN unnest($1::uuid[], $18::int[], $19::bigint[]) AS ran(id, nodes, node_ms)
            ON ran.id = execution_id
        WHERE closed_at IS NOT NULL
    ) AS each GROUP BY workspace_id, day ORDER BY workspace_id, day
    ON CONFLICT (workspace_id, day) DO UPDATE SET started = u.started + excluded.started,
        closed = u.closed + excluded.closed, failed = u.failed + excluded.failed,
        nodes = u.nodes + excluded.nodes, node_ms = u.node_ms + excluded.node_ms
), acknowledged AS (
    DELETE FROM engine.outbox o USING unnest($16::uuid[], $17::int[]) AS m(execution_id, number)
    WHERE o.execution_id = m.execution_id AND o.number = m.number AND o.kind = 'project'
)
SELECT 1"""

_LOGS = """
INSERT INTO engine.execution_logs (execution_id, event, line, at, key, level, message, data)
SELECT id, event, line, to_timestamp(at), key, level, message, data
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::float8[], $5::text[], $6::text[], $7::text[], $8::bytea[])
    AS t(id, event, line, at, key, level, message, data)
ON CONFLICT DO NOTHING"""

_ROW = (
    "execution_id::text, workspace_id::text, workflow_id, workflow_version, version, status, "
    "trigger_kind, mode, "
    "extract(epoch FROM started_at)::float8, extract(epoch FROM closed_at)::float8, parent_id, origin, "
    "error, error_key"
)

_decode_error = msgspec.json.Decoder(NodeError).decode
_encode = msgspec.json.Encoder().encode


class SqlVisibilityStore:
    """The read model of executions in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write rows and forget messages; see `VisibilityStore`. In one order, so that writers only wait."""
        projected = sorted(projected, key=lambda item: item.row.execution_id)
        messages = sorted(messages, key=lambda message: (message.execution_id, message.number))
        rows = [item.row for item in projected]
        columns: list[Any] = [
            [row.execution_id for row in rows],
            [row.workspace_id for row in rows],
            [row.workflow_id for row in rows],
            [row.workflow_version for row in rows],
            [row.version for row in rows],
            [row.status for row in rows],
            [row.trigger_kind for row in rows],
            [row.mode for row in rows],
            [row.started_at for row in rows],
            [row.closed_at for row in rows],
            [row.parent_id for row in rows],
            [row.origin for row in rows],
            [_encode(row.error) if row.error else None for row in rows],
            [row.error_key for row in rows],
            [without_nul(_encode(item.nodes)) if item.nodes else None for item in projected],
            [message.execution_id for message in messages],
            [message.number for message in messages],
            *_effort(projected),
        ]
        lines = [
            (item.row.execution_id, number, line)
            for item in projected
            for number, line in enumerate(item.logs)
        ]
        with driver_errors():
            async with self._database.transaction() as connection:
                await connection.fetch(_WRITE, *columns)
                if lines:
                    await connection.execute(
                        _LOGS,
                        [execution_id for execution_id, _, _ in lines],
                        [line.event for _, _, line in lines],
                        [number for _, number, _ in lines],
                        [line.at for _, _, line in lines],
                        [line.key for _, _, line in lines],
                        [line.level for _, _, line in lines],
                        [line.message.replace("\0", "\ufffd") for _, _, line in lines],
                        [encode_json(line.data) if line.data is not None else None for _, _, line in lines],
                    )

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """List rows; see `VisibilityStore`."""
        where, values = _where(query)
        if query.after:
            if not is_execution_id(query.after):
                raise Invalid("The cursor is not one of ours; leave `after` out for the first page.")
            values.append(query.after)
            where += f" AND execution_id < ${len(values)}"
        limit = max(1, min(query.limit, 100))
        values.append(limit + 1)
        with driver_errors():
            found = await self._database.pool.fetch(
                f"SELECT {_ROW} FROM engine.visibility WHERE {where} "  # our own text
                f"ORDER BY execution_id DESC LIMIT ${len(values)}",
                *values,
            )
        rows = [_row(record) for record in found[:limit]]
        return ExecutionPage(rows=rows, next=rows[-1].execution_id if len(found) > limit else "")

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count rows by status; see `VisibilityStore`."""
        where, values = _where(query)
        with driver_errors():
            found = await self._database.pool.fetch(
                f"SELECT status, count(*) FROM engine.visibility WHERE {where} GROUP BY status",
                *values,
            )
        return {record[0]: record[1] for record in found}


def _effort(projected: Sequence[Projected]) -> tuple[list[int], list[int]]:
    """Count the nodes that workers ran in each execution, and how long together, milliseconds."""
    nodes: list[int] = []
    node_ms: list[int] = []
    for item in projected:
        runs = msgspec.convert(item.nodes, list[_Ran], from_attributes=True)
        spans = [
            max(0, round(1000 * (run.ended_at - run.started_at)))
            for run in runs
            if run.scheduled_at is not None and run.started_at is not None and run.ended_at is not None
        ]
        nodes.append(len(spans))
        node_ms.append(sum(spans))
    return nodes, node_ms


class _Ran(msgspec.Struct):
    """When a node ran, of a `NodeRun` or its JSON; `scheduled_at` is None where no worker ran it."""

    scheduled_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None


def _where(query: ExecutionQuery) -> tuple[str, list[Any]]:
    """Build the condition of a query; every query names its workspace."""
    values: list[Any] = [query.workspace_id]
    parts = ["workspace_id = $1", "deleted_at IS NULL"]

    def add(condition: str, value: Any) -> None:
        values.append(value)
        parts.append(condition.format(f"${len(values)}"))

    if query.workflow_id:
        add("workflow_id = {}", query.workflow_id)
    if query.status:
        add("status = ANY({}::text[])", list(query.status))
    if query.trigger_kind:
        add("trigger_kind = {}", query.trigger_kind)
    if query.mode:
        add("mode = {}", query.mode)
    if query.parent_id:
        add("parent_id = {}", query.parent_id)
    if query.started_from is not None:
        add("started_at >= {}", datetime.fromtimestamp(query.started_from, UTC))
    if query.started_to is not None:
        add("started_at < {}", datetime.fromtimestamp(query.started_to, UTC))
    return " AND ".join(parts), values


def _row(record: Any) -> ExecutionRow:
    return ExecutionRow(
        execution_id=record[0],
        workspace_id=record[1],
        workflow_id=record[2],
        workflow_version=record[3],
        version=record[4],
        status=record[5],
        trigger_kind=record[6],
        mode=record[7],
        started_at=record[8],
        closed_at=record[9],
        parent_id=record[10],
        origin=record[11],
        error=_decode_error(record[12]) if record[12] is not None else None,
        error_key=record[13],
    )
