"""LinkFlow as an OAuth 2.1 server, below the paths that Passport uses."""

import base64
import binascii
import html
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import unquote_plus, urlsplit

import msgspec
from fastapi import APIRouter
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from linkflow.api import account_shapes as shapes
from linkflow.api import pages, render
from linkflow.api.deps import Answer, Ask, Asking, Id, Line, Shape, StrictRoute, Word
from linkflow.control.oauth import Asked, OAuthRefused
from linkflow.control.sign_ins import Token
from linkflow.domain.errors import Invalid, Unauthenticated
from linkflow.domain.values import Json
from linkflow.ports.oauth import ApiClient

router = APIRouter(prefix="/oauth", tags=["oauth"], route_class=StrictRoute)
clients = APIRouter(prefix="/api/v1/oauth/clients", tags=["oauth"], route_class=StrictRoute)
published = APIRouter(tags=["oauth"], route_class=StrictRoute)

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
FORM = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}


@published.get(
    "/.well-known/oauth-authorization-server",
    responses={200: {"model": shapes.ServerMetadata}},
    summary="Describe the OAuth server",
)
async def metadata(ask: Ask) -> Response:
    """Describe the OAuth server (RFC 8414)."""
    url = ask.public_url
    return Answer({
        "issuer": url,
        "authorization_endpoint": f"{url}/oauth/authorize",
        "token_endpoint": f"{url}/oauth/token",
        "revocation_endpoint": f"{url}/oauth/revoke",
        "introspection_endpoint": f"{url}/oauth/introspect",
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
    })  # fmt: skip


def _asked(ask: Asking, given: dict[str, str]) -> Asked:
    """Read what a client asks for; a field that comes twice counts once, an unknown one not at all."""
    return msgspec.convert({name: given.get(name, "")[:4000] for name in Asked.__struct_fields__}, Asked)


@router.get("/authorize", summary="Ask a person to let a client act for them")
async def consent(ask: Ask) -> Response:
    """Show who asks for what; the person signs in on the page and agrees, or goes back."""
    asked = _asked(ask, dict(ask.request.query_params))
    client, scopes = await ask.plane.oauth.look(asked)
    hidden = "".join(
        pages.field("", name, "hidden", str(getattr(asked, name))) for name in Asked.__struct_fields__
    )
    fields = pages.field("E-mail address", "email", "email", complete="username")
    fields += pages.field("Password", "password", "password", complete="current-password")
    listed = "".join(f"<li>{html.escape(scope)}</li>" for scope in scopes)
    back = urlsplit(asked.redirect_uri)
    said = pages.paragraph(f"{client.name} ({back.netloc or back.scheme}) asks to act for you, for:")
    no = html.escape(ask.plane.oauth.back(asked, error="access_denied"))
    shown = f'{said}<ul>{listed}</ul>{pages.form(hidden + fields, "Agree")}<p><a href="{no}">No</a></p>'
    # A page may lead its form to where the answer redirects to as well.
    return pages.page(f"Let {client.name} in?", shown, forms=f"'self' {back.scheme}://{back.netloc}")


class Agreement(Shape):
    """What the client asked for; e-mail address and password where the caller is not signed in."""

    client_id: Word
    redirect_uri: Annotated[str, Field(max_length=4000)]
    response_type: Word = ""
    scope: Annotated[str, Field(max_length=4000)] = ""
    state: Annotated[str, Field(max_length=4000)] = ""
    code_challenge: Word = ""
    code_challenge_method: Word = ""
    email: Word = ""
    password: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""


@router.post(
    "/authorize",
    responses={200: {"model": shapes.Redirect}, 303: {"description": "Back to the client, with a code."}},
    summary="Agree",
)
async def agree(ask: Ask) -> Response:
    """Agree: from the page, or as JSON by somebody who is signed in; the answer leads back to the client."""
    is_form, body = await ask.form_or_json(Agreement)
    asked = _asked(ask, {name: getattr(body, name) for name in Asked.__struct_fields__})
    if not is_form:
        return Answer({"redirect_to": await ask.plane.oauth.agree_as(asked, await ask.person())})
    try:
        address = await ask.plane.oauth.agree(asked, body.email, body.password, ask.origin)
    except Unauthenticated as error:
        return pages.page("Not yet", pages.paragraph(f"{error} Go back and try again."), status=401)
    return RedirectResponse(address, 303, NO_STORE)


def _basic(ask: Asking) -> tuple[str, str] | None:
    """Read client id and secret out of the Authorization header (RFC 6749 2.3.1)."""
    kind, _, value = ask.request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthRefused("invalid_client", "The Authorization header is malformed.") from None
    return unquote_plus(name), unquote_plus(secret)


async def _form(ask: Asking) -> dict[str, str]:
    """Read the fields of a form, or of JSON as Passport takes it too."""
    kind = ask.request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/json":
        return {name: str(value) for name, value in (await ask.request.form()).items()}
    try:
        found: Any = msgspec.json.decode(await ask.request.body())
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise OAuthRefused("invalid_request", "Send a form.")
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


async def _answered(answer: Callable[[], Awaitable[Response]]) -> Response:
    """Say errors in OAuth's own words."""
    try:
        return await answer()
    except OAuthRefused as error:
        headers = NO_STORE | ({"www-authenticate": "Basic"} if error.status == 401 else {})
        return Answer({"error": error.error, "error_description": str(error)}, error.status, headers)
    except Invalid as error:
        return Answer({"error": "invalid_request", "error_description": str(error)}, 400, NO_STORE)


def _tokens(token: Token) -> Json:
    """Say tokens as RFC 6749 does."""
    found: dict[str, Json] = {
        "access_token": token.access_token,
        "token_type": "Bearer",
        "expires_in": token.expires_in,
        "scope": " ".join(token.scopes),
    }
    return found | ({"refresh_token": token.refresh_token} if token.refresh_token else {})


@router.post(
    "/token",
    responses={
        200: {"model": shapes.ClientTokens},
        400: {"model": shapes.OAuthError},
        401: {"model": shapes.OAuthError},
    },
    openapi_extra={"requestBody": FORM},
    summary="Get tokens",
)
async def token(ask: Ask) -> Response:
    """Give a client its tokens: authorization_code (with PKCE), client_credentials, refresh_token."""

    async def answer() -> Response:
        found = await ask.plane.oauth.token(await _form(ask), _basic(ask), ask.origin)
        return Answer(_tokens(found), headers=NO_STORE)

    return await _answered(answer)


@router.post(
    "/revoke",
    responses={
        200: {"description": "Done, whatever the token was."},
        400: {"model": shapes.OAuthError},
        401: {"model": shapes.OAuthError},
    },
    openapi_extra={"requestBody": FORM},
    summary="Revoke a token",
)
async def revoke(ask: Ask) -> Response:
    """End what a token belongs to, access and refresh token alike (RFC 7009)."""

    async def answer() -> Response:
        await ask.plane.oauth.revoke(await _form(ask), _basic(ask), ask.origin)
        return Answer({}, headers=NO_STORE)

    return await _answered(answer)


@router.post(
    "/introspect",
    responses={
        200: {"model": shapes.Introspection},
        400: {"model": shapes.OAuthError},
        401: {"model": shapes.OAuthError},
    },
    openapi_extra={"requestBody": FORM},
    summary="Ask what a token is worth",
)
async def introspect(ask: Ask) -> Response:
    """Say whether an access token or key of the client's workspace holds, for whom and what (RFC 7662)."""

    async def answer() -> Response:
        return Answer(await ask.plane.oauth.introspect(await _form(ask), _basic(ask)), headers=NO_STORE)

    return await _answered(answer)


class NewClient(Shape):
    """A program: its name, where people are sent back to, the most it may ask for."""

    name: Line
    redirect_uris: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=20)] = Field(
        default_factory=list
    )
    scopes: Annotated[list[Line], Field(max_length=100)] = Field(default_factory=list)
    public: bool = False


def shown(client: ApiClient) -> Json:
    """Say a client."""
    return {
        "client_id": client.id,
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "scopes": list(client.scopes),
        "public": not client.secret_hash,
        "created_by": client.created_by,
        "created_at": render.instant(client.created_at),
    }


@clients.post(
    "", status_code=201, responses={201: {"model": shapes.MadeClient}}, summary="Make an API client"
)
async def create(ask: Ask, body: NewClient) -> Response:
    """Make an API client of this workspace; its secret is shown this once, a public client has none."""
    client, secret = await ask.plane.oauth.create(
        await ask.actor(), body.name, body.redirect_uris, body.scopes, public=body.public
    )
    return Answer(shown(client) | {"client_secret": secret or None}, 201, NO_STORE)


@clients.get("", responses={200: {"model": shapes.Clients}}, summary="List API clients")
async def listed(ask: Ask) -> Response:
    """List the API clients of this workspace, newest first."""
    found = await ask.plane.oauth.list(await ask.actor())
    return Answer({"data": [shown(each) for each in found], "next": None})


@clients.delete("/{client_id}", status_code=204, summary="Remove an API client")
async def remove(ask: Ask, client_id: Id) -> None:
    """Remove an API client; its tokens end."""
    await ask.plane.oauth.delete(await ask.actor(), client_id)
