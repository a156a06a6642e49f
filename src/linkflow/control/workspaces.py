"""Workspaces: the tenants that everything belongs to."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.access import Access
from linkflow.control.actor import Actor, Audit
from linkflow.domain.audit import changed
from linkflow.domain.errors import Conflict, Invalid
from linkflow.domain.values import Json, encode_json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.identity import Member, Workspace
from linkflow.ports.records import Records

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
SETTINGS_BYTES = 64 * 1024


class Workspaces:
    """Lists, makes, changes and deletes workspaces."""

    def __init__(
        self, records: Records, access: Access, audit: Audit, prepared: Prepared, clock: Clock, ids: IdSource
    ) -> None:
        self._records, self._access, self._audit = records, access, audit
        self._prepared, self._clock, self._ids = prepared, clock, ids

    async def list(self, actor: Actor) -> Sequence[tuple[Workspace, str]]:
        """List the actor's workspaces with their role, oldest first; a key or a client sees its own only."""
        found = await self._records.tenancy.workspaces_of(actor.user_id)
        if actor.is_person:
            return found
        return [(workspace, role) for workspace, role in found if workspace.id == actor.workspace_id]

    async def create(self, actor: Actor, name: str, slug: str, logo: str) -> Workspace:
        """Make a workspace, whose owner the actor is.

        Raises:
            Invalid: `workspace.slug`: it holds other than small letters, digits and hyphens.
            Conflict: `workspace.slug_taken`.
        """
        actor.require_person()
        now = self._clock.now()
        workspace_id = self._ids.uuid()
        workspace = Workspace(
            id=workspace_id, name=name, slug=checked_slug(slug or workspace_id), logo=logo, created_at=now
        )
        async with self._records.transaction() as records:
            await records.tenancy.add_workspace(workspace)
            await records.tenancy.put_member(
                Member(workspace_id=workspace.id, user_id=actor.user_id, role="owner", joined_at=now)
            )
            there = msgspec.structs.replace(actor, workspace_id=workspace.id)
            await self._audit.note(
                records.ledger, there, "workspace.create", f"workspace:{workspace.id}", name=name
            )
        return workspace

    async def read(self, actor: Actor) -> Workspace:
        """Read the workspace that the actor is in."""
        actor.require("workspace.view")
        return await self._records.tenancy.workspace(actor.workspace_id)

    async def change(
        self,
        actor: Actor,
        *,
        name: str | None = None,
        slug: str | None = None,
        logo: str | None = None,
        settings: Mapping[str, Json] | None = None,
    ) -> Workspace:
        """Change what was said of the workspace that the actor is in; None keeps what it is.

        Raises:
            Invalid: `workspace.slug`, or `workspace.settings`: over 64 KB.
            Conflict: `workspace.slug_taken`.
        """
        actor.require("workspace.update")
        if settings is not None and len(encode_json(settings)) > SETTINGS_BYTES:
            raise Invalid("The settings of a workspace have at most 64 KB.", code="workspace.settings")
        async with self._records.transaction() as records:
            before = await records.tenancy.workspace(actor.workspace_id)
            after = msgspec.structs.replace(
                before,
                name=before.name if name is None else name,
                slug=before.slug if slug is None else checked_slug(slug),
                logo=before.logo if logo is None else logo,
                settings=before.settings if settings is None else settings,
            )
            await records.tenancy.put_workspace(after)
            await self._audit.note(
                records.ledger, actor, "workspace.update", f"workspace:{after.id}", **changed(before, after)
            )
        return after

    async def delete(self, actor: Actor) -> None:
        """Delete the workspace that the actor is in: nobody sees it any more, and nothing starts there.

        Raises:
            Conflict: `workspace.personal`: it is somebody's own.
        """
        actor.require_person()
        actor.require("workspace.delete")
        async with self._records.transaction() as records:
            members = await records.tenancy.members(actor.workspace_id)
            for member in members:
                if (await records.accounts.user(member.user_id)).workspace_id == actor.workspace_id:
                    raise Conflict(
                        "A personal workspace goes with its account only.", code="workspace.personal"
                    )
            webhooks = await records.webhooks.list(actor.workspace_id)
            await records.tenancy.delete_workspace(actor.workspace_id, self._clock.now())
            await self._audit.note(
                records.ledger, actor, "workspace.delete", f"workspace:{actor.workspace_id}"
            )
        for webhook in webhooks:
            self._prepared.drop(f"webhook:{webhook.id}")
        for member in members:
            self._access.forget(member.user_id)


def checked_slug(text: str) -> str:
    """Say a slug that may be used.

    Raises:
        Invalid: `workspace.slug`.
    """
    if not SLUG.fullmatch(text):
        raise Invalid(
            "A slug has small letters, digits and hyphens between them, at most 63.", code="workspace.slug"
        )
    return text
