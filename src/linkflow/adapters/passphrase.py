"""Bytes sealed by a passphrase: scrypt makes the key, AES-256-GCM seals."""

import hashlib
import secrets

from linkflow.domain.errors import Invalid

SALT_BYTES, NONCE_BYTES = 16, 12


class PassphraseWrong(Invalid):
    """The passphrase does not open it."""

    code = "secret.passphrase_wrong"


def _key(passphrase: str, salt: bytes) -> bytes:
    """Make the key; one guess costs 32 MB of memory and about a tenth of a second."""
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=64 * 2**20, dklen=32)


def seal(data: bytes, passphrase: str) -> bytes:
    """Encrypt; salt and nonce come first."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  costs 20 ms

    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    return salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, data, b"linkflow backup")


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """Decrypt what `seal` made.

    Raises:
        PassphraseWrong: It was sealed by another.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above

    salt, nonce = sealed[:SALT_BYTES], sealed[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
    try:
        rest = sealed[SALT_BYTES + NONCE_BYTES :]
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, rest, b"linkflow backup")
    except InvalidTag as error:
        raise PassphraseWrong from error
