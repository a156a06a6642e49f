"""Sign-in at any OpenID Connect provider, found by discovery; ID tokens are checked against its keys."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from linkflow.domain.errors import ActivityError, Unauthenticated, Unavailable
from linkflow.domain.values import Json
from linkflow.ports.clock import Clock
from linkflow.ports.elsewhere import Vouched
from linkflow.ports.outbound import HttpClient, HttpRequest

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]
"""Signatures by a private key; `none` and shared secrets are not among them."""

KNOWN_S = 3600.0
LEEWAY_S = 60.0
TIMEOUT_S = 10.0
MAX_BYTES = 1024 * 1024
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderUnavailable(Unavailable):
    """The sign-in service does not answer as it should."""

    code = "sign_in.provider"


class OidcProvider:
    """One provider.

    Args:
        issuer: Its address; what it signs must name it exactly.
        client_id: Who we are there.
        client_secret: Our password there; empty for a public client.
        http: May call the provider's address.
        clock: Says when what it publishes is asked for again.
    """

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, http: HttpClient, clock: Clock
    ) -> None:
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self._http, self._clock = http, clock
        self._published: tuple[float, Mapping[str, Json]] | None = None

    async def address(self, *, state: str, nonce: str, challenge: str, redirect_uri: str) -> str:
        """Say where to send the browser."""
        found = str((await self._metadata())["authorization_endpoint"])
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{found}{'&' if '?' in found else '?'}{urlencode(asked)}"

    async def vouch(self, *, code: str, nonce: str, verifier: str, redirect_uri: str, now: float) -> Vouched:
        """Ask whom a code stands for."""
        metadata = await self._metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        if self._client_secret:
            form["client_secret"] = self._client_secret
        status, tokens = await self._call(
            HttpRequest(
                method="POST",
                url=str(metadata["token_endpoint"]),
                headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
                body=urlencode(form, quote_via=quote).encode(),
                timeout_s=TIMEOUT_S,
                max_bytes=MAX_BYTES,
                follow_redirects=False,
            )
        )
        if status >= 500:
            raise ProviderUnavailable(f"{self._issuer} answers {status}; try again later.")
        if status != 200 or not isinstance(tokens.get("id_token"), str):
            raise _refused()
        claims = await self._checked(str(metadata["jwks_uri"]), tokens["id_token"], nonce, now)
        if not claims.get("email") and metadata.get("userinfo_endpoint"):
            claims |= await self._userinfo(
                str(metadata["userinfo_endpoint"]), str(tokens.get("access_token", "")), claims["sub"]
            )
        return Vouched(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=str(claims.get("email") or "").strip().lower(),
            is_email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or ""),
        )

    async def _metadata(self) -> Mapping[str, Json]:
        """Read what the provider publishes about itself."""
        now = self._clock.monotonic()
        if self._published is not None and self._published[0] > now:
            return self._published[1]
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        status, found = await self._call(_get(url))
        if status != 200 or found.get("issuer") != self._issuer or not all(map(found.get, NEEDED)):
            raise ProviderUnavailable(
                f"{url} does not describe the issuer {self._issuer}. Look at LINKFLOW_OIDC_ISSUER."
            )
        self._published = (now + KNOWN_S, found)
        return found

    async def _checked(self, jwks_uri: str, id_token: str, nonce: str, now: float) -> dict[str, Any]:
        """Check an ID token: signature, issuer, audience, time, nonce (OpenID Connect Core 3.1.3.7)."""
        from joserfc import jwt  # noqa: PLC0415  costs 40 ms that most starts save
        from joserfc.errors import JoseError  # noqa: PLC0415  as above
        from joserfc.jwk import KeySet  # noqa: PLC0415  as above

        _, keys = await self._call(_get(jwks_uri))
        try:
            found = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused() from error
        claims = found.claims
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires_at = claims.get("exp")
        holds = (
            claims.get("iss") == self._issuer
            and self._client_id in audiences
            and claims.get("azp", self._client_id) == self._client_id
            and isinstance(expires_at, int | float)
            and expires_at + LEEWAY_S > now
            and claims.get("nonce") == nonce
            and bool(claims.get("sub"))
        )
        if not holds:
            raise _refused()
        return dict(claims)

    async def _userinfo(self, url: str, access_token: str, subject: str) -> dict[str, Any]:
        """Ask for what the ID token does not say, about the same person."""
        status, found = await self._call(_get(url, authorization=f"Bearer {access_token}"))
        return dict(found) if status == 200 and found.get("sub") == subject else {}

    async def _call(self, request: HttpRequest) -> tuple[int, Mapping[str, Json]]:
        """Call the provider; a body that is no JSON object counts as an empty one."""
        try:
            response = await self._http.send(request)
        except ActivityError as error:
            raise ProviderUnavailable(f"{self._issuer} does not answer: {error}") from error
        try:
            body = msgspec.json.decode(response.body)
        except msgspec.DecodeError:
            body = {}
        return response.status, body if isinstance(body, dict) else {}


def _get(url: str, **headers: str) -> HttpRequest:
    """Say a GET."""
    return HttpRequest(
        method="GET",
        url=url,
        headers={"accept": "application/json", **headers},
        timeout_s=TIMEOUT_S,
        max_bytes=MAX_BYTES,
    )


def _refused() -> Unauthenticated:
    """Say that somebody is not vouched for."""
    return Unauthenticated("The sign-in service did not vouch for you; begin again.", code="sign_in.refused")
