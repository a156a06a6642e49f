"""Credentials: create, list, change, try out, remove."""

from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.credential_types import CredentialType, checked, type_of
from linkflow.control.plans import Plans
from linkflow.domain.errors import Invalid, NotFound
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import Credential, Records
from linkflow.ports.vault import SecretBox

READY, UNCONNECTED, NEEDS_REAUTH = "ready", "unconnected", "needs_reauth"
VARIABLES = "vars"
"""Under this name workflows find secret variables; no credential may have it."""


def place_of(credential: Credential) -> str:
    """What the sealed fields of a credential belong to."""
    return f"credential:{credential.id}:{credential.workspace_id}"


class Credentials:
    """Secrets of a workspace; their values are never shown again."""

    def __init__(
        self, records: Records, box: SecretBox, audit: Audit, plans: Plans, clock: Clock, ids: IdSource
    ) -> None:
        self._records, self._box, self._audit, self._plans = records, box, audit, plans
        self._clock, self._ids = clock, ids

    async def create(self, actor: Actor, *, name: str, kind: str, data: Mapping[str, Json]) -> Credential:
        """Keep a credential.

        Raises:
            Conflict: The name is taken.
            Invalid: There is no such type, or its fields are others.
            LimitReached: The plan has no room for one more.
        """
        actor.require("credential.create")
        found = _type(kind)
        await self._plans.room(actor.workspace_id, "credentials")
        credential_id, now = self._ids.uuid(), self._clock.now()
        credential = self._sealed(
            Credential(
                id=credential_id,
                workspace_id=actor.workspace_id,
                name=_name(name),
                type=found.name,
                sealed=b"",
                state=_state(found, data),
                created_by=actor.user_id,
                created_at=now,
                updated_at=now,
            ),
            checked(found, data),
        )
        async with self._records.transaction() as records:
            await records.ledger.add_credential(credential)
            await self._audit.note(
                records.ledger,
                actor,
                "credential.create",
                f"credential:{credential_id}",
                name=name,
                type=found.name,
            )
        return credential

    async def list(self, actor: Actor) -> Sequence[Credential]:
        """List credentials by name."""
        actor.require("credential.view")
        return await self._records.ledger.credentials(actor.workspace_id)

    async def read(self, actor: Actor, credential_id: str) -> Credential:
        """Read a credential by id or name, without its values.

        Raises:
            NotFound: No such credential.
        """
        actor.require("credential.view")
        return await self._records.ledger.credential(actor.workspace_id, credential_id)

    async def change(
        self, actor: Actor, credential_id: str, *, name: str = "", data: Mapping[str, Json] | None = None
    ) -> Credential:
        """Rename a credential or replace fields; fields that are not named stay, None takes one away.

        Raises:
            NotFound: No such credential.
            Conflict: The name is taken.
            Invalid: The fields do not make one of its type.
        """
        actor.require("credential.update")
        async with self._records.transaction() as records:
            found = await records.ledger.credential(actor.workspace_id, credential_id)
            credential = await records.ledger.locked_credential(actor.workspace_id, found.id)
            changes: dict[str, Json] = {}
            if name and name != credential.name:
                changes |= {"old_name": credential.name, "name": _name(name)}
                credential = msgspec.structs.replace(credential, name=name)
            if data:
                kept = {**self.opened(credential), **data}
                fields = {field: value for field, value in kept.items() if value is not None}
                kind = type_of(credential.type)
                if kind.provider and data.keys() - {"scope"}:
                    credential = msgspec.structs.replace(
                        credential, access=b"", refresh=b"", expires_at=None, state=_state(kind, fields)
                    )
                credential = self._sealed(credential, checked(kind, fields))
                changes["fields"] = sorted(data)
            credential = msgspec.structs.replace(credential, updated_at=self._clock.now())
            await records.ledger.save_credential(credential)
            await self._audit.note(
                records.ledger, actor, "credential.update", f"credential:{credential.id}", **changes
            )
        return credential

    async def delete(self, actor: Actor, credential_id: str) -> None:
        """Remove a credential.

        Raises:
            NotFound: No such credential.
        """
        actor.require("credential.delete")
        async with self._records.transaction() as records:
            await records.ledger.delete_credential(actor.workspace_id, credential_id)
            await self._audit.note(records.ledger, actor, "credential.delete", f"credential:{credential_id}")

    def opened(self, credential: Credential) -> Mapping[str, Json]:
        """Open a credential's fields, for use cases that show them to nobody."""
        fields: Mapping[str, Json] = decode_json(self._box.open(credential.sealed, place_of(credential)))
        return fields

    def _sealed(self, credential: Credential, fields: Mapping[str, Json]) -> Credential:
        """Seal fields into a credential."""
        sealed = self._box.seal(encode_json(fields), place_of(credential))
        return msgspec.structs.replace(credential, sealed=sealed)


def _name(name: str) -> str:
    """Check a name.

    Raises:
        Invalid: It is what secret variables go by.
    """
    if name == VARIABLES:
        raise Invalid("A credential cannot be named vars: so go secret variables.", code="credential.name")
    return name


def _state(kind: CredentialType, data: Mapping[str, Json]) -> str:
    """Say how a new credential is: one of OAuth waits for consent, unless it signs in by itself."""
    signs_in_itself = not data.get("provider") and not data.get("authorize_url") and kind.provider == "*"
    return UNCONNECTED if kind.provider and not signs_in_itself else READY


def _type(name: str) -> CredentialType:
    """Find the type that a body names.

    Raises:
        Invalid: There is none.
    """
    try:
        return type_of(name)
    except NotFound as error:
        raise Invalid(str(error), code="credential.type") from None
