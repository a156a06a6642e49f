"""Sealed values by AES-256-GCM, passwords by bcrypt; keys from files that only the owner reads, or a vault.

A value is sealed with a key of its own, and that key is sealed with the installation's key: changing the
latter seals only small keys again. Both name what they belong to, so that a row moved elsewhere stays shut.
"""

import asyncio
import contextlib
import os
import re
import secrets
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
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
    if not file.exists():
        _write_key(folder, file)
    kept = file.read_text(encoding="ascii").strip()
    if not kept:
        raise Unavailable(
            f"{file} is empty. Restore it from your backup; without it no secret can be opened.",
            code="secret.key_missing",
        )
    return kept


def _write_key(folder: Path, file: Path) -> None:
    """Make a key and show it only when it is whole; of processes that start at once one makes it."""
    handle, made = tempfile.mkstemp(prefix=f".{file.name}-", dir=folder)  # readable for its owner only
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(32) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, file)
    finally:
        Path(made).unlink()


LAYOUT = 1
"""Of envelopes that are sealed, and the only one that is opened."""


class Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A sealed value: layout version, key id, the sealed key of this value, the sealed value."""

    layout: int
    key_id: str
    key: bytes
    value: bytes


class AesSecretBox:
    """Seals values in envelopes.

    Args:
        keys: By id.
        key_id: The key that seals; the others still open.
        read: Reads keys and the id of the one that seals again.

    Attributes:
        key_id: The key that seals.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        key_id: str,
        read: Callable[[], tuple[Mapping[str, bytes], str]] | None = None,
    ) -> None:
        self._keys = keys
        self.key_id = key_id
        self._read = read

    def renew(self) -> None:
        """Read the keys again; the newest one seals from now on."""
        if self._read is not None:
            self._keys, self.key_id = self._read()

    def rewrapped(self, sealed: bytes, place: str) -> bytes | None:
        """Seal the small key of a value again with the newest key; None when it is."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  costs 20 ms that most starts save

        try:
            envelope = _envelope(sealed)
            if envelope.key_id == self.key_id:
                return None
            key = _open(self._key(envelope.key_id), envelope.key, f"key|{place}")
        except (InvalidTag, KeyError, ValueError, msgspec.MsgspecError) as error:
            raise _unreadable() from error
        again = _seal(self._keys[self.key_id], key, f"key|{place}")
        return msgspec.msgpack.encode(Envelope(LAYOUT, self.key_id, again, envelope.value))

    def _key(self, key_id: str) -> bytes:
        """Find a key; one that is not known may be new: it was made by another process."""
        if key_id not in self._keys:
            self.renew()
        return self._keys[key_id]

    def seal(self, data: bytes, place: str) -> bytes:
        """Seal bytes."""
        key = secrets.token_bytes(32)
        envelope = Envelope(
            LAYOUT, self.key_id, _seal(self._keys[self.key_id], key, f"key|{place}"), _seal(key, data, place)
        )
        return msgspec.msgpack.encode(envelope)

    def open(self, sealed: bytes, place: str) -> bytes:
        """Open sealed bytes."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  costs 20 ms that most starts save

        try:
            envelope = _envelope(sealed)
            key = _open(self._key(envelope.key_id), envelope.key, f"key|{place}")
            return _open(key, envelope.value, place)
        except (InvalidTag, KeyError, ValueError, msgspec.MsgspecError) as error:
            raise _unreadable() from error


def _envelope(sealed: bytes) -> Envelope:
    """Read an envelope.

    Raises:
        ValueError: It is none of the layout that is known.
    """
    envelope = msgspec.msgpack.decode(sealed, type=Envelope)
    if envelope.layout != LAYOUT:
        raise ValueError(envelope.layout)
    return envelope


def _unreadable() -> Unavailable:
    """Say that a secret stays shut."""
    return Unavailable(
        "A secret cannot be opened: its key is not in LINKFLOW_HOME/keys.", code="secret.unreadable"
    )


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


FIRST_FILE = "sealing.key"
FIRST = "k1"
COMMAND_S = 20.0
_WRITTEN = re.compile(r"([A-Za-z0-9_.-]{1,40}):([0-9a-fA-F]{64})")
_KEY_FILE = re.compile(r"sealing-(k(\d+))\.key")

Keys = tuple[Mapping[str, bytes], str]
"""Keys by id, and the id of the one that seals."""


class KeysUnreadable(Unavailable):
    """The keys that seal secrets cannot be read."""

    code = "secret.keys"


def key_source(folder: Path, given: str | None = None, command: str | None = None) -> Callable[[], Keys]:
    """Say where keys come from; each call reads them again.

    Args:
        folder: LINKFLOW_HOME/keys.
        given: `k2:<64 hex digits>,k1:<64 hex digits>`, the first seals.
        command: Prints the same.
    """

    def read() -> Keys:
        text = given or (_printed(command) if command else "")
        named = keys_of(text) if text else {}
        files = keys_in(folder, make=not named)
        newest = next(iter(named)) if named else max(files, key=lambda key_id: int(key_id[1:]))
        return {**files, **named}, newest

    return read


def keys_of(text: str) -> Mapping[str, bytes]:
    """Read keys as they are written in a setting.

    Raises:
        KeysUnreadable: They are not `id:64 hex digits`, separated by commas or lines, each id once.
    """
    entries = [entry.strip() for entry in re.split(r"[,\n]", text) if entry.strip()]
    found = [_WRITTEN.fullmatch(entry) for entry in entries]
    keys = {match[1]: bytes.fromhex(match[2]) for match in found if match}
    if not keys or len(keys) != len(entries):
        raise KeysUnreadable("Sealing keys are written as k2:<64 hex digits>,k1:<64 hex digits>.")
    return keys


def keys_in(folder: Path, *, make: bool) -> Mapping[str, bytes]:
    """Read the keys in files; the first one is made where there is none and `make` says so."""
    found: dict[str, bytes] = {}
    if make or (folder / FIRST_FILE).exists():
        found[FIRST] = _key_in(folder, FIRST_FILE)
    if folder.is_dir():
        for file in folder.iterdir():
            if match := _KEY_FILE.fullmatch(file.name):
                found[match[1]] = _key_in(folder, file.name)
    return found


def add_key(folder: Path) -> str:
    """Make the next key in a file, mode 0600, and say its id."""
    number = 1 + max((int(key_id[1:]) for key_id in keys_in(folder, make=True)), default=0)
    name = f"sealing-k{number}.key"
    part = folder / f"{name}.part"
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(secrets.token_hex(32) + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(folder / name)
    return f"k{number}"


def _key_in(folder: Path, name: str) -> bytes:
    """Read one file.

    Raises:
        KeysUnreadable: It holds no key.
    """
    try:
        key = bytes.fromhex(keep_key(folder, name))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise KeysUnreadable(f"{folder / name} holds no key of 64 hex digits. Restore it from your backup.")
    return key


def _printed(command: str) -> str:
    """Run the command.

    Raises:
        KeysUnreadable: It fails, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603  whoever sets it runs LinkFlow
            shlex.split(command), capture_output=True, text=True, timeout=COMMAND_S, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise KeysUnreadable(
            f"LINKFLOW_SEALING_COMMAND fails ({type(error).__name__}); it must print the sealing keys."
        ) from None
    return done.stdout
