"""Sign-in, tokens, and the owner who is made at the first start."""

import msgspec

from linkflow.control.actor import Actor
from linkflow.domain.errors import Invalid, NotFound, Unauthenticated
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.coordination import Prepared
from linkflow.ports.records import Records, SignIn, User
from linkflow.ports.vault import PasswordHasher, TokenSigner

TOKEN_S = 24 * 3600.0
KNOWN_S = 30.0
"""How long a verified token is believed without looking at its sign-in again."""
AUDIENCE = "linkflow"
WRONG = "The e-mail address or the password is wrong."


class Token(msgspec.Struct, frozen=True):
    """What a sign-in gives: the bearer token and how long it holds, seconds."""

    access_token: str
    expires_in: int
    user: User


class Owner(msgspec.Struct, frozen=True):
    """The owner; the password only when it was made just now."""

    user: User
    new_password: str = ""


class Accounts:
    """Know who is asking."""

    def __init__(
        self,
        records: Records,
        hasher: PasswordHasher,
        signer: TokenSigner,
        prepared: Prepared,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._records, self._hasher, self._signer = records, hasher, signer
        self._prepared, self._clock, self._ids = prepared, clock, ids
        self._decoy = ""

    async def ensure_owner(self, email: str, password: str | None, made_up: str) -> Owner:
        """Make the owner and the first workspace at the first start; safe to repeat.

        Args:
            email: Lower-case.
            password: What a person chose, or None.
            made_up: A password to use when nobody chose one; it is in the answer then.
        """
        found = await self._records.accounts.owner()
        if found is not None:
            return Owner(found)
        user = User(
            id=self._ids.uuid(),
            workspace_id=self._ids.uuid(),
            email=email,
            password_hash=await self._hasher.hash(password or made_up),
            created_at=self._clock.now(),
        )
        async with self._records.transaction() as records:
            await records.accounts.add_workspace(user.workspace_id, "Personal", user.created_at)
            await records.accounts.add_user(user)
        return Owner(user, "" if password else made_up)

    async def sign_in(self, email: str, password: str) -> Token:
        """Sign in with e-mail address and password.

        An unknown address takes as long as a wrong password.

        Raises:
            Unauthenticated: `access.wrong_password`: one of the two is wrong.
        """
        user = await self._records.accounts.by_email(email.strip().lower())
        if not self._decoy:
            self._decoy = await self._hasher.hash(self._ids.uuid())
        fits = await self._hasher.verify(password, user.password_hash if user else self._decoy)
        if user is None or not fits:
            raise Unauthenticated(WRONG, code="access.wrong_password")
        if self._hasher.is_outdated(user.password_hash):
            await self._records.accounts.set_password(user.id, await self._hasher.hash(password))
        return await self.issue(user)

    async def issue(self, user: User) -> Token:
        """Begin a sign-in for a user who is known to be the one."""
        now = self._clock.now()
        sign_in = SignIn(id=self._ids.uuid(), user_id=user.id, created_at=now, expires_at=now + TOKEN_S)
        await self._records.accounts.add_sign_in(sign_in)
        claims = {
            "iss": AUDIENCE, "aud": AUDIENCE, "sub": user.id, "sid": sign_in.id, "jti": self._ids.uuid(),
            "iat": int(now), "team": user.workspace_id,
        }  # fmt: skip
        return Token(self._signer.sign(claims, sign_in.expires_at), int(TOKEN_S), user)

    def known(self, token: str) -> Actor | None:
        """Say who a token belongs to if it was verified a moment ago, without waiting."""
        found: Actor | None = self._prepared.get(f"token:{token}")
        return found

    async def actor(self, token: str) -> Actor:
        """Say who a token belongs to.

        Raises:
            Unauthenticated: Not ours, expired, or signed out.
        """
        found = self.known(token)
        if found is not None:
            return found
        now = self._clock.now()
        claims = self._signer.verify(token, now)
        sign_in = await self._records.accounts.sign_in(str(claims.get("sid", "")))
        if sign_in is None or sign_in.is_revoked or sign_in.expires_at < now:
            raise Unauthenticated
        try:
            user = await self._records.accounts.user(sign_in.user_id)
        except NotFound as error:
            raise Unauthenticated from error
        actor = Actor(
            user_id=user.id,
            workspace_id=user.workspace_id,
            email=user.email,
            role=user.role,
            sign_in_id=sign_in.id,
        )
        self._prepared.put(f"token:{token}", actor, min(KNOWN_S, sign_in.expires_at - now))
        return actor

    async def ping(self) -> None:
        """See whether the records answer.

        Raises:
            Unavailable: They do not.
        """
        await self._records.accounts.owner()

    async def sign_out(self, actor: Actor, token: str) -> None:
        """End the sign-in a token belongs to. Safe to repeat."""
        await self._records.accounts.revoke(actor.user_id, actor.sign_in_id)
        self._prepared.drop(f"token:{token}")

    async def reset_password(self, email: str, password: str) -> User:
        """Set a user's password and end every sign-in; for the person who holds the machine.

        Raises:
            Invalid: The password is too short or too long.
            NotFound: No such user.
        """
        if len(password) < 8:
            raise Invalid("A password has at least 8 characters.", code="password.too_short")
        accounts = self._records.accounts
        user = await (accounts.by_email(email.strip().lower()) if email else accounts.owner())
        if user is None:
            raise NotFound("There is no such user.")
        hashed = await self._hasher.hash(password)
        async with self._records.transaction() as records:
            await records.accounts.set_password(user.id, hashed)
            await records.accounts.revoke(user.id)
        return user
