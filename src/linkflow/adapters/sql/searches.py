"""Attributes and saved searches in PostgreSQL."""

from collections.abc import Sequence

import asyncpg

from linkflow.adapters.sql.owned import Owned
from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import Conflict
from linkflow.ports.searches import SavedSearch, SearchAttribute

ATTRIBUTES = Table("control.search_attributes", SearchAttribute)
SEARCHES = Table("control.saved_searches", SavedSearch, json=("query",))
_attribute = ATTRIBUTES.reader(SearchAttribute)
_search = SEARCHES.reader(SavedSearch)


def _taken(search: SavedSearch) -> Conflict:
    """Say that the name is taken."""
    return Conflict(f"You have a search {search.name!r} already.", code="search.name_taken")


class SqlSearches:
    """Attributes and saved searches on two tables."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements
        self._owned = Owned(statements, SEARCHES, SavedSearch, "search")

    async def attributes(self, workspace_id: str) -> Sequence[SearchAttribute]:
        """List attributes by name."""
        found = await self._sql.of(workspace_id).rows(
            f"{ATTRIBUTES.select} WHERE workspace_id = $1 ORDER BY name", workspace_id
        )
        return [_attribute(row) for row in found]

    async def put_attribute(self, attribute: SearchAttribute) -> None:
        """Keep an attribute, or change its kind."""
        await self._sql.of(attribute.workspace_id).run(
            f"{ATTRIBUTES.insert} ON CONFLICT (workspace_id, name) DO UPDATE SET kind = excluded.kind",
            *ATTRIBUTES.values(attribute),
        )

    async def delete_attribute(self, workspace_id: str, name: str) -> None:
        """Forget an attribute."""
        await self._sql.of(workspace_id).run(
            "DELETE FROM control.search_attributes WHERE workspace_id = $1 AND name = $2", workspace_id, name
        )

    async def list(self, workspace_id: str, user_id: str) -> Sequence[SavedSearch]:
        """List a user's own searches and those that are shared, by name."""
        found = await self._sql.of(workspace_id).rows(
            f"{SEARCHES.select} WHERE workspace_id = $1 AND (owner_id = $2 OR is_shared) ORDER BY name, id",
            workspace_id,
            user_id,
        )
        return [_search(row) for row in found]

    async def get(self, workspace_id: str, search_id: str) -> SavedSearch:
        """Read a search."""
        return await self._owned.get(workspace_id, search_id)

    async def create(self, search: SavedSearch) -> None:
        """Keep a new search."""
        await self._sql.of(search.workspace_id).insert(
            _taken(search), SEARCHES.insert, *SEARCHES.values(search)
        )

    async def change(self, search: SavedSearch) -> None:
        """Replace a search."""
        try:
            await self._owned.change(search)
        except asyncpg.UniqueViolationError as error:
            raise _taken(search) from error

    async def delete(self, workspace_id: str, search_id: str) -> None:
        """Forget a search."""
        await self._owned.delete(workspace_id, search_id)
