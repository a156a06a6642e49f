"""Workspaces, members and invitations in PostgreSQL."""

from collections.abc import Sequence

from linkflow.adapters.sql.statements import Statements, Table
from linkflow.domain.errors import Conflict, NotFound
from linkflow.ports.identity import Invitation, Member, MemberLine, Workspace

WORKSPACES = Table("control.workspaces", Workspace, json=("settings",))
MEMBERS = Table("control.members", Member)
INVITATIONS = Table("control.invitations", Invitation)
SHUT = "The owner of this workspace's address took it over; switch it on again if it is yours."
_workspace = WORKSPACES.reader(Workspace)
_invitation = INVITATIONS.reader(Invitation)


class SqlTenancy:
    """Workspaces on tables; a deleted one keeps its row and is not shown."""

    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    async def add_workspace(self, workspace: Workspace) -> None:
        """Keep a new workspace."""
        await self._sql.of(workspace.id).insert(
            _taken(workspace), WORKSPACES.insert, *WORKSPACES.values(workspace)
        )

    async def workspace(self, workspace_id: str) -> Workspace:
        """Read a workspace."""
        found = await self._sql.of(workspace_id).row(
            f"{WORKSPACES.select} WHERE id = $1 AND deleted_at IS NULL", workspace_id
        )
        if found is None:
            raise NotFound("There is no such workspace.", workspace=workspace_id)
        return _workspace(found)

    async def put_workspace(self, workspace: Workspace) -> None:
        """Replace what is kept of a workspace."""
        await self._sql.of(workspace.id).insert(
            _taken(workspace), WORKSPACES.put, *WORKSPACES.values(workspace)
        )

    async def delete_workspace(self, workspace_id: str, at: float) -> None:
        """Hide a workspace, and stop whatever starts its executions."""
        for statement in (
            "DELETE FROM control.webhooks WHERE workspace_id = $1",
            "DELETE FROM control.schedules WHERE workspace_id = $1",
            "DELETE FROM control.webhook_subscriptions WHERE workspace_id = $1",
            "DELETE FROM control.alerts WHERE workspace_id = $1",
            "DELETE FROM control.api_keys WHERE workspace_id = $1",
            "UPDATE control.workflows SET is_active = false WHERE workspace_id = $1",
        ):
            await self._sql.of(workspace_id).run(statement, workspace_id)
        await self._sql.of(workspace_id).run(
            "UPDATE control.workspaces SET deleted_at = $2 WHERE id = $1", workspace_id, at
        )

    async def workspaces_of(self, user_id: str) -> Sequence[tuple[Workspace, str]]:
        """List the workspaces of a user with the user's role."""
        columns = ", ".join(f"w.{column}" for column in WORKSPACES.columns)
        found = await self._sql.rows(
            f"SELECT m.role AS member_role, {columns} FROM control.members AS m"
            " JOIN control.workspaces AS w ON w.id = m.workspace_id"
            " WHERE m.user_id = $1 AND w.deleted_at IS NULL ORDER BY m.joined_at, w.id LIMIT 1000",
            user_id,
        )
        return [(_workspace(row), row["member_role"]) for row in found]

    async def put_member(self, member: Member) -> None:
        """Add a member, or change their role."""
        await self._sql.of(member.workspace_id).run(
            f"{MEMBERS.insert} ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role",
            *MEMBERS.values(member),
        )

    async def members(self, workspace_id: str) -> Sequence[MemberLine]:
        """List members by when they joined."""
        found = await self._sql.of(workspace_id).rows(
            "SELECT m.user_id, m.role, m.joined_at, u.email, u.name FROM control.members AS m"
            " JOIN control.users AS u ON u.id = m.user_id"
            " WHERE m.workspace_id = $1 ORDER BY m.joined_at, m.user_id LIMIT 10000",
            workspace_id,
        )
        return [MemberLine(**dict(row)) for row in found]

    async def lock_members(self, workspace_id: str) -> None:
        """Let nobody else change members until the transaction ends."""
        await self._sql.of(workspace_id).run(
            "SELECT 1 FROM control.workspaces WHERE id = $1 FOR UPDATE", workspace_id
        )

    async def role(self, workspace_id: str, user_id: str) -> str:
        """Say somebody's role."""
        found = await self._sql.of(workspace_id).row(
            "SELECT role FROM control.members WHERE workspace_id = $1 AND user_id = $2",
            workspace_id,
            user_id,
        )
        return "" if found is None else str(found["role"])

    async def remove_member(self, workspace_id: str, user_id: str) -> None:
        """Remove a member, with the keys they made there."""
        for table in ("control.api_keys", "control.members"):
            await self._sql.of(workspace_id).run(
                f"DELETE FROM {table} WHERE workspace_id = $1 AND user_id = $2", workspace_id, user_id
            )

    async def shut(self, workspace_id: str, user_id: str) -> None:
        """Leave a workspace to one user."""
        await self._sql.run(
            "UPDATE control.sign_ins SET is_revoked = true WHERE NOT is_revoked AND client_id IN"
            " (SELECT id FROM control.oauth_clients WHERE workspace_id = $1)",
            workspace_id,
        )
        for statement in (
            "DELETE FROM control.oauth_clients WHERE workspace_id = $1",
            "DELETE FROM control.api_keys WHERE workspace_id = $1",
            "UPDATE control.invitations SET state = 'withdrawn'"
            " WHERE workspace_id = $1 AND state = 'pending'",
            "UPDATE control.alerts SET is_active = false WHERE workspace_id = $1",
        ):
            await self._sql.of(workspace_id).run(statement, workspace_id)
        await self._sql.of(workspace_id).run(
            "UPDATE control.webhook_subscriptions SET is_active = false, disabled_reason = $2"
            " WHERE workspace_id = $1 AND is_active",
            workspace_id,
            SHUT,
        )
        await self._sql.of(workspace_id).run(
            "DELETE FROM control.members WHERE workspace_id = $1 AND user_id <> $2", workspace_id, user_id
        )
        await self._sql.of(workspace_id).run(
            "UPDATE control.members SET role = 'owner' WHERE workspace_id = $1 AND user_id = $2",
            workspace_id,
            user_id,
        )

    async def add_invitation(self, invitation: Invitation) -> None:
        """Keep an invitation; an earlier one to the same address is withdrawn."""
        await self._sql.of(invitation.workspace_id).run(
            "UPDATE control.invitations SET state = 'withdrawn'"
            " WHERE workspace_id = $1 AND email = $2 AND state = 'pending'",
            invitation.workspace_id,
            invitation.email,
        )
        await self._sql.of(invitation.workspace_id).run(INVITATIONS.insert, *INVITATIONS.values(invitation))

    async def invitations(self, workspace_id: str, now: float) -> Sequence[Invitation]:
        """List invitations that still can be accepted."""
        found = await self._sql.of(workspace_id).rows(
            f"{INVITATIONS.select} WHERE workspace_id = $1 AND state = 'pending' AND expires_at > $2"
            " ORDER BY created_at DESC, id LIMIT 1000",
            workspace_id,
            now,
        )
        return [_invitation(row) for row in found]

    async def invitation(self, token_hash: str) -> Invitation | None:
        """Find an invitation by its link."""
        found = await self._sql.row(f"{INVITATIONS.select} WHERE token_hash = $1", token_hash)
        return None if found is None else _invitation(found)

    async def settle_invitation(self, workspace_id: str, invitation_id: str, state: str) -> bool:
        """Answer or withdraw an invitation."""
        done = await self._sql.of(workspace_id).run(
            "UPDATE control.invitations SET state = $3"
            " WHERE workspace_id = $1 AND id = $2 AND state = 'pending'",
            workspace_id,
            invitation_id,
            state,
        )
        return done == 1


def _taken(workspace: Workspace) -> Conflict:
    """Say that a slug is another workspace's already."""
    return Conflict(
        f"There is already a workspace with the slug {workspace.slug!r}.", code="workspace.slug_taken"
    )
