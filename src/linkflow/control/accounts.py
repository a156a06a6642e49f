"""Accounts: users and their passwords, the owner of the first start, what stands in the links of letters."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from linkflow.control import mail_texts
from linkflow.control.access import Access, digest
from linkflow.control.actor import Actor, Audit
from linkflow.control.post import Post
from linkflow.control.sign_ins import Origin, SignIns
from linkflow.domain.email import email_of
from linkflow.domain.errors import Conflict, Invalid, NotFound, Unauthenticated
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.identity import Member, User, Workspace
from linkflow.ports.records import Records
from linkflow.ports.vault import PasswordHasher, TokenSigner

RESET_S = 3600.0
PASSWORD_CHARACTERS = 8
LINK = "link"
STALE = "This link is not valid any more; ask for a new one."


class Owner(msgspec.Struct, frozen=True):
    """The owner; the password only when it was made just now."""

    user: User
    new_password: str = ""


class Links:
    """What the links of letters carry: signed, for one use, until they are stale."""

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer

    def verify(self, user: User, until: float) -> str:
        """Make what shows that an address is its user's own."""
        return self._signer.sign({"aud": LINK, "use": "verify", "sub": user.id, "email": user.email}, until)

    def reset(self, user: User | None, until: float) -> str:
        """Make what sets a new password, as long as the old one stands; for nobody it takes as long."""
        was = digest(user.password_hash if user else "")[:16]
        return self._signer.sign(
            {"aud": LINK, "use": "reset", "sub": user.id if user else "", "was": was}, until
        )

    def read(self, token: str, use: str, now: float) -> Mapping[str, Json]:
        """Read what a link says.

        Raises:
            Invalid: `link.stale`: not ours, expired, or for something else.
        """
        claims: Mapping[str, Json] = {}
        with suppress(Unauthenticated):
            claims = self._signer.verify(token, now)
        if claims.get("aud") != LINK or claims.get("use") != use:
            raise Invalid(STALE, code="link.stale")
        return claims


class Accounts:
    """Users and their passwords.

    Args:
        public_url: Address at which people reach LinkFlow; it goes into letters.
    """

    def __init__(
        self,
        records: Records,
        sign_ins: SignIns,
        access: Access,
        post: Post,
        hasher: PasswordHasher,
        links: Links,
        audit: Audit,
        clock: Clock,
        ids: IdSource,
        *,
        public_url: str,
    ) -> None:
        self._records, self._sign_ins, self._access, self._post = records, sign_ins, access, post
        self._hasher, self._links, self._audit = hasher, links, audit
        self._clock, self._ids = clock, ids
        self._public_url = public_url

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
        hashed = await self._hasher.hash(password or made_up)
        try:
            async with self._records.transaction() as records:
                user = await self.add(records, email, hashed, verified=True, operator=True)
        except Conflict:
            found = await self._records.accounts.owner()  # another process started at the same moment
            if found is None:
                raise
            return Owner(found)
        return Owner(user, "" if password else made_up)

    async def add(
        self,
        records: Records,
        email: str,
        password_hash: str,
        *,
        name: str = "",
        verified: bool = False,
        operator: bool = False,
    ) -> User:
        """Keep a new user with a workspace of their own, in a transaction.

        Raises:
            Conflict: `user.email_taken`: the e-mail address is taken.
        """
        now = self._clock.now()
        user = User(
            id=self._ids.uuid(),
            workspace_id=self._ids.uuid(),
            email=email,
            password_hash=password_hash,
            name=name,
            created_at=now,
            verified_at=now if verified else None,
            is_operator=operator,
        )
        workspace = Workspace(id=user.workspace_id, name="Personal", slug=user.workspace_id, created_at=now)
        await records.tenancy.add_workspace(workspace)
        await records.accounts.add_user(user)
        await records.tenancy.put_member(
            Member(workspace_id=workspace.id, user_id=user.id, role="owner", joined_at=now)
        )
        await self._audit.note(records.ledger, self_of(user), "user.register", f"user:{user.id}", email=email)
        return user

    async def hash(self, password: str) -> str:
        """Hash a password that may be used.

        Raises:
            Invalid: `password.too_short`, `password.too_long`.
        """
        if len(password) < PASSWORD_CHARACTERS:
            raise Invalid(
                f"A password has at least {PASSWORD_CHARACTERS} characters.", code="password.too_short"
            )
        return await self._hasher.hash(password)

    async def forgot_password(self, email: str, origin: Origin) -> None:
        """Send a letter with which the password is set anew; nobody learns whether there is such a user."""
        email = email_of(email)
        await self._sign_ins.throttle("forgot", email, origin)
        user = await self._records.accounts.by_email(email)
        is_there = user is not None and user.disabled_at is None
        token = self._links.reset(user, self._clock.now() + RESET_S)
        link = f"{self._public_url}/api/v1/auth/reset-password?token={token}"
        await self._post.write(self._records, email if is_there else "", *mail_texts.reset(link))
        self._post.nudge()

    async def reset_by_link(self, token: str, password: str) -> User:
        """Set a new password by the link of a letter, once; every sign-in ends.

        Raises:
            Invalid: `link.stale`, or the password is too short or too long.
        """
        claims = self._links.read(token, "reset", self._clock.now())
        hashed = await self.hash(password)
        async with self._records.transaction() as records:
            try:
                user = await records.accounts.locked(str(claims["sub"]))
            except NotFound:
                raise Invalid(STALE, code="link.stale") from None
            if digest(user.password_hash)[:16] != claims["was"] or user.disabled_at is not None:
                raise Invalid(STALE, code="link.stale")
            gone = () if user.verified_at is not None else await self.take_over(records, user)
            user = await self._replace_password(records, user, hashed, verified=True)
        for member_id in gone:
            self._access.forget(member_id)
        await self._ended(user)
        return user

    async def change_password(self, actor: Actor, old: str, new: str, origin: Origin) -> None:
        """Change one's own password; every other sign-in ends.

        Raises:
            Invalid: `password.wrong`, or the new one is too short or too long.
            RateLimited: Too many tries.
        """
        actor.require_person()
        user = await self._confirmed(actor, old, origin)
        hashed = await self.hash(new)
        async with self._records.transaction() as records:
            user = await records.accounts.locked(user.id)  # meanwhile it may have been banned
            await records.accounts.put_user(msgspec.structs.replace(user, password_hash=hashed))
            await records.accounts.revoke_others(user.id, actor.sign_in_id)
            await self._audit.note(records.ledger, actor, "user.change_password", f"user:{user.id}")
            await self._post.write(records, user.email, *mail_texts.changed())
        await self._ended(user)

    async def _confirmed(self, actor: Actor, password: str, origin: Origin) -> User:
        """Read the actor's user when the password is right."""
        try:
            return await self._sign_ins.verified(actor.email, password, origin)
        except Unauthenticated:
            raise Invalid("The password is wrong.", code="password.wrong") from None

    async def _replace_password(
        self, records: Records, user: User, hashed: str, *, verified: bool = False
    ) -> User:
        """Set a password and end every sign-in, in a transaction."""
        verified_at = self._clock.now() if verified and user.verified_at is None else user.verified_at
        changed = msgspec.structs.replace(user, password_hash=hashed, verified_at=verified_at)
        await records.accounts.put_user(changed)
        await records.accounts.revoke(user.id)
        await self._audit.note(records.ledger, self_of(user), "user.reset_password", f"user:{user.id}")
        await self._post.write(records, user.email, *mail_texts.changed())
        return changed

    async def take_over(self, records: Records, user: User) -> Sequence[str]:
        """Shut everybody else out of what was made under an address that was never shown to be theirs.

        Whoever registered it may have left doors open: other members, invitations, keys, API clients,
        addresses that are told what happens. What was built stays, for the address's owner to look at.

        Args:
            records: Of the transaction.
            user: Not verified so far.

        Returns:
            Ids of the members who are gone; `Access.forget` them once this is durable.
        """
        await records.accounts.revoke(user.id)
        await records.accounts.revoke_keys(user.id)
        await records.clients.forget_grants(user.id)
        gone: list[str] = []
        for workspace, role in await records.tenancy.workspaces_of(user.id):
            await records.tenancy.lock_members(workspace.id)
            if role != "owner" and workspace.id != user.workspace_id:
                await records.tenancy.remove_member(workspace.id, user.id)
                continue
            gone += [each.user_id for each in await records.tenancy.members(workspace.id)]
            await records.tenancy.shut(workspace.id, user.id)
        gone = [each for each in gone if each != user.id]
        await self._audit.note(
            records.ledger, self_of(user), "user.take_over", f"user:{user.id}", members_removed=len(gone)
        )
        return gone

    async def _ended(self, user: User) -> None:
        """Let everybody look again at a user whose sign-ins ended, and the letter about it leave."""
        self._access.forget(user.id)
        await self._sign_ins.tell(user.id)
        self._post.nudge()

    async def reset_password(self, email: str, password: str) -> User:
        """Set a user's password and end every sign-in; for the person who holds the machine.

        Raises:
            Invalid: The password is too short or too long.
            NotFound: No such user.
        """
        hashed = await self.hash(password)
        accounts = self._records.accounts
        user = await (accounts.by_email(email.strip().lower()) if email else accounts.owner())
        if user is None:
            raise NotFound("There is no such user.")
        async with self._records.transaction() as records:
            user = await self._replace_password(records, await records.accounts.locked(user.id), hashed)
        await self._ended(user)
        return user

    async def profile(self, actor: Actor) -> User:
        """Read the actor's own user."""
        return await self._records.accounts.user(actor.user_id)

    async def rename(self, actor: Actor, name: str) -> User:
        """Change how the actor is called."""
        actor.require_person()
        async with self._records.transaction() as records:
            user = await records.accounts.locked(actor.user_id)
            user = msgspec.structs.replace(user, name=name)
            await records.accounts.put_user(user)
        self._access.forget(actor.user_id)
        return user

    async def close(self, actor: Actor, password: str, origin: Origin) -> None:
        """Close the actor's own account: no sign-in, no membership, no key, and the address is free again.

        Raises:
            Invalid: `password.wrong`.
            Conflict: `workspace.last_owner`: others would be left in a workspace without an owner;
                `user.operator`: whoever runs this installation stays.
        """
        actor.require_person()
        user = await self._confirmed(actor, password, origin)
        if user.is_operator:
            raise Conflict("Whoever runs this LinkFlow cannot leave it.", code="user.operator")
        async with self._records.transaction() as records:
            for workspace, role in await records.tenancy.workspaces_of(user.id):
                await records.tenancy.lock_members(workspace.id)
                others = [
                    each for each in await records.tenancy.members(workspace.id) if each.user_id != user.id
                ]
                if role == "owner" and others and all(each.role != "owner" for each in others):
                    raise Conflict(
                        f"You are the only owner of {workspace.name!r}; make somebody else owner first.",
                        code="workspace.last_owner",
                        workspace=workspace.id,
                    )
                await records.tenancy.remove_member(workspace.id, user.id)
                if not others:
                    await records.tenancy.delete_workspace(workspace.id, self._clock.now())
            await records.accounts.put_user(closed(user, self._clock.now()))
            await records.accounts.revoke(user.id)
            await self._audit.note(records.ledger, actor, "user.close", f"user:{user.id}")
        self._access.forget(user.id)
        await self._sign_ins.tell(user.id)

    async def ban(self, actor: Actor, user_id: str, *, banned: bool) -> User:
        """Shut a user out of this installation at once, or let them in again; for its operator.

        Raises:
            Denied: The actor is not the operator.
            NotFound: No such user.
            Conflict: `user.operator`.
        """
        actor.require_operator()
        async with self._records.transaction() as records:
            user = await records.accounts.locked(user_id)
            if user.is_operator:
                raise Conflict("Whoever runs this LinkFlow cannot be banned.", code="user.operator")
            user = msgspec.structs.replace(user, disabled_at=self._clock.now() if banned else None)
            await records.accounts.put_user(user)
            if banned:
                await records.accounts.revoke(user.id)
            action = "user.ban" if banned else "user.unban"
            await self._audit.note(records.ledger, actor, action, f"user:{user.id}")
        self._access.forget(user.id)
        await self._sign_ins.tell(user.id)
        return user

    async def ping(self) -> None:
        """See whether the records answer.

        Raises:
            Unavailable: They do not.
        """
        await self._records.accounts.owner()


def self_of(user: User) -> Actor:
    """Say a user as the actor of what they do to their own account."""
    return Actor(
        user_id=user.id, workspace_id=user.workspace_id, email=user.email, name=user.name, role="owner"
    )


def closed(user: User, at: float) -> User:
    """Say what is kept of a user who left: an id, so that what they made still says by whom."""
    return msgspec.structs.replace(
        user, email=f"closed:{user.id}", name="", password_hash="", disabled_at=at, verified_at=None
    )
