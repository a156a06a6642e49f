"""Sealed values by AES-256-GCM, passwords by bcrypt; keys in files that only the owner reads.

A value is sealed with a key of its own, and that key is sealed with the installation's key: changing the
latter seals only small keys again. Both name what they belong to, so that a row moved elsewhere stays shut.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from linkflow.domain.errors import Invalid, Unavailable

BCRYPT_COST = 10
BCRYPT_BYTES = 72


def keep_key(folder: Path, name: str, *, given: str | None = None) -> str:
    """Read a key of the installation, or make it at the first start.

    Args:
        folder: LINKFLOW_HOME/keys; made with mode 0700.
        name: File in it, mode 0600.
        given: What a person set instead; nothing is written then.

    Returns:
        64 lower-case hex digits, or what was given.
    """
    if given:
        return given
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = file.read_text(encoding="ascii").strip()
        if kept:
            return kept
        raise Unavailable(
            f"{file} is empty. Restore it from your backup; without it no secret can be opened.",
            code="secret.key_missing",
        ) from None
    made = secrets.token_hex(32)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(made + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    return made


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """A sealed value: layout version, key id, the sealed key of this value, the sealed value."""

    layout: int
    key_id: str
    key: bytes
    value: bytes


class AesSecretBox:
    """Seals values in envelopes.

    Attributes:
        key_id: Name of the key that seals; older ones still open.
    """

    def __init__(self, keys: Mapping[str, bytes], key_id: str) -> None:
        self._keys = keys
        self.key_id = key_id

    def seal(self, data: bytes, place: str) -> bytes:
        """Seal bytes."""
        key = secrets.token_bytes(32)
        envelope = Envelope(
            1, self.key_id, _seal(self._keys[self.key_id], key, f"key|{place}"), _seal(key, data, place)
        )
        return msgspec.msgpack.encode(envelope)

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open sealed bytes."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  costs 20 ms that most starts save

        try:
            envelope = msgspec.msgpack.decode(sealed, type=Envelope)
            key = _open(self._keys[envelope.key_id], envelope.key, f"key|{place}")
            return _open(key, envelope.value, place)
        except (InvalidTag, KeyError, msgspec.MsgspecError) as error:
            raise Unavailable(
                "A secret cannot be opened: its key is not in LINKFLOW_HOME/keys.", code="secret.unreadable"
            ) from error


def _seal(key: bytes, data: bytes, place: str) -> bytes:
    """Encrypt under a nonce of its own, which comes first."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above

    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, data, place.encode())


def _open(key: bytes, sealed: bytes, place: str) -> bytes:
    """Decrypt what `_seal` made."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above

    return AESGCM(key).decrypt(sealed[:12], sealed[12:], place.encode())


class BcryptHasher:
    """Passwords by bcrypt, in a thread: one takes a tenth of a second.

    Args:
        cost: Each step doubles the time; hashes of less are made anew at the next sign-in.
    """

    def __init__(self, cost: int = BCRYPT_COST) -> None:
        self._cost = cost

    async def hash(self, password: str) -> str:
        """Hash a password."""
        import bcrypt  # noqa: PLC0415  needed at a sign-in only

        data = password.encode()
        if len(data) > BCRYPT_BYTES:
            raise Invalid("A password has at most 72 bytes.", code="password.too_long")
        return (await asyncio.to_thread(bcrypt.hashpw, data, bcrypt.gensalt(self._cost))).decode()

    async def verify(self, password: str, hashed: str) -> bool:
        """Say whether a password is the one that was hashed."""
        import bcrypt  # noqa: PLC0415  needed at a sign-in only

        data = password.encode()
        fits = len(data) <= BCRYPT_BYTES
        return await asyncio.to_thread(bcrypt.checkpw, data[:BCRYPT_BYTES], hashed.encode()) and fits

    def is_outdated(self, hashed: str) -> bool:
        """Say whether a hash is weaker than those made today."""
        return int(hashed.split("$")[2]) < self._cost
