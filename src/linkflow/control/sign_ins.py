"""Sign-ins: access tokens that name their sign-in, refresh tokens that work once.

sign-in ──▶ access token (24 h), shown with every request
        ──▶ refresh token n ──▶ new access token, refresh token n + 1
A refresh token older than the newest is in a second hand: the whole sign-in ends.
"""

from collections.abc import Sequence

import msgspec

from linkflow.control.access import AUDIENCE, Access
from linkflow.control.actor import Actor, Audit
from linkflow.domain.access import EVERYTHING
from linkflow.domain.errors import NotFound, RateLimited, Unauthenticated
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Cache, RateLimits
from linkflow.ports.identity import NO_REFRESH, SignIn, User
from linkflow.ports.records import Records
from linkflow.ports.vault import PasswordHasher, TokenSigner

TOKEN_S = 24 * 3600.0
REFRESH_S = 30 * 24 * 3600.0
WRONG = "The e-mail address or the password is wrong."
UNCONFIRMED = "If you have just registered, open the link of the letter first."
STRANGERS = "strangers"
"""The chain of the audit log for failed sign-ins under addresses that nobody has: it is no workspace's, and a
line there takes the time that a line about somebody takes."""
REFRESH_INVALID = "The refresh token is unknown, expired, or was used before; sign in again."


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in gives.

    Attributes:
        expires_in: How long the access token holds, seconds.
        refresh_token: Empty when there is none.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    user: User
    role: str = "owner"
    scopes: tuple[str, ...] = EVERYTHING


class Origin(msgspec.Struct, frozen=True):
    """Where a request comes from: the caller's address, and what the browser says it is."""

    address: str = ""
    device: str = ""


class SignIns:
    """Begins, renews and ends sign-ins.

    Args:
        confirms_first: Whether nobody signs in with a password before their address is confirmed.
    """

    def __init__(
        self,
        records: Records,
        access: Access,
        hasher: PasswordHasher,
        signer: TokenSigner,
        limits: RateLimits,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
        cache: Cache,
        *,
        confirms_first: bool,
    ) -> None:
        self._records, self._access = records, access
        self._hasher, self._signer, self._limits, self._audit = hasher, signer, limits, audit
        self._clock, self._ids, self._cache = clock, ids, cache
        self._decoy, self._confirms_first = "", confirms_first

    async def sign_in(self, email: str, password: str, origin: Origin) -> Token:
        """Sign in with e-mail address and password.

        An unknown address takes as long as a wrong password, and neither is told from the other.

        Raises:
            Unauthenticated: `access.wrong_password`: one of the two is wrong, or the user was banned.
            RateLimited: Too many tries.
        """
        return await self.issue(await self.welcome(email, password, origin), origin)

    async def welcome(self, email: str, password: str, origin: Origin) -> User:
        """Say who has an e-mail address and a password, and may sign in with them.

        Raises:
            Unauthenticated: `access.wrong_password`: as `verified`, or the address is not confirmed.
            RateLimited: Too many tries.
        """
        user = await self.verified(email, password, origin)
        if self._confirms_first and user.verified_at is None:
            await self._note("user.sign_in_failed", user, origin)
            raise self._refusal()
        return user

    def _refusal(self) -> Unauthenticated:
        """Say no, and never for which of the reasons."""
        reason = f"{WRONG} {UNCONFIRMED}" if self._confirms_first else WRONG
        return Unauthenticated(reason, code="access.wrong_password")

    async def verified(self, email: str, password: str, origin: Origin) -> User:
        """Say who has an e-mail address and a password, whether or not they may sign in.

        Raises:
            Unauthenticated: `access.wrong_password`: one of the two is wrong, or the user was banned.
            RateLimited: Too many tries.
        """
        email = email.strip().lower()
        await self.throttle("sign-in", email, origin)
        user = await self._records.accounts.by_email(email)
        if not self._decoy:
            self._decoy = await self._hasher.hash(self._ids.uuid())
        kept = user.password_hash if user else ""
        fits = await self._hasher.verify(password, kept or self._decoy)
        if user is None or not kept or not fits or user.disabled_at is not None:
            await self._note("user.sign_in_failed", user, origin)
            raise self._refusal()
        if self._hasher.is_outdated(kept):
            await self._hash_again(user, password)
        return user

    async def _hash_again(self, user: User, password: str) -> None:
        """Keep a password by today's hash, unless it was changed meanwhile."""
        hashed = await self._hasher.hash(password)
        async with self._records.transaction() as records:
            locked = await records.accounts.locked(user.id)
            if locked.password_hash == user.password_hash:
                await records.accounts.put_user(msgspec.structs.replace(locked, password_hash=hashed))

    async def _note(
        self,
        action: str,
        user: User | None,
        origin: Origin,
        sign_in: SignIn | None = None,
        records: Records | None = None,
    ) -> None:
        """Write what happened to a sign-in into the audit log of its workspace; nobody did what failed."""
        home = user.workspace_id if user else STRANGERS
        actor = Actor(
            user_id=user.id if user and sign_in else "",
            workspace_id=(sign_in.workspace_id if sign_in else "") or home,
            email="",
            role="",
            sign_in_id=sign_in.id if sign_in else "",
            client_id=sign_in.client_id if sign_in else "",
            address=origin.address,
        )
        resource = f"sign-in:{sign_in.id}" if sign_in else f"user:{user.id if user else ''}"
        await self._audit.note(
            (records or self._records).ledger, actor, action, resource, device=origin.device
        )

    async def throttle(self, what: str, email: str, origin: Origin) -> None:
        """Let an address try often enough for a person who forgot, and too seldom for a guesser.

        Raises:
            RateLimited: Too many tries.
        """
        for key, limit, period_s in (
            (f"{what}:{origin.address}:{email}", 10, 60.0),
            (f"{what}:{origin.address}", 60, 60.0),
            (f"{what}:{email}", 200, 3600.0),
        ):
            taken = await self._limits.take(key, limit, period_s, limit)
            if not taken.allowed:
                raise RateLimited(
                    f"Too many tries; wait {max(1, round(taken.retry_after_s))} s.",
                    retry_after_s=taken.retry_after_s,
                )

    async def issue(
        self,
        user: User,
        origin: Origin | None = None,
        *,
        records: Records | None = None,
        sign_in_id: str = "",
        workspace_id: str = "",
        client_id: str = "",
        scopes: Sequence[str] = EVERYTHING,
        lasts_s: float = REFRESH_S,
    ) -> Token:
        """Begin a sign-in for a user who is known to be the one.

        Args:
            user: Who.
            origin: Where the request came from.
            records: A transaction to do it in.
            sign_in_id: Its id, where somebody chose one.
            workspace_id: The only workspace it reaches; empty for all of the user's.
            client_id: The API client it is for.
            scopes: What it may be used for.
            lasts_s: How long it lasts without a refresh.
        """
        now, origin = self._clock.now(), origin or Origin()
        sign_in = SignIn(
            id=sign_in_id or self._ids.uuid(),
            user_id=user.id,
            created_at=now,
            expires_at=now + lasts_s,
            workspace_id=workspace_id,
            client_id=client_id,
            scopes=tuple(scopes),
            device=origin.device[:255],
            address=origin.address,
        )
        if records is None:
            async with self._records.transaction() as own:
                await self._begin(own, sign_in, user, origin)
        else:
            await self._begin(records, sign_in, user, origin)
        await self.tell(user.id, sign_in)
        return self._token(sign_in, user)

    async def lend(
        self, user: User, origin: Origin, *, workspace_id: str, client_id: str, scopes: Sequence[str]
    ) -> Token:
        """Give an API client that acts by itself an access token and no refresh token.

        However many it asks for, they belong to one sign-in per client, person and scopes, and end with it.
        """
        now = self._clock.now()
        sign_in = SignIn(
            id=self._ids.uuid(),
            user_id=user.id,
            created_at=now,
            expires_at=now + TOKEN_S,
            generation=NO_REFRESH,
            workspace_id=workspace_id,
            client_id=client_id,
            scopes=tuple(scopes),
            device=origin.device[:255],
            address=origin.address,
        )
        known = await self._records.accounts.move_on(sign_in)
        if known is None:
            async with self._records.transaction() as records:
                await self._begin(records, sign_in, user, origin)
        await self.tell(user.id, known or sign_in)
        return msgspec.structs.replace(self._token(known or sign_in, user), refresh_token="")

    async def _begin(self, records: Records, sign_in: SignIn, user: User, origin: Origin) -> None:
        """Keep a sign-in and say so, in a transaction."""
        await records.accounts.add_sign_in(sign_in)
        await self._note("user.sign_in", user, origin, sign_in, records)

    def _token(self, sign_in: SignIn, user: User) -> Token:
        """Sign the tokens of a sign-in."""
        now = self._clock.now()
        expires_at = min(now + TOKEN_S, sign_in.expires_at)
        claims = {
            "sub": user.id, "sid": sign_in.id, "jti": self._ids.uuid(), "aud": AUDIENCE, "iat": int(now),
            "team": sign_in.workspace_id or user.workspace_id, "scope": " ".join(sign_in.scopes),
        } | ({"client_id": sign_in.client_id} if sign_in.client_id else {})  # fmt: skip
        renewal = {"use": "refresh", "sid": sign_in.id, "gen": sign_in.generation, "aud": "refresh"}
        return Token(
            access_token=self._signer.sign(claims, expires_at),
            refresh_token=self._signer.sign(renewal, sign_in.expires_at),
            expires_in=int(expires_at - now),
            user=user,
            scopes=sign_in.scopes,
        )

    async def refresh(self, refresh_token: str, origin: Origin, client_id: str = "") -> Token:
        """Give a new pair of tokens for a refresh token, which works once.

        Raises:
            Unauthenticated: `access.refresh_token`: unknown, expired, or used before; the latter ends the
                sign-in, because two hold its tokens.
        """
        refusal = Unauthenticated(REFRESH_INVALID, code="access.refresh_token")
        now, accounts = self._clock.now(), self._records.accounts
        try:
            claims = self._signer.verify(refresh_token, now)
        except Unauthenticated:
            raise refusal from None
        sign_in = await accounts.sign_in(str(claims.get("sid", "")))
        if claims.get("use") != "refresh" or sign_in is None or sign_in.client_id != client_id:
            raise refusal
        if sign_in.is_revoked or sign_in.expires_at < now:
            raise refusal
        expires_at = now + REFRESH_S
        if not await accounts.renew(sign_in.id, int(claims["gen"]), expires_at):
            await self.stolen(sign_in.user_id, sign_in.id, origin)
            raise refusal
        try:
            user = await accounts.user(sign_in.user_id)
        except NotFound:
            raise refusal from None
        if user.disabled_at is not None:
            raise refusal
        renewed = msgspec.structs.replace(sign_in, generation=int(claims["gen"]) + 1, expires_at=expires_at)
        await self.tell(user.id)
        return self._token(renewed, user)

    async def end(self, actor: Actor, sign_in_id: str = "") -> None:
        """End one sign-in of the actor's own, or all; its tokens are refused at once. Safe to repeat."""
        async with self._records.transaction() as records:
            if await records.accounts.revoke(actor.user_id, sign_in_id):
                ended = f"sign-in:{sign_in_id}" if sign_in_id else f"user:{actor.user_id}"
                await self._audit.note(records.ledger, actor, "user.sign_out", ended)
        self._access.forget(actor.user_id)
        await self.tell(actor.user_id)

    async def give_back(self, sign_in: SignIn, origin: Origin) -> None:
        """End a sign-in because the API client that has it gives it back. Safe to repeat."""
        await self._end_one(sign_in, "user.sign_out", origin)

    async def stolen(self, user_id: str, sign_in_id: str, origin: Origin) -> None:
        """End a sign-in that two hold: what works once came twice. Safe to repeat."""
        sign_in = await self._records.accounts.sign_in(sign_in_id)
        if sign_in is not None and sign_in.user_id == user_id:
            await self._end_one(sign_in, "user.token_reused", origin)

    async def _end_one(self, sign_in: SignIn, action: str, origin: Origin) -> None:
        """End a sign-in and say why, at once."""
        async with self._records.transaction() as records:
            if await records.accounts.revoke(sign_in.user_id, sign_in.id):
                user = await records.accounts.user(sign_in.user_id)
                await self._note(action, user, origin, sign_in, records)
        self._access.forget(sign_in.user_id)
        await self.tell(sign_in.user_id)

    async def tell(self, user_id: str, begun: SignIn | None = None) -> None:
        """Say under `session:<user>` who is signed in: `{"<sign-in>": until}`, seconds since 1970.

        For others to read. Who may come in, the database says: what is shared here may be forgotten, or late.

        Args:
            user_id: Whose sign-ins changed.
            begun: One that the database may not show yet.
        """
        found = {
            each.id: each.expires_at
            for each in await self._records.accounts.sign_ins(user_id, self._clock.now())
        }
        if begun is not None:
            found[begun.id] = begun.expires_at
        if found:
            await self._cache.put(f"session:{user_id}", found, TOKEN_S)
        else:
            await self._cache.drop(f"session:{user_id}")

    async def list(self, actor: Actor) -> Sequence[SignIn]:
        """List the actor's own sign-ins, newest first."""
        return await self._records.accounts.sign_ins(actor.user_id, self._clock.now())
