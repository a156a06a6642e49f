"""VisibilityStore on PostgreSQL: one row per execution, its node runs as one JSON column.

`engine.execution_nodes` is a view over that column: a row per node, without an insert per node.

Usage is counted in the statement that writes the rows: a start with the row's birth, an end with the write
that closes it. A closed row has the execution's last version, so no later write replaces it, and whatever
comes twice counts once. The same statement notes starts and ends for those who follow a workspace.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from linkflow.adapters.sql.approvals import write_approvals
from linkflow.adapters.sql.database import Database, driver_errors, without_nul
from linkflow.adapters.sql.usage import count_used
from linkflow.domain.errors import Invalid, NodeError
from linkflow.domain.values import encode_json, is_execution_id
from linkflow.ports.services import ExecutionPage, ExecutionQuery, ExecutionRow, Projected
from linkflow.ports.stores import Message
from linkflow.ports.views import DURATIONS_S, AttributeMatch

_UPSERT = """
    INSERT INTO engine.visibility AS v
        (execution_id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
         started_at, closed_at, parent_id, origin, error, error_key, nodes, error_code, error_text,
         attributes)
    SELECT id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
        to_timestamp(started_at), to_timestamp(closed_at), parent_id, origin, error, error_key, nodes,
        error_code, error_text, attributes::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[],
        $8::text[], $9::float8[], $10::float8[], $11::text[], $12::text[], $13::bytea[], $14::text[],
        $15::bytea[], $16::text[], $17::text[], $18::text[])
        AS t(id, workspace_id, workflow_id, workflow_version, version, status, trigger_kind, mode,
             started_at, closed_at, parent_id, origin, error, error_key, nodes,
             error_code, error_text, attributes)
    ON CONFLICT (execution_id) DO UPDATE SET version = excluded.version, status = excluded.status,
        closed_at = excluded.closed_at, error = excluded.error, error_key = excluded.error_key,
        nodes = excluded.nodes, error_code = excluded.error_code, error_text = excluded.error_text,
        attributes = excluded.attributes"""

_WRITE = f"""
WITH written AS ({_UPSERT}, writes = v.writes + 1
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
        FROM written JOIN unnest($1::uuid[], $21::int[], $22::bigint[]) AS ran(id, nodes, node_ms)
            ON ran.id = execution_id
        WHERE closed_at IS NOT NULL
    ) AS each GROUP BY workspace_id, day ORDER BY workspace_id, day
    ON CONFLICT (workspace_id, day) DO UPDATE SET started = u.started + excluded.started,
        closed = u.closed + excluded.closed, failed = u.failed + excluded.failed,
        nodes = u.nodes + excluded.nodes, node_ms = u.node_ms + excluded.node_ms
), told AS (
    INSERT INTO engine.followed (execution_id, what, workspace_id)
    SELECT execution_id, what, workspace_id FROM written
    CROSS JOIN LATERAL (VALUES ('started', is_new), ('closed', closed_at IS NOT NULL)) AS t(what, holds)
    WHERE holds AND workspace_id IN (SELECT workspace_id FROM engine.followers)
    ON CONFLICT DO NOTHING
), acknowledged AS (
    DELETE FROM engine.outbox o USING unnest($19::uuid[], $20::int[]) AS m(execution_id, number)
    WHERE o.execution_id = m.execution_id AND o.number = m.number AND o.kind = 'project'
)
SELECT 1"""

_REWRITE = f"{_UPSERT} WHERE v.version <= excluded.version"
"""Makes rows again that are gone or out of date; what was counted already is not counted twice."""

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
    "error, error_key, attributes"
)

_LATEST = f"""
SELECT latest.* FROM unnest($2::text[]) AS w(id) CROSS JOIN LATERAL (
    SELECT {_ROW} FROM engine.visibility
    WHERE workflow_id = w.id AND workspace_id = $1 AND deleted_at IS NULL
    ORDER BY visibility.execution_id DESC LIMIT $3
) AS latest"""
"""Reads as many entries of the index by workflow as it answers rows, however many others there are."""

NOBODY = "00000000-0000-0000-0000-000000000000"
MOST_GROUPS = 1_000
MOST_WORDS = 16
ERROR_TEXT = 2_000
SKEW_S = 300.0
"""An execution has its id, which begins with the time, before it starts; clocks differ by less than this."""
_DURATION = "extract(epoch FROM closed_at - started_at)"
_CLASSES = " ".join(f"WHEN {_DURATION} <= {bound} THEN '{bound:g}'" for bound in DURATIONS_S)
_GROUPS = {
    "status": "status",
    "workflow": "workflow_id",
    "trigger": "trigger_kind",
    "mode": "mode",
    "error": "nullif(error_code, '')",
    "hour": """to_char(started_at, 'YYYY-MM-DD"T"HH24:00:00"Z"')""",
    "day": "to_char(started_at, 'YYYY-MM-DD')",
    "duration": f"CASE WHEN closed_at IS NULL THEN NULL {_CLASSES} ELSE 'inf' END",
}
_IMPLIED = (
    (frozenset(("failed", "timed_out")), "error_text <> ''"),
    (frozenset(("queued", "running", "waiting")), "closed_at IS NULL"),
)
"""What every row of some statuses also is, and a partial index is made for."""
_CONDITIONS = {
    "started_from": "started_at >= {}",
    "started_to": "started_at < {}",
    "closed_from": "closed_at >= {}",
    "closed_to": "closed_at < {}",
    "min_duration_s": f"{_DURATION} >= {{}}",
    "max_duration_s": f"{_DURATION} < {{}}",
}
_NUMBER = (
    "CASE WHEN jsonb_typeof(attributes -> ${n}::text) = 'number' THEN (attributes ->> ${n}::text)::float8 END"
)

_decode_error = msgspec.json.Decoder(NodeError).decode
_decode_attributes = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


class SqlVisibilityStore:
    """The read model of executions in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, projected: Sequence[Projected], messages: Sequence[Message]) -> None:
        """Write rows and forget messages; see `VisibilityStore`. In one order, so that writers only wait."""
        projected = sorted(projected, key=lambda item: item.row.execution_id)
        messages = sorted(messages, key=lambda message: (message.execution_id, message.number))
        columns = [
            *_columns(projected),
            [message.execution_id for message in messages],
            [message.number for message in messages],
            *_effort(projected),
        ]
        await self._write(_WRITE, columns, projected)

    async def meter(self, messages: Sequence[Message]) -> None:
        """Count what executions used; see `VisibilityStore`."""
        with driver_errors():
            async with self._database.transaction() as connection:
                await count_used(connection, messages)

    async def rewrite(self, projected: Sequence[Projected]) -> None:
        """Make rows again; see `VisibilityStore`."""
        projected = sorted(projected, key=lambda item: item.row.execution_id)
        await self._write(_REWRITE, _columns(projected), projected)

    async def executions(self, after: str, limit: int) -> Sequence[str]:
        """List ids of executions in order; see `VisibilityStore`."""
        with driver_errors():
            found = await self._database.pool.fetch(
                "SELECT execution_id::text FROM engine.executions"
                " WHERE execution_id > $1 ORDER BY executions.execution_id LIMIT $2",
                after or NOBODY,
                limit,
            )
        return [record[0] for record in found]

    async def _write(
        self, statement: str, columns: Sequence[Sequence[Any]], projected: Sequence[Projected]
    ) -> None:
        """Write rows and log lines in one transaction."""
        lines = [
            (item.row.execution_id, number, line)
            for item in projected
            for number, line in enumerate(item.logs)
        ]
        with driver_errors():
            async with self._database.transaction() as connection:
                await connection.fetch(statement, *columns)
                await write_approvals(connection, projected)
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
                f"ORDER BY visibility.execution_id DESC LIMIT ${len(values)}",
                *values,
            )
        rows = [_row(record) for record in found[:limit]]
        return ExecutionPage(rows=rows, next=rows[-1].execution_id if len(found) > limit else "")

    async def count(self, query: ExecutionQuery) -> Mapping[str, int]:
        """Count rows; see `VisibilityStore`."""
        where, values = _where(query)
        by = _GROUPS.get(query.group_by)
        if by is None:
            raise Invalid(f"Executions cannot be counted by {query.group_by!r}; say {', '.join(_GROUPS)}.")
        with driver_errors():
            found = await self._database.pool.fetch(
                f"SELECT {by} AS key, count(*) AS n FROM engine.visibility WHERE {where} "
                f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_GROUPS}",
                *values,
            )
        return {record[0]: record[1] for record in found if record[0] is not None}

    async def latest(
        self, workspace_id: str, workflow_ids: Sequence[str], limit: int
    ) -> Sequence[ExecutionRow]:
        """List the newest rows of each of some workflows; see `VisibilityStore`."""
        with driver_errors():
            found = await self._database.pool.fetch(_LATEST, workspace_id, list(workflow_ids), limit)
        return [_row(record) for record in found]


def _columns(projected: Sequence[Projected]) -> list[Sequence[Any]]:
    """Say rows as the first columns of the statements."""
    rows = [item.row for item in projected]
    return [
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
        [row.error.code if row.error else "" for row in rows],
        [_error_text(row) for row in rows],
        [without_nul(_encode(row.attributes)).decode() if row.attributes else None for row in rows],
    ]


def _error_text(row: ExecutionRow) -> str:
    """Say what is searched for words: the node that failed, the code, the message."""
    if row.error is None:
        return ""
    said = f"{row.error_key} {row.error.code} {row.error.message}".replace(".", " ").replace("\0", "\ufffd")
    return said[:ERROR_TEXT]


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

    if query.status:
        add("status = ANY({}::text[])", list(query.status))
        parts += [condition for statuses, condition in _IMPLIED if statuses.issuperset(query.status)]
    for name in ("workflow_id", "trigger_kind", "mode", "parent_id", "error_code"):
        if getattr(query, name):
            add(f"{name} = {{}}", getattr(query, name))
    if query.error_code:
        parts.append("error_text <> ''")
    for name, condition in _CONDITIONS.items():
        bound = getattr(query, name)
        if bound is not None:
            add(condition, float(bound) if name.endswith("_s") else _instant(bound))
    if query.started_to is not None and query.started_to > 0:
        ms = int((query.started_to + SKEW_S) * 1000) & 0xFFFFFFFFFFFF
        add("visibility.execution_id < {}", f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-0000-0000-000000000000")
    parts += [_attribute(match, values) for match in query.attributes]
    if query.text:
        parts.append(_text(query, values))
    return " AND ".join(parts), values


def _attribute(match: AttributeMatch, values: list[Any]) -> str:
    """Build the condition of one attribute."""
    if match.sign == "=":
        values.append(_encode({match.name: match.value}).decode())
        return f"attributes @> ${len(values)}::text::jsonb"
    values += [match.name, float(match.value)]
    sign = {">=": ">=", "<=": "<="}[match.sign]
    return f"({_NUMBER.format(n=len(values) - 1)}) {sign} ${len(values)}"


def _instant(seconds: float) -> datetime:
    """Say an instant as the driver wants it.

    Raises:
        Invalid: No calendar has it.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid(f"{seconds} is no instant in seconds since 1970.") from error


def _text(query: ExecutionQuery, values: list[Any]) -> str:
    """Build the condition of a text: words of the error, names of workflows, the execution's id."""
    text, found = query.text.strip(), []
    words = re.findall(r"\w+", text.replace("\0", ""))[:MOST_WORDS]
    if words:
        values.append(" & ".join(f"{word}:*" for word in words))
        asked = f"to_tsquery('simple', ${len(values)})"
        found.append(f"(error_text <> '' AND to_tsvector('simple', error_text) @@ {asked})")
    if query.text_workflows:
        values.append(list(query.text_workflows))
        found.append(f"workflow_id = ANY(${len(values)}::text[])")
    if is_execution_id(text):
        values.append(text)
        found.append(f"execution_id = ${len(values)}::uuid")
    return f"({' OR '.join(found)})" if found else "false"


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
        attributes=_decode_attributes(record[14]) if record[14] is not None else {},
    )
