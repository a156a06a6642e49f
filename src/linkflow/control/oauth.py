"""LinkFlow as an OAuth 2.1 server: API clients, consent, and the tokens they get.

authorize: a person signs in, sees who asks for what, agrees ──▶ code (a minute, once) ──▶ client
token:     code + PKCE verifier, client credentials, or a refresh token ──▶ access token
A token of a client is a sign-in like any other: it is listed, ends at once, and its refresh token works once.

Source:
    RFC 6749, 7009, 7636, 7662, 8414, 9068; draft-ietf-oauth-v2-1.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

import msgspec

from linkflow.control.access import AUDIENCE, Access, digest
from linkflow.control.actor import Actor, Audit
from linkflow.control.plans import Plans
from linkflow.control.sign_ins import REFRESH_S, Origin, SignIns, Token
from linkflow.domain.access import is_scope, may
from linkflow.domain.errors import Denied, Invalid, LinkFlowError, NotFound, Unauthenticated
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock, IdSource
from linkflow.ports.identity import User
from linkflow.ports.oauth import ApiClient, Grant
from linkflow.ports.records import Records
from linkflow.ports.vault import TokenSigner

CODE_S = 60.0
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class OAuthRefused(LinkFlowError):
    """A request to the token endpoint that is refused, in OAuth's own words.

    Attributes:
        error: Such as `invalid_grant` (RFC 6749 5.2).
        status: 400, or 401 for `invalid_client`.
    """

    code = "oauth.refused"

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message, error=error)
        self.error = error
        self.status = 401 if error == "invalid_client" else 400


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of a person; the fields as RFC 6749 names them."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    scope: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""


class OAuth:
    """Clients, consent and tokens."""

    def __init__(
        self,
        records: Records,
        sign_ins: SignIns,
        access: Access,
        signer: TokenSigner,
        audit: Audit,
        plans: Plans,
        clock: Clock,
        ids: IdSource,
    ) -> None:
        self._plans = plans
        self._records, self._sign_ins, self._access, self._signer = records, sign_ins, access, signer
        self._audit, self._clock, self._ids = audit, clock, ids

    async def create(
        self, actor: Actor, name: str, redirect_uris: Sequence[str], scopes: Sequence[str], *, public: bool
    ) -> tuple[ApiClient, str]:
        """Make a client; returns it and its secret, which is nowhere else (empty for a public one).

        Raises:
            Invalid: `scope.unknown`, or `oauth.redirect_uri`: it is neither https nor on this machine.
            FeatureMissing: The plan does not include it.
        """
        actor.require_person()
        actor.require("apikey.manage")
        await self._plans.include(actor.workspace_id, "api_clients")
        for uri in redirect_uris:
            check_redirect(uri)
        for scope in scopes:
            if not is_scope(scope):
                raise Invalid(f"There is no scope {scope!r}.", code="scope.unknown")
        secret = "" if public else f"lfs_{secrets.token_urlsafe(32)}"
        client = ApiClient(
            id=self._ids.uuid(),
            workspace_id=actor.workspace_id,
            name=name,
            secret_hash=digest(secret) if secret else "",
            redirect_uris=list(redirect_uris),
            scopes=list(scopes) or ["read"],
            created_by=actor.user_id,
            created_at=self._clock.now(),
        )
        async with self._records.transaction() as records:
            await records.clients.add(client)
            await self._audit.note(records.ledger, actor, "client.create", f"client:{client.id}", name=name)
        return client, secret

    async def list(self, actor: Actor) -> Sequence[ApiClient]:
        """List the clients of the workspace, newest first."""
        actor.require("apikey.manage")
        return await self._records.clients.list(actor.workspace_id)

    async def delete(self, actor: Actor, client_id: str) -> None:
        """Remove a client; its tokens are refused within a second.

        Raises:
            NotFound: No such client here.
            Denied: It is somebody else's, and the actor may not remove members either.
        """
        actor.require_person()
        actor.require("apikey.manage")
        async with self._records.transaction() as records:
            found = await records.clients.find(client_id)
            if found is None or found.workspace_id != actor.workspace_id:
                raise NotFound("There is no such API client.", client_id=client_id)
            if found.created_by != actor.user_id:
                actor.require("member.remove")
            await records.clients.delete(actor.workspace_id, client_id)
            await self._audit.note(records.ledger, actor, "client.delete", f"client:{client_id}")

    async def look(self, asked: Asked) -> tuple[ApiClient, tuple[str, ...]]:
        """Say who asks and for what; what is wrong with it is told to the person and never sent on.

        Raises:
            Invalid: `oauth.request`: there is no such client, its address is another, PKCE is missing, or it
                asks for more than it was made for.
        """
        client = await self._records.clients.find(asked.client_id)
        if client is None or asked.redirect_uri not in client.redirect_uris:
            raise Invalid("This application is not known here, or its address is not.", code="oauth.request")
        if asked.response_type != "code":
            raise Invalid("An application asks for response_type=code.", code="oauth.request")
        if asked.code_challenge_method != "S256" or not CHALLENGE.fullmatch(asked.code_challenge):
            raise Invalid("An application sends a code_challenge by PKCE, S256.", code="oauth.request")
        return client, self._narrowed(asked.scope, client)

    def _narrowed(self, scope: str, client: ApiClient) -> tuple[str, ...]:
        """Say the scopes that are asked for, which are those the client was made for, or fewer."""
        wanted = tuple(dict.fromkeys(scope.split())) or tuple(client.scopes)
        if "*" not in client.scopes and not set(wanted) <= set(client.scopes):
            raise Invalid("The application asks for more than it was made for.", code="oauth.request")
        if not all(map(is_scope, wanted)):
            raise Invalid("The application asks for what there is not.", code="oauth.request")
        return wanted

    async def agree(self, asked: Asked, email: str, password: str, origin: Origin) -> str:
        """Let a client act for whoever signs in here; returns where to send the browser.

        Raises:
            Invalid: `oauth.request`.
            Unauthenticated: E-mail address or password is wrong, or the address is not confirmed.
            Denied: The person does not belong to the client's workspace.
            RateLimited: Too many tries.
        """
        await self.look(asked)
        user = await self._sign_ins.welcome(email, password, origin)
        return await self._granted(asked, user)

    async def agree_as(self, asked: Asked, actor: Actor) -> str:
        """Let a client act for somebody who is signed in; returns where to send the browser.

        Raises:
            Invalid: `oauth.request`.
            Denied: The person does not belong to the client's workspace.
        """
        actor.require_person()
        return await self._granted(asked, await self._records.accounts.user(actor.user_id))

    async def _granted(self, asked: Asked, user: User) -> str:
        """Make a code."""
        client, scopes = await self.look(asked)
        if not await self._records.tenancy.role(client.workspace_id, user.id):
            raise Denied("You do not belong to this application's workspace.", code="oauth.not_a_member")
        code = secrets.token_urlsafe(32)
        grant = Grant(
            code_hash=digest(code),
            client_id=client.id,
            user_id=user.id,
            workspace_id=client.workspace_id,
            redirect_uri=asked.redirect_uri,
            scopes=list(scopes),
            challenge=asked.code_challenge,
            expires_at=self._clock.now() + CODE_S,
        )
        async with self._records.transaction() as records:
            await records.clients.add_grant(grant)
            there = Actor(user_id=user.id, workspace_id=client.workspace_id, email=user.email, role="")
            await self._audit.note(
                records.ledger, there, "client.agree", f"client:{client.id}", scopes=list(scopes)
            )
        return self.back(asked, code=code)

    def back(self, asked: Asked, **said: str) -> str:
        """Say where the browser goes back to, with what; only to an address that `look` let through."""
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        said = said | ({"state": asked.state} if asked.state else {})
        return f"{asked.redirect_uri}{joint}{urlencode(said)}"

    async def token(self, form: Mapping[str, str], basic: tuple[str, str] | None, origin: Origin) -> Token:
        """Give a client its tokens.

        Args:
            form: The request's fields.
            basic: Client id and secret of the Authorization header.
            origin: Where the request comes from.

        Raises:
            OAuthRefused: With OAuth's own error.
        """
        client = await self._client(form, basic)
        match form.get("grant_type", ""):
            case "authorization_code":
                return await self._by_code(client, form, origin)
            case "refresh_token":
                try:
                    return await self._sign_ins.refresh(form.get("refresh_token", ""), origin, client.id)
                except Unauthenticated as error:
                    raise OAuthRefused("invalid_grant", str(error)) from None
            case "client_credentials":
                return await self._by_itself(client, form, origin)
        raise OAuthRefused(
            "unsupported_grant_type", "Say authorization_code, client_credentials or refresh_token."
        )

    async def _client(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> ApiClient:
        """Say which client asks, once it has shown that it is the one."""
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        client = await self._records.clients.find(client_id)
        kept = client.secret_hash if client else digest("")
        fits = hmac.compare_digest(digest(secret) if secret else "", kept)
        if client is None or not fits:
            raise OAuthRefused("invalid_client", "The client id or the client secret is wrong.")
        return client

    async def _by_code(self, client: ApiClient, form: Mapping[str, str], origin: Origin) -> Token:
        """Turn a code into a sign-in; a code that comes twice was stolen, and its sign-in ends."""
        refusal = OAuthRefused(
            "invalid_grant", "The code is unknown, expired, used, or not for this request."
        )
        sign_in_id, now = self._ids.uuid(), self._clock.now()
        grant = await self._records.clients.use_grant(digest(form.get("code", "")), sign_in_id)
        if grant is None:
            raise refusal
        if grant.sign_in_id:
            await self._sign_ins.stolen(grant.user_id, grant.sign_in_id, origin)
            raise refusal
        verified = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verified).rstrip(b"=").decode()
        holds = (
            grant.client_id == client.id
            and grant.expires_at > now
            and grant.redirect_uri == form.get("redirect_uri", "")
            and hmac.compare_digest(challenge, grant.challenge)
        )
        if not holds:
            raise refusal
        user = await self._records.accounts.user(grant.user_id)
        if user.disabled_at is not None:
            raise refusal
        return await self._sign_ins.issue(
            user,
            origin,
            sign_in_id=sign_in_id,
            workspace_id=grant.workspace_id,
            client_id=client.id,
            scopes=tuple(grant.scopes),
            lasts_s=REFRESH_S,
        )

    async def _by_itself(self, client: ApiClient, form: Mapping[str, str], origin: Origin) -> Token:
        """Let a client act for whoever made it, within its scopes; there is no refresh token."""
        if not client.secret_hash:
            raise OAuthRefused("unauthorized_client", "A public client cannot act by itself.")
        try:
            scopes = self._narrowed(form.get("scope", ""), client)
        except Invalid as error:
            raise OAuthRefused("invalid_scope", str(error)) from None
        user = await self._records.accounts.user(client.created_by)
        role = await self._records.tenancy.role(client.workspace_id, user.id)
        if user.disabled_at is not None or not may(role, "apikey.manage"):
            raise OAuthRefused("unauthorized_client", "Whoever made this client has left the workspace.")
        return await self._sign_ins.lend(
            user, origin, workspace_id=client.workspace_id, client_id=client.id, scopes=scopes
        )

    async def revoke(self, form: Mapping[str, str], basic: tuple[str, str] | None, origin: Origin) -> None:
        """End the sign-in of a token of this client; of another or none, nothing happens (RFC 7009).

        Raises:
            OAuthRefused: `invalid_client`.
        """
        client = await self._client(form, basic)
        claims = self._claims(form.get("token", ""))
        sign_in = await self._records.accounts.sign_in(str(claims.get("sid", "")))
        if sign_in is not None and sign_in.client_id == client.id:
            await self._sign_ins.give_back(sign_in, origin)

    def _claims(self, token: str) -> Mapping[str, Json]:
        """Read the claims of a token; empty when it is not ours or over."""
        try:
            return self._signer.verify(token, self._clock.now())
        except Unauthenticated:
            return {}

    async def introspect(self, form: Mapping[str, str], basic: tuple[str, str] | None) -> Json:
        """Say whether an access token of the client's workspace holds, and for whom and what (RFC 7662).

        Raises:
            OAuthRefused: `invalid_client`.
        """
        client = await self._client(form, basic)
        if not client.secret_hash:
            raise OAuthRefused("invalid_client", "A public client may not ask this.")
        token = form.get("token", "")
        claims = self._claims(token)
        try:
            actor = await self._access.actor(token, client.workspace_id)
        except (Unauthenticated, NotFound):
            return {"active": False}
        return {
            "active": True,
            "scope": " ".join(actor.scopes),
            "client_id": actor.client_id,
            "username": actor.email,
            "token_type": "Bearer",
            "sub": actor.user_id,
            "aud": AUDIENCE,
            "iss": claims.get("iss", ""),
            "exp": None if actor.expires_at is None else int(actor.expires_at),
            "iat": claims.get("iat"),
            "jti": claims.get("jti"),
            "team": actor.workspace_id,
        }


def check_redirect(uri: str) -> None:
    """Let people be sent to https, to this machine, or to an app by its own scheme.

    Raises:
        Invalid: `oauth.redirect_uri`.
    """
    parts = urlsplit(uri)
    is_web = parts.scheme == "https" and bool(parts.netloc)
    is_here = parts.scheme == "http" and parts.netloc.rpartition(":")[0] in LOOPBACK
    is_app = "." in parts.scheme
    if parts.fragment or "@" in parts.netloc or not (is_web or is_here or is_app):
        raise Invalid(
            f"{uri[:200]!r} cannot be sent back to; say https://…, http://127.0.0.1:port/… or app.example:/…",
            code="oauth.redirect_uri",
        )
