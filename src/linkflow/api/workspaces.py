"""Workspaces, their members, and invitations to them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api import account_shapes as shapes
from linkflow.api import pages, render
from linkflow.api.accounts import Password
from linkflow.api.deps import Answer, Ask, Id, Line, Shape, StrictRoute, Word
from linkflow.control.invitations import Offer
from linkflow.domain.values import Json
from linkflow.ports.identity import Invitation, MemberLine, Workspace

router = APIRouter(prefix="/api/v1/workspaces", tags=["workspaces"], route_class=StrictRoute)
members = APIRouter(prefix="/api/v1/members", tags=["members"], route_class=StrictRoute)
invitations = APIRouter(prefix="/api/v1/invitations", tags=["members"], route_class=StrictRoute)

Logo = Annotated[str, Field(max_length=2000, pattern=r"^(https?://[^\s\x00]+)?$")]


def workspace(found: Workspace, role: str) -> Json:
    """Say a workspace."""
    return {
        "id": found.id,
        "name": found.name,
        "slug": found.slug,
        "logo": found.logo,
        "settings": dict(found.settings),
        "role": role,
        "created_at": render.instant(found.created_at),
    }


@router.get("", responses={200: {"model": shapes.Workspaces}}, summary="List one's workspaces")
async def listed(ask: Ask) -> Response:
    """List the workspaces one belongs to, with the role in each, oldest first."""
    found = await ask.plane.workspaces.list(await ask.actor())
    return Answer({"data": [workspace(each, role) for each, role in found], "next": None})


class NewWorkspace(Shape):
    """How a workspace is called; the slug is made up when none is said."""

    name: Line
    slug: Word = ""
    logo: Logo = ""


@router.post("", status_code=201, responses={201: {"model": shapes.Workspace}}, summary="Make a workspace")
async def create(ask: Ask, body: NewWorkspace) -> Response:
    """Make a workspace, whose owner you are."""
    found = await ask.plane.workspaces.create(await ask.actor(), body.name, body.slug, body.logo)
    return Answer(workspace(found, "owner"), 201)


@router.get("/{workspace_id}", responses={200: {"model": shapes.Workspace}}, summary="Read a workspace")
async def read(ask: Ask, workspace_id: Id) -> Response:
    """Read a workspace one belongs to."""
    actor = await ask.actor(workspace_id)
    return Answer(workspace(await ask.plane.workspaces.read(actor), actor.role))


class ChangedWorkspace(Shape):
    """What changes; what is left out stays."""

    name: Line | None = None
    slug: Line | None = None
    logo: Logo | None = None
    settings: dict[str, Any] | None = None


@router.put("/{workspace_id}", responses={200: {"model": shapes.Workspace}}, summary="Change a workspace")
@router.patch("/{workspace_id}", responses={200: {"model": shapes.Workspace}}, summary="Change a workspace")
async def change(ask: Ask, workspace_id: Id, body: ChangedWorkspace) -> Response:
    """Change name, slug, logo or settings."""
    actor = await ask.actor(workspace_id)
    found = await ask.plane.workspaces.change(
        actor, name=body.name, slug=body.slug, logo=body.logo, settings=body.settings
    )
    return Answer(workspace(found, actor.role))


@router.delete("/{workspace_id}", status_code=204, summary="Delete a workspace")
async def delete(ask: Ask, workspace_id: Id) -> None:
    """Delete a workspace for good: nobody sees it any more, and nothing starts there."""
    await ask.plane.workspaces.delete(await ask.actor(workspace_id))


def member(found: MemberLine) -> Json:
    """Say a member."""
    return {
        "user_id": found.user_id,
        "email": found.email,
        "name": found.name,
        "role": found.role,
        "joined_at": render.instant(found.joined_at),
    }


@members.get("", responses={200: {"model": shapes.Members}}, summary="List members")
async def list_members(ask: Ask) -> Response:
    """List who belongs to the workspace, by when they joined."""
    found = await ask.plane.members.list(await ask.actor())
    return Answer({"data": [member(each) for each in found], "next": None})


class NewRole(Shape):
    """A role."""

    role: Literal["owner", "admin", "member", "viewer"]


@members.post("/leave", status_code=204, summary="Leave a workspace")
async def leave(ask: Ask) -> None:
    """Leave the workspace that the path names; its last owner cannot."""
    await ask.plane.members.leave(await ask.actor())


@members.put("/{user_id}", responses={200: {"model": shapes.Member}}, summary="Change a role")
async def change_role(ask: Ask, user_id: Id, body: NewRole) -> Response:
    """Give a member another role, neither above your own; it counts within a second."""
    return Answer(member(await ask.plane.members.change(await ask.actor(), user_id, body.role)))


@members.delete("/{user_id}", status_code=204, summary="Remove a member")
async def remove(ask: Ask, user_id: Id) -> None:
    """Remove a member; their keys here are refused and their sockets close."""
    await ask.plane.members.remove(await ask.actor(), user_id)


def invitation(found: Invitation) -> Json:
    """Say an invitation."""
    return {
        "id": found.id,
        "email": found.email,
        "role": found.role,
        "invited_by": found.invited_by,
        "created_at": render.instant(found.created_at),
        "expires_at": render.instant(found.expires_at),
    }


@invitations.get("", responses={200: {"model": shapes.Invitations}}, summary="List invitations")
async def list_invitations(ask: Ask) -> Response:
    """List invitations that still can be accepted, newest first."""
    found = await ask.plane.invitations.list(await ask.actor())
    return Answer({"data": [invitation(each) for each in found], "next": None})


class NewInvitation(Shape):
    """Who is invited, as what."""

    email: Word
    role: Literal["admin", "member", "viewer"] = "member"


@invitations.post("", status_code=201, responses={201: {"model": shapes.MadeInvitation}}, summary="Invite")
async def invite(ask: Ask, body: NewInvitation) -> Response:
    """Invite somebody by letter, for seven days; the link is in the answer too. An earlier one is stale."""
    made, link = await ask.plane.invitations.invite(await ask.actor(), body.email, body.role)
    return Answer(invitation(made) | {"link": link}, 201, {"cache-control": "no-store"})


@invitations.delete("/{invitation_id}", status_code=204, summary="Withdraw an invitation")
async def withdraw(ask: Ask, invitation_id: Id) -> None:
    """Take an invitation back; its link is stale from now on."""
    await ask.plane.invitations.withdraw(await ask.actor(), invitation_id)


def offer(found: Offer) -> Json:
    """Say what an invitation offers."""
    return {
        "workspace_id": found.workspace.id,
        "workspace": found.workspace.name,
        "email": found.invitation.email,
        "role": found.invitation.role,
        "invited_by": found.inviter,
        "expires_at": render.instant(found.invitation.expires_at),
    }


@invitations.get("/{token}", responses={200: {"model": shapes.Offer}}, summary="Look at an invitation")
async def look(ask: Ask, token: Id) -> Response:
    """Show what a link offers: a page for people, JSON for programs. Looking answers nothing."""
    found = await ask.plane.invitations.look(token)
    if "text/html" not in ask.request.headers.get("accept", ""):
        return Answer(offer(found))
    said = (
        f"{found.inviter} invites {found.invitation.email} to the workspace {found.workspace.name}, "
        f"as {found.invitation.role}. Say your password; if you have no account yet, choose one."
    )
    fields = pages.field("Your name", "name", complete="name")
    fields += pages.field("Password", "password", "password", complete="current-password")
    shown = pages.paragraph(said) + pages.form(fields, "Join", action=f"{token}/accept")
    return pages.page("You are invited", shown)


class Acceptance(Shape):
    """The password of the account with the invited address, or of a new one; a name for a new one."""

    password: Password
    name: Word = ""


@invitations.post(
    "/{token}/accept", responses={200: {"model": shapes.Joined}}, summary="Accept an invitation"
)
async def accept(ask: Ask, token: Id) -> Response:
    """Join: signed in as whom the invitation is for, or with a password, which may make the account."""
    if "authorization" in ask.request.headers:
        joined = await ask.plane.invitations.accept(token, await ask.person())
        return Answer({"workspace_id": joined.workspace_id, "role": joined.role})
    is_form, body = await ask.form_or_json(Acceptance)
    joined, made = await ask.plane.invitations.accept_as(token, body.password, body.name, ask.origin)
    if is_form:
        return pages.page("Welcome", pages.paragraph("You belong to the workspace now; sign in."))
    return Answer({
        "workspace_id": joined.workspace_id,
        "role": joined.role,
        "access_token": made.access_token,
        "refresh_token": made.refresh_token,
        "token_type": "Bearer",
        "expires_in": made.expires_in,
    })  # fmt: skip


@invitations.post("/{token}/decline", status_code=204, summary="Decline an invitation")
async def decline(ask: Ask, token: Id) -> None:
    """Decline; the link is stale from now on."""
    await ask.plane.invitations.decline(token, ask.origin)
