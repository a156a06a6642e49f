"""Searching executions: attributes that a workspace declares, searches that people keep."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor
from linkflow.domain.attributes import NAME, AttributeKind, checked, read
from linkflow.domain.errors import Denied, Invalid, NotFound
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records, WorkflowQuery
from linkflow.ports.searches import SavedSearch, SearchAttribute
from linkflow.ports.services import ExecutionPage, ExecutionQuery, ExecutionRow, Visibility
from linkflow.ports.views import AttributeMatch

KEPT_S = 30.0
MOST_ATTRIBUTES = 50
NAMED_WORKFLOWS = 100
MOST_LATEST = 100
"""Workflows whose newest executions one request lists."""
ASKED = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)\s*(>=|<=|=)\s*(.*)", re.DOTALL)


class Searches:
    """Search, count, and keep searches."""

    def __init__(
        self, records: Records, visibility: Visibility, prepared: Prepared, clock: Clock, ids: IdSource
    ) -> None:
        self._records, self._visibility, self._prepared = records, visibility, prepared
        self._clock, self._ids = clock, ids

    async def list(self, actor: Actor, query: ExecutionQuery, attributes: Sequence[str]) -> ExecutionPage:
        """List executions that a search finds, newest first.

        Args:
            actor: Who asks.
            query: What is asked for; of the actor's workspace.
            attributes: What attributes must be, as people write it: `name=value`, `name>=value`.

        Raises:
            Invalid: An attribute is not declared, or its value is of another kind.
        """
        actor.require("execution.view")
        return await self._visibility.list(await self._whole(query, attributes))

    async def count(
        self, actor: Actor, query: ExecutionQuery, attributes: Sequence[str]
    ) -> Mapping[str, int]:
        """Count executions that a search finds, by what the query groups by, largest first."""
        actor.require("execution.view")
        return await self._visibility.count(await self._whole(query, attributes))

    async def latest(
        self, actor: Actor, workflow_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[ExecutionRow]]:
        """List the newest executions of each of some workflows.

        Returns:
            `{workflow id: newest first}`, in the order asked for; of a workflow that is not in the workspace,
            as of one that never ran, there are none.

        Raises:
            Invalid: `search.workflows`: none is named, or more than `MOST_LATEST`.
        """
        actor.require("execution.view")
        asked = list(dict.fromkeys(workflow_ids))
        if not 0 < len(asked) <= MOST_LATEST:
            raise Invalid(f"Name 1 to {MOST_LATEST} workflows by workflow_id.", code="search.workflows")
        found: dict[str, list[ExecutionRow]] = {each: [] for each in asked}
        for row in await self._visibility.latest(actor.workspace_id, asked, limit):
            found[row.workflow_id].append(row)
        return found

    async def _whole(self, query: ExecutionQuery, attributes: Sequence[str]) -> ExecutionQuery:
        """Add what only the records know: kinds of attributes, names of workflows."""
        if query.text:
            named = WorkflowQuery(
                workspace_id=query.workspace_id, search=query.text.strip(), limit=NAMED_WORKFLOWS
            )
            found = await self._records.workflows.list(named)
            query = msgspec.structs.replace(query, text_workflows=[each.id for each in found])
        if attributes:
            kinds = await self._kinds(query.workspace_id)
            matches = [_match(kinds, text) for text in attributes]
            query = msgspec.structs.replace(query, attributes=matches)
        return query

    async def typed(self, actor: Actor, attributes: Mapping[str, Json]) -> Mapping[str, Json]:
        """Take the attributes that an execution is started with.

        Raises:
            Invalid: One is not declared, or its value is of another kind.
        """
        if not attributes:
            return {}
        kinds = await self._kinds(actor.workspace_id)
        return {name: checked(name, _kind(kinds, name), value) for name, value in attributes.items()}

    async def _kinds(self, workspace_id: str) -> Mapping[str, AttributeKind]:
        """Read what a workspace can search by."""
        found: Mapping[str, AttributeKind] | None = self._prepared.get(f"attributes:{workspace_id}")
        if found is None:
            declared = await self._records.searches.attributes(workspace_id)
            found = {each.name: AttributeKind(each.kind) for each in declared}
            self._prepared.put(f"attributes:{workspace_id}", found, KEPT_S)
        return found

    async def attributes(self, actor: Actor) -> Sequence[SearchAttribute]:
        """List what can be searched by."""
        actor.require("execution.view")
        return await self._records.searches.attributes(actor.workspace_id)

    async def declare(self, actor: Actor, name: str, kind: str) -> SearchAttribute:
        """Declare something to search by; values that executions have already count as far as they fit.

        Raises:
            Invalid: The name or the kind is none, or there are too many.
        """
        actor.require("workflow.update")
        if not NAME.fullmatch(name):
            raise Invalid("An attribute's name has letters, digits, _ and -, at most 64, a letter first.")
        if kind not in set(AttributeKind):
            raise Invalid(f"{kind!r} is no kind of attribute; say {', '.join(AttributeKind)}.")
        declared = await self._records.searches.attributes(actor.workspace_id)
        if len(declared) >= MOST_ATTRIBUTES and name not in {each.name for each in declared}:
            raise Invalid(f"A workspace has at most {MOST_ATTRIBUTES} attributes.")
        attribute = SearchAttribute(workspace_id=actor.workspace_id, name=name, kind=kind)
        await self._records.searches.put_attribute(attribute)
        self._prepared.drop(f"attributes:{actor.workspace_id}")
        return attribute

    async def withdraw(self, actor: Actor, name: str) -> None:
        """Stop searching by an attribute; executions keep their values. Safe to repeat."""
        actor.require("workflow.update")
        await self._records.searches.delete_attribute(actor.workspace_id, name)
        self._prepared.drop(f"attributes:{actor.workspace_id}")

    async def saved(self, actor: Actor) -> Sequence[SavedSearch]:
        """List the actor's own searches and those that are shared."""
        actor.require("execution.view")
        return await self._records.searches.list(actor.workspace_id, actor.user_id)

    async def read(self, actor: Actor, search_id: str) -> SavedSearch:
        """Read a search.

        Raises:
            NotFound: There is none, or it is somebody else's and not shared.
        """
        actor.require("execution.view")
        found = await self._records.searches.get(actor.workspace_id, search_id)
        if not found.is_shared and found.owner_id != actor.user_id:
            raise NotFound("There is no such search.", search_id=search_id)
        return found

    async def save(
        self, actor: Actor, name: str, query: Mapping[str, Json], *, is_shared: bool
    ) -> SavedSearch:
        """Keep a search.

        Raises:
            Conflict: The actor has another of that name.
        """
        actor.require("execution.view")
        search = SavedSearch(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            owner_id=actor.user_id,
            name=name,
            query=query,
            is_shared=is_shared,
            created_at=self._clock.now(),
        )
        await self._records.searches.create(search)
        return search

    async def change(
        self, actor: Actor, search_id: str, name: str, query: Mapping[str, Json], *, is_shared: bool
    ) -> SavedSearch:
        """Replace a search of one's own.

        Raises:
            Conflict: The actor has another of that name.
            Denied: It is somebody else's.
        """
        found = await self._own(actor, search_id)
        changed = msgspec.structs.replace(found, name=name, query=query, is_shared=is_shared)
        await self._records.searches.change(changed)
        return changed

    async def forget(self, actor: Actor, search_id: str) -> None:
        """Forget a search of one's own.

        Raises:
            Denied: It is somebody else's.
        """
        found = await self._own(actor, search_id)
        await self._records.searches.delete(actor.workspace_id, found.id)

    async def _own(self, actor: Actor, search_id: str) -> SavedSearch:
        """Read a search that the actor may change."""
        found = await self.read(actor, search_id)
        if found.owner_id != actor.user_id:
            raise Denied("Only whoever saved this search may change it.", search_id=search_id)
        return found


def _kind(kinds: Mapping[str, AttributeKind], name: str) -> AttributeKind:
    """Say the kind of an attribute.

    Raises:
        Invalid: It is not declared.
    """
    if name not in kinds:
        known = f"declared are {', '.join(sorted(kinds))}" if kinds else "none is declared"
        raise Invalid(
            f"There is no attribute {name!r} in this workspace; {known}.",
            code="attribute.unknown",
            attribute=name,
        )
    return kinds[name]


def _match(kinds: Mapping[str, AttributeKind], text: str) -> AttributeMatch:
    """Read one condition as people write it."""
    found = ASKED.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"{text!r} asks for no attribute; write name=value, name>=value or name<=value.")
    name, sign, value = found.groups()
    kind = _kind(kinds, name)
    if sign != "=" and kind not in (AttributeKind.NUMBER, AttributeKind.INSTANT):
        raise Invalid(f"The attribute {name!r} has no order; ask for it with =.", code="attribute.value")
    return AttributeMatch(name, sign, read(name, kind, value))
