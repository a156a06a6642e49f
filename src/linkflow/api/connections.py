"""Connecting credentials to accounts elsewhere by OAuth 2."""

import html
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, Response

from linkflow.api import credential_shapes as shapes
from linkflow.api.credentials import shown
from linkflow.api.deps import Answer, Ask, Id, Line, Shape, StrictRoute
from linkflow.control.oauth_connections import STATE_S
from linkflow.domain.errors import Invalid

router = APIRouter(prefix="/api/v1/oauth", tags=["credentials"], route_class=StrictRoute)

COOKIE = "linkflow_connection"
Back = Annotated[str, Query(max_length=4000, pattern=r"^[\x20-\x7e]*$")]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Connected</title>
<body style="font-family: system-ui; margin: 4rem"><h1>Connected</h1>
<p>The credential {name} works now. You may close this page.</p></body></html>"""


@router.get("/providers", responses={200: {"model": shapes.OAuthProviders}}, summary="List OAuth providers")
async def providers(ask: Ask) -> Response:
    """List services that credentials of type `oauth2` can name; others say their own addresses."""
    await ask.actor()
    found = ask.plane.connections
    rows = [
        {"name": each.name, "title": each.title, "scope": each.scope, "redirect_uri": found.back(each.name)}
        for each in found.providers
    ]
    return Answer({"data": rows, "next": None})


class Connect(Shape):
    """Which credential to connect, by id or name."""

    credential: Line


@router.post("/authorize", responses={200: {"model": shapes.Connecting}}, summary="Connect a credential")
async def authorize(ask: Ask, body: Connect) -> Response:
    """Say where to send the browser; it comes back to `callback`, once and within ten minutes."""
    begun = await ask.plane.connections.begin(await ask.actor(), body.credential)
    answer = Answer({"authorization_url": begun.address, "expires_in": int(STATE_S)})
    answer.set_cookie(
        COOKIE,
        begun.binding,
        max_age=int(STATE_S),
        path="/api/v1/oauth/callback",
        secure=ask.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(
    "/callback/{provider}", responses={200: {"model": shapes.Credential}}, summary="Come back from a provider"
)
async def callback(ask: Ask, provider: Id, code: Back = "", state: Back = "", error: Back = "") -> Response:
    """Finish a connection in the browser that began it."""
    _require(code, error)
    cookie = ask.request.cookies.get(COOKIE, "")
    found = await ask.plane.connections.finish(provider, code=code, state=state, binding=cookie)
    answer: Response = Answer(shown(found))
    if "text/html" in ask.request.headers.get("accept", ""):
        answer = HTMLResponse(PAGE.format(name=html.escape(found.name)))
    answer.delete_cookie(COOKIE, path="/api/v1/oauth/callback")
    return answer


class CameBack(Shape):
    """What stood in the address that the provider sent the browser to."""

    code: Line
    state: Line


@router.post(
    "/callback/{provider}", responses={200: {"model": shapes.Credential}}, summary="Finish a connection"
)
async def finish(ask: Ask, provider: Id, body: CameBack) -> Response:
    """Finish a connection as the user who began it, from wherever they are signed in."""
    actor = await ask.actor()
    found = await ask.plane.connections.finish(provider, code=body.code, state=body.state, actor=actor)
    return Answer(shown(found))


def _require(code: str, error: str) -> None:
    """Go on only with a code.

    Raises:
        Invalid: The provider sent none.
    """
    if error or not code:
        raise Invalid(f"The provider says no ({error[:100] or 'no code'}).", code="oauth.refused")
