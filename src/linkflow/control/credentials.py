"""Credentials: create, list, remove, and hand out to a worker at the moment of use."""

from collections.abc import Mapping, Sequence

from linkflow.control.actor import Actor, Audit
from linkflow.domain.values import Json, decode_json, encode_json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.records import Credential, Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import conceal


def _place(credential_id: str, workspace_id: str) -> str:
    """What a credential's sealed bytes belong to."""
    return f"credential:{credential_id}:{workspace_id}"


class Credentials:
    """Secrets of a workspace; their values are never shown again."""

    def __init__(self, records: Records, box: SecretBox, audit: Audit, clock: Clock, ids: IdSource) -> None:
        self._records, self._box, self._audit = records, box, audit
        self._clock, self._ids = clock, ids

    async def create(self, actor: Actor, *, name: str, kind: str, data: Mapping[str, Json]) -> Credential:
        """Keep a credential.

        Raises:
            Conflict: The name is taken.
        """
        actor.require("credential.create")
        credential_id, now = self._ids.uuid(), self._clock.now()
        credential = Credential(
            id=credential_id,
            workspace_id=actor.workspace_id,
            name=name,
            type=kind,
            sealed=self._box.seal(encode_json(data), _place(credential_id, actor.workspace_id)),
            created_at=now,
            updated_at=now,
        )
        async with self._records.transaction() as records:
            await records.ledger.add_credential(credential)
            await self._audit.note(records.ledger, actor, "credential.create", f"credential:{credential_id}")
        return credential

    async def list(self, actor: Actor) -> Sequence[Credential]:
        """List credentials by name."""
        actor.require("credential.view")
        return await self._records.ledger.credentials(actor.workspace_id)

    async def delete(self, actor: Actor, credential_id: str) -> None:
        """Remove a credential.

        Raises:
            NotFound: No such credential.
        """
        actor.require("credential.delete")
        async with self._records.transaction() as records:
            await records.ledger.delete_credential(actor.workspace_id, credential_id)
            await self._audit.note(records.ledger, actor, "credential.delete", f"credential:{credential_id}")


class Broker:
    """Opens credentials for workers: the engine's `CredentialBroker`."""

    def __init__(self, records: Records, box: SecretBox) -> None:
        self._records, self._box = records, box

    async def open(self, workspace_id: str, name: str) -> Mapping[str, Json]:
        """Open a credential by name or id: its fields.

        Raises:
            NotFound: No such credential in this workspace.
        """
        found = await self._records.ledger.credential(workspace_id, name)
        fields: Mapping[str, Json] = decode_json(
            self._box.open(found.sealed, _place(found.id, found.workspace_id))
        )
        conceal(fields)
        return fields
