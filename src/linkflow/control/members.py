"""Members of a workspace: who belongs to it, in which role."""

from collections.abc import Sequence

from linkflow.control.access import Access
from linkflow.control.actor import Actor, Audit
from linkflow.domain.access import outranks
from linkflow.domain.errors import Conflict, Denied, NotFound
from linkflow.ports.identity import Member, MemberLine
from linkflow.ports.records import Records


class Members:
    """Lists members, changes their roles, lets them go."""

    def __init__(self, records: Records, access: Access, audit: Audit) -> None:
        self._records, self._access, self._audit = records, access, audit

    async def list(self, actor: Actor) -> Sequence[MemberLine]:
        """List the members of the workspace, by when they joined."""
        actor.require("member.view")
        return await self._records.tenancy.members(actor.workspace_id)

    async def change(self, actor: Actor, user_id: str, role: str) -> MemberLine:
        """Give a member another role; nobody gives or takes more than they have.

        Raises:
            NotFound: No such member.
            Denied: The role so far or the new one is above the actor's.
            Conflict: `workspace.last_owner`.
        """
        actor.require("member.update")
        async with self._records.transaction() as records:
            member = await self._member(records, actor, user_id, losing=role != "owner")
            if not outranks(actor.role, role):
                raise Denied(f"As {actor.role} you cannot make somebody {role}.", permission="member.update")
            await records.tenancy.put_member(
                Member(
                    workspace_id=actor.workspace_id, user_id=user_id, role=role, joined_at=member.joined_at
                )
            )
            await self._audit.note(
                records.ledger, actor, "member.update", f"user:{user_id}", old=member.role, new=role
            )
        self._access.forget(user_id)
        return MemberLine(
            user_id=user_id, role=role, joined_at=member.joined_at, email=member.email, name=member.name
        )

    async def remove(self, actor: Actor, user_id: str) -> None:
        """Remove a member; their keys here are refused and their sockets close at once.

        Raises:
            NotFound: No such member.
            Denied: Their role is above the actor's.
            Conflict: `workspace.last_owner`, `workspace.personal`.
        """
        actor.require("member.remove")
        await self._remove(actor, user_id, "member.remove")

    async def leave(self, actor: Actor) -> None:
        """Leave the workspace.

        Raises:
            Conflict: `workspace.last_owner`, `workspace.personal`.
        """
        actor.require_person()
        await self._remove(actor, actor.user_id, "member.leave")

    async def _remove(self, actor: Actor, user_id: str, action: str) -> None:
        """Take somebody out of the workspace."""
        async with self._records.transaction() as records:
            await self._member(records, actor, user_id, losing=True)
            if (await records.accounts.user(user_id)).workspace_id == actor.workspace_id:
                raise Conflict("Nobody leaves their personal workspace.", code="workspace.personal")
            await records.tenancy.remove_member(actor.workspace_id, user_id)
            await self._audit.note(records.ledger, actor, action, f"user:{user_id}")
        self._access.forget(user_id)

    async def _member(self, records: Records, actor: Actor, user_id: str, *, losing: bool) -> MemberLine:
        """Find a member that the actor may change; `losing` when they would be owner no more."""
        await records.tenancy.lock_members(actor.workspace_id)
        members = {each.user_id: each for each in await records.tenancy.members(actor.workspace_id)}
        member = members.get(user_id)
        if member is None:
            raise NotFound("There is no such member.", user_id=user_id)
        if not outranks(actor.role, member.role):
            raise Denied(f"As {actor.role} you cannot change an {member.role}.", permission="member.update")
        owners = [each for each in members.values() if each.role == "owner"]
        if losing and owners == [member]:
            raise Conflict(
                "A workspace keeps an owner; make somebody else owner first.", code="workspace.last_owner"
            )
        return member
