"""Signing in elsewhere: whom another service vouches for."""

from typing import Protocol

import msgspec


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody another service vouches for.

    Attributes:
        issuer: Which service.
        subject: Who, by the service's own id; never given to somebody else.
        email: Lower-case; empty when the service does not say.
        is_email_verified: Whether the service knows that the address is theirs.
        name: How they are called; may be empty.
    """

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    name: str = ""


class IdentityProvider(Protocol):
    """A service people sign in at in their browser, by OpenID Connect."""

    async def address(self, *, state: str, nonce: str, challenge: str, redirect_uri: str) -> str:
        """Say where to send the browser.

        Args:
            state: Comes back with the browser.
            nonce: Comes back in the ID token.
            challenge: PKCE, S256.
            redirect_uri: Where the browser comes back to.

        Raises:
            Unavailable: `sign_in.provider`: the service does not answer as it should.
        """
        ...

    async def vouch(self, *, code: str, nonce: str, verifier: str, redirect_uri: str, now: float) -> Vouched:
        """Ask whom a code stands for, and check what the service signed.

        Raises:
            Unauthenticated: `sign_in.refused`: the code or the ID token does not hold.
            Unavailable: `sign_in.provider`.
        """
        ...


class TokenVouching(Protocol):
    """A service whose token the browser brings along, as Puter's pop-up does."""

    async def vouch(self, token: str) -> Vouched:
        """Ask whose a token is.

        Raises:
            Unauthenticated: `sign_in.refused`: it is nobody's.
            Unavailable: `sign_in.provider`.
        """
        ...
