"""Keeping secrets: sealed values, passwords, signed tokens."""

from collections.abc import Mapping
from typing import Protocol

from linkflow.domain.values import Json


class SecretBox(Protocol):
    """Seals bytes so that only this installation opens them, and only in the place they were sealed for."""

    def seal(self, data: bytes, place: str) -> bytes:
        """Seal bytes.

        Args:
            data: What must stay secret.
            place: What it belongs to, such as `credential:<id>:<workspace>`; opening asks for the same.
        """
        ...

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open sealed bytes.

        Raises:
            Unavailable: `secret.unreadable`: the key is gone, or the bytes belong to another place.
        """
        ...


class Rewrapping(Protocol):
    """Changes the keys that seal, without opening a value."""

    def renew(self) -> None:
        """Read the keys again; the newest one seals from now on, older ones still open."""
        ...

    def rewrapped(self, sealed: bytes, place: str) -> bytes | None:
        """Give sealed bytes that only need the newest key; None when they do already.

        Raises:
            Unavailable: `secret.unreadable`.
        """
        ...


class PasswordHasher(Protocol):
    """Turns passwords into hashes that are slow to guess; runs outside the event loop."""

    async def hash(self, password: str) -> str:
        """Hash a password.

        Raises:
            Invalid: `password.too_long`: over 72 bytes.
        """
        ...

    async def verify(self, password: str, hashed: str) -> bool:
        """Say whether a password is the one that was hashed."""
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Say whether a hash is weaker than those made today."""
        ...


class TokenSigner(Protocol):
    """Signs what a caller shows again later."""

    def sign(self, claims: Mapping[str, Json], expires_at: float) -> str:
        """Sign claims; JWT, compact form."""
        ...

    def verify(self, token: str, now: float) -> Mapping[str, Json]:
        """Read the claims of a token.

        Raises:
            Unauthenticated: It is not ours, was changed, or has expired.
        """
        ...

    def published(self) -> Json:
        """Say the keys that verify, as a JSON Web Key Set (RFC 7517)."""
        ...
