"""The audit log in PostgreSQL, one chain per workspace.

A line is chained by the statement that writes it: the head's row is locked, moved on and joined, so that two
writers follow one another and a transaction that is rolled back leaves no gap.
"""

from collections.abc import Mapping, Sequence

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.audit import AuditHead, AuditLine, said
from linkflow.ports.audit import AuditQuery

AUDIT = Table("control.audit_logs", AuditLine, json=("details",))
_line = AUDIT.reader(AuditLine)
_CHAINED = ("number", "previous", "hash")
_GIVEN = [column for column in AUDIT.columns if column not in _CHAINED]
_APPEND = f"""
WITH head AS (
  INSERT INTO control.audit_heads AS h (workspace_id, number, previous, hash)
  VALUES ($1, 1, '', sha256($2::bytea))
  ON CONFLICT (workspace_id) DO UPDATE
  SET number = h.number + 1, previous = h.hash, hash = sha256(h.hash || $2::bytea)
  WHERE h.workspace_id = $1
  RETURNING number, previous, hash)
INSERT INTO control.audit_logs ({", ".join(_GIVEN)}, {", ".join(_CHAINED)})
SELECT {", ".join(f"${place}" for place in range(3, len(_GIVEN) + 3))}, number, previous, hash FROM head"""


class SqlAuditLog:
    """Lines on a table."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def append(self, line: AuditLine) -> None:
        """Write a line and chain it."""
        given = dict(zip(AUDIT.columns, AUDIT.values(line), strict=True))
        await self._sql.of(line.workspace_id).run(
            _APPEND, line.workspace_id, said(line), *(given[column] for column in _GIVEN)
        )

    async def list(self, query: AuditQuery) -> Sequence[AuditLine]:
        """List lines, newest first."""
        found = await self._sql.of(query.workspace_id).rows(
            f"""{AUDIT.select} WHERE workspace_id = $1
                AND ($2 = '' OR action = $2 OR (right($2, 1) = '.' AND starts_with(action, $2)))
                AND ($3 = '' OR resource = $3) AND ($4 = '' OR actor_id = $4)
                AND ($5::float8 IS NULL OR at >= $5) AND ($6::float8 IS NULL OR at < $6)
                AND ($7::bigint = 0 OR number < $7) ORDER BY number DESC, at DESC LIMIT $8""",
            query.workspace_id,
            query.action,
            query.resource,
            query.actor_id,
            query.since,
            query.until,
            query.before,
            query.limit,
        )
        return [_line(row) for row in found]

    async def chain(self, workspace_id: str, after: int, limit: int) -> Sequence[AuditLine]:
        """List chained lines, oldest first."""
        found = await self._sql.of(workspace_id).rows(
            f"{AUDIT.select} WHERE workspace_id = $1 AND number > $2 ORDER BY number LIMIT $3",
            workspace_id,
            max(0, after),
            limit,
        )
        return [_line(row) for row in found]

    async def head(self, workspace_id: str) -> AuditHead:
        """Say where the chain ends."""
        found = await self._sql.of(workspace_id).row(
            "SELECT number, hash FROM control.audit_heads WHERE workspace_id = $1", workspace_id
        )
        return AuditHead() if found is None else AuditHead(number=found["number"], hash=found["hash"])

    async def ends(self, workspace_ids: Sequence[str]) -> Mapping[str, int]:
        """Say where many chains end."""
        found = await self._sql.rows(
            "SELECT workspace_id, number FROM control.audit_heads WHERE workspace_id = ANY($1::text[])",
            list(workspace_ids),
        )
        return {row[0]: row[1] for row in found}
