"""Signing in with an account elsewhere."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from linkflow.api import account_shapes as shapes
from linkflow.api.accounts import Signed, signed_in
from linkflow.api.deps import Answer, Ask, Asking, Id, Shape, StrictRoute
from linkflow.control.elsewhere import STATE_S
from linkflow.domain.errors import LinkFlowError, Unauthenticated

router = APIRouter(prefix="/api/v1/auth/oauth", tags=["auth"], route_class=StrictRoute)

COOKIE = "linkflow_sign_in"
Back = Annotated[str, Query(max_length=4000, pattern=r"^[\x20-\x7e]*$")]


@router.get("", responses={200: {"model": shapes.Providers}}, summary="List sign-in services")
async def providers(ask: Ask) -> Response:
    """List what people may sign in with, besides a password."""
    return Answer({"data": [{"name": name} for name in ask.plane.elsewhere.names], "next": None})


class PuterToken(Shape):
    """The token that Puter's pop-up gave the browser."""

    token: Signed


@router.post("/puter", responses={200: {"model": shapes.SignedIn}}, summary="Sign in with Puter")
async def puter(ask: Ask, body: PuterToken) -> Response:
    """Sign in as whom Puter says the token belongs to; where it is switched on (`LINKFLOW_PUTER_URL`)."""
    user = await ask.plane.elsewhere.by_puter(body.token, ask.origin)
    return Answer(signed_in(await ask.plane.sign_ins.issue(user, ask.origin)))


class SignInTicket(Shape):
    """What stood in the address that the browser was sent to."""

    ticket: Signed


@router.post("/exchange", responses={200: {"model": shapes.SignedIn}}, summary="Exchange a ticket for tokens")
async def exchange(ask: Ask, body: SignInTicket) -> Response:
    """Give the tokens of a sign-in elsewhere to the page it came back to: once, within a minute."""
    return Answer(signed_in(await ask.plane.elsewhere.exchange(body.ticket, ask.origin)))


@router.get(
    "/{provider}",
    status_code=302,
    responses={302: {"description": "To the service."}},
    summary="Sign in elsewhere",
)
async def begin(ask: Ask, provider: Id) -> Response:
    """Send the browser to a sign-in service; it comes back to `callback`."""
    address, binding = await ask.plane.elsewhere.begin(provider)
    answer = RedirectResponse(address, 302, {"cache-control": "no-store"})
    answer.set_cookie(
        COOKIE,
        binding,
        max_age=int(STATE_S),
        path="/api",
        secure=ask.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(
    "/{provider}/callback",
    responses={200: {"model": shapes.SignedIn}, 303: {"description": "To the editor, with a ticket."}},
    summary="Come back from elsewhere",
)
async def finish(ask: Ask, provider: Id, code: Back = "", state: Back = "", error: Back = "") -> Response:
    """Finish a sign-in elsewhere: a browser goes to the editor with a ticket, a program gets the tokens.

    Where it fails, a browser goes back to the page of signing in, which says why by the error's code.
    """
    is_browser = "text/html" in ask.request.headers.get("accept", "")
    try:
        if error or not code:
            raise Unauthenticated("The sign-in service says no; begin again.", code="sign_in.refused")
        cookie = ask.request.cookies.get(COOKIE, "")
        user = await ask.plane.elsewhere.finish(provider, code, state, cookie)
    except LinkFlowError as refusal:
        if not is_browser:
            raise
        return _to(ask, f"/sign-in?failed={quote(refusal.code)}")
    answer: Response
    if is_browser:
        answer = _to(ask, f"/#sign-in={await ask.plane.elsewhere.ticket(user)}")
    else:
        answer = Answer(signed_in(await ask.plane.sign_ins.issue(user, ask.origin)))
    answer.delete_cookie(COOKIE, path="/api")
    return answer


def _to(ask: Asking, path: str) -> Response:
    """Send the browser to an address of the editor."""
    return RedirectResponse(f"{ask.public_url}{path}", 303, {"cache-control": "no-store"})
