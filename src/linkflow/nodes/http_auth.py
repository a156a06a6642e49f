"""Signing in to the server a request goes to: basic, bearer, API key, OAuth 2, digest."""

import base64
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import msgspec

from linkflow.domain.errors import ActivityError, Invalid, Kind
from linkflow.domain.values import Json, decode_json
from linkflow.ports.outbound import HttpClient, HttpRequest

AUTH_TYPES = ("none", "basic", "bearer", "api_key", "oauth2", "digest", "header")
_FOLDED = {
    "apikey": "api_key",
    "bearertoken": "bearer",
    "basicauth": "basic",
    "oauth2client": "oauth2",
    "custom": "header",
}
_CHALLENGE = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
_DIGESTS = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def auth_type(auth: Mapping[str, Json]) -> str:
    """Name the kind of a sign-in, in whatever spelling it has; without a name, by its fields.

    Raises:
        Invalid: `node.config`: there is no such kind.
    """
    written = str(auth.get("type") or "").lower().replace("-", "_")
    kind = _FOLDED.get(written.replace("_", ""), written)
    if not kind:
        by_field = {
            "token": "bearer",
            "access_token": "bearer",
            "username": "basic",
            "api_key": "api_key",
            "key": "api_key",
        }
        kind = next((kind for name, kind in by_field.items() if auth.get(name)), "none")
    if kind not in AUTH_TYPES:
        raise Invalid(
            f"{kind[:40]!r} is not a kind of sign-in; take one of {', '.join(AUTH_TYPES)}.",
            code="node.config",
        )
    return kind


async def signed(request: HttpRequest, auth: Mapping[str, Json], http: HttpClient) -> HttpRequest:
    """Add what proves who is asking; digest does so only after a challenge (`answered`).

    Raises:
        Invalid: `node.config`: a field is missing.
        ActivityError: The OAuth 2 token could not be had.
    """
    match auth_type(auth):
        case "basic":
            pair = f"{auth.get('username') or auth.get('user') or ''}:{auth.get('password') or ''}"
            return _with(request, "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        case "bearer":
            return _with(
                request,
                "Authorization",
                f"Bearer {_field(auth, 'token', 'access_token', 'api_key', 'value')}",
            )
        case "api_key":
            value = _field(auth, "value", "api_key", "apiKey", "key", "token")
            name = str(auth.get("name") or auth.get("header") or "X-API-Key")
            if auth.get("in", auth.get("location")) == "query":
                return msgspec.structs.replace(request, query=[*request.query, (name, value)])
            return _with(request, name, value)
        case "header":
            return _with(request, _field(auth, "name", "header"), _field(auth, "value", "token"))
        case "oauth2":
            return _with(request, "Authorization", f"Bearer {await _token(auth, http, request.timeout_s)}")
    return request


def answered(
    request: HttpRequest, auth: Mapping[str, Json], challenge: str, client_nonce: str
) -> HttpRequest | None:
    """Answer a digest challenge; None when it is none that can be answered.

    Args:
        request: The request that was challenged.
        auth: Holds `username` and `password`.
        challenge: The WWW-Authenticate header.
        client_nonce: Text that the server has not seen with this nonce.

    Source:
        RFC 7616, sections 3.3 and 3.4; quality `auth`, MD5 and SHA-256.
    """
    scheme, _, rest = challenge.strip().partition(" ")
    fields = {name.lower(): quoted or plain for name, quoted, plain in _CHALLENGE.findall(rest)}
    algorithm = fields.get("algorithm", "MD5")
    digest = _DIGESTS.get(algorithm.upper().removesuffix("-SESS"))
    if scheme.lower() != "digest" or digest is None or "nonce" not in fields:
        return None

    def hashed(text: str) -> str:
        return hashlib.new(digest, text.encode(), usedforsecurity=False).hexdigest()

    parts = urlsplit(request.url)
    query = "&".join(filter(None, [parts.query, urlencode(request.query)]))
    uri = (parts.path or "/") + (f"?{query}" if query else "")
    user, realm, nonce = str(auth.get("username") or ""), fields.get("realm", ""), fields["nonce"]
    first = hashed(f"{user}:{realm}:{auth.get('password') or ''}")
    if algorithm.upper().endswith("-SESS"):
        first = hashed(f"{first}:{nonce}:{client_nonce}")
    second = hashed(f"{request.method}:{uri}")
    has_quality = "auth" in [word.strip() for word in fields.get("qop", "").split(",")]
    middle = f"{nonce}:00000001:{client_nonce}:auth" if has_quality else nonce
    said = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": uri,
        "response": hashed(f"{first}:{middle}:{second}"),
    }
    if "opaque" in fields:
        said["opaque"] = fields["opaque"]
    written = ", ".join(f'{name}="{value}"' for name, value in said.items()) + f", algorithm={algorithm}"
    if has_quality:
        written += f', qop=auth, nc=00000001, cnonce="{client_nonce}"'
    return _with(request, "Authorization", f"Digest {written}")


async def _token(auth: Mapping[str, Json], http: HttpClient, timeout_s: float) -> str:
    """Take the access token that is there, or ask for one with client credentials (RFC 6749, 4.4)."""
    if token := auth.get("access_token") or auth.get("token"):
        return str(token)
    form = {
        "grant_type": "client_credentials",
        "client_id": _field(auth, "client_id", "clientId"),
        "client_secret": _field(auth, "client_secret", "clientSecret"),
        **({"scope": str(auth["scope"])} if auth.get("scope") else {}),
    }
    response = await http.send(
        HttpRequest(
            method="POST",
            url=_field(auth, "token_url", "tokenUrl", "access_token_url"),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body=urlencode(form).encode(),
            timeout_s=timeout_s,
            max_bytes=1_000_000,
        )
    )
    try:
        token = decode_json(response.body)["access_token"] if response.status < 400 else None
    except (msgspec.DecodeError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        kind = Kind.TRANSIENT if response.status >= 500 else Kind.PERMANENT
        raise ActivityError(
            f"The token server answered {response.status} without an access token.",
            code="http.oauth",
            kind=kind,
            not_started=True,  # the request itself has not been sent
            status=response.status,
        )
    return token


def _field(auth: Mapping[str, Json], *names: str) -> str:
    for name in names:
        if auth.get(name) not in (None, ""):
            return str(auth[name])
    raise Invalid(f"The sign-in lacks its `{names[0]}`.", code="node.config")


def _with(request: HttpRequest, name: str, value: str) -> HttpRequest:
    return msgspec.structs.replace(request, headers={**request.headers, name: value})
