"""Tokens as JWT, and the key that others verify them by."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

from linkflow.domain.errors import Unauthenticated
from linkflow.domain.values import Json

ALGORITHM = "Ed25519"


class JwtSigner:
    """Tokens as JWT, signed by Ed25519 under a key that follows from the installation's secret.

    So every process that knows LINKFLOW_SECRET signs and verifies alike, and others verify by `published`.

    Args:
        secret: The installation's secret.
        issuer: Address at which others find the published key; goes into `iss`.
    """

    def __init__(self, secret: str, issuer: str) -> None:
        self._secret, self._issuer = secret, issuer
        self._made: Any = None

    def _key(self) -> Any:
        """The key, made when it is first needed: the library costs 40 ms."""
        if self._made is None:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
            from joserfc.jwk import OKPKey  # noqa: PLC0415  as said

            seed = hmac.digest(self._secret.encode(), b"linkflow token signing key 1", "sha256")
            public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
            found = OKPKey.import_key(
                {"kty": "OKP", "crv": "Ed25519", "x": _b64(public), "d": _b64(seed), "use": "sig"}
            )
            self._kid = found.thumbprint()
            self._made = found
        return self._made

    def published(self) -> Json:
        """Say the key that verifies, as a JSON Web Key Set."""
        shown = self._key().as_dict(private=False)
        return {"keys": [{**shown, "kid": self._kid, "alg": ALGORITHM, "use": "sig"}]}

    def sign(self, claims: Mapping[str, Json], expires_at: float) -> str:
        """Sign claims."""
        from joserfc import jwt  # noqa: PLC0415  as above

        key = self._key()
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": self._kid}
        filled = {"iss": self._issuer, **claims, "exp": int(expires_at)}
        return jwt.encode(header, filled, key, algorithms=[ALGORITHM])

    def verify(self, token: str, now: float) -> Mapping[str, Json]:
        """Read the claims of a token."""
        from joserfc import jwt  # noqa: PLC0415  as above
        from joserfc.errors import JoseError  # noqa: PLC0415  as above

        try:
            claims: Mapping[str, Json] = jwt.decode(token, self._key(), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise Unauthenticated from error
        if not isinstance(claims.get("exp"), int) or claims["exp"] < now:
            raise Unauthenticated
        return claims


def _b64(data: bytes) -> str:
    """Say bytes as JOSE does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
