"""Sign in, sign out, who am I."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from linkflow.api.deps import Answer, Ask, Shape, StrictRoute, Word, bearer
from linkflow.api.shapes import Email, Me, SignedIn
from linkflow.control.actor import Actor
from linkflow.domain.callback import is_genuine
from linkflow.domain.errors import Unauthenticated
from linkflow.domain.values import Json

router = APIRouter(prefix="/api/v1/auth", tags=["auth"], route_class=StrictRoute)


class SignInBody(Shape):
    """Who signs in."""

    email: Word
    password: Annotated[str, Field(max_length=1000)]


@router.post("/login", responses={200: {"model": SignedIn}}, summary="Sign in")
async def login(ask: Ask, body: SignInBody) -> Response:
    """Sign in with e-mail address and password; the token goes into `Authorization: Bearer …`."""
    token = await ask.plane.accounts.sign_in(body.email, body.password)
    user = {"id": token.user.id, "email": token.user.email, "role": token.user.role}
    return Answer({
        "access_token": token.access_token,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
        "user": user | {"workspace_id": token.user.workspace_id},
    })  # fmt: skip


class NewPassword(Shape):
    """Whose password changes (the owner's when left out), and to what."""

    email: Word = ""
    password: Annotated[str, Field(min_length=8, max_length=1000)]


@router.post(
    "/owner-password", responses={200: {"model": Email}}, summary="Reset a password from the machine"
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


@router.post("/logout", status_code=204, summary="Sign out")
async def logout(ask: Ask) -> None:
    """End this sign-in at once; its token is refused from now on."""
    await ask.plane.accounts.sign_out(await ask.actor(), bearer(ask.request))


@router.get("/me", responses={200: {"model": Me}}, summary="Who am I")
async def me(ask: Ask) -> Response:
    """Say who the token belongs to."""
    return Answer(_user(await ask.actor()))


def _user(actor: Actor) -> Json:
    """Say who is signed in."""
    return {
        "id": actor.user_id,
        "email": actor.email,
        "role": actor.role,
        "workspace_id": actor.workspace_id,
    }
