"""Searching executions: what a workspace can search by, and the searches that people keep."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from linkflow.domain.values import Json


class SearchAttribute(msgspec.Struct, frozen=True, kw_only=True):
    """Something that executions of a workspace can be searched by.

    Attributes:
        kind: text, number, boolean or instant.
    """

    workspace_id: str
    name: str
    kind: str


class SavedSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search that somebody keeps.

    Attributes:
        owner_id: The user who keeps it; nobody else may change it.
        query: Parameters of the search, as in its address: `{name: text or [texts]}`.
        is_shared: Everybody in the workspace sees it.
    """

    id: str
    workspace_id: str
    owner_id: str
    name: str
    query: Mapping[str, Json]
    is_shared: bool = False
    created_at: float = 0.0


class Searches(Protocol):
    """Attributes and saved searches of workspaces."""

    async def attributes(self, workspace_id: str) -> Sequence[SearchAttribute]:
        """List attributes by name."""
        ...

    async def put_attribute(self, attribute: SearchAttribute) -> None:
        """Keep an attribute, or change its kind. Safe to repeat."""
        ...

    async def delete_attribute(self, workspace_id: str, name: str) -> None:
        """Forget an attribute; executions keep their values. Safe to repeat."""
        ...

    async def list(self, workspace_id: str, user_id: str) -> Sequence[SavedSearch]:
        """List a user's own searches and those that are shared, by name."""
        ...

    async def get(self, workspace_id: str, search_id: str) -> SavedSearch:
        """Read a search.

        Raises:
            NotFound: No such search in this workspace.
        """
        ...

    async def create(self, search: SavedSearch) -> None:
        """Keep a new search.

        Raises:
            Conflict: Its owner has another of that name.
        """
        ...

    async def change(self, search: SavedSearch) -> None:
        """Replace a search.

        Raises:
            Conflict: Its owner has another of that name.
            NotFound: It was removed; nothing was written.
        """
        ...

    async def delete(self, workspace_id: str, search_id: str) -> None:
        """Forget a search. Safe to repeat."""
        ...
