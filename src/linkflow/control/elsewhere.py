"""Signing in with an account elsewhere: at an OpenID Connect provider, or with Puter.

begin: state (signed, ten minutes) ──▶ browser + a cookie that binds it ──▶ provider
finish: state fits the cookie, code ──▶ whom the provider vouches for ──▶ user ──▶ tokens, or a ticket
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

import msgspec

from linkflow.control.access import Access, digest
from linkflow.control.accounts import Accounts
from linkflow.control.sign_ins import Origin, SignIns, Token
from linkflow.domain.email import email_of
from linkflow.domain.errors import Denied, Invalid, NotFound, Unauthenticated
from linkflow.ports.clock import Clock
from linkflow.ports.coordination import Cache
from linkflow.ports.elsewhere import IdentityProvider, TokenVouching, Vouched
from linkflow.ports.identity import User
from linkflow.ports.outbound import HttpClient
from linkflow.ports.records import Records
from linkflow.ports.vault import TokenSigner

STATE_S = 600.0
TICKET_S = 60.0
STALE = "This sign-in was begun elsewhere or too long ago; begin again."


class Elsewhere:
    """Sign-in by what other services vouch for.

    Args:
        providers: By name; empty where none was set.
        puter: None where it was not switched on.
        http: What they call with; closed with this.
        secret: LINKFLOW_SECRET; what only we can derive comes from it.
        public_url: Address that providers send browsers back to.
        is_open: Whether somebody who was not known before gets an account.
    """

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        sign_ins: SignIns,
        access: Access,
        signer: TokenSigner,
        cache: Cache,
        clock: Clock,
        *,
        providers: Mapping[str, IdentityProvider],
        puter: TokenVouching | None,
        http: HttpClient,
        secret: str,
        public_url: str,
        is_open: bool,
    ) -> None:
        self._records, self._accounts, self._sign_ins, self._access = records, accounts, sign_ins, access
        self._signer, self._cache, self._clock = signer, cache, clock
        self._providers, self._puter, self._http = providers, puter, http
        self._secret, self._public_url, self._is_open = secret, public_url, is_open

    @property
    def names(self) -> tuple[str, ...]:
        """What people may sign in with, besides a password."""
        return (*self._providers, *(("puter",) if self._puter else ()))

    def _provider(self, name: str) -> IdentityProvider:
        """Find a provider.

        Raises:
            NotFound: It was not set up.
        """
        found = self._providers.get(name)
        if found is None:
            raise NotFound(f"Signing in with {name[:40]!r} is not set up here.", provider=name[:40])
        return found

    def _derived(self, chance: str, what: str) -> str:
        """Derive what belongs to one sign-in and nobody else can know."""
        made = hmac.digest(self._secret.encode(), f"{what}:{chance}".encode(), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def _back(self, name: str) -> str:
        """Say where the provider sends the browser back to."""
        return f"{self._public_url}/api/v1/auth/oauth/{name}/callback"

    async def begin(self, name: str) -> tuple[str, str]:
        """Begin; returns where to send the browser, and what to keep in its cookie.

        Raises:
            NotFound: There is no such provider.
            Unavailable: It does not answer.
        """
        provider, chance = self._provider(name), secrets.token_urlsafe(16)
        claims = {"aud": "link", "use": "oidc", "provider": name, "chance": chance}
        verifier = self._derived(chance, "verifier")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        address = await provider.address(
            state=self._signer.sign(claims, self._clock.now() + STATE_S),
            nonce=self._derived(chance, "nonce"),
            challenge=challenge,
            redirect_uri=self._back(name),
        )
        return address, self._derived(chance, "browser")

    async def finish(self, name: str, code: str, state: str, cookie: str) -> User:
        """Say whom the provider vouches for.

        Raises:
            Invalid: `sign_in.stale`: the state is not ours, too old, or of another browser.
            Unauthenticated: The provider does not vouch.
            Denied: Nobody by that name is known here, and registration is closed.
            Unavailable: The provider does not answer.
        """
        now = self._clock.now()
        try:
            claims = self._signer.verify(state, now)
        except Unauthenticated:
            raise Invalid(STALE, code="sign_in.stale") from None
        chance = str(claims.get("chance", ""))
        is_ours = claims.get("use") == "oidc" and claims.get("provider") == name
        if not is_ours or not hmac.compare_digest(self._derived(chance, "browser"), cookie):
            raise Invalid(STALE, code="sign_in.stale")
        vouched = await self._provider(name).vouch(
            code=code,
            nonce=self._derived(chance, "nonce"),
            verifier=self._derived(chance, "verifier"),
            redirect_uri=self._back(name),
            now=now,
        )
        return await self._user(vouched)

    async def by_puter(self, token: str, origin: Origin) -> User:
        """Say whom Puter vouches for, by the token that its pop-up gave the browser.

        Raises:
            NotFound: Puter was not switched on.
            Unauthenticated: Puter does not know the token.
            Denied: Nobody by that name is known here, and registration is closed.
            Unavailable: Puter does not answer.
        """
        if self._puter is None:
            raise NotFound("Signing in with Puter is not switched on here.", provider="puter")
        await self._sign_ins.throttle("puter", digest(token), origin)
        return await self._user(await self._puter.vouch(token))

    async def _user(self, vouched: Vouched) -> User:
        """Find whom somebody vouches for; make an account where there is none."""
        user = await self._records.accounts.identity(vouched.issuer, vouched.subject)
        if user is None:
            user = await self._known_by_address(vouched)
        if user.disabled_at is not None:
            raise Unauthenticated("This account is closed or banned.", code="sign_in.refused")
        return user

    async def _known_by_address(self, vouched: Vouched) -> User:
        """Find or make the user with the address that is vouched for, and remember who they are there."""
        if not vouched.email or not vouched.is_email_verified:
            raise Denied(
                "The sign-in service did not say that your e-mail address is yours.", code="sign_in.no_email"
            )
        email, now = email_of(vouched.email), self._clock.now()
        gone: Sequence[str] = ()
        async with self._records.transaction() as records:
            user = await records.accounts.by_email(email)
            if user is None and not self._is_open:
                raise Denied(
                    "Registration is closed here; ask for an invitation.", code="access.registration_closed"
                )
            if user is None:
                user = await self._accounts.add(records, email, "", name=vouched.name, verified=True)
            elif user.verified_at is None:
                # Whoever registered the address never showed that it is theirs; its owner is here now.
                locked = await records.accounts.locked(user.id)
                user = msgspec.structs.replace(locked, password_hash="", verified_at=now)
                await records.accounts.put_user(user)
                gone = await self._accounts.take_over(records, locked)
            await records.accounts.add_identity(vouched.issuer, vouched.subject, user.id, now)
        for each in (user.id, *gone):
            self._access.forget(each)
        return user

    async def ticket(self, user: User) -> str:
        """Make what the page that the browser goes to exchanges for tokens: once, within a minute."""
        made = secrets.token_urlsafe(24)
        await self._cache.put(f"signed-in:{digest(made)}", user.id, TICKET_S)
        return made

    async def close(self) -> None:
        """Close connections to other services; nothing is signed in elsewhere any more."""
        await self._http.close()

    async def exchange(self, ticket: str, origin: Origin) -> Token:
        """Give the tokens for a ticket, once.

        Raises:
            Invalid: `sign_in.stale`: it is unknown, used or older than a minute.
        """
        name = f"signed-in:{digest(ticket)}"
        user_id = await self._cache.get(name)
        if not await self._cache.drop(name) or not isinstance(user_id, str):
            raise Invalid(STALE, code="sign_in.stale")
        return await self._sign_ins.issue(await self._records.accounts.user(user_id), origin)
