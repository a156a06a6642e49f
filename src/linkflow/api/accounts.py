"""Registering, signing in and out, passwords, one's own profile."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from linkflow.api import account_shapes as shapes
from linkflow.api import pages, render
from linkflow.api.deps import Answer, Ask, Asking, Id, Line, Shape, StrictRoute, Word
from linkflow.control.actor import Actor
from linkflow.control.sign_ins import Token
from linkflow.domain.access import PERMISSIONS
from linkflow.domain.callback import is_genuine
from linkflow.domain.errors import Unauthenticated
from linkflow.domain.values import Json
from linkflow.ports.identity import SignIn, User

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictRoute)
users = APIRouter(prefix="/api/v1/users", tags=["auth"], route_class=StrictRoute)

published = APIRouter(tags=["auth"], route_class=StrictRoute)

Password = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Signed = Annotated[str, Field(max_length=2000, pattern=r"^[\x21-\x7e]*$")]
CONFIRM = "A letter is on its way; open its link to go on."
NEUTRAL = "If there is such a user, a letter is on its way."


def signed_in(token: Token) -> Json:
    """Say what a sign-in gives."""
    user = token.user
    return {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
        "user": {
            "id": user.id, "email": user.email, "name": user.name, "role": token.role,
            "workspace_id": user.workspace_id, "email_verified": user.verified_at is not None,
        },
    }  # fmt: skip


def person(user: User) -> Json:
    """Say a user."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "email_verified": user.verified_at is not None,
        "created_at": render.instant(user.created_at),
    }


@published.get(
    "/.well-known/jwks.json", responses={200: {"model": shapes.KeySet}}, summary="Keys that verify tokens"
)
async def key_set(ask: Ask) -> Response:
    """Say the keys with which anybody verifies our tokens (RFC 7517)."""
    return Answer(ask.plane.access.published(), headers={"cache-control": "public, max-age=3600"})


class Registration(Shape):
    """Who registers; `name`, or `first_name` and `last_name`."""

    email: Word
    password: Password
    name: Word = ""
    first_name: Word = ""
    last_name: Word = ""

    @property
    def called(self) -> str:
        """How they are called."""
        return (self.name or f"{self.first_name} {self.last_name}").strip()


@router.post(
    "/register",
    status_code=201,
    responses={201: {"model": shapes.SignedIn}, 202: {"model": shapes.Done}},
    summary="Register",
)
async def register(ask: Ask, body: Registration) -> Response:
    """Make a user, a workspace of their own and their first sign-in; a letter asks to verify the address.

    Where a mail server is set, the letter comes first: 202 whether the address is new or taken, and the user
    signs in once its link was opened.
    """
    token = await ask.plane.registrations.register(body.email, body.password, body.called, ask.origin)
    return Answer({"message": CONFIRM}, 202) if token is None else Answer(signed_in(token), 201)


class SignInBody(Shape):
    """Who signs in."""

    email: Word
    password: Password


@router.post("/login", responses={200: {"model": shapes.SignedIn}}, summary="Sign in")
async def login(ask: Ask, body: SignInBody) -> Response:
    """Sign in with e-mail address and password; the token goes into `Authorization: Bearer …`."""
    return Answer(signed_in(await ask.plane.sign_ins.sign_in(body.email, body.password, ask.origin)))


class Renewal(Shape):
    """A refresh token."""

    refresh_token: Signed


@router.post("/refresh", responses={200: {"model": shapes.SignedIn}}, summary="Renew a sign-in")
async def refresh(ask: Ask, body: Renewal) -> Response:
    """Give a new access token and a new refresh token; the old one, shown again, ends the sign-in."""
    return Answer(signed_in(await ask.plane.sign_ins.refresh(body.refresh_token, ask.origin)))


@router.post("/logout", status_code=204, summary="Sign out")
async def logout(ask: Ask) -> None:
    """End this sign-in at once; its tokens are refused from now on, and its sockets close."""
    actor = await ask.actor()
    await ask.plane.sign_ins.end(actor, actor.sign_in_id)


class Address(Shape):
    """An e-mail address."""

    email: Word


@router.post(
    "/forgot-password", status_code=202, responses={202: {"model": shapes.Done}}, summary="Forgot password"
)
async def forgot_password(ask: Ask, body: Address) -> Response:
    """Send a link for a new password; the answer is the same whether there is such a user or not."""
    await ask.plane.accounts.forgot_password(body.email, ask.origin)
    return Answer({"message": NEUTRAL}, 202)


@router.get("/reset-password", summary="Show the form for a new password")
async def reset_page(ask: Ask, token: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """Show the form that a letter's link leads to; looking changes nothing."""
    fields = pages.field("", "token", "hidden", token)
    fields += pages.field("New password", "password", "password", complete="new-password")
    return pages.page("Set a new password", pages.form(fields, "Set password", action="reset-password"))


class NewByLink(Shape):
    """What the letter's link says, and the new password."""

    token: Signed
    password: Password


@router.post(
    "/reset-password", responses={200: {"model": shapes.Email}}, summary="Set a new password by a link"
)
async def reset_password(ask: Ask) -> Response:
    """Set a new password by the link of a letter, as JSON or from the form; every sign-in ends."""
    is_form, body = await ask.form_or_json(NewByLink)
    user = await ask.plane.accounts.reset_by_link(body.token, body.password)
    if is_form:
        return pages.page("Your password is set", pages.paragraph("You can sign in with it now."))
    return Answer({"email": user.email})


@router.get(
    "/verify-email/{user_id}/{token}", responses={200: {"model": shapes.Email}}, summary="Verify an address"
)
async def verify_email(ask: Ask, user_id: Id, token: Signed) -> Response:
    """Note that an e-mail address is its user's own; the link comes by letter and may be used again.

    A browser is shown a form that asks for the password; looking changes nothing there.
    """
    if "text/html" not in ask.request.headers.get("accept", ""):
        return Answer({"email": (await ask.plane.registrations.verify_email(user_id, token)).email})
    user = await ask.plane.registrations.whose(user_id, token)
    return _confirmed(user.email) if user.verified_at is not None else _confirming(user.email)


class Confirmation(Shape):
    """The password that was chosen at registration."""

    password: Password


@router.post(
    "/verify-email/{user_id}/{token}",
    responses={200: {"model": shapes.Email}},
    summary="Verify an address with the password",
)
async def confirm_email(ask: Ask, user_id: Id, token: Signed) -> Response:
    """Verify an address for who has its letter and knows the password, as JSON or from the form."""
    is_form, body = await ask.form_or_json(Confirmation)
    try:
        user = await ask.plane.registrations.confirm(user_id, token, body.password, ask.origin)
    except Unauthenticated:
        if not is_form:
            raise
        return _confirming((await ask.plane.registrations.whose(user_id, token)).email, is_again=True)
    return _confirmed(user.email) if is_form else Answer({"email": user.email})


def _confirming(email: str, *, is_again: bool = False) -> Response:
    """Ask for the password: whoever did not register knows none, and confirms nothing by mistake."""
    said = "That is not the password. " if is_again else ""
    body = pages.paragraph(f"{said}Enter the password that you chose when you registered {email}.")
    body += pages.form(
        pages.field("Password", "password", "password", complete="current-password"), "Confirm"
    )
    body += pages.paragraph(
        "You did not register? Then somebody used your address. Close this page: nothing happens. "
        "To have an account of your own, ask for a new password on the sign-in page."
    )
    return pages.page("Confirm your e-mail address", body, status=401 if is_again else 200)


def _confirmed(email: str) -> Response:
    return pages.page("Thank you", pages.paragraph(f"{email} is confirmed. You can sign in now."))


@router.post(
    "/resend-verification-email",
    status_code=202,
    responses={202: {"model": shapes.Done}},
    summary="Send the verifying letter again",
)
async def resend(ask: Ask, body: Address) -> Response:
    """Send the letter that verifies again; the answer is the same whether there is such a user or not."""
    await ask.plane.registrations.resend_verification(body.email, ask.origin)
    return Answer({"message": NEUTRAL}, 202)


class ChangedPassword(Shape):
    """The password so far, and the new one."""

    current_password: Password
    password: Password


@router.post("/change-password", status_code=204, summary="Change the password")
@router.put("/change-password", status_code=204, summary="Change the password")
async def change_password(ask: Ask, body: ChangedPassword) -> None:
    """Change one's own password; every other sign-in ends."""
    actor = await ask.actor()
    await ask.plane.accounts.change_password(actor, body.current_password, body.password, ask.origin)


class NewPassword(Shape):
    """Whose password changes (the owner's when left out), and to what."""

    email: Word = ""
    password: Annotated[str, Field(min_length=8, max_length=1000, pattern=r"^[^\x00]*$")]


@router.post(
    "/owner-password", responses={200: {"model": shapes.Email}}, summary="Reset a password from the machine"
)
async def owner_password(ask: Ask, body: NewPassword) -> Response:
    """Set a new password and end every sign-in; the call is signed with LINKFLOW_SECRET, as callbacks are.

    It is for the person who holds the machine: `linkflow owner reset-password`.
    """
    raw = await ask.request.body()
    if not is_genuine(ask.plane.secret, ask.request.headers, raw, ask.plane.clock.now()):
        raise Unauthenticated("This call is signed with LINKFLOW_SECRET.", code="access.signature")
    user = await ask.plane.accounts.reset_password(body.email, body.password)
    return Answer({"email": user.email})


@router.get("/me", responses={200: {"model": shapes.Me}}, summary="Who am I")
async def me(ask: Ask) -> Response:
    """Say who the token or key belongs to, and what it may do in this workspace."""
    return Answer(_me(await ask.actor()))


def _me(actor: Actor) -> Json:
    """Say who is signed in."""
    return {
        "id": actor.user_id,
        "email": actor.email,
        "name": actor.name,
        "role": actor.role,
        "workspace_id": actor.workspace_id,
        "scopes": list(actor.scopes),
        "permissions": sorted(word for word in PERMISSIONS.get(actor.role, ()) if actor.may(word)),
        "is_operator": actor.is_operator,
    }


class Profile(Shape):
    """What people may change about themselves."""

    name: Line


@router.put("/me", responses={200: {"model": shapes.Person}}, summary="Change one's profile")
async def change_profile(ask: Ask, body: Profile) -> Response:
    """Change how one is called."""
    return Answer(person(await ask.plane.accounts.rename(await ask.actor(), body.name)))


class Leave(Shape):
    """The password, so that nobody else closes an account."""

    password: Password


@router.delete("/me", status_code=204, summary="Close one's account")
async def close(ask: Ask, body: Leave) -> None:
    """Close one's account: memberships, keys and sign-ins end, workspaces of nobody else are removed."""
    await ask.plane.accounts.close(await ask.actor(), body.password, ask.origin)


def _sign_in(found: SignIn, actor: Actor) -> Json:
    """Say a sign-in."""
    return {
        "id": found.id,
        "created_at": render.instant(found.created_at),
        "expires_at": render.instant(found.expires_at),
        "device": found.device,
        "address": found.address,
        "client_id": found.client_id,
        "scopes": list(found.scopes),
        "is_current": found.id == actor.sign_in_id,
    }


@router.get("/sign-ins", responses={200: {"model": shapes.SignIns}}, summary="List one's sign-ins")
async def sign_ins(ask: Ask) -> Response:
    """List where one is signed in, newest first, API clients too."""
    actor = await ask.actor()
    found = await ask.plane.sign_ins.list(actor)
    return Answer({"data": [_sign_in(each, actor) for each in found], "next": None})


@router.delete("/sign-ins", status_code=204, summary="Sign out everywhere")
async def sign_out_everywhere(ask: Ask) -> None:
    """End every sign-in of one's own, this one too."""
    await ask.plane.sign_ins.end(await ask.actor())


@router.delete("/sign-ins/{sign_in_id}", status_code=204, summary="End a sign-in")
async def end_sign_in(ask: Ask, sign_in_id: Id) -> None:
    """End one of one's own sign-ins at once."""
    await ask.plane.sign_ins.end(await ask.actor(), sign_in_id)


async def _ban(ask: Asking, user_id: str, banned: bool) -> Response:
    """Ban a user, or let them in again."""
    return Answer(person(await ask.plane.accounts.ban(await ask.actor(), user_id, banned=banned)))


@users.post("/{user_id}/ban", responses={200: {"model": shapes.Person}}, summary="Ban a user")
async def ban(ask: Ask, user_id: Id) -> Response:
    """Shut a user out of this installation at once: sign-ins end, keys are refused. For its operator."""
    return await _ban(ask, user_id, banned=True)


@users.post("/{user_id}/unban", responses={200: {"model": shapes.Person}}, summary="Let a user in again")
async def unban(ask: Ask, user_id: Id) -> Response:
    """Let a banned user sign in again. For the operator."""
    return await _ban(ask, user_id, banned=False)
