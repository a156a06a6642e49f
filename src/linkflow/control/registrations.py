"""Registering, and showing that an address is one's own.

Where a mail server is set, an address is confirmed before anything else: whoever registers is told that a
letter is on its way, whether the address is new or taken, and only its owner reads which. Without one nobody
could confirm anything; then whoever registers is signed in at once, and a taken address is refused.
"""

import msgspec

from linkflow.control import mail_texts
from linkflow.control.accounts import RESET_S, STALE, Accounts, Links
from linkflow.control.post import Post
from linkflow.control.sign_ins import Origin, SignIns, Token
from linkflow.domain.email import email_of
from linkflow.domain.errors import Conflict, Denied, Invalid
from linkflow.ports.clock import Clock
from linkflow.ports.identity import User
from linkflow.ports.records import Records

VERIFY_S = 7 * 24 * 3600.0


class Registrations:
    """New users, and what shows that an address is theirs.

    Args:
        public_url: Address at which people reach LinkFlow; it goes into letters.
        is_open: Whether anybody may register; else only who was invited.
        confirms_first: Whether an address is confirmed by letter before its user can sign in.
    """

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        sign_ins: SignIns,
        post: Post,
        links: Links,
        clock: Clock,
        *,
        public_url: str,
        is_open: bool,
        confirms_first: bool,
    ) -> None:
        self._records, self._accounts, self._sign_ins = records, accounts, sign_ins
        self._post, self._links, self._clock = post, links, clock
        self._public_url, self._is_open, self._confirms_first = public_url, is_open, confirms_first

    async def register(self, email: str, password: str, name: str, origin: Origin) -> Token | None:
        """Make a user, their workspace, their first sign-in and the letter that verifies, as a whole.

        Returns:
            The sign-in; None where the address is confirmed first. Then a taken address is answered alike, in
            equal time, and its owner gets a letter.

        Raises:
            Denied: `access.registration_closed`: only who was invited may register.
            Invalid: The address is none, or the password is too short or too long.
            Conflict: `user.email_taken`, where no mail server is set.
            RateLimited: Too many tries.
        """
        if not self._is_open:
            raise Denied(
                "Registration is closed here; ask for an invitation.", code="access.registration_closed"
            )
        email = email_of(email)
        hashed = await self._accounts.hash(password)
        await self._sign_ins.throttle("register", email, origin)
        token = None
        try:
            async with self._records.transaction() as records:
                user = await self._accounts.add(records, email, hashed, name=name)
                if not self._confirms_first:
                    token = await self._sign_ins.issue(user, origin, records=records)
                await self._write_verification(records, user)
        except Conflict:
            if not self._confirms_first:
                raise
            await self._tell_owner(email)
        self._post.nudge()
        return token

    async def _tell_owner(self, email: str) -> None:
        """Tell the owner of an address by letter that somebody registered it again."""
        user = await self._records.accounts.by_email(email)
        is_there = user is not None and user.disabled_at is None
        token = self._links.reset(user, self._clock.now() + RESET_S)
        link = f"{self._public_url}/api/v1/auth/reset-password?token={token}"
        await self._post.write(self._records, email if is_there else "", *mail_texts.taken(link))

    async def _write_verification(self, records: Records, user: User) -> None:
        """Ask a user, by letter, whether the address is theirs."""
        token = self._links.verify(user, self._clock.now() + VERIFY_S)
        link = f"{self._public_url}/api/v1/auth/verify-email/{user.id}/{token}"
        await self._post.write(records, user.email, *mail_texts.verify(link))

    async def whose(self, user_id: str, token: str) -> User:
        """Say whose address a letter's link verifies.

        Raises:
            Invalid: `link.stale`.
        """
        claims = self._links.read(token, "verify", self._clock.now())
        user = await self._records.accounts.by_email(str(claims["email"]))
        if user is None or user.id != user_id or user.id != claims["sub"]:
            raise Invalid(STALE, code="link.stale")
        return user

    async def confirm(self, user_id: str, token: str, password: str, origin: Origin) -> User:
        """Verify an address for who reads its letters and knows the password. Safe to repeat.

        A letter also comes to people whose address somebody else registered. Who clicks on everything must
        not let that somebody in.

        Raises:
            Invalid: `link.stale`.
            Unauthenticated: `access.wrong_password`.
            RateLimited: Too many tries.
        """
        user = await self.whose(user_id, token)
        if user.verified_at is None:
            await self._sign_ins.verified(user.email, password, origin)
        return await self._note_verified(user)

    async def verify_email(self, user_id: str, token: str) -> User:
        """Note that an address is its user's own. Safe to repeat.

        Raises:
            Invalid: `link.stale`.
        """
        return await self._note_verified(await self.whose(user_id, token))

    async def _note_verified(self, user: User) -> User:
        if user.verified_at is not None:
            return user
        async with self._records.transaction() as records:
            locked = await records.accounts.locked(user.id)
            verified = msgspec.structs.replace(locked, verified_at=self._clock.now())
            await records.accounts.put_user(verified)
        return verified

    async def resend_verification(self, email: str, origin: Origin) -> None:
        """Send the letter that verifies again; nobody learns whether there is such a user."""
        email = email_of(email)
        await self._sign_ins.throttle("verify", email, origin)
        user = await self._records.accounts.by_email(email)
        if user is None or user.verified_at is not None or user.disabled_at is not None:
            await self._post.write(self._records, "", *mail_texts.verify(""))
        else:
            await self._write_verification(self._records, user)
        self._post.nudge()
