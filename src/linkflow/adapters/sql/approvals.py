"""Approvals in PostgreSQL: beside the rows of executions, and the keys of their links."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from linkflow.adapters.sql.database import Database, PooledConnection, driver_errors, text_without_nul
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import NotFound
from linkflow.domain.execution.approvals import Approval, approval_id
from linkflow.domain.values import decode_json, encode_json
from linkflow.ports.approvals import ApprovalLink, ApprovalQuery, ApprovalRow
from linkflow.ports.services import Projected

LINKS = Table("control.approval_links", ApprovalLink)
_link = LINKS.reader(ApprovalLink)

_COLUMNS = (
    "id, execution_id, key, workspace_id, workflow_id, version, node_id, label, status, deciders, round, "
    "opened_at, due_at, asked, decided_at, decided_by, comment, answer"
)
_CHANGING = (
    *("version", "status", "deciders", "round", "due_at", "asked"),
    *("decided_at", "decided_by", "comment", "answer"),
)
_PUT = f"""
INSERT INTO engine.approvals AS a ({_COLUMNS})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (execution_id, key) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}
WHERE a.version <= excluded.version"""
_SELECT = f"SELECT {_COLUMNS} FROM engine.approvals"


async def write_approvals(connection: PooledConnection, projected: Sequence[Projected]) -> None:
    """Write the approvals of executions beside their rows; an older version replaces nothing."""
    values = [
        (
            approval_id(item.row.execution_id, each.key),
            item.row.execution_id,
            each.key,
            item.row.workspace_id,
            item.row.workflow_id,
            item.row.version,
            each.node_id,
            text_without_nul(each.label),
            each.status,
            [text_without_nul(name) for name in each.deciders],
            each.round,
            each.opened_at,
            each.due_at,
            encode_json(each.asked),
            each.decided_at,
            text_without_nul(each.decided_by),
            text_without_nul(each.comment),
            encode_json(each.answer),
        )
        for item in projected
        for each in item.approvals
    ]
    if values:
        await connection.executemany(_PUT, values)


def _row(found: asyncpg.Record) -> ApprovalRow:
    """Read a row."""
    return ApprovalRow(
        id=found["id"],
        workspace_id=str(found["workspace_id"]),
        execution_id=str(found["execution_id"]),
        workflow_id=found["workflow_id"],
        approval=Approval(
            key=found["key"],
            node_id=found["node_id"],
            label=found["label"],
            status=found["status"],
            round=found["round"],
            opened_at=found["opened_at"],
            due_at=found["due_at"],
            asked=decode_json(found["asked"]),
            decided_at=found["decided_at"],
            decided_by=found["decided_by"],
            comment=found["comment"],
            answer=decode_json(found["answer"]),
        ),
    )


class SqlApprovalBoard:
    """What executions ask people; see `ApprovalBoard`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, query: ApprovalQuery) -> Sequence[ApprovalRow]:
        """List approvals; see `ApprovalBoard`."""
        values: list[Any] = [query.workspace_id]
        parts = ["workspace_id = $1"]

        def add(condition: str, value: Any) -> None:
            values.append(value)
            parts.append(condition.format(f"${len(values)}"))

        if query.statuses:
            add("status = ANY({}::text[])", list(query.statuses))
        if query.names is not None:
            add("(deciders = '{{}}' OR deciders && {}::text[])", [name.lower() for name in query.names])
        if query.workflow_id:
            add("workflow_id = {}", query.workflow_id)
        if query.execution_id:
            add("execution_id::text = {}", query.execution_id)
        if query.after:
            add(
                "(opened_at, id) < (SELECT opened_at, id FROM engine.approvals"
                " WHERE workspace_id = $1 AND id = {})",
                query.after,
            )
        values.append(query.limit)
        with driver_errors():
            found = await self._database.pool.fetch(
                f"{_SELECT} WHERE {' AND '.join(parts)}"  # our own text
                f" ORDER BY opened_at DESC, id DESC LIMIT ${len(values)}",
                *values,
            )
        return [_row(each) for each in found]

    async def get(self, workspace_id: str, approval_id: str) -> ApprovalRow:
        """Read an approval; see `ApprovalBoard`."""
        with driver_errors():
            found = await self._database.pool.fetchrow(
                f"{_SELECT} WHERE workspace_id = $1 AND id = $2", workspace_id, approval_id
            )
        if found is None:
            raise NotFound("There is no such approval.", approval_id=approval_id)
        return _row(found)

    async def untold(self, limit: int) -> Sequence[ApprovalRow]:
        """List what nobody was told of; see `ApprovalBoard`."""
        with driver_errors():
            found = await self._database.pool.fetch(
                f"{_SELECT} WHERE status = 'open' AND told_round < round ORDER BY opened_at LIMIT $1", limit
            )
        return [_row(each) for each in found]

    async def told(self, approval_id: str, number: int) -> None:
        """Note that deciders were told; see `ApprovalBoard`."""
        with driver_errors():
            await self._database.pool.execute(
                "UPDATE engine.approvals SET told_round = $2 WHERE id = $1 AND told_round < $2",
                approval_id,
                number,
            )


class SqlApprovalLinks:
    """Keys of links on a table; see `ApprovalLinks`."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add(self, link: ApprovalLink) -> bool:
        """Keep a key, or its next round; see `ApprovalLinks`."""
        done = await self._sql.of(link.workspace_id).run(
            f"{LINKS.insert} ON CONFLICT (id) DO UPDATE SET round = excluded.round, until = excluded.until,"
            " remind_at = excluded.remind_at WHERE approval_links.round < excluded.round",
            *LINKS.values(link),
        )
        return done == 1

    async def get(self, approval_id: str) -> ApprovalLink | None:
        """Read a key; see `ApprovalLinks`."""
        found = await self._sql.row(f"{LINKS.select} WHERE id = $1", approval_id)
        return None if found is None else _link(found)

    async def to_remind(self, now: float, limit: int) -> Sequence[ApprovalLink]:
        """List reminders that are due; see `ApprovalLinks`."""
        found = await self._sql.rows(
            f"{LINKS.select} WHERE remind_at <= $1 ORDER BY remind_at LIMIT $2", now, limit
        )
        return [_link(row) for row in found]

    async def reminded(self, link: ApprovalLink, next_at: float | None) -> bool:
        """Set the next reminder; see `ApprovalLinks`."""
        done = await self._sql.of(link.workspace_id).run(
            "UPDATE control.approval_links SET remind_at = $3"
            " WHERE workspace_id = $1 AND id = $2 AND remind_at = $4",
            link.workspace_id,
            link.id,
            next_at,
            link.remind_at,
        )
        return done == 1
