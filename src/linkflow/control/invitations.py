"""Invitations: bound to an e-mail address, answered by whoever reads its letters, over after a week."""

import secrets
from collections.abc import Sequence

import msgspec

from linkflow.control import mail_texts
from linkflow.control.access import Access, digest
from linkflow.control.accounts import Accounts
from linkflow.control.actor import Actor, Audit
from linkflow.control.plans import Plans
from linkflow.control.post import Post
from linkflow.control.sign_ins import Origin, SignIns, Token
from linkflow.domain.access import outranks
from linkflow.domain.email import email_of
from linkflow.domain.errors import Conflict, Denied, NotFound
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.identity import Invitation, Member, User, Workspace
from linkflow.ports.records import Records

LASTS_S = 7 * 24 * 3600.0


class Offer(msgspec.Struct, frozen=True):
    """What an invitation offers, and who made it."""

    invitation: Invitation
    workspace: Workspace
    inviter: str


class Invitations:
    """Invites, lists, withdraws, accepts and declines.

    Args:
        public_url: Address at which people reach LinkFlow; it goes into letters.
    """

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        sign_ins: SignIns,
        access: Access,
        post: Post,
        audit: Audit,
        plans: Plans,
        clock: Clock,
        ids: IdSource,
        *,
        public_url: str,
    ) -> None:
        self._plans = plans
        self._records, self._accounts, self._sign_ins = records, accounts, sign_ins
        self._access, self._post, self._audit = access, post, audit
        self._clock, self._ids, self._public_url = clock, ids, public_url

    async def invite(self, actor: Actor, email: str, role: str) -> tuple[Invitation, str]:
        """Invite somebody by letter; returns the invitation and its link. An earlier one is withdrawn.

        Raises:
            Invalid: The address is none.
            Denied: The role is above the actor's.
            LimitReached: The plan has no room for one more, counting those who were invited.
            Conflict: `member.already`: they belong to the workspace.
        """
        actor.require("member.invite")
        email = email_of(email)
        if not outranks(actor.role, role):
            raise Denied(f"As {actor.role} you cannot invite an {role}.", permission="member.invite")
        open_ones = await self._records.tenancy.invitations(actor.workspace_id, self._clock.now())
        promised = sum(each.email != email for each in open_ones)
        await self._plans.room(actor.workspace_id, "members", promised)
        now, secret = self._clock.now(), secrets.token_urlsafe(24)
        invitation = Invitation(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            email=email,
            role=role,
            token_hash=digest(secret),
            invited_by=actor.user_id,
            created_at=now,
            expires_at=now + LASTS_S,
        )
        link = f"{self._public_url}/api/v1/invitations/{secret}"
        async with self._records.transaction() as records:
            await records.tenancy.lock_members(actor.workspace_id)
            if any(each.email == email for each in await records.tenancy.members(actor.workspace_id)):
                raise Conflict("They belong to this workspace already.", code="member.already")
            workspace = await records.tenancy.workspace(actor.workspace_id)
            await records.tenancy.add_invitation(invitation)
            inviter = actor.name or actor.email
            await self._post.write(
                records, email, *mail_texts.invitation(workspace.name, inviter, role, link)
            )
            await self._audit.note(
                records.ledger, actor, "member.invite", f"invitation:{invitation.id}", email=email, role=role
            )
        self._post.nudge()
        return invitation, link

    async def list(self, actor: Actor) -> Sequence[Invitation]:
        """List invitations that still can be accepted, newest first."""
        actor.require("member.invite")
        return await self._records.tenancy.invitations(actor.workspace_id, self._clock.now())

    async def withdraw(self, actor: Actor, invitation_id: str) -> None:
        """Take an invitation back.

        Raises:
            NotFound: No such invitation, or it was answered.
        """
        actor.require("member.invite")
        async with self._records.transaction() as records:
            if not await records.tenancy.settle_invitation(actor.workspace_id, invitation_id, "withdrawn"):
                raise NotFound("There is no such invitation.", invitation_id=invitation_id)
            await self._audit.note(records.ledger, actor, "member.withdraw", f"invitation:{invitation_id}")

    async def look(self, secret: str) -> Offer:
        """Say what a link offers; looking answers nothing.

        Raises:
            NotFound: It is unknown, answered, withdrawn or over.
        """
        gone = NotFound("This invitation is not valid any more; ask for another.", code="invitation.gone")
        found = await self._records.tenancy.invitation(digest(secret))
        if found is None or found.state != "pending" or found.expires_at < self._clock.now():
            raise gone
        try:
            workspace = await self._records.tenancy.workspace(found.workspace_id)
            inviter = await self._records.accounts.user(found.invited_by)
        except NotFound:
            raise gone from None
        return Offer(found, workspace, inviter.name or inviter.email)

    async def accept(self, secret: str, actor: Actor) -> Invitation:
        """Join as somebody who is signed in, whose address the invitation is bound to.

        Raises:
            NotFound: The link is not valid any more.
            Denied: `invitation.other_address`: it is for somebody else.
        """
        actor.require_person()
        offer = await self.look(secret)
        if offer.invitation.email != actor.email:
            raise Denied("This invitation is for another e-mail address.", code="invitation.other_address")
        async with self._records.transaction() as records:
            user = await records.accounts.user(actor.user_id)
            await self._join(records, offer.invitation, user)
        self._access.forget(actor.user_id)
        return offer.invitation

    async def accept_as(
        self, secret: str, password: str, name: str, origin: Origin
    ) -> tuple[Invitation, Token]:
        """Join with a password: of the account with this address, or of a new one.

        Raises:
            NotFound: The link is not valid any more.
            Unauthenticated: There is an account, and the password is wrong.
            Invalid: There is none, and the password is too short or too long.
            RateLimited: Too many tries.
        """
        offer = await self.look(secret)
        email = offer.invitation.email
        known = await self._records.accounts.by_email(email)
        user = None if known is None else await self._sign_ins.verified(email, password, origin)
        hashed = "" if user else await self._accounts.hash(password)
        async with self._records.transaction() as records:
            if user is None:
                user = await self._accounts.add(records, email, hashed, name=name, verified=True)
            await self._join(records, offer.invitation, user)
        self._access.forget(user.id)
        # Not in that transaction: it writes to the log of another workspace, and two of them could wait for
        # each other. Whoever joined and was cut off here signs in.
        return offer.invitation, await self._sign_ins.issue(user, origin)

    async def _join(self, records: Records, invitation: Invitation, user: User) -> None:
        """Make somebody a member by their invitation; only one answer to it counts."""
        before = await self._plans.counts(records, invitation.workspace_id)
        now = self._clock.now()
        settled = await records.tenancy.settle_invitation(invitation.workspace_id, invitation.id, "accepted")
        if not settled or await records.tenancy.role(invitation.workspace_id, user.id):
            raise Conflict("This invitation was answered already.", code="invitation.answered")
        await records.tenancy.put_member(
            Member(workspace_id=invitation.workspace_id, user_id=user.id, role=invitation.role, joined_at=now)
        )
        await self._plans.within(records, invitation.workspace_id, before)
        if user.verified_at is None:  # whoever has the link reads the letters of the address
            locked = await records.accounts.locked(user.id)
            await records.accounts.put_user(msgspec.structs.replace(locked, verified_at=now))
        there = Actor(
            user_id=user.id, workspace_id=invitation.workspace_id, email=user.email, role=invitation.role
        )
        await self._audit.note(
            records.ledger, there, "member.join", f"invitation:{invitation.id}", role=invitation.role
        )

    async def decline(self, secret: str, origin: Origin) -> None:
        """Decline an invitation.

        Raises:
            NotFound: The link is not valid any more.
        """
        found = (await self.look(secret)).invitation
        whoever = Actor(
            user_id="", workspace_id=found.workspace_id, email=found.email, role="", address=origin.address
        )
        async with self._records.transaction() as records:
            if await records.tenancy.settle_invitation(found.workspace_id, found.id, "declined"):
                await self._audit.note(
                    records.ledger, whoever, "member.decline", f"invitation:{found.id}", email=found.email
                )
