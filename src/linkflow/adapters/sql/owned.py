"""Records of one kind that belong to workspaces: read, changed and removed by workspace and id."""

from collections.abc import Sequence
from typing import Generic

from linkflow.adapters.sql.statements import R, Statements, Table
from linkflow.domain.errors import NotFound


class Owned(Generic[R]):
    """Records on a table with the columns `id` and `workspace_id`.

    Args:
        statements: Runs them.
        table: Where they are.
        record: What they are.
        noun: What people call one.
    """

    def __init__(self, statements: Statements, table: Table, record: type[R], noun: str) -> None:
        self._sql, self._table, self._noun = statements, table, noun
        self._read = table.reader(record)

    async def get(self, workspace_id: str, record_id: str) -> R:
        """Read a record.

        Raises:
            NotFound: No such record in this workspace.
        """
        found = await self._sql.of(workspace_id).row(
            f"{self._table.select} WHERE workspace_id = $1 AND id = $2", workspace_id, record_id
        )
        if found is None:
            raise self._missing(record_id)
        return self._read(found)

    async def change(self, record: R, *, grows: Sequence[str] = ()) -> None:
        """Replace a record that is there; the columns that only grow keep the greater number.

        Raises:
            NotFound: It was removed; nothing was written.
        """
        columns, values = self._table.columns, self._table.values(record)
        workspace_id, record_id = (values[columns.index(name)] for name in ("workspace_id", "id"))
        changed = ", ".join(
            f"{name} = greatest({name}, ${n})" if name in grows else f"{name} = ${n}"
            for n, name in enumerate(columns, 1)
            if name not in ("id", "workspace_id")
        )
        own = f"workspace_id = ${columns.index('workspace_id') + 1} AND id = ${columns.index('id') + 1}"
        statement = f"UPDATE {self._table.name} SET {changed} WHERE {own}"
        if not await self._sql.of(workspace_id).run(statement, *values):
            raise self._missing(record_id)

    async def delete(self, workspace_id: str, record_id: str) -> None:
        """Remove a record. Safe to repeat."""
        await self._sql.of(workspace_id).run(
            f"DELETE FROM {self._table.name} WHERE workspace_id = $1 AND id = $2", workspace_id, record_id
        )

    def _missing(self, record_id: str) -> NotFound:
        """Say that there is no such record."""
        return NotFound(f"There is no such {self._noun}.", **{f"{self._noun}_id": record_id})
