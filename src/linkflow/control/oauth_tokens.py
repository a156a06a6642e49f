"""Tokens of connected credentials: from a code, and fresh for as long as the provider lets us.

ready ──expires soon──▶ refresh, one at a time per credential (row lock) ──▶ ready
                          └─ the provider says no ──▶ needs_reauth, and a notice ──▶ somebody connects again

The old refresh token is replaced in the transaction that asked for the new one. Should the process die in
between, a provider that rotates refresh tokens wants consent again; nothing else is lost.
"""

import asyncio
import base64
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode
from weakref import WeakValueDictionary

import msgspec

from linkflow.control.actor import Actor, Audit
from linkflow.control.broker import WORKER, access_place, needs_reauth, refresh_place, without_tokens
from linkflow.control.credential_types import type_of
from linkflow.control.credentials import NEEDS_REAUTH, READY, place_of
from linkflow.control.notices import Notices
from linkflow.control.oauth_providers import Provider, provider_of
from linkflow.domain.errors import ActivityError, Invalid, Unavailable
from linkflow.domain.values import Json, decode_json
from linkflow.ports.clock import Clock
from linkflow.ports.outbound import HttpClient, HttpRequest
from linkflow.ports.records import Credential, Records
from linkflow.ports.vault import SecretBox

EARLY_S = 60.0
"""A token that ends within this time is replaced before it is used."""
TIMEOUT_S = 10.0
MAX_BYTES = 1024 * 1024


class ProviderRefused(Invalid):
    """The provider did not give a token."""

    code = "oauth.refused"


class ProviderAway(Unavailable):
    """The provider does not answer; try again later."""

    code = "oauth.provider_away"


class Tokens(msgspec.Struct, frozen=True):
    """What a provider gave: tokens, and when the access token ends (None for never)."""

    access: str
    refresh: str
    expires_at: float | None


class OAuthTokens:
    """Gets tokens and keeps them fresh."""

    def __init__(
        self,
        records: Records,
        box: SecretBox,
        http: HttpClient,
        audit: Audit,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._records, self._box, self._http = records, box, http
        self._audit, self._notices, self._clock = audit, notices, clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Close connections to providers."""
        await self._http.close()

    def described(self, credential: Credential) -> tuple[Provider, Mapping[str, Json]]:
        """Say the provider and the fields of a credential.

        Raises:
            Invalid: `oauth.provider`: it needs no consent, or names no provider.
        """
        kind = type_of(credential.type)
        if not kind.provider:
            raise Invalid(f"A {kind.title} is not connected by OAuth.", code="oauth.provider")
        fields: Mapping[str, Json] = decode_json(self._box.open(credential.sealed, place_of(credential)))
        return provider_of(kind.provider, fields), fields

    def sealed(self, credential: Credential, tokens: Tokens) -> Credential:
        """Put tokens into a credential, each in an envelope of its own."""
        refresh = credential.refresh
        if tokens.refresh:
            refresh = self._box.seal(tokens.refresh.encode(), refresh_place(credential))
        return msgspec.structs.replace(
            credential,
            access=self._box.seal(tokens.access.encode(), access_place(credential)),
            refresh=refresh,
            expires_at=tokens.expires_at,
            state=READY,
        )

    async def by_code(self, credential: Credential, code: str, verifier: str, redirect_uri: str) -> Tokens:
        """Exchange a code.

        Raises:
            ProviderRefused: It is not taken.
            ProviderAway: The provider does not answer.
        """
        provider, fields = self.described(credential)
        return await self._asked(
            provider,
            fields,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
        )

    async def fresh(self, credential: Credential) -> Credential:
        """Give a credential whose access token is good for a while; see `broker.Refreshing`."""
        if not credential.access or not self._ends_soon(credential):
            return credential
        return await self.refreshed(credential, only_if_needed=True)

    def _ends_soon(self, credential: Credential) -> bool:
        """Say whether the access token must be replaced before it is used."""
        return credential.expires_at is not None and credential.expires_at - self._clock.now() < EARLY_S

    async def refreshed(self, credential: Credential, *, only_if_needed: bool) -> Credential:
        """Replace the access token; of callers at the same moment one does, and all get what it got.

        Raises:
            NeedsReauth: The provider wants somebody's consent again; a notice was written.
            ProviderAway: It does not answer.
        """
        lock = self._locks.setdefault(credential.id, asyncio.Lock())
        async with lock:  # waiters of this process hold no connection
            async with self._records.transaction() as records:
                found = await records.ledger.locked_credential(credential.workspace_id, credential.id)
                if found.state == READY and (not only_if_needed or self._ends_soon(found)):
                    found = await self._replaced(records, found)
            if found.state != READY:
                self._notices.nudge()
                raise needs_reauth(found)
        return found

    async def _replaced(self, records: Records, found: Credential) -> Credential:
        """Ask for a new access token and write it, or that consent is needed again."""
        worker = Actor(user_id=WORKER, workspace_id=found.workspace_id, email="", role="")
        resource, now = f"credential:{found.id}", self._clock.now()
        action = "credential.refresh"
        try:
            replaced = self.sealed(found, await self._by_refresh(found))
        except ProviderRefused as error:
            action, replaced = "credential.needs_reauth", without_tokens(found, NEEDS_REAUTH)
            text = (
                f"The credential {found.name!r} stopped working: {error}\n"
                "Workflows that use it fail until somebody connects it again, under Credentials."
            )
            await self._notices.write(records, found.workspace_id, f"Connect {found.name} again", text)
        except ProviderAway:
            if found.expires_at is not None and found.expires_at > now:
                return found  # it is good for a few more seconds
            raise
        replaced = msgspec.structs.replace(replaced, updated_at=now)
        await records.ledger.save_credential(replaced)
        await self._audit.note(records.ledger, worker, action, resource)
        return replaced

    async def _by_refresh(self, credential: Credential) -> Tokens:
        """Ask for a new access token."""
        if not credential.refresh:
            raise ProviderRefused("its access has ended, and the provider gave no refresh token.")
        refresh = self._box.open(credential.refresh, refresh_place(credential)).decode()
        provider, fields = self.described(credential)
        return await self._asked(provider, fields, grant_type="refresh_token", refresh_token=refresh)

    async def _asked(self, provider: Provider, fields: Mapping[str, Json], **asked: str) -> Tokens:
        """Ask the token endpoint (RFC 6749, sections 4.1.3, 5.1 and 6)."""
        client_id, secret = str(fields.get("client_id") or ""), str(fields.get("client_secret") or "")
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if provider.is_basic and secret:
            pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            asked |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
        request = HttpRequest(
            method="POST",
            url=provider.token_url,
            headers=headers,
            body=urlencode(asked).encode(),
            timeout_s=TIMEOUT_S,
            max_bytes=MAX_BYTES,
            follow_redirects=False,
        )
        try:
            response = await self._http.send(request)
        except ActivityError as error:
            raise ProviderAway(f"{provider.title} does not answer: {error}") from error
        if response.status >= 500 or response.status == 429:
            raise ProviderAway(f"{provider.title} answers {response.status}; try again later.")
        said = _said(response.body)
        access = said.get("access_token")
        if response.status >= 400 or not isinstance(access, str) or not access:
            reason = str(said.get("error") or response.status)[:100]
            raise ProviderRefused(f"{provider.title} gave no token ({reason}).", error=reason)
        lasts_s = said.get("expires_in")
        lasts = float(str(lasts_s)) if str(lasts_s).replace(".", "", 1).isdigit() else None
        refresh = said.get("refresh_token")
        return Tokens(
            access,
            refresh if isinstance(refresh, str) else "",
            None if lasts is None else self._clock.now() + lasts,
        )


def _said(body: bytes) -> Mapping[str, Json]:
    """Read the answer of a token endpoint: JSON, or a form as some still write."""
    try:
        found = decode_json(body)
    except (msgspec.DecodeError, UnicodeError, ValueError):
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    return found if isinstance(found, dict) else {}
