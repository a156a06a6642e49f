"""The broker: opens credentials for workers at the moment of use, and for nobody else.

Each opening is a line of the audit log, written before the secret is handed out: no line, no secret.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.credentials import NEEDS_REAUTH, READY, VARIABLES, place_of
from linkflow.domain.errors import Denied, NotFound
from linkflow.domain.values import Json, decode_json
from linkflow.ports.clock import Clock
from linkflow.ports.records import Credential, Records
from linkflow.ports.vault import SecretBox
from linkflow.telemetry import conceal

WORKER = "worker"
"""Who opens credentials, in the audit log; the line's purpose says for what."""


class NeedsReauth(Denied):
    """Somebody must agree to this credential again before it can be used."""

    code = "credential.needs_reauth"


class Refreshing(Protocol):
    """Keeps the tokens of connected credentials fresh."""

    async def fresh(self, credential: Credential) -> Credential:
        """Give a credential whose access token is good for a while.

        Raises:
            NeedsReauth: The provider wants somebody's consent again.
            Unavailable: The provider does not answer.
        """
        ...


def variable_place(workspace_id: str, key: str) -> str:
    """What the sealed value of a variable belongs to."""
    return f"variable:{key}:{workspace_id}"


class Broker:
    """Opens credentials for workers: the engine's `CredentialBroker`."""

    def __init__(
        self, records: Records, box: SecretBox, audit: Audit, clock: Clock, tokens: Refreshing
    ) -> None:
        self._records, self._box, self._audit = records, box, audit
        self._clock, self._tokens = clock, tokens

    async def open(self, workspace_id: str, name: str, purpose: str = "") -> Mapping[str, Json]:
        """Open a credential by name or id: its fields, and its access token once it is connected.

        Raises:
            NotFound: No such credential in this workspace.
            Denied: `credential.needs_reauth`.
            Unavailable: `secret.unreadable`, or the provider of its tokens does not answer.
        """
        if name == VARIABLES:
            return await self._variables(workspace_id, purpose)
        found = await self._records.ledger.credential(workspace_id, name)
        if found.state != READY:
            raise needs_reauth(found)
        found = await self._tokens.fresh(found)
        fields: dict[str, Json] = decode_json(self._box.open(found.sealed, place_of(found)))
        if found.access:
            token = self._box.open(found.access, access_place(found)).decode()
            fields = {key: value for key, value in fields.items() if key != "client_secret"}
            fields |= {"access_token": token, "token_type": "Bearer"}
        async with self._records.transaction() as records:
            await records.ledger.credential_used(workspace_id, found.id, self._clock.now())
            await self._note(records, workspace_id, f"credential:{found.id}", found.name, purpose)
        conceal(fields)
        return fields

    async def _variables(self, workspace_id: str, purpose: str) -> Mapping[str, Json]:
        """Open the secret variables."""
        found = [each for each in await self._records.ledger.variables(workspace_id) if each.sealed]
        if not found:
            raise NotFound("There is no secret variable.", credential=VARIABLES)
        fields = {
            each.key: decode_json(self._box.open(each.sealed, variable_place(workspace_id, each.key)))
            for each in found
        }
        async with self._records.transaction() as records:
            await self._note(records, workspace_id, "variables", VARIABLES, purpose)
        conceal(fields)
        return fields

    async def _note(
        self, records: Records, workspace_id: str, resource: str, name: str, purpose: str
    ) -> None:
        """Write the line of the audit log."""
        worker = Actor(user_id=WORKER, workspace_id=workspace_id, email="", role="")
        await self._audit.note(records.ledger, worker, "credential.use", resource, name=name, purpose=purpose)


def access_place(credential: Credential) -> str:
    """What a sealed access token belongs to."""
    return f"access:{credential.id}:{credential.workspace_id}"


def refresh_place(credential: Credential) -> str:
    """What a sealed refresh token belongs to."""
    return f"refresh:{credential.id}:{credential.workspace_id}"


def needs_reauth(credential: Credential) -> NeedsReauth:
    """Say that somebody must agree."""
    again = "again: its consent has ended" if credential.state == NEEDS_REAUTH else "first"
    return NeedsReauth(
        f"The credential {credential.name!r} must be connected {again}. Open it under Credentials.",
        credential=credential.id,
    )


def without_tokens(credential: Credential, state: str) -> Credential:
    """Take the tokens out of a credential."""
    return msgspec.structs.replace(credential, access=b"", refresh=b"", expires_at=None, state=state)
