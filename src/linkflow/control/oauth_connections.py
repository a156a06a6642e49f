"""Connecting a credential to somebody's account elsewhere, by OAuth 2 with PKCE.

begin: a person who may change the credential ──▶ state (a UUID, ten minutes, once) ──▶ provider
finish: the same person, in the same browser or signed in, with state and code ──▶ tokens, sealed
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from linkflow.control.access import digest
from linkflow.control.actor import Actor, Audit
from linkflow.control.oauth_providers import PROVIDERS, Provider
from linkflow.control.oauth_tokens import OAuthTokens
from linkflow.domain.errors import Invalid
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Cache
from linkflow.ports.records import Credential, Records
from linkflow.ports.vault import SecretBox

STATE_S = 600.0
STALE = "This connection was begun elsewhere, used, or begun too long ago; begin again."


class Begun(msgspec.Struct, frozen=True):
    """A connection that was begun: where to send the browser, and what binds it (for a cookie)."""

    address: str
    binding: str


class Waiting(msgspec.Struct, frozen=True):
    """What is kept until the browser comes back; `verifier` is sealed, in Base64."""

    user_id: str
    workspace_id: str
    credential_id: str
    provider: str
    binding_hash: str
    verifier: str


class OAuthConnections:
    """Connects credentials."""

    def __init__(
        self,
        records: Records,
        tokens: OAuthTokens,
        cache: Cache,
        box: SecretBox,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
        *,
        public_url: str,
    ) -> None:
        self._records, self._tokens, self._cache, self._box = records, tokens, cache, box
        self._audit, self._clock, self._ids = audit, clock, ids
        self._public_url = public_url

    @property
    def providers(self) -> Sequence[Provider]:
        """Services that are known by name."""
        return PROVIDERS

    def back(self, provider: str) -> str:
        """Say where a provider sends the browser back to."""
        return f"{self._public_url}/api/v1/oauth/callback/{provider}"

    async def begin(self, actor: Actor, credential_id: str) -> Begun:
        """Begin to connect a credential.

        Raises:
            NotFound: No such credential.
            Invalid: `oauth.provider`: it cannot be connected.
        """
        actor.require("credential.update")
        credential = await self._records.ledger.credential(actor.workspace_id, credential_id)
        provider, fields = self._tokens.described(credential)
        state, verifier = self._ids.uuid(), secrets.token_urlsafe(48)
        binding = secrets.token_urlsafe(24)
        sealed = base64.b64encode(self._box.seal(verifier.encode(), f"state:{state}")).decode()
        waiting = Waiting(
            actor.user_id, actor.workspace_id, credential.id, provider.name, digest(binding), sealed
        )
        await self._cache.put(f"oauth-state:{state}", msgspec.to_builtins(waiting), STATE_S)
        hashed = hashlib.sha256(verifier.encode()).digest()
        asked = {
            **dict(provider.extra),
            "response_type": "code",
            "client_id": str(fields["client_id"]),
            "redirect_uri": self.back(provider.name),
            "scope": str(fields.get("scope") or provider.scope),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(hashed).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        said = urlencode({key: value for key, value in asked.items() if value})
        joint = "&" if "?" in provider.authorize_url else "?"
        return Begun(f"{provider.authorize_url}{joint}{said}", binding)

    async def finish(
        self, provider: str, *, code: str, state: str, binding: str = "", actor: Actor | None = None
    ) -> Credential:
        """Finish a connection: in the browser that began it, or as the user who did.

        Raises:
            Invalid: `oauth.stale`: the state is unknown, used, or somebody else's; `oauth.refused`.
            Unavailable: The provider does not answer.
        """
        name = f"oauth-state:{state}"
        kept = await self._cache.get(name)
        if kept is None:
            raise Invalid(STALE, code="oauth.stale")
        waiting = msgspec.convert(kept, Waiting)
        is_theirs = (
            actor.user_id == waiting.user_id and actor.workspace_id == waiting.workspace_id
            if actor is not None
            else hmac.compare_digest(digest(binding), waiting.binding_hash)
        )
        # Whoever is not the one leaves it to whom it is, who may come back in another browser.
        if not is_theirs or provider != waiting.provider or not await self._cache.drop(name):
            raise Invalid(STALE, code="oauth.stale")
        ledger = self._records.ledger
        found = await ledger.credential(waiting.workspace_id, waiting.credential_id)
        verifier = self._box.open(base64.b64decode(waiting.verifier), f"state:{state}").decode()
        tokens = await self._tokens.by_code(found, code, verifier, self.back(provider))
        async with self._records.transaction() as records:
            locked = await records.ledger.locked_credential(found.workspace_id, found.id)
            connected = msgspec.structs.replace(
                self._tokens.sealed(msgspec.structs.replace(locked, refresh=b""), tokens),
                updated_at=self._clock.now(),
            )
            await records.ledger.save_credential(connected)
            there = Actor(user_id=waiting.user_id, workspace_id=waiting.workspace_id, email="", role="")
            await self._audit.note(
                records.ledger,
                there,
                "credential.connect",
                f"credential:{found.id}",
                provider=provider,
            )
        return connected

    async def refresh(self, actor: Actor, credential_id: str) -> Credential:
        """Replace the access token of a connected credential now.

        Raises:
            NotFound: No such credential.
            NeedsReauth: The provider wants somebody's consent again.
        """
        actor.require("credential.update")
        credential = await self._records.ledger.credential(actor.workspace_id, credential_id)
        self._tokens.described(credential)
        return await self._tokens.refreshed(credential, only_if_needed=False)
