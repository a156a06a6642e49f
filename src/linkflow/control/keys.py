"""API keys: made once, shown once, kept as a hash, good for one workspace."""

import secrets
from collections.abc import Sequence

from linkflow.control.access import KEY_PREFIX, Access, digest
from linkflow.control.actor import Actor, Audit
from linkflow.domain.access import EVERYTHING, is_scope
from linkflow.domain.errors import Invalid
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.identity import ApiKey
from linkflow.ports.records import Records

SHOWN = 12
"""Characters of a key that lists show."""


class Keys:
    """Makes, lists and removes a user's API keys."""

    def __init__(self, records: Records, access: Access, audit: Audit, clock: Clock, ids: IdSource) -> None:
        self._records, self._access, self._audit = records, access, audit
        self._clock, self._ids = clock, ids

    async def create(
        self, actor: Actor, name: str, scopes: Sequence[str], expires_in_s: float | None
    ) -> tuple[ApiKey, str]:
        """Make a key; returns what is kept, and the key itself, which is nowhere else.

        Args:
            actor: Whose it is; it never does more than they may.
            name: What it is for.
            scopes: What it is good for; nothing said means everything the actor may.
            expires_in_s: When it ends; None for never.

        Raises:
            Invalid: `scope.unknown`: there is no such scope.
        """
        actor.require_person()
        actor.require("apikey.manage")
        unknown = [scope for scope in scopes if not is_scope(scope)]
        if unknown:
            raise Invalid(
                f"There is no scope {unknown[0]!r}; say *, read, workflow.* or a permission such as "
                "workflow.execute.",
                code="scope.unknown",
            )
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        now = self._clock.now()
        key = ApiKey(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            user_id=actor.user_id,
            name=name,
            prefix=secret[:SHOWN],
            key_hash=digest(secret),
            scopes=tuple(scopes) or EVERYTHING,
            created_at=now,
            expires_at=None if expires_in_s is None else now + expires_in_s,
        )
        async with self._records.transaction() as records:
            await records.accounts.add_key(key)
            await self._audit.note(
                records.ledger, actor, "apikey.create", f"apikey:{key.id}", name=name, scopes=list(key.scopes)
            )
        return key, secret

    async def list(self, actor: Actor) -> Sequence[ApiKey]:
        """List the actor's keys in this workspace, newest first."""
        actor.require("apikey.manage")
        return await self._records.accounts.keys(actor.workspace_id, actor.user_id)

    async def delete(self, actor: Actor, key_id: str) -> None:
        """Remove a key; it is refused at once.

        Raises:
            NotFound: The actor has no such key here.
        """
        actor.require_person()
        actor.require("apikey.manage")
        async with self._records.transaction() as records:
            await records.accounts.delete_key(actor.workspace_id, actor.user_id, key_id)
            await self._audit.note(records.ledger, actor, "apikey.delete", f"apikey:{key_id}")
        self._access.forget(actor.user_id)
